"""When results are about to be published, check the fixes among them, so that only proven ones can be applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from bot.domain.errors import CloisterError, Obsolete, Transient
from bot.domain.events import PublishRequested, Stage, VerifyRequested
from bot.domain.findings import Finding
from bot.domain.proof import waits
from bot.domain.run import Run, RunState
from bot.domain.suggestion import Refusal
from bot.ports import Runner, Telemetry, Transaction, Workspaces
from bot.reviewer.verification import Verification, unproven
from bot.runtime.consumer import Work, consumer
from bot.scanners import Scanner

log = structlog.get_logger()

#: Results are worth more than the fixes in them: after so many tries they go out without.
_TRIES = 2

#: What was found, by step.
Found = Mapping[str, Sequence[Finding]]


async def give_up(event: VerifyRequested, *, redact: Callable[[str], str], problem: str, work: Work) -> None:
    """Let the results be published with fixes that nobody is offered to apply."""
    log.warning("verify.given_up", problem=problem)
    await _finish(event, _failed(await work.store.findings(event.run_id), redact), work)


@consumer(Stage.verify, exhausted=give_up)
async def verify(
    event: VerifyRequested,
    *,
    workspaces: Workspaces,
    scanners: Mapping[str, Scanner],
    runner: Runner,
    redact: Callable[[str], str],
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Check the fixes of one run."""
    run = await work.store.run(event.run_id)
    if run.state is RunState.superseded:
        raise Obsolete("the review run is superseded")
    found: Found = await work.store.findings(run.id)
    if not waits(run, found):
        await _finish(event, {}, work)
        return
    verification = Verification(list(scanners.values()), runner, run.policy, redact)
    try:
        async with work.while_current(run):
            judged = await _judged(verification, run, found, workspaces)
    except CloisterError as error:
        if isinstance(error, Obsolete) or (isinstance(error, Transient) and work.failures < _TRIES):
            raise
        log.warning("verify.given_up", problem=str(error))
        judged = _failed(found, redact)
    for before, after in zip(_flat(found), _flat(judged), strict=True):
        if before.fix and after.fix and before.fix.unchecked:
            telemetry.count("cloister_fixes", outcome="verified" if after.fix.verified else "refused")
    await _finish(event, judged, work)


async def _judged(verification: Verification, run: Run, found: Found, workspaces: Workspaces) -> Found:
    assert run.revision is not None, "fixes wait only once the revision is known"
    findings = _flat(found)
    paths = sorted({one.path for one in findings if one.fix and one.fix.unchecked})
    blobs = await workspaces.read(run.revision, paths)
    heads = {path: blob.content for path, blob in blobs.items() if blob.content is not None}
    judged = iter(await verification.judge(findings, heads))
    return {step: [next(judged) for _ in some] for step, some in found.items()}


def _flat(found: Found) -> list[Finding]:
    return [one for some in found.values() for one in some]


def _failed(found: Found, redact: Callable[[str], str]) -> Found:
    return {step: unproven(some, Refusal.failed, redact) for step, some in found.items()}


async def _finish(event: VerifyRequested, judged: Found, work: Work) -> None:
    """Store what became of the fixes, and let the results be published."""
    async with work.commit() as transaction:
        run = await transaction.run(event.run_id)
        if judged:
            await _store(run, judged, transaction)
        transaction.emit(PublishRequested(ref=run.ref, run_id=run.id, round=event.round))


async def _store(run: Run, judged: Found, transaction: Transaction) -> None:
    """Store the findings of each step that is still as it was; publishing asks again about the others."""
    for step, stored in (await transaction.findings(run.id)).items():
        known = {one.fingerprint: one for one in judged.get(step, ())}
        settled = [_settled(one, known.get(one.fingerprint)) for one in stored]
        if settled != stored:
            await transaction.replace_findings(run.id, step, settled)


def _settled(stored: Finding, judged: Finding | None) -> Finding:
    """Return *stored* with the verdict on its fix, if it is the same finding that was judged."""
    if judged is None or stored.fix is None or judged.fix is None or not stored.fix.unchecked:
        return stored
    return (
        judged
        if judged.model_copy(update={"fix": None}) == stored.model_copy(update={"fix": None})
        and ((stored.fix.line, stored.fix.end_line) == (judged.fix.line, judged.fix.end_line))
        else stored
    )
