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
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bot.domain.evaluation.intervals import Share
from bot.domain.findings import MODEL, Finding
from bot.domain.labels import Label
from bot.domain.quiet import NEVER_QUIET, exempt

_BY_FIGURES: Final = "the {scope} {name} is muted until {day}: {count} of {of} comments were accepted"
_BY_LEAD: Final = "a tech lead muted the {scope} {name} until {day}: {reason}"
_GROUP_BY_FIGURES: Final = "the {scope} {name} is muted in the group {group} until {day}: {count} of {of} comments were accepted there"
_GROUP_BY_LEAD: Final = "a tech lead muted the {scope} {name} in the group {group} until {day}: {reason}"
_NO_END: Final = "somebody lifts it"
_NO_REASON: Final = "no reason was given"

#: No project's team begins so.
_GROUP: Final = "/"
#: What is accepted less often than this is noise.
WANTED: Final = 0.25
MUTED_FOR: Final = timedelta(days=30)
#: What was posted longer ago does not count: rules and people change.
MEASURED: Final = timedelta(days=180)
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


def team_of(project_id: int) -> str:
    """Return the team that a project is."""
    return str(project_id)


def group_team(path: str) -> str:
    """Return the team that a group is."""
    return f"{_GROUP}{path}"


def group_of(team: str) -> str:
    """Return the path of the group that *team* is, empty if it is a project."""
    return team.removeprefix(_GROUP) if team.startswith(_GROUP) else ""


def subjects(team: str, finding: Finding) -> tuple[Subject, ...]:
    """Return by what *finding* may be muted, the narrowest first; a model names rules freely, so it has none."""
    return subjects_of(team, finding.scanner, finding.rule, finding.category)


def subjects_of(team: str, scanner: str, rule: str, category: str) -> tuple[Subject, ...]:
    """Return by what a finding may be muted of which this is known; see `subjects`."""
    whole = Subject(team, Scope.category, scanner, category)
    return (whole,) if scanner == MODEL else (Subject(team, Scope.rule, scanner, rule), whole)


def rule_subject(team: str, scanner: str, rule: str) -> Subject:
    """Return what people mean who mute *rule*: the rule of a finding by the model is its category."""
    return Subject(team, Scope.category if scanner == MODEL else Scope.rule, scanner, rule)


def mutable(subject: Subject) -> bool:
    """Say whether *subject* may be muted at all."""
    names = {subject.scanner, subject.name} if subject.scope is Scope.category else {subject.scanner}
    return NEVER_QUIET.isdisjoint(names)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what became of one comment of a subject."""

    label: Label
    posted_at: datetime


def acceptance(outcomes: Iterable[Outcome]) -> Share:
    """Return which share of comments was accepted; censored ones are left out."""
    counted = [one.label for one in outcomes if one.label.counts]
    return Share(sum(label.accepted for label in counted), len(counted))


def unwanted(share: Share, threshold: float = WANTED) -> bool:
    """Say whether it is beyond chance that less than *threshold* is accepted."""
    return share.of > 0 and share.interval[1] < threshold


def wanted(share: Share, threshold: float = WANTED) -> bool:
    """Say whether it is beyond chance that at least *threshold* is accepted."""
    return share.of > 0 and share.interval[0] >= threshold


@dataclass(frozen=True, slots=True)
class Override:
    """Hold what a tech lead decided about a subject; it wins over what the figures say.

    Without ``until`` it holds until somebody decides otherwise. ``team`` is for whom, empty for the subject's own.
    """

    muted: bool
    at: datetime
    by: int
    reason: str = ""
    until: datetime | None = None
    id: uuid.UUID | None = None
    team: str = ""

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
    id: uuid.UUID | None = None

    def holds(self, now: datetime) -> bool:
        """Say whether it is in force."""
        return self.since <= now and (self.until is None or now < self.until)

    @property
    def automatic(self) -> bool:
        """Say whether the figures made it."""
        return self.by is None

    @property
    def explanation(self) -> str:
        """Return in a sentence why; ``reason`` is text of a person, to be neutralised like any."""
        name = f"{self.subject.scanner}/{self.subject.name}"
        day = f"{self.until:%Y-%m-%d}" if self.until else _NO_END
        group = group_of(self.subject.team)
        said = {"scope": self.subject.scope, "name": name, "day": day, "group": group}
        if self.automatic:
            text = _GROUP_BY_FIGURES if group else _BY_FIGURES
            return text.format(**said, count=self.share.count, of=self.share.of)
        return (_GROUP_BY_LEAD if group else _BY_LEAD).format(**said, reason=self.reason or _NO_REASON)


def decide(
    subject: Subject,
    outcomes: Iterable[Outcome],
    *,
    now: datetime,
    last: Mute | None = None,
    override: Override | None = None,
    threshold: float = WANTED,
    lasts: timedelta = MUTED_FOR,
) -> Mute | None:
    """Return the mute of *subject* that is in force, made now if the figures ask for it; None for none.

    Args:
        subject: what it is about.
        outcomes: of its comments.
        now: the time.
        last: the newest mute that the figures made, in force or not.
        override: the newest decision of a tech lead, in force or not.
        threshold: the share of accepted comments below which a subject is noise.
        lasts: for how long a new mute holds.
    """
    if override is not None and override.holds(now):
        if not override.muted:
            return None
        whose = replace(subject, team=override.team or subject.team)
        return Mute(
            whose, override.at, override.until, by=override.by, reason=override.reason, id=override.id
        )
    overruled = override.at if override is not None and override.at <= now else None
    if last and last.holds(now) and (overruled is None or overruled <= last.since):
        return last
    begin = count_begins(last, override, now)
    share = acceptance(one for one in outcomes if begin is None or one.posted_at >= begin)
    return Mute(subject, now, now + lasts, share) if unwanted(share, threshold) else None


def count_begins(last: Mute | None, override: Override | None, now: datetime) -> datetime | None:
    """Return from when on comments count: whoever decides begins a new count, and so does a mute."""
    moments = [last and last.since, override and override.at]
    return max((moment for moment in moments if moment and moment <= now), default=None)


def explored(subject: Subject, fingerprint: str, share: float = EXPLORED) -> bool:
    """Say whether a finding of a muted *subject* is said nevertheless; always the same answer for the same finding.

    Fingerprints are made with the installation's secret, so nobody can write code that is always, or never, explored.
    """
    text = json.dumps([subject.team, subject.scope, subject.scanner, subject.name, fingerprint])
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


@dataclass(frozen=True, slots=True)
class Board:
    """Hold what is muted for one team.

    Args:
        team: whose board it is.
        mutes: in force, by the team's subjects; some are mutes of a group in which the team is.
        proven: what has good figures of its own: mutes of its category or of a group leave it alone.
        said: what tech leads want to be said: neither figures nor likeness silence it.
        explored: the share of findings that are said though they are muted by the figures.
    """

    team: str
    mutes: Mapping[Subject, Mute] = field(default_factory=dict)
    proven: Collection[Subject] = ()
    said: Collection[Subject] = ()
    explored: float = EXPLORED

    def mute_of(self, finding: Finding) -> Mute | None:
        """Return the mute by which *finding* is not said, None if it is said."""
        if exempt(finding):
            return None
        for subject in subjects(self.team, finding):
            mute = self.mutes.get(subject)
            if mute is not None:
                return None if mute.automatic and self._spared(subject, mute, finding) else mute
            if subject in self.proven or subject in self.said:
                return None
        return None

    def _spared(self, subject: Subject, mute: Mute, finding: Finding) -> bool:
        """Say whether *finding* is said although the figures mute its *subject*."""
        if mute.subject.team != self.team and subject in self.proven:
            return True
        return self.wants(finding) or explored(subject, finding.fingerprint, self.explored)

    def wants(self, finding: Finding) -> bool:
        """Say whether a tech lead wants the like of *finding* to be said."""
        return any(subject in self.said for subject in subjects(self.team, finding))
