"""A made-up history of reviews, comments and what people did with them, in the tables of a test's database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

INSTANCE = "gitlab.example"

_COMMENT = """
INSERT INTO comment (id, instance, project_id, iid, fingerprint, run_id, head_sha, rule, scanner, category, severity,
    confidence, language, path, line, end_line, had_suggestion, posted_at, model, model_digest, prompt_version)
VALUES ($1, $2, $3, $4, $5, $6, repeat('a', 40), $7, $8, $9, $10, 'high', $11, 'a.py', 1, 1, $12, $13, $14, $15, $16)
"""
_SIGNAL = """
INSERT INTO signal (began_at, id, at, seen_at, merge_request_id, comment_id, actor_id, actor_is_author, actor_is_bot,
    kind, source, emoji)
SELECT $1, $2, $3, $3, m.id, $4, $5, false, $6, $7, 'hook', $8 FROM merge_request m
WHERE m.instance = $9 AND m.project_id = $10 AND m.iid = $11
"""
_LABEL = """
INSERT INTO label (comment_id, label_version, label, reasons, censored_why) VALUES ($1, 1, $2, '{}', $3)
ON CONFLICT (comment_id, label_version) DO UPDATE SET label = excluded.label, censored_why = excluded.censored_why
"""
_FACT = """
INSERT INTO review_fact (run_id, instance, project_id, iid, created_at, published_at, commented_at, generated, posted,
    standing, filtered, files, files_read, blocking, undecided, waived, author_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""


@dataclass
class Said:
    """A comment as it was posted; what tells kinds apart has defaults."""

    project_id: int
    iid: int
    posted_at: datetime
    rule: str = "python.sql-built"
    scanner: str = "semgrep"
    category: str = "security"
    severity: str = "high"
    language: str = "python"
    had_suggestion: bool = False
    model: str = ""
    digest: str = ""
    prompt: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass
class Reviewed:
    """A review as it was published."""

    project_id: int
    iid: int
    created_at: datetime
    commented_after: timedelta | None = None
    filtered: dict[str, int] = field(default_factory=dict)
    posted: int = 0
    standing: bool = False
    files: int = 3
    files_read: int = 3
    blocking: int = 0
    undecided: bool = False
    waived: int = 0
    author: int | None = None
    run_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def generated(self) -> int:
        """Return how much was found."""
        return self.posted + sum(self.filtered.values())


class History:
    """Write what happens, each thing in a transaction of its own.

    Args:
        pool: connections to a migrated database.
        instance: the GitLab that all of it happens on.
    """

    def __init__(self, pool: Any, instance: str = INSTANCE) -> None:
        self._pool = pool
        self._instance = instance

    async def project(self, project_id: int, path: str) -> None:
        """Give a project a path."""
        await self._pool.execute(
            "INSERT INTO project (instance, project_id, path) VALUES ($1, $2, $3)"
            " ON CONFLICT (instance, project_id) DO UPDATE SET path = excluded.path",
            self._instance,
            project_id,
            path,
        )

    async def said(self, said: Said) -> None:
        """Post a comment."""
        await self._merge_request(said.project_id, said.iid)
        await self._pool.execute("SELECT make_signal_partition($1)", said.posted_at)
        await self._pool.execute(
            _COMMENT,
            said.id,
            self._instance,
            said.project_id,
            said.iid,
            said.id.hex,
            uuid.uuid4(),
            said.rule,
            said.scanner,
            said.category,
            said.severity,
            said.language,
            said.had_suggestion,
            said.posted_at,
            said.model,
            said.digest,
            said.prompt,
        )

    async def reviewed(self, one: Reviewed) -> None:
        """Publish a review."""
        await self._merge_request(one.project_id, one.iid)
        commented = one.created_at + one.commented_after if one.commented_after is not None else None
        await self._pool.execute(
            _FACT,
            one.run_id,
            self._instance,
            one.project_id,
            one.iid,
            one.created_at,
            one.created_at,
            commented,
            one.generated,
            one.posted,
            one.standing,
            one.filtered,
            one.files,
            one.files_read,
            one.blocking,
            one.undecided,
            one.waived,
            one.author,
        )

    async def signal(
        self, said: Said, kind: str, after: timedelta, *, actor: int = 7, emoji: str = "", bot: bool = False
    ) -> None:
        """Have something happen to a comment, or with ``merged`` to its merge request."""
        about = None if kind == "merged" else said.id
        at = said.posted_at + after
        await self._pool.execute(
            _SIGNAL,
            said.posted_at,
            uuid.uuid4(),
            at,
            about,
            actor,
            bot,
            kind,
            emoji,
            self._instance,
            said.project_id,
            said.iid,
        )

    async def label(self, said: Said, label: str, censored_why: str = "") -> None:
        """Give a comment a label, or another one."""
        await self._pool.execute(_LABEL, said.id, label, censored_why)

    async def unsay(self, said: Said) -> None:
        """Delete a comment and its label, as retention does."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL cloister.retention = 'on'")
            await connection.execute("DELETE FROM label WHERE comment_id = $1", said.id)
            await connection.execute("DELETE FROM comment WHERE id = $1", said.id)

    async def unreview(self, one: Reviewed) -> None:
        """Delete a review."""
        await self._pool.execute("DELETE FROM review_fact WHERE run_id = $1", one.run_id)

    async def _merge_request(self, project_id: int, iid: int) -> None:
        await self._pool.execute(
            "INSERT INTO merge_request (instance, project_id, iid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            self._instance,
            project_id,
            iid,
        )
