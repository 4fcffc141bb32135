"""When a review is asked for, have the models look at the change and keep what holds against the code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

import structlog

from bot.domain.diff import Diff
from bot.domain.events import ReviewRequested, Stage, StepFinished
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of
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
    await _finish(work, Step(outcome=Outcome.failed, problem=problem), (), Ledger(event.run_id))


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
        diff = left.diff
        blobs = await workspaces.read(run.revision, [file.new_path for file in diff.files])
        texts = {path: blob.content for path, blob in blobs.items() if blob.content is not None}
        heads = {path: text.decode(errors="replace") for path, text in texts.items()}
        context = await gather(diff, texts, run.policy, Site.of(workspaces, run.revision))
        if context.missing:
            log.info("review.context_incomplete", problem=context.missing)
        prompts = await asyncio.to_thread(
            prompts_of,
            run,
            diff,
            heads,
            context,
            model=reviewing.model,
            guides=reviewing.guides,
            redact=reviewing.redact,
        )
        matter = Matter(
            policy=run.policy,
            lines={path: lines_of(text) for path, text in texts.items()},
            old_paths={f.new_path: f.old_path for f in diff.files if f.old_path != f.new_path},
            threads=tuple((await store.threads(run.ref)).values()),
            # What the project declined is told apart, and listed, when results are published.
            static=partial(_static, store, run),
        )
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
    await _finish(work, step, left.with_carried(reviewed.findings), ledger)


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


async def _finish(work: Work, step: Step, findings: Sequence[Finding], ledger: Ledger) -> None:
    async with work.commit() as transaction:
        run = await transaction.run(ledger.run_id)
        if run.ended:
            return
        await transaction.replace_findings(run.id, REVIEW_STEP, findings)
        await transaction.save_run(run.finish_step(REVIEW_STEP, step))
        transaction.emit(StepFinished(ref=run.ref, run_id=run.id, step=REVIEW_STEP))
