"""The comments that were acted on, in Postgres."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.adapters.store_rows import REF, key_of
from bot.domain.errors import Obsolete
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import AnsweredComment


async def add(connection: Any, ref: MergeRequestRef, comment: AnsweredComment) -> None:
    """Remember *comment*; see `bot.ports.Transaction`."""
    new = await connection.fetchval(
        "INSERT INTO answered_comment (instance, project_id, iid, note_id, author_id, commands)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING note_id",
        *key_of(ref),
        comment.note_id,
        comment.author_id,
        list(comment.commands),
    )
    if new is None:
        raise Obsolete("the comment was acted on meanwhile")


async def contains(pool: Any, ref: MergeRequestRef, note_id: int) -> bool:
    """Say whether a comment was acted on; see `bot.ports.Store`."""
    known: bool = await pool.fetchval(
        f"SELECT EXISTS (SELECT FROM answered_comment WHERE {REF} AND note_id = $4)", *key_of(ref), note_id
    )
    return known


async def count_since(pool: Any, ref: MergeRequestRef, since: datetime) -> int:
    """Count the comments acted on since then; see `bot.ports.Store`."""
    count: int = await pool.fetchval(
        f"SELECT count(*) FROM answered_comment WHERE {REF} AND answered_at >= $4", *key_of(ref), since
    )
    return count
