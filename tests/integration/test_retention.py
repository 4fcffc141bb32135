"""What was handled long ago goes, what was not stays."""

import uuid
from datetime import timedelta
from typing import Any

from bot.adapters.log_postgres import PostgresLog
from bot.adapters.retention_postgres import prune
from bot.adapters.store_postgres import PostgresStore
from bot.domain.events import FetchRequested, Record
from bot.domain.merge_request import MergeRequestRef


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
    assert await prune(pool) == (1, 0)
    assert [row["id"] for row in await pool.fetch("SELECT id FROM event")] == [record(2).id]
    assert await prune(pool, marks=timedelta(days=7)) == (0, 1)


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
