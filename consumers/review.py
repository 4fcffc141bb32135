"""When a review is asked for, have the models look at the change and keep what holds against the code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial

import structlog

from bot.domain.diff import Diff
from bot.domain.events import ReviewRequested, Stage
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of
from bot.domain.merge_request import Revision
from bot.domain.prompt import Prompts
from bot.domain.run import REPORT_STEP, REVIEW_STEP, Outcome, Run, Step
from bot.ports import Store, Telemetry, Workspaces
from bot.reviewer.asking import Ledger
from bot.reviewer.context import Site, gather
from bot.reviewer.prompting import prompts_of
from bot.reviewer.reviewing import Matter, Reviewed, Reviewing
from bot.reviewer.unseen import unseen
from bot.runtime.consumer import Work, consumer

log = structlog.get_logger()

#: A model that is away for longer than these tries is reported as absent, rather than waited for.
_TRIES = 3
#: So long the scanners' findings are waited for, and so often looked for, once the model has answered.
_SCANS_S = 5.0
_LOOK_S = 0.2
#: Rejected findings that are kept for those who look closer.
_MAX_REJECTED = 50


async def give_up(event: ReviewRequested, *, problem: str, work: Work) -> None:
    """Record that there is no model review, and why."""
    await work.finish_step(event.run_id, REVIEW_STEP, Step(outcome=Outcome.failed, problem=problem))


@consumer(Stage.review, exhausted=give_up)
async def review(
    event: ReviewRequested,
    *,
    workspaces: Workspaces,
    store: Store,
    reviewing: Reviewing,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Ask the models about one revision."""
    run = await work.run(event.run_id)
    assert run.revision is not None, "work is handed out only once the revision is known"
    began = time.monotonic()
    diff = await workspaces.diff(run.revision)
    diff = Diff(tuple(file for file in diff.files if file.new_path not in run.skipped))
    ledger = Ledger(run.id)
    async with work.while_current(run):
        left = await unseen(
            run, diff, store=store, workspaces=workspaces, basis=await reviewing.basis(run.policy)
        )
        texts = await _texts(run.revision, left.diff, workspaces)
        prompts = await _prompts(run, left.diff, texts, workspaces, reviewing)
        matter = await _matter(run, left.diff, texts, store)
        reviewed = await reviewing.review(prompts, matter, ledger=ledger, patient=work.failures < _TRIES)
    for finding in reviewed.findings:
        telemetry.count("cloister_findings", scanner=finding.scanner, severity=finding.severity.value)
    for rejection in reviewed.rejected:
        telemetry.count("cloister_model_rejections", reason=rejection.reason)
    step = Step(
        outcome=_outcome(reviewed),
        problem=reviewed.problem,
        not_analysed={} if reviewed.problem else dict(reviewed.not_analysed),
        shown=dict(prompts.coverage),
        walkthrough=left.retold(reviewed.walkthrough),
        rejected=reviewed.rejected[:_MAX_REJECTED],
        remarks=reviewed.remarks,
        duration_s=round(time.monotonic() - began, 3),
        tokens=ledger.tokens,
        basis=left.basis,
        since=left.since,
    )
    await work.finish_step(run.id, REVIEW_STEP, step, left.with_carried(reviewed.findings))


async def _texts(revision: Revision, diff: Diff, workspaces: Workspaces) -> dict[str, bytes]:
    """Return the files of *diff* at the head, those aside that cannot be read."""
    blobs = await workspaces.read(revision, [file.new_path for file in diff.files])
    return {path: blob.content for path, blob in blobs.items() if blob.content is not None}


async def _prompts(
    run: Run, diff: Diff, texts: Mapping[str, bytes], workspaces: Workspaces, reviewing: Reviewing
) -> Prompts:
    """Return what the model is shown."""
    assert run.revision is not None, "work is handed out only once the revision is known"
    context = await gather(diff, texts, run.policy, Site.of(workspaces, run.revision))
    if context.missing:
        log.info("review.context_incomplete", problem=context.missing)
    return await asyncio.to_thread(
        prompts_of,
        run,
        diff,
        {path: text.decode(errors="replace") for path, text in texts.items()},
        context,
        model=reviewing.model,
        guides=reviewing.guides,
        redact=reviewing.redact,
    )


async def _matter(run: Run, diff: Diff, texts: Mapping[str, bytes], store: Store) -> Matter:
    """Return what the answers are held against."""
    return Matter(
        policy=run.policy,
        lines={path: lines_of(text) for path, text in texts.items()},
        old_paths={f.new_path: f.old_path for f in diff.files if f.old_path != f.new_path},
        threads=tuple((await store.threads(run.ref)).values()),
        # What the project declined is told apart, and listed, when results are published.
        static=partial(_static, store, run),
    )


async def _static(store: Store, run: Run) -> list[Finding]:
    """Return what the scanners have found, after a little patience with those that are still at it.

    Nothing is published before they end, so this holds up nobody. Other tools may take as long as they like.
    """
    until = time.monotonic() + _SCANS_S
    while time.monotonic() < until and any(
        name != REVIEW_STEP and not name.startswith(REPORT_STEP) for name in run.pending
    ):
        await asyncio.sleep(_LOOK_S)
        run = await store.run(run.id)
    found = await store.findings(run.id)
    return [finding for step, some in found.items() if step != REVIEW_STEP for finding in some]


def _outcome(reviewed: Reviewed) -> Outcome:
    if reviewed.problem:
        return Outcome.failed
    return Outcome.partial if reviewed.not_analysed else Outcome.done
