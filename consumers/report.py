"""When a report of the project's own pipeline is asked for, wait for it and keep what concerns the change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.domain.clip import clip
from bot.domain.diff import Diff
from bot.domain.errors import Obsolete, Permanent
from bot.domain.events import ReportRequested, Stage
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of, stamp
from bot.domain.forge import ForgeReports
from bot.domain.masking import masked
from bot.domain.policy import SarifReport
from bot.domain.run import Outcome, Run, Step
from bot.domain.steps import SCAN_PREFIX
from bot.ports import Clock, Pipelines, Telemetry, Workspaces
from bot.runtime.consumer import Work, consumer
from bot.scanners.sarif import Imported, read
from bot.scanners.sarif_paths import Checkout

#: Waits between two looks at a pipeline; the last one repeats.
_WAITS_S = (5, 10, 15, 30, 60)
#: A pipeline that takes longer is not waited for.
_PATIENCE = timedelta(hours=6)
_MAX_BYTES = 20_000_000


async def give_up(event: ReportRequested, *, problem: str, work: Work) -> None:
    """Record that there is no report, so that nobody takes its absence for a clean bill."""
    step = Step(outcome=Outcome.failed, problem=problem)
    await work.finish_step(event.run_id, f"{SCAN_PREFIX}{event.scanner}", step)


@consumer(Stage.report, exhausted=give_up)
async def report(
    event: ReportRequested,
    *,
    pipelines: Pipelines,
    workspaces: Workspaces,
    telemetry: Telemetry,
    clock: Clock,
    redact: Callable[[str], str],
    fingerprint_key: bytes,
    work: Work,
) -> None:
    """Import the report of one job, or look again later."""
    run = await work.run(event.run_id)
    wanted = _wanted(run, event.scanner)
    began = time.monotonic()
    async with work.while_current(run):
        found = await pipelines.reports(
            run.ref, run.head_sha, job=wanted.job, paths=wanted.paths, max_bytes=_MAX_BYTES
        )
        if not found.over and clock.now() - run.created_at < _PATIENCE:
            await _look_again(event, work)
            return
        imported = await _imported(run, wanted, found, workspaces, fingerprint_key)
    findings = [masked(finding, redact) for finding in imported.findings]
    for finding in findings:
        telemetry.count("cloister_findings", scanner="sarif", severity=finding.severity.value)
    step = Step(
        outcome=_outcome(imported),
        problem=redact("; ".join(dict.fromkeys(imported.problems))[:500]),
        duration_s=round(time.monotonic() - began, 3),
    )
    await work.finish_step(run.id, f"{SCAN_PREFIX}{event.scanner}", step, findings)


def _wanted(run: Run, scanner: str) -> SarifReport:
    """Return what the policy says of the report; a replay may have read another policy since."""
    for wanted in run.policy.reports.sarif:
        if wanted.scanner == scanner:
            return wanted
    raise Obsolete(f"the policy has no report {scanner} any more")


async def _look_again(event: ReportRequested, work: Work) -> None:
    wait_s = _WAITS_S[min(event.attempt, len(_WAITS_S) - 1)]
    async with work.commit() as transaction:
        again = event.model_copy(update={"attempt": event.attempt + 1})
        transaction.emit(again, delay=timedelta(seconds=wait_s))


async def _imported(
    run: Run, wanted: SarifReport, found: ForgeReports, workspaces: Workspaces, key: bytes
) -> Imported:
    """Return what all files together say about changed lines."""
    assert run.revision is not None, "work is handed out only once the revision is known"
    diff = await workspaces.diff(run.revision)
    paths = [file.new_path for file in diff.files if file.added_lines and file.new_path not in run.skipped]
    blobs = await workspaces.read(run.revision, paths) if found.files else {}
    files = {path: blob.content for path, blob in blobs.items() if blob.content is not None}
    checkout = Checkout(wanted.root, found.project)

    def relevant() -> Imported:
        logs = [_read(content, wanted.scanner, files, checkout) for content in found.files]
        findings = list(dict.fromkeys(finding for log in logs for finding in log.findings))
        return Imported(
            _stamped(findings, files, diff, key),
            [*filter(None, [found.problem]), *(problem for log in logs for problem in log.problems)],
            complete=not found.problem and all(log.complete for log in logs),
        )

    return await asyncio.to_thread(relevant)


def _read(content: bytes, scanner: str, files: Mapping[str, bytes], checkout: Checkout) -> Imported:
    try:
        return read(content, scanner=scanner, files=files, checkout=checkout)
    except Permanent as error:
        return Imported(problems=[str(error)], complete=False)


def _stamped(findings: list[Finding], files: Mapping[str, bytes], diff: Diff, key: bytes) -> list[Finding]:
    lines = {path: lines_of(content) for path, content in files.items()}
    renamed = {file.new_path: file.old_path for file in diff.files if file.old_path != file.new_path}
    kept, _ = clip(stamp(findings, lines, key=key, old_paths=renamed), diff)
    return kept


def _outcome(imported: Imported) -> Outcome:
    """Return how the step ended; what is not complete must not pass for clean."""
    if not imported.complete:
        return Outcome.failed
    return Outcome.partial if imported.problems else Outcome.done
