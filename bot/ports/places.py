"""Where things are: names of projects, our comments on GitLab, and the newest review of a merge request."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.domain.viewer import Reach


@dataclass(frozen=True, slots=True)
class CommentPlace:
    """Hold where a comment of ours stands; ``note_id`` is None where GitLab has not told it yet."""

    project: str
    iid: int
    note_id: int | None


class Places(Protocol):
    """Find places for pages to lead to; nothing is found that the viewer may not see.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def projects(self, visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return paths of *visible* projects (None: of all) by number, in the order of the paths; at most a few hundred."""

    async def comment(self, comment_id: uuid.UUID, reach: Reach) -> CommentPlace | None:
        """Return where a comment stands."""

    async def newest_review(self, project_id: int, iid: int, reach: Reach) -> uuid.UUID | None:
        """Return the newest review of a merge request that was published."""
