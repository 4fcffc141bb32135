"""Answers of models, kept for all processes."""

from __future__ import annotations

from typing import Any

import structlog

from bot.adapters.postgres import storable, translated
from bot.domain.errors import CloisterError
from bot.ports import ModelReply

log = structlog.get_logger()

_FIND = """
SELECT text, model, digest, prompt_tokens, output_tokens, duration_s FROM model_answer WHERE key = $1
"""
_KEEP = """
INSERT INTO model_answer (key, text, model, digest, prompt_tokens, output_tokens, duration_s)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""


class PostgresAnswers:
    """Keep answers in the table ``model_answer``; see the port."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def find(self, key: str) -> ModelReply | None:
        """Return a kept answer; see the port."""
        try:
            async with translated():
                row = await self._pool.fetchrow(_FIND, key)
        except CloisterError as error:
            log.warning("answers.out_of_reach", error=str(error))
            return None
        return ModelReply(*row) if row else None

    async def keep(self, key: str, reply: ModelReply) -> None:
        """Remember an answer; see the port. What Postgres cannot store is not kept."""
        if storable(reply.text) != reply.text:
            return
        values = (reply.text, reply.model, reply.digest)
        counts = (reply.prompt_tokens, reply.output_tokens, reply.duration_s)
        try:
            async with translated():
                await self._pool.execute(_KEEP, key, *values, *counts)
        except CloisterError as error:
            log.warning("answers.out_of_reach", error=str(error))
