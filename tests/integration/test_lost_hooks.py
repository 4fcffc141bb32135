"""Webhooks that never came: on a GitLab-compatible server, with a real database and a whole Cloister."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.forge_gitlab_updates import GitLabUpdates
from bot.adapters.kafka_topics import Topics
from bot.adapters.reconciliation_postgres import PostgresReconciliations
from bot.adapters.telemetry import OpenTelemetry
from bot.demo.gitlab import Level, MergeRequest, Project, RateLimit
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from bot.domain.errors import Transient
from bot.gitlab.instance import instance_name
from bot.runtime.reconciler import Reconciler
from bot.wiring import base, reconciler
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import GitLab
from tests.unit.cli.command import run

DEFECT = "for i in range(len(values) + 1):\n"
SECRET = f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n"


@asynccontextmanager
async def reconciling(cloister: Cloister, **changes: Any) -> AsyncIterator[Reconciler]:
    """Provide a reconciler as a process of its own has it."""
    settings = cloister.settings.model_copy(update=changes)
    with OpenTelemetry() as telemetry:
        async with base(settings, cloister.database_url, telemetry, connections=4) as parts:
            api = GitLabApi(str(settings.gitlab_url), cloister.gitlab.token)
            yield reconciler(parts, api)
            await api.aclose()


@pytest.fixture
async def still(gitlab: GitLab, ollama_server: ScriptedOllama, database_url: str, tmp_path: Path) -> Cloister:
    """Return a Cloister of which nothing runs."""
    ollama_server.script = planted_review
    settings = settings_for(gitlab, ollama_server.url, database_url, tmp_path / "data")
    return Cloister(settings, gitlab, database_url, ollama_server)


async def know(cloister: Cloister, project: Project) -> None:
    """Let the database know *project* from an event long ago."""
    await cloister.fetch(
        "INSERT INTO merge_request (instance, project_id, iid, closed) VALUES ($1, $2, 2147483647, true)",
        instance_name(cloister.gitlab.server.url),
        project.id,
    )


async def due(cloister: Cloister) -> None:
    """Let the next pass be due now."""
    await cloister.fetch("UPDATE reconciliation SET next_at = now()")


async def an_hour_passes(cloister: Cloister) -> None:
    """Date everything back, so that the next pass is due."""
    hour = timedelta(hours=1)
    for project in cloister.gitlab.server.instance.state.projects.values():
        for merge_request in project.merge_requests.values():
            merge_request.updated_at -= hour
    await cloister.fetch("UPDATE merge_request SET updated_at = updated_at - $1::interval", hour)
    await cloister.fetch(
        "UPDATE reconciliation SET updated_after = updated_after - $1::interval, next_at = next_at - $1::interval",
        hour,
    )


async def raised(cloister: Cloister) -> list[tuple[int, int, str, str]]:
    """Return what the reconciler has put into the log."""
    rows = await cloister.fetch(
        "SELECT body FROM event WHERE stage = 'intake' AND body->>'source' = 'reconciler'"
        " ORDER BY partition, log_offset"
    )
    bodies = [json.loads(row["body"]) for row in rows]
    return sorted(
        (body["ref"]["project_id"], body["ref"]["iid"], body["action"], body["head_sha"]) for body in bodies
    )


def long_ago(merge_request: MergeRequest, **ago: float) -> MergeRequest:
    """Date the last update back, beyond what is left to hooks."""
    merge_request.updated_at = datetime.now(UTC) - timedelta(**(ago or {"minutes": 4}))
    return merge_request


def opened(
    cloister: Cloister, name: str = "feature", project: Project | None = None, **ago: float
) -> MergeRequest:
    """Open a merge request with one defect, a few minutes ago."""
    home = project or cloister.gitlab.project
    made = cloister.gitlab.server.open_merge_request(home, name, {f"{name}.txt": DEFECT}, title=name)
    return long_ago(made, **ago)


async def test_lost_hooks_are_made_up_for(still: Cloister, ollama_server: ScriptedOllama) -> None:
    """An opening, a push, a close and a reopening that nobody was told of: each has its effect after a pass."""
    server = still.gitlab.server
    hooks = server.instance.core.hooks
    async with running(still.settings, still.gitlab, ollama_server), reconciling(still) as ours:
        server.add_hook(still.gitlab.project, still.webhook_url, WEBHOOK_SECRET)
        told = opened(still, "told")
        await still.outcome(told)
        await an_hour_passes(still)
        hooks.silent = True

        lost = opened(still, "lost")
        head = server.push(told, {"told.txt": "fine\n" + DEFECT})
        long_ago(told)
        await ours.take_turn()
        assert [("lost.txt", 1)] == (await still.outcome(lost)).lines
        assert [("told.txt", 2)] == (await still.outcome(told)).lines
        project = still.gitlab.project.id
        expected = [(project, told.iid, "changed", head), (project, lost.iid, "changed", lost.head_sha)]
        assert expected == await raised(still)

        await an_hour_passes(still)
        server.push(told, {"told.txt": "better\n" * 2 + DEFECT})
        server.close_merge_request(told)
        server.close_merge_request(lost)
        for one in (told, lost):
            long_ago(one)
        await ours.take_turn()
        await still.idle()
        assert [(True,), (True,)] == [
            tuple(row) for row in await still.fetch("SELECT closed FROM merge_request ORDER BY iid")
        ]

        await an_hour_passes(still)
        server.reopen(told)
        long_ago(told)
        await ours.take_turn()
        assert [("told.txt", 3)] == (await still.outcome(told)).lines
        await still.idle()
        count = len(await raised(still))
        await due(still)
        await ours.take_turn()
        assert (5, 5) == (count, len(await raised(still)))


async def test_a_verdict_follows_labels_and_drafts_whose_hooks_were_lost(
    still: Cloister, ollama_server: ScriptedOllama
) -> None:
    """Rules of the gate ask for both; what has not changed is not decided again."""
    server = still.gitlab.server
    rule = "{when: {scanners: [secrets], %s}, mode: advise}"
    policy = f"review: {{model: false}}\ngate:\n  rules:\n  - {rule % 'labels: [sample]'}\n  - {rule % 'draft: true'}\n"
    server.commit(still.gitlab.project, "main", {".cloister.yml": policy})
    async with running(still.settings, still.gitlab, ollama_server), reconciling(still) as ours:
        server.add_hook(still.gitlab.project, still.webhook_url, WEBHOOK_SECRET)
        merge_request = server.open_merge_request(still.gitlab.project, "told", {"told.txt": SECRET})
        assert "failed" == (await still.outcome(merge_request)).status
        server.instance.core.hooks.silent = True
        changes: list[tuple[str, Callable[[], object]]] = [
            ("success", lambda: server.label(merge_request, "sample")),
            ("failed", lambda: server.label(merge_request)),
            ("success", lambda: server.edit(merge_request, title="Draft: told")),
            ("failed", lambda: server.edit(merge_request, title="told")),
        ]
        for expected, change in changes:
            await an_hour_passes(still)
            change()
            long_ago(merge_request)
            await ours.take_turn()
            await still.idle()
            assert expected == still.status(merge_request)
        count = len(await raised(still))
        await an_hour_passes(still)
        server.edit(merge_request, description="told")
        long_ago(merge_request)
        await ours.take_turn()
        assert (len(changes), len(changes)) == (count, len(await raised(still)))


async def test_lost_hooks_are_made_up_for_on_kafka(
    still: Cloister, ollama_server: ScriptedOllama, kafka_address: str, kafka_topics: Topics
) -> None:
    """The event goes into the outbox, from where it is shipped like any other."""
    changes = {"log_url": f"kafka://{kafka_address}", "kafka_prefix": kafka_topics.prefix}
    still.settings = settings_for(
        still.gitlab, still.settings.model_url, still.database_url, still.settings.data_dir, **changes
    )
    await know(still, still.gitlab.project)
    lost = opened(still)
    async with running(still.settings, still.gitlab, ollama_server):
        assert [("feature.txt", 1)] == (await still.outcome(lost)).lines
    assert 1 == len(await raised(still))


async def test_a_lost_close_ends_a_running_review(still: Cloister, ollama_server: ScriptedOllama) -> None:
    """Nothing more is posted, although nobody told us."""
    server = still.gitlab.server
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(request: Any) -> Any:
        loop.call_soon_threadsafe(asked.set)
        return replace(planted_review(request), delay_s=20)

    ollama_server.script = slow
    async with running(still.settings, still.gitlab, ollama_server), reconciling(still) as ours:
        server.add_hook(still.gitlab.project, still.webhook_url, WEBHOOK_SECRET)
        merge_request = opened(still)
        async with asyncio.timeout(150):
            await asked.wait()
        await an_hour_passes(still)
        server.instance.core.hooks.silent = True
        server.close_merge_request(merge_request)
        long_ago(merge_request)
        await ours.take_turn()
        async with asyncio.timeout(150):
            while await still.runs(merge_request) != [(merge_request.head_sha, "superseded")]:
                await asyncio.sleep(0.05)


async def test_what_was_pushed_while_cloister_was_down_is_reviewed_at_the_start(
    still: Cloister, ollama_server: ScriptedOllama
) -> None:
    """The first start finds nothing to look at; the second one what the receiver did not hear."""
    server = still.gitlab.server
    server.add_hook(still.gitlab.project, still.webhook_url, WEBHOOK_SECRET)
    async with running(still.settings, still.gitlab, ollama_server):
        told = opened(still, "told")
        await still.outcome(told)
    await an_hour_passes(still)
    missed = opened(still, "missed")
    server.push(told, {"told.txt": "fine\n" + DEFECT})
    server.drain_hooks()
    assert server.deliveries[-1].status == -1
    long_ago(told)
    async with running(still.settings, still.gitlab, ollama_server):
        assert [("missed.txt", 1)] == (await still.outcome(missed)).lines
        assert [("told.txt", 2)] == (await still.outcome(told)).lines


async def test_two_processes_raise_nothing_twice(still: Cloister) -> None:
    """One has the turn; and if both look at the same time all the same, they raise the same events."""
    await know(still, still.gitlab.project)
    for number in range(5):
        opened(still, f"change-{number}")
    async with reconciling(still) as one, reconciling(still) as other:
        await asyncio.gather(one.take_turn(), other.take_turn())
        assert still.gitlab.server.count("GET", "/merge_requests$") == 1
        since = datetime.now(UTC) - timedelta(hours=1)
        found = await asyncio.gather(one.catch_up(since), other.catch_up(since))
    assert [(5, 0), (5, 0)] == [(len(each.records), each.new) for each in found]
    assert 5 == len(await raised(still))


class Dying(PostgresReconciliations):
    """Lends turns that break off before the cursor moves."""

    async def claim(self, instance: str, *, lease: timedelta, first: timedelta) -> Any:
        turn = await super().claim(instance, lease=timedelta(milliseconds=50), first=first)

        class Broken:
            updated_after = turn and turn.updated_after

            async def move(self, *_: Any, **__: Any) -> None:
                raise KeyboardInterrupt

        return turn and Broken()


async def test_a_crash_before_the_cursor_moves_repeats_and_loses_nothing(still: Cloister) -> None:
    """The next process does it again from the old cursor, once the lease is over, with the same events."""
    await know(still, still.gitlab.project)
    merge_request = opened(still)
    with OpenTelemetry() as telemetry:
        async with base(still.settings, still.database_url, telemetry, connections=4) as parts:
            api = GitLabApi(str(still.settings.gitlab_url), still.gitlab.token)
            dying = Reconciler(
                forge=GitLabUpdates(api, parts.instance),
                reconciliations=Dying(parts.pool),
                sink=parts.outbox,
                telemetry=telemetry,
                clock=parts.clock,
                instance=parts.instance,
            )
            with pytest.raises(KeyboardInterrupt):
                await dying.take_turn()
            await api.aclose()
    assert 1 == len(await raised(still))
    ((before,),) = await still.fetch("SELECT updated_after FROM reconciliation")
    await asyncio.sleep(0.1)
    later = opened(still, "later", minutes=3)
    async with reconciling(still) as ours:
        await ours.take_turn()
    assert [merge_request.iid, later.iid] == [iid for _, iid, _, _ in await raised(still)]
    ((after,),) = await still.fetch("SELECT updated_after FROM reconciliation")
    assert before < after


async def test_the_first_pass_goes_back_a_day(still: Cloister) -> None:
    """Older merge requests are reviewed when something happens to them."""
    await know(still, still.gitlab.project)
    opened(still, "old", hours=25)
    young = opened(still, "young", hours=23)
    async with reconciling(still) as ours:
        await ours.take_turn()
    assert [young.iid] == [iid for _, iid, _, _ in await raised(still)]


async def test_a_backlog_is_worked_off_in_parts(still: Cloister) -> None:
    """A pass stops after so many pages, and the next one goes on where it stopped."""
    await know(still, still.gitlab.project)
    first = opened(still, "backlog", hours=20)
    server = still.gitlab.server
    for number in range(2, 2_102):
        at = first.updated_at + timedelta(seconds=number)
        still.gitlab.project.merge_requests[number] = replace(
            first, id=first.id + number, iid=number, updated_at=at
        )
    async with reconciling(still) as ours:
        await ours.take_turn()
        assert server.count("GET", "/merge_requests$") == 20
        assert 1981 == len(await raised(still))
        (row,) = await still.fetch("SELECT updated_after, next_at - now() AS pause FROM reconciliation")
        assert abs(first.updated_at + timedelta(seconds=1981) - row["updated_after"]) < timedelta(
            milliseconds=2
        )
        assert row["pause"] < timedelta(seconds=16)
        await due(still)
        await ours.take_turn()
    assert 2_101 == len(await raised(still))
    assert server.count("GET", "/merge_requests$") == 22
    ((pause,),) = await still.fetch("SELECT next_at - now() FROM reconciliation")
    assert pause > timedelta(minutes=4)


@pytest.mark.parametrize(("expected", "mode"), [(["known"], "known"), (["known", "ours"], "member")])
async def test_where_to_look_is_a_setting(still: Cloister, expected: list[str], mode: str) -> None:
    """By default only where events came from; else wherever the account may review, but nowhere more."""
    server, bot = still.gitlab.server, still.gitlab.bot
    await know(still, still.gitlab.project)
    opened(still, "known")
    for name, level in (("ours", Level.developer), ("reading", Level.reporter)):
        project = server.create_project(f"other/{name}", {"a": "1\n"}, members={bot: level})
        opened(still, name, project)
    public = server.create_project("other/public", {"a": "1\n"}, visibility="public")
    opened(still, "public", public)
    async with reconciling(still, reconcile=mode) as ours:
        await ours.take_turn()
    names = {
        project.id: project.path.rpartition("/")[2] for project in server.instance.state.projects.values()
    }
    found = [names[project] for project, *_ in await raised(still)]
    assert sorted(found) == [{"known": "app"}.get(name, name) for name in expected]
    assert server.unknown_requests == []


async def test_the_command_prints_what_was_missing(still: Cloister) -> None:
    """As a table or as JSON; doing it twice raises nothing new, and the cursor stays where it is."""
    await know(still, still.gitlab.project)
    lost = opened(still, "lost", hours=30)
    server = still.gitlab.server
    server.close_merge_request(opened(still, "closed"))

    def run_it(*arguments: str) -> Any:
        environ = {
            "CLOISTER_GITLAB_URL": server.url,
            "CLOISTER_GITLAB_TOKEN": still.gitlab.token,
            "CLOISTER_DATABASE_URL": still.database_url,
        }
        return run("reconcile", *arguments, **environ)

    nothing = await asyncio.to_thread(run_it)
    assert (0, "0 merge requests whose webhook never came\n") == (nothing.exit_code, nothing.stdout)
    since = (datetime.now(UTC) - timedelta(hours=31)).isoformat()
    first = await asyncio.to_thread(run_it, "--since", since, "--json")
    (entry,) = json.loads(first.stdout)["raised"]
    project = still.gitlab.project.id
    assert (project, lost.iid, "changed", lost.head_sha) == tuple(
        entry[name] for name in ("project_id", "iid", "action", "head_sha")
    )
    assert json.loads(first.stdout)["new"] == 1
    again = await asyncio.to_thread(run_it, "--since", since)
    assert f"{project}!{lost.iid}" in again.stdout
    assert "1 merge requests whose webhook never came, 1 of them raised before" in again.stdout
    assert 1 == len(await raised(still))
    assert [] == await still.fetch("SELECT * FROM reconciliation")
    server.revoke(still.gitlab.token)
    refused = await asyncio.to_thread(run_it)
    assert refused.exit_code == 2
    assert "CLOISTER_GITLAB_TOKEN" in refused.stderr


async def test_off_is_off(still: Cloister, ollama_server: ScriptedOllama) -> None:
    """Nobody asks GitLab for lists."""
    settings = still.settings.model_copy(update={"reconcile": "off"})
    async with running(settings, still.gitlab, ollama_server):
        await asyncio.sleep(0.3)
    assert still.gitlab.server.count("GET", "/merge_requests$") == 0
    assert [] == await still.fetch("SELECT * FROM reconciliation")


@pytest.mark.parametrize("trouble", ["throttled", "revoked", "broken", "away", "hostile"])
async def test_trouble_ends_a_pass_and_nothing_else(trouble: str, still: Cloister) -> None:
    """The cursor stays, the next pass waits, and afterwards nothing is missing."""
    server = still.gitlab.server
    await know(still, still.gitlab.project)
    opened(still)
    match trouble:
        case "throttled":
            server.rate_limit = RateLimit(0, period_s=3600)
        case "revoked":
            server.revoke(still.gitlab.token)
        case "broken":
            server.faults.add("GET", "/merge_requests$", status=502)
        case "away":
            server.faults.add("GET", "/merge_requests$", drop=True)
        case "hostile":
            server.faults.add("GET", "/merge_requests$", status=200, body='{"no": "list"}')
    async with reconciling(still) as ours:
        await ours.take_turn()
        assert [] == await raised(still)
        (row,) = await still.fetch("SELECT next_at - now() AS pause FROM reconciliation")
        assert timedelta(minutes=4) < row["pause"] <= timedelta(hours=1)
        server.rate_limit = None
        server.instance.state.tokens[still.gitlab.token].revoked = False
        await due(still)
        await ours.take_turn()
    assert 1 == len(await raised(still))


async def test_a_database_that_is_away_is_an_error_of_ours(still: Cloister) -> None:
    """The loop of the reconciler waits for it."""
    async with reconciling(still) as ours:
        await still.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        for _ in range(3):
            try:
                await ours.take_turn()
            except Transient:
                continue
            break
    assert 1 == len(await still.fetch("SELECT * FROM reconciliation"))
