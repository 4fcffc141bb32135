"""The page that a commit status leads to: what the gate says, why, and what to do about it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from bot.domain.gate_verdict import Blocking, GateVerdict, ShownWaiver, Standing, VerdictState
from bot.domain.summary import permalink
from bot.domain.verdict_links import VerdictLinks
from bot.domain.viewer import Viewer
from bot.domain.waiver_offer import Progress, command, decidable, example_day, offer, progress
from bot.domain.waivers_standing import terms
from bot.ports import Clock, Verdicts, WaiverBook
from bot.web.access import page_for, public, viewer
from bot.web.problems import Problem
from bot.web.verdict_api import steps_of

#: How often the page loads itself anew while there is no verdict, and while something that was sent is decided.
_REFRESH_S, _SOON_S = 5, 2
#: So often it looks for what became of what was sent.
_MOST_LOOKS = 30
_PROGRESS = {
    Progress.sent: "Sent, and being decided",
    Progress.decided: "Decided; the verdict is being made anew",
    Progress.asked: "The waiver is asked for. Somebody whom the policy allows has to grant it.",
    Progress.granted: "The finding is waived, and the verdict was made anew.",
    Progress.ended: "The waiver was taken back, and the verdict was made anew.",
}
_LOST = (
    "There is no answer yet. Load this page again in a while: the merge request may have changed meanwhile."
)


@dataclass(frozen=True, slots=True)
class _Look:
    """How a state looks: a word, a sign beside it, and a class that colours both."""

    word: str
    sign: str
    colour: str


_LOOKS = {
    VerdictState.waiting: _Look("Waiting", "…", "doubt"),
    VerdictState.passed: _Look("Passed", "✓", "good"),
    VerdictState.blocked: _Look("Blocked", "✕", "bad"),
    VerdictState.undecided: _Look("Undecided", "?", "doubt"),
    VerdictState.superseded: _Look("Superseded", "↷", "soft"),
}


@dataclass(frozen=True, slots=True)
class Slip:
    """Hold what somebody wrote into the form of one finding, and what is wrong with it: by field, "" for all of it."""

    fingerprint: str = ""
    until: str = ""
    because: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold what became of what was sent; the page loads itself from ``again`` until that is known."""

    said: str
    again: str = ""


class VerdictDesk:
    """Find verdicts for those who may see them, and show them.

    Args:
        verdicts: where verdicts are kept.
        links: addresses of the pages; a signed one opens its page.
        book: what is known of waivers.
        clock: tells the day.
    """

    def __init__(self, verdicts: Verdicts, links: VerdictLinks, book: WaiverBook, clock: Clock) -> None:
        self.links = links
        self.book = book
        self.clock = clock
        self._verdicts = verdicts

    async def standing(self, run_id: str, reader: Viewer | None) -> Standing:
        """Return where a run stands; *reader* is None where a link opens it for everybody.

        Raises:
            Problem: there is no such run, retention removed it, or it is not for *reader*.
        """
        name = uuid_of(run_id)
        found = await self._verdicts.of_run(name) if name else None
        if found is None and name:
            await self._explain(name, reader)
        if found is None or (reader and not reader.reads(found.run.ref.project_id)):
            raise Problem(404, "not_found", "there is no such verdict, or you may not see it")
        return found.as_of(self.clock.now())

    async def _explain(self, run_id: uuid.UUID, reader: Viewer | None) -> None:
        gone = await self._verdicts.removed(run_id)
        if gone is not None and (reader is None or reader.reads(gone.project_id)):
            raise Problem(410, "removed", f"this verdict was removed on {gone.at:%Y-%m-%d}, by retention")

    async def notice(self, standing: Standing, sent: uuid.UUID, looks: int) -> Notice:
        """Return what became of what was sent as *sent*; *looks* is how often somebody has looked."""
        waivers = await self.book.of(standing.run.ref)
        stage = progress(sent, standing.verdict, waivers)
        if stage.over:
            return Notice(_PROGRESS[stage])
        if looks >= _MOST_LOOKS or standing.successor is not None:
            return Notice(_LOST)
        return Notice(
            f"{_PROGRESS[stage]}. This page looks again every {_SOON_S} seconds.",
            self.sent(standing.run.id, sent, looks + 1),
        )

    def sent(self, run_id: uuid.UUID, event: uuid.UUID, looks: int = 0) -> str:
        """Return the address of the page that tells what became of *event*."""
        path = self.links.path(run_id)
        return f"{path}{'&' if '?' in path else '?'}sent={event}&looks={looks}"

    def show(
        self,
        request: Request,
        standing: Standing,
        *,
        notice: Notice | None = None,
        slip: Slip | None = None,
        status: int = 200,
    ) -> Response:
        """Return the page, with the forms that are for whoever asks."""
        values = self.values(standing, request.state.viewer, notice=notice, slip=slip)
        return page_for(request, "verdict.html", status=status, **values)

    def values(
        self,
        standing: Standing,
        viewer: Viewer | None = None,
        *,
        notice: Notice | None = None,
        slip: Slip | None = None,
    ) -> dict[str, Any]:
        """Return what the page is made of."""
        run, today = standing.run, self.clock.now().date()
        verdict = standing.verdict or GateVerdict(run_id=run.id, ref=run.ref, head_sha=run.head_sha)
        allowed = terms(run.policy)
        return _values(standing, self.links, verdict) | {
            "offer": offer(viewer, standing),
            "terms": allowed,
            "today": today,
            "latest": today + timedelta(days=allowed.max_days),
            "example": example_day(allowed, today),
            "commands": {
                one.fingerprint: command(one, verdict.ids[one.fingerprint], allowed, today)
                for one in verdict.blocking
                if decidable(standing)
            },
            "new_form": uuid.uuid4,
            "notice": notice,
            "slip": slip or Slip(),
            "refresh": _refresh(standing, notice, slip),
        }


def verdict_page(desk: VerdictDesk) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter()

    @router.get("/verdicts/{run_id}")
    @public
    async def show(request: Request, run_id: str, key: str = "", sent: str = "", looks: str = "") -> Response:
        """Show what the gate says to one run."""
        name, event = uuid_of(run_id), uuid_of(sent)
        reader = None if name and desk.links.opens(name, key) else viewer(request)
        standing = await desk.standing(run_id, reader)
        done = int(looks) if looks.isascii() and looks.isdecimal() and len(looks) < 4 else 0
        notice = await desk.notice(standing, event, done) if event else None
        return desk.show(request, standing, notice=notice)

    return router


def uuid_of(text: str) -> uuid.UUID | None:
    """Return the id that *text* is, None if it is none."""
    try:
        return uuid.UUID(text) if len(text) == len(str(uuid.NAMESPACE_OID)) else None
    except ValueError:
        return None


def _refresh(standing: Standing, notice: Notice | None, slip: Slip | None) -> str:
    """Return when the page loads itself, and from where; never while somebody fills in a form."""
    if slip is not None:
        return ""
    if notice is not None and notice.again:
        return f"{_SOON_S}; url={notice.again}"
    return "" if standing.final else str(_REFRESH_S)


def _values(standing: Standing, links: VerdictLinks, verdict: GateVerdict) -> dict[str, Any]:
    run = standing.run
    not_looked_at = {**run.skipped}
    for step in run.steps.values():
        not_looked_at |= step.not_analysed
    asked = {one.finding.fingerprint: one for one in verdict.asked}
    return {
        "look": _LOOKS[standing.state],
        "opens_unread": run.policy.gate.unread != "all",
        "refresh_s": _REFRESH_S,
        "description": standing.description,
        "language": standing.language,
        "of_model": run.policy.review.language,
        "final": standing.final,
        "verdict": verdict,
        "title": run.title,
        "sha": run.head_sha,
        "ref": run.ref,
        "run_id": run.id,
        "changed_at": standing.changed_at,
        "closed": standing.closed,
        "newer": links.path(standing.successor) if standing.successor else "",
        "blocking": [_row(one, verdict, asked.get(one.fingerprint)) for one in verdict.blocking],
        "waived": [_row(one.finding, verdict, one) for one in verdict.waived],
        "suppressed": [_row(one, verdict) for one in verdict.suppressed],
        "more": verdict.blocking_count - len(verdict.blocking),
        "not_looked_at": sorted(not_looked_at.items())[:100],
        "steps": steps_of(run),
    }


def _row(one: Blocking, verdict: GateVerdict, waiver: ShownWaiver | None = None) -> dict[str, Any]:
    sha = one.commit or verdict.head_sha
    return {
        "id": verdict.ids[one.fingerprint],
        "finding": one,
        "url": permalink(verdict.project_url, sha, one.path, one.line, one.end_line),
        "waiver": waiver,
    }
