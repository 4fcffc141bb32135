"""`cloister dlq` and `cloister replay` on a real database, shared or embedded, with a Cloister beside them or not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot.adapters.embedded_postgres import EmbeddedPostgres
from bot.adapters.kafka_topics import Topics
from bot.adapters.log_kafka import KafkaLog
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.migrations import current_revision, newest_revision
from bot.adapters.store_postgres import PostgresStore
from bot.demo.gitlab.server import GitLabServer
from bot.domain.events import Action, FetchRequested, MergeRequestChanged, Record
from bot.domain.merge_request import MergeRequestRef
from bot.domain.replay import original_of
from tests.ports import free_address
from tests.unit.cli.command import ENVIRONMENT, run
from tests.waiting import until

#: Text that would clear a terminal and turn around what follows.
HOSTILE = "\x1b[2J\u202eevil\x9b0m"


def change(iid: int, *, project_id: int = 7) -> Record:
    """Return what happened to a merge request."""
    event = MergeRequestChanged(
        ref=MergeRequestRef(instance="gitlab.example", project_id=project_id, iid=iid),
        action=Action.changed,
        head_sha="a" * 40,
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        source="hook",
    )
    return Record.of(event, id=uuid.uuid4(), trace={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})


async def cloister(database_url: str, *arguments: str, **environ: str) -> Any:
    """Run a command on the database."""
    return await asyncio.to_thread(run, *arguments, CLOISTER_DATABASE_URL=database_url, **environ)


async def numbers(database_url: str) -> list[int]:
    """Return the numbers of the letters in the order of the list."""
    return [
        one["number"] for one in json.loads((await cloister(database_url, "dlq", "list", "--json")).stdout)
    ]


async def test_a_list_shows_hostile_text_harmlessly(store: PostgresStore, database_url: str) -> None:
    """What records and errors say cannot steer the terminal, in no form."""
    record = change(3).model_copy(update={"kind": HOSTILE})
    await store.park("intake", record, attempts=2, error="Permanent", reason=f"no access {HOSTILE}")
    (number,) = await numbers(database_url)
    for command in ("list", "show"):
        for form in ((), ("--json",)):
            where = (str(number),) if command == "show" else ()
            said = (await cloister(database_url, "dlq", command, *where, *form)).stdout
            assert not set("\x1b\x9b\u202e") & set(said)
            assert "no access" in said
            assert "a" * 32 in said
    (listed,) = json.loads((await cloister(database_url, "dlq", "list", "--json")).stdout)
    assert ("gitlab.example:7:3", 2, HOSTILE) == (listed["merge_request"], listed["attempts"], listed["kind"])


async def test_a_list_can_be_narrowed(store: PostgresStore, database_url: str) -> None:
    """By stage, project and number of lines; what is left out is said."""
    for stage, project_id in (("intake", 7), ("intake", 8), ("relay", 7)):
        await store.park(stage, change(1, project_id=project_id), attempts=1, error="E", reason="r")
    lines = {}
    for options in ((), ("--stage", "intake"), ("--stage", "relay"), ("--project", "8"), ("--limit", "2")):
        result = await cloister(database_url, "dlq", "list", *options)
        lines[" ".join(options)] = len(result.stdout.splitlines()) - 1
    assert {"": 3, "--stage intake": 2, "--stage relay": 1, "--project 8": 1, "--limit 2": 2} == lines
    assert "there are more" in result.stderr


async def test_bytes_that_were_no_record_are_shown_and_kept(store: PostgresStore, database_url: str) -> None:
    """With their place in the log; retrying says what to do, and does it once they can be read."""
    good = change(4).model_dump_json().encode()
    place = {"topic": "cloister.intake", "partition": 7, "offset": 77}
    for raw in (b"{\xff" + HOSTILE.encode(), good):
        place["offset"] += 1
        record = Record.unreadable(raw, stage="intake", place=place, problem="no JSON")
        await store.park("intake", record, attempts=1, error="Unreadable", reason="no JSON")
    readable, broken = await numbers(database_url)
    shown = (await cloister(database_url, "dlq", "show", str(broken))).stdout
    assert all(part in shown for part in ("cloister.intake", "78", "no JSON", "evil"))
    assert "there are none\n" == (await cloister(database_url, "dlq", "list", "--project", "7")).stdout
    result = await cloister(database_url, "dlq", "retry", str(broken), str(readable))
    assert 2 == result.exit_code
    assert f"error: dead letter {broken} cannot be retried" in result.stderr
    assert [broken] == await numbers(database_url)


async def test_letters_are_retried_and_dropped_by_number_or_all(
    store: PostgresStore, database_url: str, pool: Any
) -> None:
    """What was done is said for each; dropping asks, and without a terminal it wants to be told."""
    for iid in range(1, 6):
        await store.park("intake", change(iid), attempts=1, error="E", reason="r")
    *_, second, first = await numbers(database_url)
    result = await cloister(database_url, "dlq", "retry", str(first))
    assert f"{first}" in result.stdout
    assert "handed out again" in result.stdout
    refused = await cloister(database_url, "dlq", "drop", str(second))
    assert (2, True) == (refused.exit_code, "--yes" in refused.stderr)
    missing = await cloister(database_url, "dlq", "drop", str(second), str(first), "--yes")
    assert (2, True) == (missing.exit_code, f"there is no dead letter {first}" in missing.stderr)
    assert 3 == len(await numbers(database_url))
    assert 0 == (await cloister(database_url, "dlq", "retry", "--all", "--stage", "scan")).exit_code
    assert 3 == len(await numbers(database_url))
    assert 0 == (await cloister(database_url, "dlq", "retry", "--all")).exit_code
    assert "there are none\n" == (await cloister(database_url, "dlq", "list")).stdout
    assert 4 == await pool.fetchval("SELECT count(*) FROM event WHERE stage = 'intake'")


@pytest.mark.parametrize(
    "arguments",
    [
        ("dlq", "retry"),
        ("dlq", "drop", "1", "--all"),
        ("dlq", "retry", "1", "--stage", "scan"),
        ("dlq", "show", "0"),
        ("dlq", "show", "3000000000"),
        ("dlq", "list", "--stage", "nobody"),
        ("replay", "--from", "2h", "--stage", "relay"),
        ("replay",),
        ("replay", "--from", "soon"),
        ("replay", "--from", "2h", "--to", "3h"),
        ("replay", "--from", "2h", "--stage", "scan", "--again"),
    ],
)
def test_what_was_asked_for_wrongly_is_refused(arguments: tuple[str, ...]) -> None:
    """Before anything is connected to."""
    result = run(*arguments, CLOISTER_DATABASE_URL="postgresql://u:p@127.0.0.1:9/d")
    assert 2 == result.exit_code
    assert "Usage" in result.stderr


async def test_a_database_of_another_release_is_left_alone(database_url: str, pool: Any) -> None:
    """Older or newer: the message says what to do, and nothing is upgraded under a running Cloister."""
    for version, said in (("0001", "cloister db upgrade"), ("9999", "use the release")):
        await pool.execute("UPDATE alembic_version SET version_num = $1", version)
        result = await cloister(database_url, "dlq", "list")
        assert (2, True) == (result.exit_code, said in result.stderr)


async def test_a_replay_appends_copies(postgres_log: PostgresLog, database_url: str, pool: Any) -> None:
    """Those of the range, the stage and the project, once; a dry run only counts."""
    await postgres_log.append([change(iid, project_id=project_id) for iid in (1, 2) for project_id in (7, 8)])
    run_id = uuid.uuid4()
    ref = MergeRequestRef(instance="gitlab.example", project_id=7, iid=1)
    await postgres_log.append([Record.of(FetchRequested(ref=ref, run_id=run_id), id=run_id)])

    async def replay(*options: str) -> tuple[int, list[tuple[str, int, int, int]]]:
        result = await cloister(database_url, "replay", "--from", "1h", "--json", *options)
        assert result.exit_code == 0, result.stderr
        stages = json.loads(result.stdout)["stages"]
        rows = [(s["stage"], s["events"], s["merge_requests"], s["reviewed_again"]) for s in stages]
        return await pool.fetchval("SELECT count(*) FROM event"), rows

    both = ("--stage", "intake", "--stage", "fetch")
    assert (5, [("intake", 2, 2, 2)]) == await replay("--project", "7", "--again", "--dry-run")
    assert (7, [("intake", 2, 2, 0)]) == await replay("--project", "7")
    assert (12, [("intake", 4, 4, 4), ("fetch", 1, 1, 0)]) == await replay("--again", *both)
    assert (17, [("intake", 4, 4, 0), ("fetch", 1, 1, 0)]) == await replay(*both)
    before = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
    assert (17, [("intake", 0, 0, 0)]) == await replay("--to", before)


async def test_a_replay_reads_and_writes_kafka(
    kafka_log: KafkaLog, kafka_topics: Topics, kafka_address: str, database_url: str, pool: Any
) -> None:
    """Where that is the log; a second replay over the first does not multiply anything."""
    since = datetime.now(UTC) - timedelta(minutes=1)
    await kafka_log.append([change(iid) for iid in (1, 2, 3)])
    environ = {"CLOISTER_LOG_URL": f"kafka://{kafka_address}", "CLOISTER_KAFKA_PREFIX": kafka_topics.prefix}
    for count in (6, 9):
        result = await cloister(database_url, "replay", "--from", "1m", "--json", **environ)
        assert [3] == [stage["events"] for stage in json.loads(result.stdout)["stages"]], result.stderr
        found = [one async for one in kafka_log.history("intake", since)]
        assert (count, count) == (len(found), len({one.id for one in found}))
        assert 3 == len({original_of(one) for one in found})
    assert 0 == await pool.fetchval("SELECT count(*) FROM event")


async def test_a_replay_finds_the_project_of_a_path(postgres_log: PostgresLog, database_url: str) -> None:
    """GitLab is asked for it, and only for that."""
    with GitLabServer() as gitlab:
        project = gitlab.create_project("group/app", {"README.md": "x\n"})
        _, token = gitlab.create_project_token(project, level=30)
        environ = {"CLOISTER_GITLAB_URL": gitlab.url, "CLOISTER_GITLAB_TOKEN": token}
        await postgres_log.append([change(1, project_id=project.id), change(1, project_id=project.id + 1)])
        arguments = ("replay", "--from", "1h", "--json", "--dry-run", "--project")
        found = await cloister(database_url, *arguments, "group/app", **environ)
        missing = await cloister(database_url, *arguments, "group/other", **environ)
        unasked = await cloister(database_url, *arguments, "group/app")
    assert [1] == [stage["events"] for stage in json.loads(found.stdout)["stages"]]
    assert 2 == missing.exit_code
    assert (2, True) == (unasked.exit_code, "CLOISTER_GITLAB_URL" in unasked.stderr)


@pytest.mark.parametrize(("answer", "appended"), [("n", 0), ("y", 101)])
async def test_many_reviews_are_asked_about(
    answer: str, appended: int, postgres_log: PostgresLog, database_url: str, pool: Any
) -> None:
    """On a terminal, before anything is appended."""
    await postgres_log.append([change(iid) for iid in range(1, 102)])

    def ask() -> int:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "bot", "replay", "--from", "1h", "--again"]
        environment = {**os.environ, **ENVIRONMENT, "CLOISTER_DATABASE_URL": database_url}
        with subprocess.Popen(
            command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        ) as asking:
            os.close(theirs)
            os.write(ours, f"{answer}\n".encode())
            assert asking.stdout is not None
            said = asking.stdout.read().decode()
        os.close(ours)
        assert "Review 101 merge requests again? [y/N]" in said
        return asking.returncode

    assert (1 if answer == "n" else 0) == await asyncio.to_thread(ask)
    assert 101 + appended == await pool.fetchval("SELECT count(*) FROM event")


@contextlib.contextmanager
def data_directory() -> Iterator[Path]:
    """Make a directory that a Postgres started by root can read too, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="cloister-test-") as directory:
        yield Path(directory) / "data"


@contextlib.contextmanager
def up(environ: dict[str, str], ending: signal.Signals) -> Iterator[None]:
    """Run `cloister up` and end it like that."""
    with subprocess.Popen([sys.executable, "-m", "bot", "up"], env={**os.environ, **environ}) as running:
        yield
        running.send_signal(ending)
        running.wait()


async def migrated(data_dir: Path) -> str:
    """Return the address of the database in *data_dir* if it runs and has all migrations."""
    url = EmbeddedPostgres(data_dir).running()
    return url if url and await current_revision(url) == newest_revision() else ""


async def parked(url: str) -> None:
    """Put a letter into the database at *url*."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO dead_letter (consumer_group, event_id, attempts, error, reason, record)"
        " VALUES ('intake', $1, 1, 'E', 'no access', $2)",
        (record := change(1)).id,
        record.model_dump_json(),
    )
    await connection.close()


async def test_the_embedded_database_is_shared_with_a_running_cloister() -> None:
    """`cloister up` has it; the commands work beside it, and after it has ended or was killed."""
    with data_directory() as data_dir:
        environ = {
            "CLOISTER_GITLAB_URL": "http://127.0.0.1:9",
            "CLOISTER_GITLAB_TOKEN": "glpat-x",
            "CLOISTER_WEBHOOK_SECRET": "0123456789abcdef",
            "CLOISTER_DATA_DIR": str(data_dir),
            "CLOISTER_LISTEN": free_address(),
        }
        nobody = await asyncio.to_thread(run, "dlq", "list", **environ)
        assert (2, True) == (nobody.exit_code, "there is no database in" in nobody.stderr)
        assert not data_dir.exists()

        for ending in (signal.SIGTERM, signal.SIGKILL):
            with up(environ, ending):
                url = await until(lambda: migrated(data_dir), "no database with all migrations")
                await parked(url)
                beside = await asyncio.to_thread(run, "dlq", "list", **environ)
                dropped = await asyncio.to_thread(run, "dlq", "drop", "--all", "--yes", **environ)
                replayed = await asyncio.to_thread(run, "replay", "--from", "1h", **environ)
                await parked(url)
            assert "no access" in beside.stdout, beside.stderr
            assert [0, 0, 0] == [one.exit_code for one in (beside, dropped, replayed)]
            alone = await asyncio.to_thread(run, "dlq", "list", **environ)
            assert "no access" in alone.stdout, alone.stderr
            assert EmbeddedPostgres(data_dir).running() is None
