"""`cloister review`: the review of a local repository, before anybody else sees the change."""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from bot.cli.context import FOUND, printable, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.cli.local_review import Reviewed
    from bot.cli.subject import Subject
    from bot.domain.findings import Finding
    from bot.domain.policy import Policy
    from bot.domain.reports import Occasion
    from bot.ports import Model
    from bot.settings import Settings


class Format(enum.StrEnum):
    """Forms of the report."""

    text = "text"
    json = "json"
    sarif = "sarif"
    codequality = "codequality"
    sast = "sast"
    secret_detection = "secret_detection"  # noqa: S105 - a kind of report
    junit = "junit"


class FailOn(enum.StrEnum):
    """Mildest severity that makes the exit status 1."""

    critical = "critical"
    high = "high"
    medium = "medium"
    low = "low"
    info = "info"
    never = "never"


def review(
    ctx: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The repository, or a directory in it.")
    ] = Path(),
    base: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Compare with where HEAD left REF; default: the default branch."),
    ] = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="What is staged, against HEAD unless --base is given.")
    ] = False,
    no_model: Annotated[bool, typer.Option("--no-model", help="Leave the language model out.")] = False,
    sarif: Annotated[
        list[Path] | None,
        typer.Option("--sarif", metavar="FILE", help="Take over the findings of another tool; repeatable."),
    ] = None,
    report: Annotated[Format, typer.Option("--format", help="Form of the report.")] = Format.text,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report there.")] = None,
    rules_dir: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLACE", help="Rules of your own, instead of CLOISTER_RULES_DIRS; may be repeated."
        ),
    ] = None,
    patch: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the fixes that were proven there, for `git apply`."),
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(help="Mildest severity that makes the exit status 1; default: the gate of the policy."),
    ] = None,
) -> None:
    """Review the change in a local git repository: no GitLab, no database, nothing leaves the machine.

    Looks at what HEAD, the index and the working tree add to the base, new files included. Exits with 0 if
    nothing stands in the way, with 1 on findings that do, with 2 if the review could not be made. The
    policy is the base's `.cloister.yml`; a `.env` in the working directory is not read.

    Example: `cloister review --base origin/main --fail-on high`
    """
    settings = settings_of(ctx, dotenv=False, rules_dirs=",".join(rules_dir) if rules_dir else None)
    quiet_logs()
    import asyncio

    from bot.adapters.clock import SystemClock
    from bot.cli.subject import collect
    from bot.cli.working_tree import INHERITED, WorkingTree
    from bot.domain.policy import verdict
    from bot.domain.reports import Occasion
    from bot.settings import inherited

    subject = collect(WorkingTree.around(path, inherited(*INHERITED)), base, staged=staged)
    wants_model = not no_model and subject.policy.review.model
    logs = {file: _content(file) for file in sarif or ()}
    clock = SystemClock()
    started = clock.now()
    reviewed = asyncio.run(_review(settings, subject, logs, with_model=wants_model))
    reviewed = under_policy(reviewed, subject)
    blocking = verdict(reviewed.findings, subject.policy).blocking
    _write(reviewed, report, output, Occasion(started, clock.now(), blocking=blocking))
    if patch is not None:
        _write_fixes(reviewed, subject, patch)
    if stands_in_the_way(reviewed.findings, subject.policy, fail_on):
        raise typer.Exit(FOUND)


def under_policy(reviewed: Reviewed, subject: Subject) -> Reviewed:
    """Return *reviewed* as the policy wants it: findings, severities, and files that it leaves out."""
    from bot.domain.policy import governed

    findings = tuple(governed(reviewed.findings, subject.policy))
    return replace(reviewed, findings=findings, not_reviewed={**subject.excluded, **reviewed.not_reviewed})


def stands_in_the_way(findings: Sequence[Finding], policy: Policy, fail_on: FailOn | None) -> bool:
    """Say whether *findings* make the exit status 1: by *fail_on*, or else by the gate of *policy*."""
    from bot.domain.findings import Severity
    from bot.domain.policy import verdict

    if fail_on is None:
        return not verdict(findings, policy).passed
    if fail_on is FailOn.never:
        return False
    return any(finding.severity.rank >= Severity(fail_on.value).rank for finding in findings)


def _content(file: Path) -> bytes:
    from bot.domain.errors import Permanent

    try:
        return file.read_bytes()
    except OSError as error:
        raise Permanent(f"cannot read {file}: {error.strerror}; name a SARIF file with --sarif") from error


def _imported(logs: Mapping[Path, bytes], subject: Subject) -> tuple[list[Finding], dict[str, str]]:
    """Return the findings of other tools, and what is wrong with their logs.

    Raises:
        Permanent: a file is not a SARIF log.
    """
    from bot.domain.errors import Permanent
    from bot.domain.policy import SARIF_PREFIX
    from bot.scanners.sarif import read
    from bot.scanners.sarif_paths import Checkout

    findings: list[Finding] = []
    problems = {}
    for file, content in logs.items():
        scanner = f"{SARIF_PREFIX}{file.stem}"
        try:
            log = read(content, scanner=scanner, files=subject.contents, checkout=Checkout(str(subject.root)))
        except Permanent as error:
            raise Permanent(f"{file}: {error}") from error
        findings += log.findings
        if log.problems:
            problems[f"everything ({scanner})"] = "; ".join(log.problems)
    return findings, problems


async def _review(
    settings: Settings, subject: Subject, logs: Mapping[Path, bytes], *, with_model: bool
) -> Reviewed:
    from bot.adapters.process import ProcessRunner
    from bot.cli.fingerprint_key import public_key
    from bot.cli.local_review import Reviewer
    from bot.cli.packs import rulebook
    from bot.scanners.secrets import redactor_of

    key = public_key(settings)
    runner = ProcessRunner()
    scanners = await rulebook(settings, key, runner)
    for problem in scanners.problems:
        _say(f"warning: {problem}")
    mask = redactor_of(scanners)
    if not subject.diff.files and not subject.excluded:
        _say(f"nothing differs from {subject.since[:12]}; name another base with --base")
    if subject.problem:
        _say(f"warning: {mask.redact(subject.problem).text}")
    imported, problems = _imported(logs, subject)
    reviewer = Reviewer(
        scanners=tuple(scanners.values()),
        runner=runner,
        key=key,
        redact=lambda text: mask.redact(text).text,
        progress=_say,
        imported=imported,
        unread=problems,
    )
    if not with_model or settings.model_url is None:
        return await reviewer.review(subject)
    from bot.adapters.answers_memory import MemoryAnswers
    from bot.adapters.telemetry import OpenTelemetry
    from bot.domain.records import Task
    from bot.reviewer.asking import Asker
    from bot.reviewer.guides import guides
    from bot.reviewer.reviewing import Reviewing
    from bot.wiring_models import models_of

    models = models_of(settings)
    try:
        problem = await _problem(models.by_task[Task.review])
        if not problem:
            asker = Asker(models.by_task, MemoryAnswers(), OpenTelemetry(None))
            reviewer = replace(reviewer, reviewing=Reviewing(asker, guides(), key, reviewer.redact))
        reviewed = await reviewer.review(subject)
    finally:
        await models.close()
    missing = {"everything (model)": problem} if problem else {}
    return replace(reviewed, not_reviewed={**missing, **reviewed.not_reviewed})


async def _problem(model: Model) -> str:
    """Return why *model* cannot be asked, empty if it can."""
    from bot.domain.errors import Permanent, Transient

    try:
        await model.identity()
    except (Transient, Permanent) as error:
        return str(error)
    return ""


def _write(reviewed: Reviewed, report: Format, output: Path | None, occasion: Occasion) -> None:
    """Write the report to *output*, or to the terminal.

    Raises:
        Permanent: the file cannot be written.
    """
    from bot.domain.errors import Permanent

    if output is None:
        _print(reviewed, report, sys.stdout, occasion)
        return
    try:
        with output.open("w", encoding="utf-8") as file:
            _print(reviewed, report, file, occasion)
    except OSError as error:
        raise Permanent(
            f"cannot write {output}: {error.strerror}; name a writable file with --output"
        ) from error


def _write_fixes(reviewed: Reviewed, subject: Subject, patch: Path) -> None:
    """Write the fixes that were proven to *patch*, one for each place.

    Raises:
        Permanent: the file cannot be written.
    """
    from bot.domain.errors import Permanent
    from bot.domain.reports.fixes import fixes

    found = fixes(reviewed.findings, subject.contents)
    for reason in found.left_out:
        _say(f"not in {patch}: {reason}")
    _say(f"{found.count} fix{'' if found.count == 1 else 'es'} in {patch}; to apply: git apply {patch}")
    try:
        patch.write_bytes(found.patch)
    except OSError as error:
        raise Permanent(
            f"cannot write {patch}: {error.strerror}; name a writable file with --patch"
        ) from error


def _print(reviewed: Reviewed, report: Format, file: TextIO, occasion: Occasion) -> None:
    from rich.console import Console

    from bot.cli import review_text
    from bot.domain.reports import FORMATS

    if report is not Format.text:
        # These formats have no place for what nobody looked at, and it must not vanish.
        for place, reason in reviewed.not_reviewed.items():
            _say(f"not reviewed: {place}: {reason}")
        file.write(FORMATS[report.value](reviewed.findings, occasion))
        return
    console = Console(file=file, highlight=False, soft_wrap=True)
    for line in review_text.render(reviewed):
        console.print(line)


def _say(message: str) -> None:
    typer.echo(printable(message), err=True)
