"""What is known of noise: mutes, how comments fared, and comments that new ones are compared with."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.policy import Noise
from bot.domain.quiet.groups import Standing
from bot.domain.quiet.muting import Board, Mute, Outcome, Subject


@dataclass(frozen=True, slots=True)
class Fared:
    """Hold what became of a comment of a rule."""

    scanner: str
    rule: str
    category: str
    outcome: Outcome
    project_id: int = 0


class Mutes(Protocol):
    """Keep mutes, which are only ever added to, and tell what they rest on.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def board(self, project_id: int, policy: Noise, now: datetime, *, path: str = "") -> Board:
        """Return what is muted in the project; mutes by figures only where *policy* wants them.

        *path* is the project's, where it is known better than as of its last review.
        """

    async def groups(self, project_ids: Collection[int]) -> Collection[str]:
        """Return the nearest groups of projects."""

    async def standing(self, team: str, now: datetime) -> Mapping[Subject, Standing]:
        """Return what stands for a project or group by its own decisions and by those of the groups above it."""

    async def fared(self, project_id: int, since: datetime) -> Sequence[Fared]:
        """Return what became of the comments in the project that were posted since and are not censored."""

    async def fared_in(self, group: str, since: datetime) -> Sequence[Fared]:
        """Return what became of the newest of such comments in all projects below the group."""

    async def begin(self, mutes: Sequence[Mute]) -> Sequence[Mute]:
        """Add mutes that the figures made, and return them, without those that somebody else made meanwhile."""

    async def policies(self, project_ids: Collection[int]) -> Mapping[int, Noise]:
        """Return what the policies of the projects' newest reviews say."""

    async def claim(self, *, lease: timedelta) -> datetime | None:
        """Take the turn to look at what is new, for *lease*; return until when others have, None where it is not due."""

    async def move(self, seen_until: datetime, *, pause: timedelta) -> None:
        """Remember until when was looked, and when to look again."""


@dataclass(frozen=True, slots=True)
class Text:
    """Hold the words of a comment that is to be compared with."""

    comment: uuid.UUID
    project_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Precedent:
    """Hold a comment that people accepted or rejected, who did, and its words."""

    comment: uuid.UUID
    merge_request: str
    accepted: bool
    people: frozenset[int]
    text: str


class Precedents(Protocol):
    """Tell which comments of the model people accepted or rejected, and keep their vectors.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def past(self, project_id: int, since: datetime) -> Sequence[Precedent]:
        """Return the newest such comments in the project and in others of its group."""

    async def cosines(
        self, comments: Sequence[uuid.UUID], vector: Sequence[float], model: str
    ) -> Mapping[uuid.UUID, float]:
        """Return how near *vector* is to those of *comments* that *model* made; what has none is left out."""

    async def missing(self, model: str, since: datetime, *, limit: int) -> Sequence[Text]:
        """Return comments posted since that people accepted or rejected and of which *model* made no vector yet.

        Nothing is missing where vectors cannot be compared.
        """

    async def keep(self, texts: Sequence[Text], vectors: Sequence[Sequence[float]], model: str) -> None:
        """Store vectors of comments, instead of those of another model."""
