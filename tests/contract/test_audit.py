"""What the audit of model calls must do."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.audit_postgres import PostgresAudit
from bot.adapters.postgres import close_pool
from bot.domain.errors import Transient
from bot.domain.records import CallOutcome, ModelCallRecord, Task

CALL = ModelCallRecord(
    uuid.UUID(int=1), uuid.UUID(int=2), "m", "", "v", "i", "o", 0, 0, 0.0, CallOutcome.asked, Task.judge
)


async def rows(pool: Any) -> list[dict[str, Any]]:
    """Return the audit."""
    return [
        dict(row) for row in await pool.fetch("SELECT outcome, task, prompt_tokens, digest FROM model_call")
    ]


async def test_a_call_has_one_row_from_before_it_until_after(pool: Any) -> None:
    """What became of it replaces that it was made; noting it again changes nothing."""
    audit = PostgresAudit(pool)
    await audit.note(CALL)
    assert [row["outcome"] for row in await rows(pool)] == ["asked"]
    for _ in range(2):
        await audit.note(replace(CALL, outcome=CallOutcome.used, prompt_tokens=5, digest="d"))
        assert await rows(pool) == [{"outcome": "used", "task": "judge", "prompt_tokens": 5, "digest": "d"}]


async def test_without_the_store_nobody_is_asked(pool: Any) -> None:
    """The caller hears that the row was not written."""
    audit = PostgresAudit(pool)
    await close_pool(pool)
    with pytest.raises(Transient):
        await audit.note(CALL)
