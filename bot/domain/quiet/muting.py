"""Rules and categories that a team has no use for fall silent, for a while.

A subject is muted when even the upper 95 % bound (Wilson) of its acceptance is below a quarter: 0 of 12, 1 of 19, 2 of
25. Acceptance is accepted comments of all that are not censored; one that was passed over in silence counts as not
accepted here, though it is no rejection to learn from. A mute ends after 30 days, and then only comments since its
beginning count. Meanwhile one finding of twenty is said, always the same ones, to measure anew.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.domain.evaluation.intervals import Share
from bot.domain.findings import MODEL, Finding
from bot.domain.labels import Label
from bot.domain.quiet import exempt

#: What is accepted less often than this is noise.
WANTED: Final = 0.25
MUTED_FOR: Final = timedelta(days=30)
#: So many findings of a muted subject are said nevertheless.
EXPLORED: Final = 0.05


class Scope(enum.StrEnum):
    """What a mute is about."""

    rule = "rule"
    category = "category"


@dataclass(frozen=True, slots=True)
class Subject:
    """Name what may be muted: a rule, or a category of one scanner, for one team."""

    team: str
    scope: Scope
    scanner: str
    name: str

    def __str__(self) -> str:
        return f"{self.scope} {self.scanner}/{self.name}"


def subjects(team: str, finding: Finding) -> tuple[Subject, ...]:
    """Return by what *finding* may be muted, the narrowest first; a model names rules freely, so it has none."""
    category = Subject(team, Scope.category, finding.scanner, finding.category)
    if finding.scanner == MODEL:
        return (category,)
    return Subject(team, Scope.rule, finding.scanner, finding.rule), category


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what became of one comment of a subject."""

    label: Label
    posted_at: datetime


def acceptance(outcomes: Iterable[Outcome]) -> Share:
    """Return which share of comments was accepted; censored ones are left out."""
    counted = [one.label for one in outcomes if one.label.counts]
    return Share(sum(label.accepted for label in counted), len(counted))


def unwanted(share: Share) -> bool:
    """Say whether it is beyond chance that less than a quarter is accepted."""
    return share.of > 0 and share.interval[1] < WANTED


def wanted(share: Share) -> bool:
    """Say whether it is beyond chance that at least a quarter is accepted."""
    return share.of > 0 and share.interval[0] >= WANTED


@dataclass(frozen=True, slots=True)
class Override:
    """Hold what a tech lead decided about a subject; it wins over what the figures say.

    Without ``until`` it holds until somebody decides otherwise.
    """

    muted: bool
    at: datetime
    by: int
    reason: str = ""
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Say whether it is in force."""
        return self.at <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Mute:
    """Hold that a subject is muted, since when and why; ``by`` is the tech lead who said so, None for the figures."""

    subject: Subject
    since: datetime
    until: datetime | None
    share: Share = field(default_factory=lambda: Share(0, 0))
    by: int | None = None
    reason: str = ""

    def holds(self, now: datetime) -> bool:
        """Say whether it is in force."""
        return self.since <= now and (self.until is None or now < self.until)

    @property
    def explanation(self) -> str:
        """Return in a sentence why; ``reason`` is text of a person, to be neutralised like any."""
        end = f"until {self.until:%Y-%m-%d}" if self.until else "until somebody lifts it"
        if self.by is not None:
            because = f": {self.reason}" if self.reason else ""
            return f"A tech lead muted the {self.subject} on {self.since:%Y-%m-%d}, {end}{because}"
        most = round(100 * self.share.interval[1])
        return (
            f"The {self.subject} is muted {end}: {self.share.count} of {self.share.of} comments were accepted, "
            f"which makes more than {most} % unlikely"
        )


def decide(
    subject: Subject,
    outcomes: Iterable[Outcome],
    *,
    now: datetime,
    last: Mute | None = None,
    override: Override | None = None,
) -> Mute | None:
    """Return the mute of *subject* that is in force, made now if the figures ask for it; None for none.

    Args:
        subject: what it is about.
        outcomes: of its comments.
        now: the time.
        last: the newest mute that the figures made, in force or not.
        override: the newest decision of a tech lead, in force or not.
    """
    if override is not None and override.holds(now):
        if not override.muted:
            return None
        return Mute(subject, override.at, override.until, by=override.by, reason=override.reason)
    overruled = override.at if override is not None and override.at <= now else None
    if last and last.holds(now) and (overruled is None or overruled <= last.since):
        return last
    # Whoever decides begins a new count, and so does a mute.
    begin = max([moment for moment in (last and last.since, overruled) if moment], default=None)
    share = acceptance(one for one in outcomes if begin is None or one.posted_at >= begin)
    return Mute(subject, now, now + MUTED_FOR, share) if unwanted(share) else None


def explored(subject: Subject, fingerprint: str) -> bool:
    """Say whether a finding of a muted *subject* is said nevertheless; always the same answer for the same finding.

    Fingerprints are made with the installation's secret, so nobody can write code that is always, or never, explored.
    """
    text = json.dumps([subject.team, subject.scope, subject.scanner, subject.name, fingerprint])
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8]) < EXPLORED * 2**64


@dataclass(frozen=True, slots=True)
class Board:
    """Hold what is muted for one team.

    Args:
        team: whose board it is.
        mutes: in force, by subject.
        proven: rules whose own figures are good: a mute of their category leaves them alone.
    """

    team: str
    mutes: Mapping[Subject, Mute] = field(default_factory=dict)
    proven: Collection[Subject] = ()

    def mute_of(self, finding: Finding) -> Mute | None:
        """Return the mute by which *finding* is not said, None if it is said."""
        if exempt(finding):
            return None
        for subject in subjects(self.team, finding):
            mute = self.mutes.get(subject)
            if mute is not None:
                return None if explored(subject, finding.fingerprint) else mute
            if subject in self.proven:
                return None
        return None
