"""What was handled long ago goes, what was not stays."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.log_postgres import PostgresLog
from bot.adapters.retention_postgres import prune, shares
from bot.adapters.retention_tables import AGED
from bot.adapters.store_postgres import PostgresStore
from bot.domain.events import FetchRequested, Record
from bot.domain.merge_request import MergeRequestRef
from tests.history import History, Said

OTHERS = {one.table for one in AGED} - {"event", "inbox"}


async def rows(pool: Any) -> dict[str, int]:
    """Prune, and return how many rows went by table."""
    pruned = await prune(pool)
    assert pruned is not None
    return dict(pruned.rows)


def record(number: int) -> Record:
    """Return an event of one merge request."""
    ref = MergeRequestRef(instance="gitlab.example", project_id=1, iid=1)
    identity = uuid.uuid5(uuid.NAMESPACE_OID, str(number))
    return Record.of(FetchRequested(ref=ref, run_id=identity), id=identity)


async def test_old_events_go_once_their_group_has_passed_them(
    pool: Any, postgres_log: PostgresLog, store: PostgresStore
) -> None:
    """Age alone deletes nothing: an event that waits for its consumer stays."""
    await postgres_log.append([record(1), record(2)])
    async with postgres_log.subscribe("fetch", "fetch") as subscription:
        first, _ = await subscription.poll(max_records=2, timeout_s=2.0)
        async with store.commit("fetch", record(1)):
            pass
        await subscription.commit({first.partition: first.offset + 1})
    await pool.execute("UPDATE event SET appended_at = now() - interval '8 days'")
    await pool.execute("UPDATE inbox SET done_at = now() - interval '8 days'")
    assert await rows(pool) == {"event": 1, **dict.fromkeys({"inbox", *OTHERS} - {"suppression"}, 0)}
    assert [row["id"] for row in await pool.fetch("SELECT id FROM event")] == [record(2).id]
    await pool.execute("UPDATE inbox SET done_at = now() - interval '15 days'")
    assert await rows(pool) == {"event": 0, "inbox": 1, **dict.fromkeys(OTHERS - {"suppression"}, 0)}


async def test_answers_and_declined_findings_go_in_time(pool: Any) -> None:
    """What expired is deleted; what still counts stays."""
    await pool.execute(
        "INSERT INTO model_answer (key, model, digest, text, prompt_tokens, output_tokens, duration_s, kept_at)"
        " SELECT days::text, 'm', 'd', '', 1, 1, 1, now() - make_interval(days => days)"
        " FROM unnest(ARRAY[29, 31]) AS days"
    )
    await pool.execute(
        "INSERT INTO declined_finding (instance, project_id, fingerprint, iid, rule, reason, until)"
        " SELECT 'g', 1, days::text, 1, 'r', '', now() + make_interval(days => days)"
        " FROM unnest(ARRAY[-1, 1]) AS days"
    )
    await prune(pool)
    assert [row[0] for row in await pool.fetch("SELECT key FROM model_answer")] == ["29"]
    assert [row[0] for row in await pool.fetch("SELECT fingerprint FROM declined_finding")] == ["1"]


async def test_what_is_over_goes_by_its_age_and_is_told_before(pool: Any) -> None:
    """Tokens, vectors and what was withheld: a day too old goes, a day younger stays; without a limit nothing does."""
    await pool.execute(
        "INSERT INTO api_token (digest, name, scopes, projects, expires_at, revoked_at)"
        " SELECT days::text::bytea, days::text, '{}', '{}', now() - make_interval(days => days), NULL"
        " FROM unnest(ARRAY[89, 91, -500]) AS days"
    )
    await pool.execute("UPDATE api_token SET revoked_at = now() - interval '92 days' WHERE name = '-500'")
    for days in (364, 366):
        said = Said(1, 1, datetime.now(UTC) - timedelta(days=days))
        await History(pool).said(said)
        await pool.execute(
            "INSERT INTO comment_vector (comment_id, instance, project_id, model, dimension, vector)"
            " VALUES ($1, 'g', $2, 'm', 1, '{1}')",
            said.id,
            days,
        )
    await pool.execute(
        "INSERT INTO suppression (run_id, fingerprint, instance, project_id, iid, scanner, rule, category, severity,"
        " cause, explanation, at) SELECT gen_random_uuid(), days::text, 'g', 1, 1, '', '', '', '', '', '',"
        " now() - make_interval(days => days) FROM unnest(ARRAY[99, 101]) AS days"
    )
    going = {one.table: one.goes for one in await shares(pool, days=100) if one.goes}
    assert going == {"api_token": 2, "comment_vector": 1, "suppression": 1}
    assert (await prune(pool, days=None)).rows == {  # type: ignore[union-attr]
        **dict.fromkeys({one.table for one in AGED} - {"suppression"}, 0),
        "api_token": 2,
        "comment_vector": 1,
    }
    assert (await prune(pool, days=100)).rows["suppression"] == 1  # type: ignore[union-attr]
    assert [row[0] for row in await pool.fetch("SELECT name FROM api_token")] == ["89"]
    assert [row[0] for row in await pool.fetch("SELECT project_id FROM comment_vector")] == [364]
    assert [row[0] for row in await pool.fetch("SELECT fingerprint FROM suppression")] == ["99"]
    assert all(one.bytes > 0 and one.goes == 0 for one in await shares(pool, days=100))


async def test_one_process_prunes_at_a_time(pool: Any) -> None:
    """The others leave it, and nobody waits."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('cloister.retention'))")
        assert await prune(pool) is None
    assert await prune(pool) is not None
