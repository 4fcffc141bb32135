"""Where things are: names of projects, our comments on GitLab, and the newest review of a merge request."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
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

    async def projects(self, visible: frozenset[int] | None, *, containing: str = "") -> Mapping[int, str]:
        """Return the first paths of reviewed projects that contain a text, by number, to suggest them.

        Those in which a name begins with the text come first.
        """

    async def groups(self, visible: frozenset[int] | None, *, containing: str = "") -> Sequence[str]:
        """Return the first paths of groups that contain a text and have a reviewed project below them."""

    async def named(self, numbers: Collection[int], visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return the paths of projects by number, as far as they are known."""

    async def called(self, name: str, visible: frozenset[int] | None) -> Mapping[int, str]:
        """Return the project with the path *name* by number; without one, some whose last name that is."""

    async def has_group(self, path: str, visible: frozenset[int] | None) -> bool:
        """Say whether a reviewed project lies below a group."""

    async def comment(self, comment_id: uuid.UUID, reach: Reach) -> CommentPlace | None:
        """Return where a comment stands."""

    async def newest_review(self, project_id: int, iid: int, reach: Reach) -> uuid.UUID | None:
        """Return the newest review of a merge request that was published."""
