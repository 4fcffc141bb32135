"""Say a verdict where GitLab shows it: the commit status, our approval, an external status check."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from bot.domain.errors import Permanent, Transient
from bot.domain.forge import ForgeMergeRequest, StatusPlace
from bot.domain.gate_verdict import GateVerdict, VerdictState, shown, strictest
from bot.domain.run import Run
from bot.domain.verdict_links import VerdictLinks
from bot.ports import Approvals, Forge

log = structlog.get_logger()

#: Waits before the first status is tried again: GitLab keeps a lock for about two seconds.
_BUSY_S = (0.5, 1.0, 2.0)
_STARTED = "review started"
_TAKEN_OVER = "a newer head is reviewed"
_NO_STATUS = "the commit status could not be set: {reason}"
_NO_APPROVAL = "the approval could not be given or taken back: {reason}"
_NO_ANSWER = "the external status check could not be answered: {reason}"

#: What external status checks are answered; what is not known for sure fails.
_ANSWERS = {VerdictState.passed: "passed", VerdictState.waiting: "pending"}


@dataclass(frozen=True)
class Announcing:
    """Tell GitLab what the gate says; what it does not let us do is told to people, and stops nothing."""

    forge: Forge
    approvals: Approvals
    links: VerdictLinks
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def begin(
        self, found: ForgeMergeRequest, run: Run, left: Iterable[GateVerdict]
    ) -> tuple[StatusPlace, ...]:
        """Show that a review of *run* is on its way, and that those it takes over from are not; return where.

        Nothing that goes wrong here may stop the review: what counts is said again at its end.
        """
        place = await self._begun(found, run)
        if place is None:
            return ()
        for verdict in left:
            for stale in set(verdict.places) - {place}:
                await self._cancel(stale, verdict)
        return (place,)

    async def _begun(self, found: ForgeMergeRequest, run: Run) -> StatusPlace | None:
        """Set the first status; while others write there GitLab is busy for a moment, and the gate would stay open."""
        problem: Exception | None = None
        for wait_s in (0.0, *_BUSY_S):
            await self.sleep(wait_s)
            try:
                return await self.forge.set_status(
                    found, run.head_sha, "pending", _STARTED, target_url=self.links.of(run.id)
                )
            except (Permanent, Transient) as error:
                problem = error
            if isinstance(problem, Permanent) or (problem.retry_after_s or 0.0) > max(_BUSY_S):
                break
        log.warning("status.not_set", error=str(problem))
        return None

    async def _cancel(self, place: StatusPlace, verdict: GateVerdict) -> None:
        try:
            await self.forge.repeat_status(
                place, "canceled", _TAKEN_OVER, target_url=self.links.of(verdict.run_id)
            )
        except (Permanent, Transient) as error:
            log.info("status.not_canceled", error=str(error))

    async def withdraw(self, run: Run) -> None:
        """Take back what we said about an earlier head, now that the policy of *run* is known."""
        if run.policy.approves:
            await _if_possible(self.approvals.unapprove(run.ref))
        for name in run.policy.status_checks:
            await _if_possible(self.approvals.answer_check(run.ref, run.head_sha, name, "pending"))

    async def say(
        self,
        found: ForgeMergeRequest,
        run: Run,
        verdict: GateVerdict,
        before: GateVerdict,
        beside: Sequence[GateVerdict] = (),
    ) -> GateVerdict:
        """Say *verdict*, after that of *before*, and return it with where it stands and what GitLab did not let us do.

        *beside* are those of other merge requests with the same head: a commit status that they share is the strictest.

        Raises:
            Transient: GitLab is out of reach, or busy.
            Obsolete: the merge request has another head by now.
        """
        problems: list[str] = []
        places = await self._status(found, verdict, before, shown(verdict, before, beside), problems)
        for name in run.policy.status_checks:
            answer = _ANSWERS.get(verdict.state, "failed")
            call = self.approvals.answer_check(run.ref, run.head_sha, name, answer)
            await _tried(call, _NO_ANSWER, problems)
        if run.policy.approves:
            passed = verdict.state is VerdictState.passed and verdict.final and not run.left_out
            approve = self.approvals.approve(run.ref, run.head_sha) if passed else None
            await _tried(approve or self.approvals.unapprove(run.ref), _NO_APPROVAL, problems)
        return verdict.model_copy(update={"places": places, "problems": tuple(problems)})

    async def _status(
        self,
        found: ForgeMergeRequest,
        verdict: GateVerdict,
        before: GateVerdict,
        said: tuple[str, str],
        problems: list[str],
    ) -> tuple[StatusPlace, ...]:
        url, known = self.links.of(verdict.run_id), before.places
        state, description = said
        try:
            place = await self.forge.set_status(found, verdict.head_sha, state, description, target_url=url)
        except Permanent as error:
            log.warning("status.not_set", error=str(error))
            problems.append(_NO_STATUS.format(reason=error))
            return known
        others = [one for one in known if one != place]
        if said != (before.status, before.description):
            # A pipeline that came later took its place: there it must not stay pending for ever.
            for other in others:
                await _tried(
                    self.forge.repeat_status(other, state, description, target_url=url),
                    _NO_STATUS,
                    [],
                )
        return (place, *others)

    async def join(
        self,
        found: ForgeMergeRequest,
        verdict: GateVerdict,
        pipeline_id: int,
        beside: Iterable[GateVerdict] = (),
    ) -> GateVerdict:
        """Say *verdict* once more, in a pipeline of its head that came later; return it with that place.

        *beside* are those of other merge requests that have the pipeline too: the strictest is said there.

        Raises:
            Transient: GitLab is out of reach, or busy.
            Permanent: it does not let us.
        """
        state, description = strictest(verdict, beside)
        place = await self.forge.set_status(
            found,
            verdict.head_sha,
            state,
            description or _STARTED,
            target_url=self.links.of(verdict.run_id),
            pipeline_id=pipeline_id,
        )
        return verdict.model_copy(update={"places": (*verdict.places, place)})


async def _tried(call: Awaitable[None], problem: str, problems: list[str]) -> None:
    try:
        await call
    except Permanent as error:
        log.warning("verdict.not_said", error=str(error))
        problems.append(problem.format(reason=error))


async def _if_possible(call: Awaitable[None]) -> None:
    """Await *call*; what is refused says nothing about the next one, as where one of two checks was deleted."""
    try:
        await call
    except (Permanent, Transient) as error:
        log.warning("approval.not_withdrawn", error=str(error))
