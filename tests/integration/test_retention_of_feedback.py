"""Old feedback goes by whole months, and what was made of it stays to the row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.feedback_postgres import PostgresFeedback
from bot.adapters.labels_postgres import PostgresLabels
from bot.adapters.learning_postgres import PostgresLearning
from bot.adapters.retention_postgres import Pruned, prune, prune_regularly
from bot.adapters.retention_signals import months
from bot.adapters.retention_tables import AGED
from bot.adapters.rollups_postgres import recount, roll_up
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.telemetry import OpenTelemetry
from bot.domain.audit_log import Act
from bot.domain.merge_request import MergeRequestRef
from bot.domain.retention import gone_before
from bot.learning.formats import Format
from bot.learning.gathering import Gathering
from bot.learning.labelling import label_due, rebuild
from tests.history import INSTANCE, History, Reviewed, Said
from tests.unit.cli.command import run

HOUR = timedelta(hours=1)
DAYS = 90
TABLES = ("comment", "label", "rollup", "rollup_kind", "rollup_bucket", "comment_kind", "review_fact")


#: A moment before and after the edge of what is kept, and a month before that.
YOUNG = gone_before(datetime.now(UTC), DAYS)
OLD = YOUNG - HOUR / 60
OLDEST = OLD - timedelta(days=40)


class Past:
    """A history on three merge requests: one is old, one young, and one has comments of both times."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.history = History(pool)
        self.said: dict[str, Said] = {}

    async def tell(self) -> None:
        """Have it happen, with labels and counts kept up."""
        for name, iid, at in (
            ("oldest", 1, OLDEST),
            ("old", 1, OLD),
            ("before", 2, OLD),
            ("after", 2, YOUNG),
            ("young", 3, YOUNG + HOUR),
        ):
            said = self.said[name] = Said(1, iid, at, severity="critical", had_suggestion=True)
            await self.history.said(said)
            await self.history.reviewed(Reviewed(1, iid, at, posted=1, commented_after=HOUR, standing=True))
            await self.history.signal(said, "reaction_added", HOUR, emoji="thumbsdown")
            await self.history.signal(said, "resolved", 2 * HOUR)
            await self.watch(said)
        for name in ("oldest", "before", "young"):
            await self.history.signal(self.said[name], "merged", 50 * HOUR)
        await self.settle()

    async def watch(self, said: Said) -> None:
        """Watch the merge request, as add_comments does."""
        await self.pool.execute(
            "INSERT INTO feedback_watch (instance, project_id, iid, began_at, next_at, seen, author_id)"
            " VALUES ($1, 1, $2, $3, now() + interval '1 day', '{\"f\": {}}', 5) ON CONFLICT DO NOTHING",
            INSTANCE,
            said.iid,
            said.posted_at,
        )

    async def settle(self) -> None:
        """Label and count all that is due."""
        while await label_due(PostgresLabels(self.pool)) or await roll_up(self.pool):
            pass

    async def rows(self, *tables: str) -> dict[str, list[Any]]:
        """Return all rows of tables."""
        return {
            table: sorted(map(repr, await self.pool.fetch(f"SELECT * FROM {table}")))
            for table in tables or TABLES
        }

    async def signals(self, name: str) -> list[str]:
        """Return the kinds of the signals of a comment."""
        query = "SELECT kind FROM signal WHERE comment_id = $1 ORDER BY at"
        return [row["kind"] for row in await self.pool.fetch(query, self.said[name].id)]


@pytest.fixture
async def past(pool: Any) -> Past:
    """Return the history."""
    past = Past(pool)
    await past.tell()
    return past


async def drop(pool: Any) -> Pruned:
    """Prune, and return what went."""
    pruned = await prune(pool, days=DAYS)
    assert pruned is not None
    return pruned


async def test_old_months_go_and_what_was_made_of_them_stays(past: Past, pool: Any) -> None:
    """Figures, labels and comments are the same to the row; who dropped what is in the audit log."""
    before, counted = (
        await past.rows(),
        await pool.fetchval("SELECT sum(downvoted) FROM rollup WHERE monthly"),
    )
    pruned = await drop(pool)
    assert ([f"{OLDEST:%Y-%m}", f"{OLD:%Y-%m}"], "") == (
        [month.name for month in pruned.months if month.rows],
        pruned.waits_for,
    )
    assert [await past.signals(name) for name in ("oldest", "old", "before")] == [[], [], []]
    assert [await past.signals(name) for name in ("after", "young")] == [["reaction_added", "resolved"]] * 2
    assert (await past.rows(), counted) == (before, 5)
    acts = [entry.act for entry in await PostgresAuditLog(pool).newest(9)]
    assert [
        Act("retention", "feedback.drop", m.name, None, {"rows": m.rows, "bytes": m.bytes})
        for m in pruned.months
    ] == acts[::-1]
    assert (await drop(pool)).months == ()


async def test_nothing_counts_or_labels_an_old_day_from_signals_that_are_gone(past: Past, pool: Any) -> None:
    """Whatever makes it due: a label, a younger comment, a rebuild, all counted anew."""
    before = await past.rows()
    await drop(pool)
    for said in past.said.values():
        await pool.execute(
            "INSERT INTO label_due (instance, project_id, iid) VALUES ($1, 1, $2)", INSTANCE, said.iid
        )
        await pool.execute(
            "INSERT INTO rollup_due (instance, project_id, iid) VALUES ($1, 1, $2)", INSTANCE, said.iid
        )
        await pool.execute(
            "INSERT INTO rollup_due (instance, project_id, day) VALUES ($1, 1, $2)",
            INSTANCE,
            said.posted_at.date(),
        )
    await past.settle()
    assert await past.rows() == before
    rebuilt = await rebuild(PostgresLabels(pool))
    assert (rebuilt.labelled, rebuilt.changed, rebuilt.passed_over) == (2, 0, 3)
    assert (await rebuild(PostgresLabels(pool), since=OLD)).passed_over == 2
    await recount(pool)
    await past.settle()
    assert await past.rows() == before
    assert await pool.fetchval("SELECT count(*) FROM label_due") == 0


async def test_what_happened_to_a_merge_request_stays_with_its_younger_comments(
    past: Past, pool: Any
) -> None:
    """Its merge and its watch move to the oldest comment that is kept, and go with that one."""
    await drop(pool)
    rows = await pool.fetch(
        "SELECT m.iid, s.began_at FROM signal s JOIN merge_request m ON m.id = s.merge_request_id"
        " WHERE s.kind = 'merged' ORDER BY m.iid"
    )
    assert [tuple(row) for row in rows] == [(2, YOUNG), (3, YOUNG + HOUR)]
    watches = await pool.fetch(
        "SELECT iid, began_at, next_at IS NULL AS over, seen FROM feedback_watch ORDER BY iid"
    )
    assert [tuple(row) for row in watches] == [
        (1, OLD, True, {}),
        (2, YOUNG, False, {"f": {}}),
        (3, YOUNG + HOUR, False, {"f": {}}),
    ]


async def test_what_comes_too_late_leaves_no_trace(past: Past, pool: Any) -> None:
    """No signal, no partition, no look; a new comment of the merge request is watched again, from its own time."""
    await drop(pool)
    ledger, ref = PostgresFeedback(pool), MergeRequestRef(instance=INSTANCE, project_id=1, iid=1)
    before, partitions = await past.rows(*TABLES, "signal"), len(await months(pool, None))
    (watch,) = [await ledger.watch(ref)]
    assert watch is not None
    assert not await ledger.expect(ref, within=HOUR)
    await ledger.looked(watch, again_at=datetime.now(UTC))
    assert await ledger.due(per_minute=9, lease=HOUR) == []
    await pool.execute("SELECT make_signal_partition($1)", OLD)
    await past.settle()
    assert (await past.rows(*TABLES, "signal"), len(await months(pool, None))) == (before, partitions)
    assert await ledger.kept_since() == YOUNG


async def test_a_month_waits_until_all_of_it_is_counted(past: Past, pool: Any) -> None:
    """A thumb that was taken back a second ago is in the labels and counts before the month goes; others do not wait."""
    await past.history.signal(past.said["old"], "reaction_removed", 3 * HOUR, emoji="thumbsdown")
    pruned = await drop(pool)
    assert f"labels or counts of {OLDEST:%Y-%m} are still due" in pruned.waits_for
    assert await past.signals("old") == ["reaction_added", "resolved", "reaction_removed"]
    await past.settle()
    assert (await drop(pool)).waits_for == ""
    assert await past.signals("old") == []
    assert await pool.fetchval("SELECT sum(downvoted) FROM rollup WHERE monthly") == 4


@asynccontextmanager
async def reading(pool: Any, month: datetime) -> AsyncIterator[None]:
    """Hold a partition as a long query does."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SELECT count(*) FROM signal_{month:%Y_%m}")
        yield


async def test_a_month_in_use_is_left_for_another_time(past: Past, pool: Any) -> None:
    """Nobody waits behind it for longer than a second; nothing of it is half done."""
    before = await past.rows(*TABLES, "signal", "feedback_watch", "signals_kept")
    async with reading(pool, OLDEST):
        pruned = await drop(pool)
    assert (pruned.months, pruned.waits_for) == ((), f"signals of {OLDEST:%Y-%m} are in use")
    assert await past.rows(*TABLES, "signal", "feedback_watch", "signals_kept") == before
    assert (await drop(pool)).waits_for == ""


async def test_a_month_that_is_only_partly_old_stays(past: Past, pool: Any) -> None:
    """And all months where feedback is never dropped."""
    found = await months(pool, DAYS)
    limit = datetime.now(UTC) - timedelta(days=DAYS)
    assert all(goes == (month.ends <= limit) for month, goes in found)
    assert any(month.begins < limit < month.ends and not goes for month, goes in found)
    assert [month for month, goes in await months(pool, None) if goes] == []
    assert sum(month.rows for month, _ in found) == await pool.fetchval("SELECT count(*) FROM signal")
    before = await past.rows("signal")
    assert (await prune(pool)) is not None
    assert await past.rows("signal") == before


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns"])
async def test_months_are_those_of_utc_in_any_zone_of_the_database(past: Past, pool: Any, zone: str) -> None:
    """The bounds of partitions are shown in the zone of the session, and are the same moments."""
    expected = await months(pool, DAYS)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL timezone = '{zone}'")
        assert await months(connection, DAYS) == expected
    assert all(month.begins.astimezone(UTC).day == 1 for month, _ in expected)


async def test_a_month_whose_partition_is_missing_gets_one(past: Past, pool: Any) -> None:
    """Nobody pruned for months, or an operator detached one: whoever posts makes it, whatever its name is taken by."""
    month = f"signal_{YOUNG:%Y_%m}"
    await pool.execute(f"ALTER TABLE signal DETACH PARTITION {month}")
    late = YOUNG + timedelta(days=2)
    await past.history.said(Said(1, 9, late))
    await asyncio.gather(*(pool.execute("SELECT make_signal_partition($1)", late) for _ in range(5)))
    found = [one.table for one, _ in await months(pool, None) if one.begins == YOUNG]
    assert found == [f"{month}_again"]
    await past.history.signal(past.said["young"], "resolved", HOUR)
    assert await pool.fetchval(f"SELECT count(*) FROM {month}_again") == 1


async def test_it_goes_by_itself_and_is_told(past: Past, pool: Any) -> None:
    """Every process with consumers does it."""
    telemetry = OpenTelemetry(None)
    task = asyncio.create_task(prune_regularly(pool, telemetry, days=DAYS))
    async with asyncio.timeout(150):
        while b'cloister_rows_dropped_total{table="signal"}' not in telemetry.exposition():
            await asyncio.sleep(0.02)
    assert await past.signals("old") == []
    task.cancel()


async def test_a_data_set_says_how_many_comments_it_is_without(
    past: Past, pool: Any, store: PostgresStore
) -> None:
    """They are counted among what was left out, within the window and the project that were asked for."""
    await drop(pool)
    nowhere: Any = None

    async def left_out(**narrowed: Any) -> int:
        gathering = Gathering(PostgresLabels(pool), PostgresLearning(pool), store, nowhere)
        asked: dict[str, Any] = {"since": None, "until": datetime.now(UTC), **narrowed}
        assert await gathering.gather(Format.classifier, **asked) == []
        return gathering.left_out["what people did with it is not kept any more"]

    assert [await left_out(), await left_out(since=OLD), await left_out(until=OLDEST)] == [3, 2, 1]
    assert [await left_out(project_id=1), await left_out(project_id=2)] == [3, 0]


async def cloister(database_url: str, *arguments: str, days: str = str(DAYS)) -> Any:
    """Run a command on the database."""
    variables = {"CLOISTER_DATABASE_URL": database_url, "CLOISTER_DROP_FEEDBACK_AFTER_DAYS": days}
    return await asyncio.to_thread(run, "retention", *arguments, **variables)


async def test_the_operator_sees_what_would_go_and_lets_it_go(
    past: Past, pool: Any, database_url: str
) -> None:
    """Nothing goes for looking, or without a yes; what is due is counted first, and who did it is on record."""
    await past.history.signal(past.said["old"], "reaction_removed", 3 * HOUR, emoji="thumbsdown")
    shown = json.loads((await cloister(database_url, "show", "--json")).stdout)
    going = [one["month"] for one in shown["months"] if one["goes"]]
    assert going == [f"{OLDEST:%Y-%m}", f"{OLD:%Y-%m}"]
    assert [one["table"] for one in shown["tables"]] == [*(one.table for one in AGED), "review_run"]
    assert "goes after 90 days" in (await cloister(database_url, "show")).stdout
    assert "is kept for ever" in (await cloister(database_url, "show", days="never")).stdout
    asked = await cloister(database_url, "run")
    assert (asked.exit_code, f"feedback of {', '.join(going)} goes" in asked.stdout) == (1, True)
    assert await past.signals("oldest") != []
    done = json.loads((await cloister(database_url, "run", "--yes", "--json")).stdout)
    assert ([one["month"] for one in done["months"]], done["waits_for"]) == (going, None)
    assert await pool.fetchval("SELECT sum(downvoted) FROM rollup WHERE monthly") == 4
    actors = {entry.act.actor for entry in await PostgresAuditLog(pool).newest(9)}
    assert [actor.split(":")[0] for actor in actors] == ["command"]


async def test_the_operator_is_told_what_is_left(past: Past, pool: Any, database_url: str) -> None:
    """With the reason, and a status that a script sees."""
    async with reading(pool, OLDEST):
        held = await cloister(database_url, "run", "--yes")
    assert (held.exit_code, f"because signals of {OLDEST:%Y-%m} are in use; try again" in held.stderr) == (
        2,
        True,
    )
