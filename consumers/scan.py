"""When a scan is asked for, run one scanner on the changed files and keep what concerns the change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from bot.domain.clip import clip
from bot.domain.diff import Diff
from bot.domain.events import ScanRequested, Stage
from bot.domain.findings import Finding, ScanReport
from bot.domain.fingerprint import lines_of, stamp
from bot.domain.masking import masked
from bot.domain.merge_request import Revision
from bot.domain.publication import SCAN_PREFIX
from bot.domain.run import Outcome, Run, Step
from bot.ports import Blob, Runner, Telemetry, Workspaces
from bot.runtime.consumer import Work, consumer
from bot.scanners import Scanner, Source, folded, max_bytes, wanted


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
    paths = wanted(scanner, diff, run.policy)
    async with work.while_current(run):
        blobs = await workspaces.read(revision, paths, max_bytes=max_bytes(scanner))
        sources = _sources(paths, blobs, diff)
        report = await scanner.scan(sources, runner)
    findings = await asyncio.to_thread(_relevant, report, sources, diff, fingerprint_key)
    findings = [masked(finding, redact) for finding in folded(scanner, findings)]
    for finding in findings:
        telemetry.count("cloister_findings", scanner=scanner.name, severity=finding.severity.value)
    not_analysed = {**_unread(paths, blobs), **report.not_analysed}
    step = Step(
        outcome=Outcome.partial if not_analysed else Outcome.done,
        not_analysed=not_analysed,
        everywhere=scanner.everywhere,
        duration_s=round(time.monotonic() - began, 3),
    )
    await work.finish_step(run.id, f"{SCAN_PREFIX}{scanner.name}", step, findings)


def _revision(run: Run) -> Revision:
    assert run.revision is not None, "work is handed out only once the revision is known"
    return run.revision


def _sources(paths: Sequence[str], blobs: Mapping[str, Blob], diff: Diff) -> list[Source]:
    return [
        Source(path, content, diff.by_new_path[path].added_lines)
        for path in paths
        if path in blobs and (content := blobs[path].content) is not None
    ]


def _unread(paths: Sequence[str], blobs: Mapping[str, Blob]) -> dict[str, str]:
    """Return why files could not be read; links and submodules have no content of their own."""
    return {
        path: f"larger than {blobs[path].size // 1_000_000} MB"
        for path in paths
        if path in blobs and blobs[path].content is None
    }


def _relevant(report: ScanReport, sources: Sequence[Source], diff: Diff, key: bytes) -> list[Finding]:
    lines = {source.path: lines_of(source.content) for source in sources}
    renamed = {file.new_path: file.old_path for file in diff.files if file.old_path != file.new_path}
    kept, _ = clip(stamp(report.findings, lines, key=key, old_paths=renamed), diff)
    return kept
