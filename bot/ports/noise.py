"""What is known of noise: mutes, how comments fared, and comments that new ones are compared with."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.policy import Noise
from bot.domain.quiet.muting import Board, Mute, Outcome, Override, Subject


@dataclass(frozen=True, slots=True)
class Fared:
    """Hold what became of a comment of a rule."""

    scanner: str
    rule: str
    category: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold of a subject the newest mute that the figures made, and the newest decision of a person."""

    last: Mute | None = None
    override: Override | None = None


class Mutes(Protocol):
    """Keep mutes, which are only ever added to, and tell what they rest on.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def board(self, project_id: int, policy: Noise, now: datetime) -> Board:
        """Return what is muted in the project; mutes by figures only where *policy* wants them."""

    async def standing(self, project_id: int) -> Mapping[Subject, Standing]:
        """Return what was decided in the project, in force or not, by subject."""

    async def fared(self, project_id: int, since: datetime) -> Sequence[Fared]:
        """Return what became of the comments in the project that were posted since and are not censored."""

    async def begin(self, mutes: Sequence[Mute]) -> None:
        """Add mutes that the figures made."""

    async def policy(self, project_id: int) -> Noise:
        """Return what the policy of the project's newest review says."""

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
