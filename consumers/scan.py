"""When a scan is asked for, run one scanner on the changed files and keep what the change has brought about."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from bot.domain.events import ScanRequested, Stage
from bot.domain.masking import masked
from bot.domain.merge_request import Revision
from bot.domain.run import Outcome, Run, Step
from bot.domain.steps import SCAN_PREFIX
from bot.ports import Blob, Runner, Telemetry, Workspaces
from bot.runtime.consumer import Work, consumer
from bot.scanners import Scanner, max_bytes, wanted
from bot.scanners.examination import Examination

log = structlog.get_logger()

#: So often a comparison with the target branch is tried again.
_TRIES = 2


async def give_up(event: ScanRequested, *, problem: str, work: Work) -> None:
    """Record that the scanner failed, so that nobody takes its silence for a clean bill."""
    step = Step(outcome=Outcome.failed, problem=problem)
    await work.finish_step(event.run_id, f"{SCAN_PREFIX}{event.scanner}", step)


@consumer(Stage.scan, exhausted=give_up)
async def scan(
    event: ScanRequested,
    *,
    workspaces: Workspaces,
    scanners: Mapping[str, Scanner],
    runner: Runner,
    telemetry: Telemetry,
    redact: Callable[[str], str],
    fingerprint_key: bytes,
    work: Work,
) -> None:
    """Run one scanner over one revision."""
    run = await work.run(event.run_id)
    revision = _revision(run)
    began = time.monotonic()
    diff = await workspaces.diff(revision)
    scanner = scanners[event.scanner]

    async def read(paths: Sequence[str], side: str) -> Mapping[str, Blob]:
        return await workspaces.read(revision, paths, side=side, max_bytes=max_bytes(scanner))

    examination = Examination(
        scanner,
        runner,
        read,
        diff,
        run.policy,
        fingerprint_key,
        target_moved=revision.start_sha != revision.base_sha,
        patient=work.failures < _TRIES,
        commits=partial(workspaces.commits, revision),
    )
    async with work.while_current(run):
        examined = await examination.findings()
    if examined.not_compared:
        log.warning("scan.not_compared", scanner=scanner.name, error=examined.not_compared)
    findings = [masked(finding, redact) for finding in examined.findings]
    for finding in findings:
        telemetry.count("cloister_findings", scanner=scanner.name, severity=finding.severity.value)
    step = Step(
        outcome=Outcome.partial if examined.not_analysed or examined.past else Outcome.done,
        not_analysed=dict(examined.not_analysed),
        past=examined.past,
        everywhere=scanner.everywhere,
        shown=dict.fromkeys(wanted(scanner, diff, run.policy), 1),
        duration_s=round(time.monotonic() - began, 3),
    )
    await work.finish_step(run.id, f"{SCAN_PREFIX}{scanner.name}", step, findings)


def _revision(run: Run) -> Revision:
    assert run.revision is not None, "work is handed out only once the revision is known"
    return run.revision
