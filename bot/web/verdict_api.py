"""The verdict for CI jobs and scripts: asked for by head, waited for if they like."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from bot.domain.gate_verdict import Blocking, GateVerdict, ShownWaiver, Standing
from bot.domain.run import REVIEW_STEP, Outcome, Run
from bot.domain.steps import spoken
from bot.domain.verdict_links import VerdictLinks
from bot.domain.waiver_offer import command
from bot.domain.waivers_standing import terms
from bot.hooks.payload import MAX_ID
from bot.ports import Clock, Jobs, Verdicts
from bot.web.access import known, public
from bot.web.problems import Problem

#: Somebody who waits costs a query a second.
MOST_WAITING = 100
_LOOK_EVERY_S = 1.0
_RETRY_AFTER_S = "5"

_Reads = Callable[[Standing], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold which head somebody asks about, and by the policy of which branch, empty for that of its newest review."""

    project_id: int
    sha: str
    iid: int | None = None
    target_branch: str = ""

    def fits(self, run: Run) -> bool:
        """Say whether *run* goes by the policy that is asked for; before it has read one, it may."""
        return not self.target_branch or run.facts.target_branch in {None, self.target_branch}


class VerdictApi:
    """Answer who asks about a head.

    Args:
        verdicts: where verdicts are kept.
        jobs: tells which job a token belongs to.
        links: addresses of the pages.
        instance: name of the configured GitLab instance.
        clock: tells how long somebody has waited.
        most_waiting: how many may wait at a time.
    """

    def __init__(
        self,
        verdicts: Verdicts,
        jobs: Jobs,
        links: VerdictLinks,
        *,
        instance: str,
        clock: Clock,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._verdicts = verdicts
        self._jobs = jobs
        self._links = links
        self._instance = instance
        self._clock = clock
        self._most_waiting = most_waiting
        self._waiting = 0

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/v1", tags=["gate"])

        @router.get("/verdict")
        @public
        async def verdict(
            request: Request,
            response: Response,
            project_id: Annotated[int, Query(ge=1, le=MAX_ID)],
            sha: Annotated[str, Query(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")],
            iid: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
            wait_s: Annotated[float, Query(ge=0, le=30)] = 0,
            target_branch: Annotated[str, Query(max_length=1_000)] = "",
            job_token: Annotated[str, Header()] = "",
        ) -> dict[str, Any]:
            """Return what the gate says to a head; *wait_s* waits for news while that is not final.

            *project_id* is the project of the merge request, or without *iid* that of its source branch too. *sha* is
            the newest commit of the source branch, in pipelines of merged results as well. With *target_branch* only a
            review by the policy of that branch counts.
            """
            response.headers["cache-control"] = "no-store"
            reads = await self._who(job_token, request)
            standing = await self._find(Asked(project_id, sha, iid, target_branch), reads, wait_s)
            if standing is None:
                raise Problem(
                    404,
                    "unknown_head",
                    "no review of this head is known; ask again in a moment, or check sha and target_branch",
                )
            return answer(standing, self._links, today=self._clock.now().date())

        return router

    async def _who(self, job_token: str, request: Request) -> _Reads:
        """Return what says which verdicts the sender may read."""
        if job_token:
            job = await self._jobs.job_of(job_token)
            if job is None:
                raise Problem(
                    401, "unauthorized", "JOB-TOKEN belongs to no running job; send $CI_JOB_TOKEN of this job"
                )
            return lambda standing: job.project_id in projects_of(standing)
        viewer = known(request)
        if viewer is None:
            raise Problem(
                401,
                "unauthorized",
                "send the header JOB-TOKEN with $CI_JOB_TOKEN of a running job, or an API token as Authorization: Bearer",
                headers={"www-authenticate": "Bearer"},
            )
        return lambda standing: viewer.reads(standing.run.ref.project_id)

    async def _find(self, asked: Asked, reads: _Reads, wait_s: float) -> Standing | None:
        found = await self._look(asked, reads)
        if not wait_s or (found is not None and found.final):
            return found
        if self._waiting >= self._most_waiting:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_many_waiting",
                "too many are waiting for verdicts; ask again later, or without wait_s",
                headers={"retry-after": _RETRY_AFTER_S},
            )
        self._waiting += 1
        try:
            return await self._news(asked, reads, found, self._clock.monotonic() + wait_s)
        finally:
            self._waiting -= 1

    async def _news(
        self, asked: Asked, reads: _Reads, found: Standing | None, until: float
    ) -> Standing | None:
        """Return what is different from *found*, or the same once it is time; no connection is held meanwhile."""
        while (left_s := until - self._clock.monotonic()) > 0:
            await asyncio.sleep(min(_LOOK_EVERY_S, left_s))
            if found is not None and await self._verdicts.mark_of(found.run.id) == found.mark:
                continue
            now = await self._look(asked, reads)
            if now is not None:
                return now
        return found

    async def _look(self, asked: Asked, reads: _Reads) -> Standing | None:
        found = await self._verdicts.of_head(self._instance, asked.project_id, asked.sha, asked.iid)
        if found is None or not reads(found) or not asked.fits(found.run):
            return None
        return found.as_of(self._clock.now())


def projects_of(standing: Standing) -> frozenset[int]:
    """Return the projects whose jobs may ask: that of the merge request, and that of its source branch."""
    source = standing.verdict.source_project_id if standing.verdict else None
    return frozenset({standing.run.ref.project_id} | ({source} if source else set()))


def answer(standing: Standing, links: VerdictLinks, *, today: date) -> dict[str, Any]:
    """Return *standing* as the API shows it; *today* counts for examples of commands."""
    run = standing.run
    verdict = standing.verdict or GateVerdict(run_id=run.id, ref=run.ref, head_sha=run.head_sha)
    ids, allowed = verdict.ids, terms(run.policy)
    commands = {
        one.fingerprint: command(one, ids[one.fingerprint], allowed, today) for one in verdict.blocking
    }
    return {
        "state": standing.state.value,
        "final": standing.final,
        "sha": run.head_sha,
        "project_id": run.ref.project_id,
        "iid": run.ref.iid,
        "run_id": str(run.id),
        "url": links.of(run.id),
        "description": standing.description,
        "steps": steps_of(run),
        "blocking": [_finding(one, ids) | {"waive": commands[one.fingerprint]} for one in verdict.blocking],
        "blocking_count": verdict.blocking_count,
        "suppressed": [_finding(one, ids) for one in verdict.suppressed],
        "exceeded": list(verdict.exceeded),
        "unread": list(verdict.unread),
        "broken": dict(verdict.broken),
        "waived": [_waiver(one, ids) for one in verdict.waived],
        "asked": [_waiver(one, ids) for one in verdict.asked],
        "warnings": [*verdict.warnings, *verdict.problems],
    }


def steps_of(run: Run) -> list[dict[str, str]]:
    """Return how far each part of the review is: scanners, the model, and what did not run."""
    ran = [
        {
            "step": spoken(name),
            "state": "running" if step.outcome is Outcome.pending else step.outcome.value,
            "problem": step.problem,
        }
        for name, step in sorted(run.steps.items(), key=lambda item: (item[0] == REVIEW_STEP, item[0]))
    ]
    return [*ran, *({"step": part, "state": "absent", "problem": why} for part, why in run.absent.items())]


def _waiver(one: ShownWaiver, ids: Mapping[str, str]) -> dict[str, Any]:
    return _finding(one.finding, ids) | {
        "state": one.state.value,
        "until": one.until.isoformat() if one.until else None,
        "by": one.by,
        "reason": one.reason,
        "in_code": one.until is None,
        "iid": one.iid,
    }


def _finding(one: Blocking, ids: Mapping[str, str]) -> dict[str, Any]:
    shown = one.model_dump(
        mode="json",
        include={"fingerprint", "rule", "scanner", "severity", "category", "path", "line", "title", "commit"},
    )
    return shown | {
        "finding": ids[one.fingerprint],
        "why": "; ".join(one.why),
        "remedy": one.remedy,
        "suppressed": one.suppressed,
    }
