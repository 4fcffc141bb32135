"""What people send from the page of a verdict: they ask for waivers, grant them and take them back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from bot.domain.errors import Refused
from bot.domain.events import Record, WaiverRequested, delivery_id
from bot.domain.gate_verdict import Standing
from bot.domain.markdown import one_line
from bot.domain.viewer import Via, Viewer
from bot.domain.waiver_audit import act
from bot.domain.waiver_offer import decidable, docket_shown, offer
from bot.domain.waiver_requests import waiver_request
from bot.domain.waivers import Source, Waiver, revocation
from bot.domain.waiving import Docket, Occasion, Ruling, Said, waive, withdraw
from bot.domain.wording import wording
from bot.ports import AsOfNow, EventSink
from bot.reviewer.waiving import has_a_hand
from bot.web.access import SignedInViewer
from bot.web.problems import Problem
from bot.web.verdict_page import Slip, VerdictDesk, uuid_of

#: A sentence, not a report; as much as a waiver keeps.
MOST_REASON = 300
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_STALE = "This finding does not block any more: load the page again."
#: What is said of a refusal, and beside which field.
_REFUSALS: dict[Said, tuple[str, str]] = {
    Said.form: ("until", "Say until which day it shall pass, and why."),
    Said.day: ("until", "Write the day as in 2026-12-31."),
    Said.past: ("until", "This day is over: name one that is still to come."),
    Said.too_far: ("until", "This is too far away: the policy allows {days} days at most."),
    Said.no_reason: ("because", "Say why."),
    Said.short_reason: ("because", "The policy wants a reason of at least {chars} characters."),
    Said.never: ("", "The policy lets nobody waive this finding."),
    Said.nothing: ("", "There is no waiver to take back any more: load the page again."),
    Said.needs_role: (
        "",
        "In this project it takes at least the role {role}, and GitLab says that you have less.",
    ),
    Said.switched_off: ("", "Waivers are switched off in this project."),
    Said.which: ("", _STALE),
    Said.unknown: ("", _STALE),
    Said.ambiguous: ("", _STALE),
    Said.not_blocking: ("", _STALE),
}

Redaction = Callable[[], Awaitable[Callable[[str], str]]]
_Text = Annotated[str, Form(max_length=1_000)]


@dataclass(frozen=True, slots=True)
class _Wish:
    """Hold what somebody sent: the number of the form, what is in it, and whether a waiver is to end."""

    form: uuid.UUID
    slip: Slip
    back: bool = False


@dataclass(frozen=True, slots=True)
class Counter:
    """Take what people send.

    Args:
        desk: finds and shows verdicts.
        sink: where requests go, to be decided like comments.
        now: tells who asks, as of now; None where this process cannot ask the forge.
        redaction: returns what masks secrets.
    """

    desk: VerdictDesk
    sink: EventSink
    now: AsOfNow | None
    redaction: Redaction

    async def ask(self, request: Request, viewer: Viewer, standing: Standing, wish: _Wish) -> Response:
        """Put *wish* on the log if something will come of it; say beside the field why nothing would."""
        record = await self._record(viewer, standing, wish)
        event = record.event()
        assert isinstance(event, WaiverRequested)
        docket, occasion = await self._case(viewer, standing, record.id)
        ruling = (withdraw if wish.back else waive)(event.words, docket, occasion)
        if not ruling.acts:
            return self._refused(request, standing, wish.slip, ruling, docket)
        await self.sink.append([record])
        return self._sent(standing, record.id)

    async def end(self, request: Request, viewer: Viewer, standing: Standing, wish: _Wish) -> Response:
        """End waivers as the operator, at once."""
        reason = (await self.redaction())(wish.slip.because)
        if not reason:
            slip = replace(wish.slip, problems={"because": "Say why; it stays on record."})
            return self.desk.show(request, standing, slip=slip, status=422)
        at = self.desk.clock.now()
        event = delivery_id("page", f"revoke:{viewer.user.username}:{wish.form}")
        for waiver in await self._open(standing, wish.slip.fingerprint):
            step = revocation(
                waiver, source=Source.page, name=viewer.user.username, reason=reason, at=at, event=event
            )
            await self.desk.book.end(step, act(step, viewer.actor))
        return self._sent(standing, event)

    async def _record(self, viewer: Viewer, standing: Standing, wish: _Wish) -> Record:
        record = waiver_request(
            viewer,
            standing.run.ref,
            form=wish.form,
            finding=wish.slip.fingerprint,
            until=wish.slip.until,
            reason=wish.slip.because,
            back=wish.back,
            redact=await self.redaction(),
        )
        assert record is not None, "whoever may not see the project does not see the verdict"
        return record

    async def _case(self, viewer: Viewer, standing: Standing, event: uuid.UUID) -> tuple[Docket, Occasion]:
        """Return what can be waived, and who asks, as the forge says it now."""
        if self.now is None:
            raise Problem(
                503, "unavailable", "set CLOISTER_GITLAB_TOKEN for this process: it must ask GitLab"
            )
        run = standing.run
        try:
            member = await self.now.member(run.ref.project_id, viewer.user.id)
            found = await self.now.merge_request(run.ref)
            author = await has_a_hand(found, run, member.user.id, self.now)
        except Refused as error:
            raise Problem(
                409, "refused", f"GitLab does not tell who you are in this project: {error}"
            ) from None
        if member.bot:
            raise Problem(403, "people_only", "bots grant nothing: sign in as a person")
        if found.state != "opened" or found.head_sha != run.head_sha:
            raise _outdated()
        at = self.desk.clock.now()
        occasion = Occasion(
            event=event,
            ref=run.ref,
            branch=found.target_branch,
            member=member,
            participant=member.user.id in found.participants,
            author=author,
            unsure=bool(run.pushes.untold),
            at=at,
            source=Source.page,
        )
        waivers = await self.desk.book.of(run.ref)
        return docket_shown(standing, waivers, found.target_branch, at), occasion

    async def _open(self, standing: Standing, fingerprint: str) -> list[Waiver]:
        """Return the waivers of a finding that the verdict shows, as far as they have not ended."""
        verdict = standing.verdict
        shown = (*verdict.waived, *verdict.asked) if verdict else ()
        marks = {one.waiver for one in shown if one.finding.fingerprint == fingerprint}
        at = self.desk.clock.now()
        return [one for one in await self.desk.book.of(standing.run.ref) if one.id in marks and one.open(at)]

    def _refused(
        self, request: Request, standing: Standing, slip: Slip, ruling: Ruling, docket: Docket
    ) -> Response:
        field, text = _REFUSALS[ruling.said]
        allowed = docket.terms
        role = allowed.ask if ruling.about is None else allowed.grant
        said = text.format(
            days=allowed.max_days, chars=allowed.min_reason, role=wording("en").talk.roles[role]
        )
        status = 403 if ruling.said in {Said.needs_role, Said.switched_off} else 422
        return self.desk.show(request, standing, slip=replace(slip, problems={field: said}), status=status)

    def _sent(self, standing: Standing, event: uuid.UUID) -> Response:
        return RedirectResponse(self.desk.sent(standing.run.id, event), 303)


def verdict_waivers(counter: Counter) -> APIRouter:
    """Return the routes that the forms on a verdict send to."""
    router = APIRouter()

    @router.post("/verdicts/{run_id}/waivers")
    async def ask(
        request: Request,
        viewer: SignedInViewer,
        run_id: str,
        finding: _Text = "",
        form: _Text = "",
        until: _Text = "",
        because: _Text = "",
    ) -> Response:
        """Ask for a waiver, or grant one that is asked for."""
        standing = await _standing(counter.desk, run_id, viewer, finding)
        if viewer.via is not Via.gitlab:
            raise _no_account()
        slip = Slip(finding, until.strip(), one_line(because, MOST_REASON))
        if slip.until and not _DAY.fullmatch(slip.until):
            slip = replace(slip, problems={"until": _REFUSALS[Said.day][1]})
            return counter.desk.show(request, standing, slip=slip, status=422)
        return await counter.ask(request, viewer, standing, _Wish(_form(form), slip))

    @router.post("/verdicts/{run_id}/waivers/end")
    async def end(
        request: Request,
        viewer: SignedInViewer,
        run_id: str,
        finding: _Text = "",
        form: _Text = "",
        because: _Text = "",
    ) -> Response:
        """Take a waiver back, or the request for one."""
        standing = await _standing(counter.desk, run_id, viewer, finding)
        slip = Slip(finding, because=one_line(because, MOST_REASON))
        wish = _Wish(_form(form), slip, back=True)
        if viewer.via is Via.gitlab:
            return await counter.ask(request, viewer, standing, wish)
        if not offer(viewer, standing).operator:
            raise _no_account()
        return await counter.end(request, viewer, standing, wish)

    return router


async def _standing(desk: VerdictDesk, run_id: str, viewer: Viewer, finding: str) -> Standing:
    """Return the verdict if *finding* is in it and somebody may still decide about it."""
    standing = await desk.standing(run_id, viewer)
    if not decidable(standing):
        raise _outdated()
    verdict = standing.verdict
    shown = (*verdict.blocking, *(one.finding for one in verdict.waived)) if verdict else ()
    if finding not in {one.fingerprint for one in shown}:
        raise Problem(422, "unknown_finding", "there is no such finding in this verdict: load its page again")
    return standing


def _form(text: str) -> uuid.UUID:
    """Return the number of a form, so that sending it twice asks once."""
    found = uuid_of(text)
    if found is None:
        raise Problem(422, "bad_form", "the form is not one of ours: load the page again")
    return found


def _no_account() -> Problem:
    return Problem(
        403, "no_account", "waivers are granted by people whose role GitLab knows: sign in with GitLab"
    )


def _outdated() -> Problem:
    return Problem(
        409, "outdated", "the merge request is closed, or there is a newer commit: see its newest verdict"
    )
