"""Waivers: a finding that blocks may pass until a day, because of a reason, as somebody who may has said.

A waiver is what its steps come to. Steps are only ever added, so they are its audit trail as well. Nobody ends
a waiver whose day has passed: that follows from the clock.

It counts for the branch under whose policy it was given, and for no other: a merge request that moves from a branch
with a mild policy to one with a strict policy leaves its waivers behind.
"""

from __future__ import annotations

import enum
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pydantic import AwareDatetime

from bot.domain.findings import Finding, Severity
from bot.domain.merge_request import MergeRequestRef, Value
from bot.domain.policy_waivers import Waivers

#: Digits of a fingerprint, or of a waiver's id, that people see and write.
SHORT = 8


class Deed(enum.StrEnum):
    """What can happen to a waiver."""

    asked = "asked"
    granted = "granted"
    #: The merge request was merged: it counts for later ones into the same branch.
    merged = "merged"
    #: The gate of another merge request has passed because of it.
    used = "used"
    withdrawn = "withdrawn"
    revoked = "revoked"


class Source(enum.StrEnum):
    """Where a step comes from."""

    comment = "comment"
    page = "page"
    command = "command"
    #: A comment in the code asks to ignore the finding, e.g. nosemgrep.
    code = "code"
    #: What we saw at the head.
    review = "review"


class State(enum.StrEnum):
    """How a waiver stands."""

    asked = "asked"
    granted = "granted"
    expired = "expired"
    withdrawn = "withdrawn"
    revoked = "revoked"


class About(Value):
    """Name the finding: what it was when the step was made, and the code that it stands on.

    That is ``anchor`` for its first lines, and ``whole`` for all of them, which is empty in steps of old.
    """

    fingerprint: str
    scanner: str
    rule: str
    severity: Severity
    path: str
    line: int
    title: str
    anchor: str = ""
    whole: str = ""
    run_id: uuid.UUID | None = None

    @classmethod
    def of(cls, finding: Finding, run_id: uuid.UUID | None) -> About:
        """Return what to remember of *finding*."""
        return cls(
            fingerprint=finding.fingerprint,
            scanner=finding.scanner,
            rule=finding.rule,
            severity=finding.severity,
            path=finding.path,
            line=finding.line,
            title=finding.title,
            anchor=finding.anchor,
            whole=finding.whole,
            run_id=run_id,
        )

    def fits(self, finding: Finding) -> bool:
        """Say whether *finding* is this one, and stands on the same code, to its last line."""
        return (self.fingerprint, self.anchor) == (finding.fingerprint, finding.anchor) and self.whole in {
            "",
            finding.whole,
        }


class WaiverStep(Value):
    """Hold one thing that happened to a waiver, and whose doing it was.

    ``ref`` is the merge request on which it happened, ``branch`` the one that it goes into. ``by`` is None where
    nobody in particular did it, ``name`` what that account was called then, or the operator. ``terms`` is the policy
    that allowed it, ``event`` the one that it follows from.
    """

    waiver: uuid.UUID
    deed: Deed
    ref: MergeRequestRef
    about: About
    branch: str
    at: AwareDatetime
    source: Source
    by: int | None = None
    name: str = ""
    note_id: int | None = None
    discussion_id: str = ""
    until: date | None = None
    reason: str = ""
    terms: Waivers | None = None
    event: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """Hold what the steps of one waiver come to; there is at least one."""

    steps: tuple[WaiverStep, ...]

    @property
    def id(self) -> uuid.UUID:
        """Return its id."""
        return self.steps[0].waiver

    @property
    def ref(self) -> MergeRequestRef:
        """Return the merge request that it is for."""
        return self.steps[0].ref

    @property
    def about(self) -> About:
        """Return the finding."""
        return self.steps[0].about

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint of the finding."""
        return self.about.fingerprint

    @property
    def branch(self) -> str:
        """Return the target branch for which it counts."""
        return (self.grant or self.steps[0]).branch

    @property
    def asks(self) -> tuple[WaiverStep, ...]:
        """Return the steps that ask for it."""
        return tuple(step for step in self.steps if step.deed is Deed.asked)

    @property
    def grant(self) -> WaiverStep | None:
        """Return the step that granted it, None if nobody has."""
        return self._first(Deed.granted)

    @property
    def end(self) -> WaiverStep | None:
        """Return the step that ended it before its day, None if there is none."""
        return self._first(Deed.withdrawn, Deed.revoked)

    @property
    def said(self) -> WaiverStep:
        """Return the step whose day and reason count: the grant, or else the last that asks."""
        return self.grant or (self.asks or self.steps)[-1]

    @property
    def merged(self) -> bool:
        """Say whether its code is in the target branch."""
        return self._first(Deed.merged) is not None

    @property
    def used_on(self) -> frozenset[MergeRequestRef]:
        """Return the other merge requests whose gate has passed because of it."""
        return frozenset(step.ref for step in self.steps if step.deed is Deed.used)

    def state(self, now: datetime) -> State:
        """Return how it stands."""
        if self.end is not None:
            return State.withdrawn if self.end.deed is Deed.withdrawn else State.revoked
        if self.said.until is not None and now >= ends_at(self.said.until):
            return State.expired
        return State.granted if self.grant else State.asked

    def open(self, now: datetime) -> bool:
        """Say whether it is asked for or granted."""
        return self.state(now) in {State.asked, State.granted}

    def _first(self, *deeds: Deed) -> WaiverStep | None:
        return next((step for step in self.steps if step.deed in deeds), None)


def ends_at(until: date) -> datetime:
    """Return when a waiver *until* that day ends: with the day, in UTC."""
    return datetime.combine(until + timedelta(days=1), time(), UTC)


def fold(steps: Iterable[WaiverStep]) -> list[Waiver]:
    """Return the waivers that *steps*, in their order, come to."""
    by_id: dict[uuid.UUID, list[WaiverStep]] = defaultdict(list)
    for step in steps:
        by_id[step.waiver].append(step)
    return [Waiver(tuple(found)) for found in by_id.values()]


def revocation(
    waiver: Waiver, *, source: Source, name: str, reason: str, at: datetime, event: uuid.UUID
) -> WaiverStep:
    """Return the step by which an operator, called *name*, ends *waiver*."""
    return WaiverStep(
        waiver=waiver.id,
        deed=Deed.revoked,
        ref=waiver.ref,
        about=waiver.about,
        branch=waiver.branch,
        at=at,
        source=source,
        name=name,
        reason=reason,
        event=event,
    )


def short(fingerprint: str) -> str:
    """Return the name by which people call a finding."""
    return fingerprint[:SHORT]


def names_of(fingerprints: Iterable[str]) -> Mapping[str, str]:
    """Return for each of *fingerprints* the beginning that no other one has: eight digits, more where two agree."""
    known = sorted(set(fingerprints))
    named = {}
    for index, mark in enumerate(known):
        near = [*known[max(0, index - 1) : index], *known[index + 1 : index + 2]]
        length = SHORT
        while length < len(mark) and any(one.startswith(mark[:length]) for one in near):
            length += 1
        named[mark] = mark[:length]
    return named
