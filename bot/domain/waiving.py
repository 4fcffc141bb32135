"""What follows when somebody asks for a waiver, grants one or takes one back: the one place that decides it."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.domain.findings import Finding
from bot.domain.forge import ForgeMember
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy_sections import Role
from bot.domain.policy_waivers import Waivers
from bot.domain.waiver_words import Flaw, Wish, named_in, read_wish
from bot.domain.waivers import SHORT, About, Deed, Source, State, Waiver, WaiverStep
from bot.domain.waivers_standing import waivable


class Said(enum.StrEnum):
    """What a wish comes to."""

    granted = "granted"
    asked = "asked"
    #: Asked for, and a second person has to grant it.
    asked_second = "asked_second"
    withdrawn = "withdrawn"
    #: The others change nothing.
    form = "form"
    day = "day"
    past = "past"
    too_far = "too_far"
    no_reason = "no_reason"
    short_reason = "short_reason"
    which = "which"
    unknown = "unknown"
    ambiguous = "ambiguous"
    not_blocking = "not_blocking"
    never = "never"
    nothing = "nothing"
    needs_role = "needs_role"
    switched_off = "switched_off"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Hold who asks, where and when.

    ``event`` makes the ids of what follows: the same event gives the same ones. ``author`` says that the one who speaks
    has a hand in the code, ``unsure`` that of some of it nobody knows who pushed it. ``participant`` is one of the
    merge request's own people.
    """

    event: uuid.UUID
    ref: MergeRequestRef
    branch: str
    member: ForgeMember
    participant: bool
    author: bool
    at: datetime
    source: Source
    note_id: int | None = None
    discussion_id: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Docket:
    """Hold what can be waived on a merge request, and what was said about that before.

    ``blocking`` are the findings that block, or would without a waiver, ``others`` those that do not. ``waivers`` are
    those of this merge request and those that count for it. ``own`` is the finding of the thread in which somebody
    asks. ``places`` says by fingerprint where a finding is, with secrets masked.
    """

    terms: Waivers = field(default_factory=Waivers)
    blocking: Sequence[Finding] = ()
    others: Sequence[Finding] = ()
    waivers: Sequence[Waiver] = ()
    own: str = ""
    run_id: uuid.UUID | None = None
    places: Mapping[str, str] = field(default_factory=dict)

    def after(self, steps: Iterable[WaiverStep]) -> Docket:
        """Return the docket once *steps* are taken."""
        more: dict[uuid.UUID, list[WaiverStep]] = {}
        for step in steps:
            more.setdefault(step.waiver, []).append(step)
        known = [Waiver((*one.steps, *more.pop(one.id, ()))) for one in self.waivers]
        return replace(self, waivers=(*known, *(Waiver(tuple(new)) for new in more.values())))


@dataclass(frozen=True, slots=True)
class Ruling:
    """Hold what a wish comes to; ``named`` is how the finding was called, ``candidates`` what may have been meant."""

    said: Said
    steps: tuple[WaiverStep, ...] = ()
    about: About | None = None
    named: str = ""
    until: date | None = None
    reason: str = ""
    candidates: tuple[About, ...] = ()

    @property
    def acts(self) -> bool:
        """Say whether it changes anything."""
        return bool(self.steps)


def waive(words: str, docket: Docket, occasion: Occasion) -> Ruling:
    """Return what ``waive`` with *words* comes to: a grant, a request that somebody else may grant, or why not."""
    wish = read_wish(words, today=occasion.at.date())
    refusal = _refused(docket, occasion)
    if refusal is not None:
        return refusal
    found = _finding(wish.finding, docket)
    if isinstance(found, Ruling):
        return found
    about = About.of(found, docket.run_id)
    pending = _pending(docket, found, occasion)
    if wish.flaw is Flaw.bare:
        # Whoever only says yes means what was asked for.
        other = next((step for step in reversed(_others(pending, occasion)) if step.until), None)
        if other is not None and _may_grant(docket, occasion):
            wish = Wish(wish.finding, other.until, other.reason)
    flawed = _flawed(wish, docket.terms, occasion.at.date())
    if flawed is not None:
        return Ruling(flawed, about=about, until=wish.until, named=wish.finding)
    if not waivable(found, docket.terms):
        return Ruling(Said.never, about=about)
    return _granted(wish, about, pending, docket, occasion)


def withdraw(words: str, docket: Docket, occasion: Occasion) -> Ruling:
    """Return what ``unwaive`` with *words* comes to: who asked, and whoever may grant, may take a waiver back."""
    if docket.terms.grant is Role.nobody and not docket.waivers:
        return Ruling(Said.switched_off)
    standing = [waiver for waiver in docket.waivers if waiver.open(occasion.at)]
    known = {waiver.fingerprint: waiver.about for waiver in reversed(standing)}
    mark = _mark(named_in(words), docket.own, known)
    if isinstance(mark, Ruling):
        return mark if standing else Ruling(Said.nothing)
    mine = [waiver for waiver in standing if waiver.fingerprint == mark]
    if not mine:
        return Ruling(Said.nothing)
    people = {step.by for waiver in mine for step in waiver.steps if step.source is not Source.code}
    if not _may_grant(docket, occasion) and occasion.member.user.id not in people:
        return Ruling(Said.needs_role, about=known[mark])
    steps = [
        _step(Deed.withdrawn, waiver.id, waiver.about, docket, occasion, branch=waiver.branch)
        for waiver in mine
    ]
    return Ruling(Said.withdrawn, tuple(steps), known[mark])


def _refused(docket: Docket, occasion: Occasion) -> Ruling | None:
    allowed, member = docket.terms, occasion.member
    if allowed.grant is Role.nobody:
        return Ruling(Said.switched_off)
    may_ask = member.access_level >= allowed.ask.access_level or occasion.participant
    return None if may_ask or _may_grant(docket, occasion) else Ruling(Said.needs_role)


def _may_grant(docket: Docket, occasion: Occasion) -> bool:
    return occasion.member.access_level >= docket.terms.grant.access_level


def _finding(named: str, docket: Docket) -> Finding | Ruling:
    blocking = {finding.fingerprint: finding for finding in docket.blocking}
    others = {finding.fingerprint: finding for finding in docket.others}
    known = {mark: About.of(one, docket.run_id) for mark, one in (others | blocking).items()}
    mark = _mark(named, docket.own, known)
    if isinstance(mark, Ruling):
        candidates = tuple(known[one] for one in blocking)
        return mark if mark.said is Said.ambiguous else replace(mark, candidates=candidates)
    return blocking[mark] if mark in blocking else Ruling(Said.not_blocking, about=known[mark])


def _mark(named: str, own: str, known: Mapping[str, About]) -> str | Ruling:
    """Return the fingerprint that is meant."""
    if not named and own:
        return own if own in known else Ruling(Said.unknown, named=own[:SHORT])
    if not named:
        return Ruling(Said.which, candidates=tuple(known.values()))
    found = [mark for mark in known if len(named) >= SHORT and mark.startswith(named)]
    if len(found) == 1:
        return found[0]
    if found:
        return Ruling(Said.ambiguous, named=named, candidates=tuple(known[mark] for mark in found))
    return Ruling(Said.unknown, named=named, candidates=tuple(known.values()))


def _pending(docket: Docket, finding: Finding, occasion: Occasion) -> Waiver | None:
    """Return the request for *finding* that nobody has granted yet; its code must be the same."""
    return next(
        (
            waiver
            for waiver in reversed(docket.waivers)
            if (waiver.ref, waiver.branch) == (occasion.ref, occasion.branch)
            and waiver.about.fits(finding)
            and waiver.state(occasion.at) is State.asked
        ),
        None,
    )


def _others(pending: Waiver | None, occasion: Occasion) -> list[WaiverStep]:
    """Return what people other than the one who speaks have asked for."""
    return [step for step in (pending.asks if pending else ()) if step.by != occasion.member.user.id]


def _flawed(wish: Wish, allowed: Waivers, today: date) -> Said | None:
    flaws = {
        Flaw.bare: Said.form,
        Flaw.form: Said.form,
        Flaw.day: Said.day,
        Flaw.past: Said.past,
        Flaw.reason: Said.no_reason,
    }
    if wish.flaw is not None:
        return flaws[wish.flaw]
    if wish.until is None or wish.until > today + timedelta(days=allowed.max_days):
        return Said.too_far
    return Said.short_reason if len(wish.reason) < allowed.min_reason else None


def _granted(wish: Wish, about: About, pending: Waiver | None, docket: Docket, occasion: Occasion) -> Ruling:
    """Return the grant, or the request for it where the one who speaks is not enough.

    Of two people each stands for a day; the earlier one counts.
    """
    allowed, until = docket.terms, wish.until
    said = Said.granted
    if not _may_grant(docket, occasion):
        said = Said.asked
    elif allowed.second_person:
        others = _others(pending, occasion)
        # Where one of two may have pushed it without our knowing, a third has to agree.
        people = {step.by for step in others if step.by is not None or not occasion.unsure}
        if occasion.author or len(people) < 1 + occasion.unsure:
            said = Said.asked_second
        elif until is not None and others[-1].until is not None:
            until = min(until, others[-1].until)
    # A new id unless a request is answered, so that what has ended stays ended.
    identity = pending.id if pending else uuid.uuid5(occasion.event, f"waiver:{about.fingerprint}")
    deed = Deed.granted if said is Said.granted else Deed.asked
    step = _step(deed, identity, about, docket, occasion, until=until, reason=wish.reason)
    return Ruling(said, (step,), about, until=until, reason=wish.reason)


def _step(
    deed: Deed,
    waiver: uuid.UUID,
    about: About,
    docket: Docket,
    occasion: Occasion,
    *,
    branch: str = "",
    until: date | None = None,
    reason: str = "",
) -> WaiverStep:
    return WaiverStep(
        waiver=waiver,
        deed=deed,
        ref=occasion.ref,
        about=about,
        branch=branch or occasion.branch,
        at=occasion.at,
        source=occasion.source,
        by=occasion.member.user.id,
        name=occasion.member.user.username,
        note_id=occasion.note_id,
        discussion_id=occasion.discussion_id,
        until=until,
        reason=reason,
        terms=docket.terms,
        event=occasion.event,
    )
