"""What is like comments that several people rejected is not said again.

Three rejected comments that are alike enough veto a finding, if they were rejected on three merge requests by three
different people: nobody can silence a team alone. Three accepted ones let it pass, whatever was rejected. Where vectors
of an embedding model are missing, texts are compared by their words, exactly.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from bot.domain.findings import Finding
from bot.domain.likeness import NEAR, Shingles, cosine, jaccard, shingles
from bot.domain.quiet import exempt

_VETOED: Final = (
    "{count} comments like this one were rejected, on {enough} merge requests or more and by as many people"
)

#: Distinct merge requests, people and comments that it takes.
ENOUGH: Final = 3
#: From this cosine on two comments say the same; models differ, so it is to be calibrated.
CLOSE: Final = 0.85


def text_of(*parts: str) -> str:
    """Return the text by which a comment is compared, of its category, its title, its message and its code."""
    return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Hold by what a comment is compared: its words, and the vector that a model made of them, if one did."""

    words: Shingles
    vector: tuple[float, ...] = ()
    model: str = ""

    @classmethod
    def of(
        cls, finding: Finding, code: Sequence[str] = (), vector: Sequence[float] = (), model: str = ""
    ) -> Likeness:
        """Return by what *finding* about the lines *code* is compared; *model* is the identity of the embedder."""
        text = text_of(finding.category, finding.title, finding.message, *code)
        return cls(shingles(text), tuple(vector), model)


@dataclass(frozen=True, slots=True)
class Past:
    """Hold an earlier comment of the team that people accepted or rejected, and who did."""

    comment: UUID
    merge_request: str
    accepted: bool
    people: frozenset[int]
    likeness: Likeness


class Ruling(enum.StrEnum):
    """What earlier comments say about a new one."""

    vetoed = "vetoed"
    passed = "passed"
    open = "open"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold the ruling and the comments that made it; without enough of them it is ``open``, and the finding is said."""

    ruling: Ruling
    neighbours: tuple[UUID, ...] = field(default=())

    @property
    def said(self) -> bool:
        """Say whether the finding is said."""
        return self.ruling is not Ruling.vetoed

    @property
    def explanation(self) -> str:
        """Return in a sentence why."""
        if self.ruling is Ruling.vetoed:
            return _VETOED.format(count=len(self.neighbours), enough=ENOUGH)
        if self.ruling is Ruling.passed:
            return f"{len(self.neighbours)} comments like this one were accepted"
        return "Too few comments like this one were accepted or rejected to tell"


def alike(one: Likeness, other: Likeness, *, close: float = CLOSE, near: float = NEAR) -> bool:
    """Say whether two comments say the same: by vectors of the same model, or else by their words."""
    if one.vector and other.vector and one.model == other.model:
        return cosine(one.vector, other.vector) >= close
    return jaccard(one.words, other.words) >= near


def rule(
    finding: Finding,
    likeness: Likeness,
    past: Iterable[Past],
    *,
    like: Callable[[Likeness, Likeness], bool] = alike,
) -> Verdict:
    """Return what *past* comments of the team say about *finding*; critical findings and secrets are never vetoed.

    Args:
        finding: what may be said.
        likeness: of it.
        past: comments of the team with a clear label.
        like: says whether two comments say the same.
    """
    if exempt(finding):
        return Verdict(Ruling.open)
    near = {one.comment: one for one in past if like(likeness, one.likeness)}
    accepted = sorted(one.comment for one in near.values() if one.accepted)
    if len(accepted) >= ENOUGH:
        return Verdict(Ruling.passed, tuple(accepted))
    rejected = [one for one in near.values() if not one.accepted]
    if _independent(rejected) >= ENOUGH:
        return Verdict(Ruling.vetoed, tuple(sorted(one.comment for one in rejected)))
    return Verdict(Ruling.open)


def _independent(rejected: Sequence[Past]) -> int:
    """Return the most merge requests that can each be given a person of their own who rejected a comment there.

    It is a matching in the graph of merge requests and people: counting both apart would let two people, one of
    whom is busy, pass for three.
    """
    people_of: dict[str, set[int]] = {}
    for one in rejected:
        people_of.setdefault(one.merge_request, set()).update(one.people)
    given: dict[int, str] = {}

    def find(merge_request: str, tried: set[int]) -> bool:
        for person in sorted(people_of[merge_request] - tried):
            tried.add(person)
            if person not in given or find(given[person], tried):
                given[person] = merge_request
                return True
        return False

    return sum(find(merge_request, set()) for merge_request in sorted(people_of))
