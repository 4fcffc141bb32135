"""What the page of a verdict offers to do about waivers and to whom, and what became of what was sent from there."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain.commands import NAME
from bot.domain.gate_verdict import Blocking, GateVerdict, Standing
from bot.domain.policy_decision import Verdict
from bot.domain.policy_sections import Role
from bot.domain.policy_waivers import Waivers
from bot.domain.viewer import Via, Viewer
from bot.domain.waiver_words import example
from bot.domain.waivers import Waiver, names_of
from bot.domain.waivers_standing import standing as counting
from bot.domain.waivers_standing import terms, waivable
from bot.domain.waiving import Docket

_EXAMPLE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Offer:
    """Say which forms somebody is shown: to ``ask`` for a waiver, to ``grant`` one, to take one back (``end``).

    It rests on the roles of when they signed in. What they send is decided by the roles that they have then.
    ``operator`` is somebody without an account of GitLab's, whose role nobody can confirm: they end, and grant nothing.
    """

    ask: bool = False
    grant: bool = False
    end: bool = False
    operator: bool = False


def offer(viewer: Viewer | None, standing: Standing) -> Offer:
    """Return what *viewer* is offered on the page of *standing*, nothing where it is not the newest verdict."""
    if viewer is None or standing.verdict is None or not decidable(standing):
        return Offer()
    if viewer.via is not Via.gitlab:
        operator = viewer.admin and viewer.via in {Via.link, Via.development}
        return Offer(end=operator, operator=operator)
    allowed = terms(standing.run.policy)
    level = viewer.levels.get(standing.run.ref.project_id, 0)
    grant = allowed.grant is not Role.nobody and level >= allowed.grant.access_level
    own = viewer.user.id in standing.verdict.participants
    asks = level >= allowed.ask.access_level or own or grant
    return Offer(ask=asks and allowed.grant is not Role.nobody, grant=grant, end=asks)


def decidable(standing: Standing) -> bool:
    """Say whether the verdict is the one that counts: of the newest head of an open merge request."""
    return standing.verdict is not None and standing.successor is None and not standing.closed


def docket_shown(standing: Standing, waivers: Sequence[Waiver], branch: str, now: datetime) -> Docket:
    """Return what can be waived as far as the page shows it, for merge requests into *branch*.

    It needs neither code nor git. What is sent from the page is decided again, by all that is known then.
    """
    run, verdict = standing.run, standing.verdict
    allowed = terms(run.policy)
    count = counting(waivers, run.ref, branch, run.policy, now)
    marks = {one.id for one in (*count.granted.values(), *count.asked.values())}
    heard = [one for one in waivers if one.ref == run.ref or one.id in marks]
    if verdict is None:
        return Docket(allowed, waivers=heard, run_id=run.id)
    blocking = [*verdict.blocking, *(one.finding for one in verdict.waived)]
    return Docket(allowed, blocking=[one.as_finding() for one in blocking], waivers=heard, run_id=run.id)


def example_day(allowed: Waivers, today: date) -> date:
    """Return a day that the policy allows, to begin with."""
    return today + timedelta(days=min(_EXAMPLE_DAYS, allowed.max_days))


def command(finding: Blocking, name: str, allowed: Waivers, today: date) -> str:
    """Return the comment that asks to waive *finding*, which people call *name*; empty where nobody may."""
    if allowed.grant is Role.nobody or not waivable(finding.as_finding(), allowed):
        return ""
    return f"@{NAME} waive {name} until {example_day(allowed, today)} because REASON"


def way_out(verdict: Verdict, allowed: Waivers) -> str:
    """Return the comment that asks to waive the gravest finding for which nobody has, as far as that is allowed.

    It is good on any day, so that a summary that holds it need not be written anew; empty where nobody may.
    """
    if allowed.grant is Role.nobody:
        return ""
    asked = {one.finding.fingerprint for one in verdict.asked}
    names = names_of([one.fingerprint for one in (*verdict.blocking, *(w.finding for w in verdict.waived))])
    for finding in verdict.blocking:
        if finding.fingerprint not in asked and waivable(finding, allowed):
            return f"@{NAME} waive {names[finding.fingerprint]} {example(allowed.max_days)}"
    return ""


class Progress(enum.Enum):
    """How far what was sent from a page has come."""

    #: Nobody has decided it.
    sent = enum.auto()
    #: It is decided, and the verdict does not show that yet.
    decided = enum.auto()
    asked = enum.auto()
    granted = enum.auto()
    ended = enum.auto()

    @property
    def over(self) -> bool:
        """Say whether nothing more is to be waited for."""
        return self not in {Progress.sent, Progress.decided}


def progress(event: uuid.UUID, verdict: GateVerdict | None, waivers: Iterable[Waiver]) -> Progress:
    """Return how far the wish that was sent as *event* has come, as *verdict* shows it."""
    waiver = next((one for one in waivers if any(step.event == event for step in one.steps)), None)
    if waiver is None:
        return Progress.sent
    granted = {one.waiver for one in verdict.waived} if verdict else set()
    asked = {one.waiver for one in verdict.asked} if verdict else set()
    if waiver.end is not None:
        return Progress.decided if waiver.id in granted | asked else Progress.ended
    if waiver.grant is not None:
        return Progress.granted if waiver.id in granted else Progress.decided
    return Progress.asked if waiver.id in asked else Progress.decided
