"""The labels of comments, and what they are derived from."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.labels import Label, Labelled, Push
from bot.domain.merge_request import MergeRequestRef
from bot.domain.signals import Comment, Signal


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Name a comment's place in the order of time."""

    posted_at: datetime
    comment_id: uuid.UUID

    @classmethod
    def of(cls, comment: Comment) -> Place:
        """Return the place of *comment*."""
        return cls(comment.posted_at, comment.id)


@dataclass(frozen=True, slots=True)
class History:
    """Hold a comment and what a label is derived from; ``pushes`` is None where no head is known."""

    comment: Comment
    signals: Sequence[Signal]
    pushes: Sequence[Push] | None


@dataclass(frozen=True, slots=True)
class DueLabels:
    """Hold comments to label anew; ``notes`` are the ids of what says that something happened to them."""

    notes: Sequence[int]
    histories: Sequence[History]


@dataclass(frozen=True, slots=True)
class Begun:
    """Hold how far a rebuild of labels got; without ``place`` it has only begun."""

    since: datetime | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class LabelCount:
    """Hold how many comments have a label; ``why`` says why it is censored, ``contradictory`` that signals say both."""

    label: Label
    count: int
    why: str = ""
    contradictory: bool = False
    frozen: int = 0
    late: int = 0


class LabelTurn(Protocol):
    """Store labels as the only one who does; all that a turn stores is there when it ends, or nothing of it.

    Whoever loses the turn, as when a connection breaks, can store nothing more in it: every method raises ``Transient``.
    """

    async def keep(
        self,
        version: int,
        labels: Mapping[uuid.UUID, Labelled],
        *,
        begun: Begun | None = None,
        done: Sequence[int] = (),
    ) -> int:
        """Store labels by comment, how far a rebuild got with them, and which notes are *done*.

        Returns how many labels are new or other than before. Labels of other versions stay as they are.
        """

    async def finish(self, version: int) -> None:
        """Forget how far the rebuild of *version* got: it has ended."""


class Labels(Protocol):
    """Keep one label of each comment for each version of the function that made it."""

    def turn(self, *, wait: bool) -> AbstractAsyncContextManager[LabelTurn | None]:
        """Enter as the only one who labels, so that no label replaces one that was derived from more.

        What it is derived from must be read within the turn. Without *wait* there is None while somebody else has theirs.
        """

    async def due(self, *, limit: int) -> DueLabels:
        """Return the comments of merge requests to which something happened, by up to *limit* notes of it.

        A comment, a signal and a review leave such a note in their transaction. It goes when `LabelTurn.keep` is told.
        """

    async def histories(
        self, *, limit: int, since: datetime | None = None, after: Place | None = None
    ) -> Sequence[History]:
        """Return up to *limit* comments, the oldest first, posted at *since* or later and behind *after*.

        Comments whose signals were dropped because of their age are not among them, nor among those of `due`.
        """

    async def without_signals(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        project_id: int | None = None,
    ) -> int:
        """Return how many comments of a time, or of a project, have no signals any more because of their age."""

    async def relabelled(self, since: datetime) -> Sequence[MergeRequestRef]:
        """Return the merge requests with labels that are new, or other than before, since then."""

    async def begun(self, version: int) -> Begun | None:
        """Return how far a rebuild of *version* got that did not end."""

    async def counts(
        self, version: int, *, since: datetime | None = None, project_id: int | None = None
    ) -> Sequence[LabelCount]:
        """Return how many comments have which label, by why, in a fixed order."""

    async def of_comment(self, comment_id: uuid.UUID) -> Mapping[int, Labelled]:
        """Return the labels of one comment by version."""
