"""What is forgotten is gone from every table, and nothing else is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.forgetting_postgres import (
    BY_ANOTHER_ROW,
    OF_NO_PROJECT,
    forget_person,
    forget_project,
)
from bot.adapters.rollups_postgres import roll_up
from bot.adapters.tables import ReviewFact
from bot.domain.audit_log import Act
from tests.history import INSTANCE, History, Reviewed, Said

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def _history(pool: Any, *projects: int) -> None:
    history = History(pool)
    for project_id in projects:
        said = Said(project_id, 1, NOON)
        await history.project(project_id, f"group/{project_id}")
        await history.said(said)
        await history.reviewed(Reviewed(project_id, 1, NOON, posted=1, standing=True))
        await history.signal(said, "reaction_added", HOUR, emoji="thumbsdown", actor=8)
        await history.signal(said, "resolved", HOUR, actor=9)
        await history.label(said, "rejected_strong")
        await pool.execute(
            "INSERT INTO event (partition, log_offset, id, attempt, kind, version, stage, key)"
            " VALUES (0, $1::bigint, gen_random_uuid(), 0, 'k', 1, 's', $2)",
            project_id,
            f"{INSTANCE}:{project_id}:1",
        )
    await roll_up(pool)


async def _rows(pool: Any) -> dict[str, int]:
    names = [str(table) for table in SQLModel.metadata.tables if table not in OF_NO_PROJECT]
    return {name: await pool.fetchval(f'SELECT count(*) FROM "{name}"') for name in names}


def test_every_table_is_deleted_from_or_holds_nothing_of_a_project() -> None:
    """A new table is one or the other; nobody can leave it out by mistake."""
    assert ReviewFact.__table__.metadata is SQLModel.metadata  # type: ignore[attr-defined]
    own = {
        name
        for name, table in SQLModel.metadata.tables.items()
        if {"instance", "project_id"} <= set(table.columns.keys())
    }
    assert not own & OF_NO_PROJECT
    assert own | BY_ANOTHER_ROW | OF_NO_PROJECT == set(SQLModel.metadata.tables)


async def test_a_project_goes_whole_and_alone(pool: Any) -> None:
    """After forgetting one of two, there is what there would be had it never been."""
    await _history(pool, 11)
    expected = await _rows(pool)
    await _history(pool, 1)
    gone = await forget_project(pool, INSTANCE, 1, actor="command")
    assert await _rows(pool) == expected
    assert gone["comment"] == gone["review_fact"] == gone["event"] == 1
    assert gone["signal"] == 2
    assert await roll_up(pool) == 0
    (kept,) = await pool.fetch("SELECT what, subject, rows FROM forgotten")
    assert dict(kept) == {"what": "project", "subject": "1", "rows": gone}
    (entry,) = await PostgresAuditLog(pool).newest(9)
    assert entry.act == Act("command", "project.forget", "1", 1, gone)
    assert await forget_project(pool, INSTANCE, 1, actor="command") == {}


async def test_a_persons_deeds_go_and_are_counted_no_more(pool: Any) -> None:
    """The thumbs-down of one is gone from the counts, what another did stays; the record names nobody."""
    await _history(pool, 1)
    await pool.execute(
        "INSERT INTO declined_finding (instance, project_id, fingerprint, iid, rule, reason, user_id, until)"
        " VALUES ($1, 1, 'f', 1, 'r', '', 8, now() + interval '1 day')",
        INSTANCE,
    )
    await pool.execute("UPDATE review_fact SET author_id = 8")
    assert await pool.fetchval("SELECT sum(downvoted) FROM rollup WHERE monthly") == 1
    assert await forget_person(pool, INSTANCE, 8, "somebody", actor="command") == {
        "review_fact": 1,
        "signal": 1,
        "declined_finding": 1,
    }
    await roll_up(pool)
    assert await pool.fetchval("SELECT sum(downvoted) FROM rollup WHERE monthly") == 0
    assert await pool.fetchval("SELECT array_agg(actor_id) FROM signal") == [9]
    assert await pool.fetchval("SELECT user_id FROM declined_finding") is None
    assert await pool.fetchval("SELECT author_id FROM review_fact") is None
    kept = json.dumps([dict(row) for row in await pool.fetch("SELECT what, subject FROM forgotten")])
    assert kept == '[{"what": "person", "subject": "somebody"}]'
