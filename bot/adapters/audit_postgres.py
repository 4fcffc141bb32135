"""The audit of model calls."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.adapters.postgres import translated
from bot.domain.records import ModelCallRecord

_NOTE = """
INSERT INTO model_call (id, run_id, model, digest, prompt_version, input_sha256, output_sha256, prompt_tokens,
    output_tokens, duration_s, outcome, task)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, output_sha256 = excluded.output_sha256,
    prompt_tokens = excluded.prompt_tokens, output_tokens = excluded.output_tokens,
    duration_s = excluded.duration_s, outcome = excluded.outcome
"""


class PostgresAudit:
    """Keep the rows in the table ``model_call``; see the port."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def note(self, call: ModelCallRecord) -> None:
        """Store a call; see the port."""
        async with translated():
            await self._pool.execute(_NOTE, *asdict(call).values())
