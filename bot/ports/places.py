"""Where things are: names of projects, our comments on GitLab, and the newest review of a merge request."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CommentPlace:
    """Hold where a comment of ours stands; ``note_id`` is None where GitLab has not told it yet."""

    project: str
    iid: int
    note_id: int | None


class Places(Protocol):
    """Find places for pages to lead to; nothing of a project outside of *visible* (None: all are in it) is found.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def projects(self, visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return paths of reviewed projects by number, in the order of the paths; not all where there are very many."""

    async def comment(self, comment_id: uuid.UUID, visible: frozenset[int] | None) -> CommentPlace | None:
        """Return where a comment stands."""

    async def newest_review(
        self, project_id: int, iid: int, visible: frozenset[int] | None
    ) -> uuid.UUID | None:
        """Return the newest review of a merge request that was published."""
