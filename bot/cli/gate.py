"""`cloister gate`: a CI job that fails when a change must not be merged."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.context import print_json, printable, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.cli.gate_revision import Located
    from bot.cli.gate_text import Style
    from bot.domain.gate import GateResult
    from bot.domain.pipeline import Pipeline
    from bot.domain.reports import Occasion
    from bot.settings import Settings

_REPORTS = ("codequality", "sast", "secret_detection", "sarif", "junit")


def gate(
    ctx: typer.Context,
    local: Annotated[bool, typer.Option("--local", help="Scan the change here, without a server.")] = False,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="Compare with where the head left REF; default: what the job is about."
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="REF", help="The commit to look at; default: that of the job, or HEAD."),
    ] = None,
    report: Annotated[
        list[str] | None,
        typer.Option(
            "--report",
            metavar="KIND=FILE",
            help=f"Write a report, of the kinds {', '.join(_REPORTS)}; repeatable.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="When to give up: undecided then.")
    ] = 600,
    fail_open: Annotated[
        bool, typer.Option("--fail-open/--fail-closed", help="What becomes of a job that stays undecided.")
    ] = False,
    rules_dir: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLACE", help="Rules of your own, instead of CLOISTER_RULES_DIRS; may be repeated."
        ),
    ] = None,
) -> None:
    """Say whether a change may be merged, in a GitLab CI job or in any clone.

    Only commits count, not what lies around uncommitted. The policy is that of the target branch. Exits with 0 if the
    change passes, with 1 if findings block it, with 2 if the gate was asked for wrongly, with 3 if it cannot tell;
    `--fail-open` turns 3 into 0. GitLab's variables are read, a `.env` in the working directory is not.

    Example: `cloister gate --local --report codequality=gl-code-quality-report.json`
    """
    import asyncio

    from bot.domain.errors import Permanent
    from bot.domain.pipeline import VARIABLES, Pipeline
    from bot.settings import inherited

    if not local:
        raise Permanent("say how to find out: --local scans the change here")
    files = _files(report or ())
    settings = settings_of(ctx, dotenv=False, rules_dirs=",".join(rules_dir) if rules_dir else None)
    quiet_logs()
    pipeline = Pipeline(inherited(*VARIABLES))
    result, located, occasion = asyncio.run(_ask(settings, pipeline, base, head, timeout_s))
    for kind, file in files.items():
        _write(kind, file, result, occasion)
    _print(result, located, as_json=as_json, fail_open=fail_open)
    _leave(result, fail_open=fail_open)


def _files(asked: Sequence[str]) -> dict[str, Path]:
    """Return where to write which report.

    Raises:
        Permanent: there is no such kind, or no file is named.
    """
    from bot.domain.errors import Permanent

    files: dict[str, Path] = {}
    for one in asked:
        kind, _, name = one.partition("=")
        if kind not in _REPORTS or not name:
            raise Permanent(
                f"{one!r} is no report: use --report KIND=FILE, KIND being one of {', '.join(_REPORTS)}"
            )
        if kind in files:
            raise Permanent(f"two files are named for the report {kind}; name one")
        files[kind] = Path(name)
    return files


async def _ask(
    settings: Settings, pipeline: Pipeline, base: str | None, head: str | None, timeout_s: float
) -> tuple[GateResult, Located | None, Occasion]:
    """Return what the gate says, about what, and for the reports when that was; undecided when time is up."""
    import asyncio

    from bot.adapters.clock import SystemClock
    from bot.domain.errors import Transient
    from bot.domain.gate import Answer, GateResult
    from bot.domain.reports import EVERYTHING, Occasion

    clock, located = SystemClock(), None
    started = clock.now()
    try:
        async with asyncio.timeout(timeout_s):
            result, located = await _scan(settings, pipeline, base, head)
    except TimeoutError:
        why = f"not finished within {timeout_s:.0f} s; allow more with --timeout"
        result = GateResult(Answer.undecided, broken={EVERYTHING: why})
    except Transient as error:
        result = GateResult(Answer.undecided, broken={EVERYTHING: str(error)})
    sha = located.revision.head_sha if located else ""
    return result, located, Occasion(started, clock.now(), sha, result.blocking, result.broken)


async def _scan(
    settings: Settings, pipeline: Pipeline, base: str | None, head: str | None
) -> tuple[GateResult, Located]:
    import asyncio

    from bot.adapters.clock import SystemClock
    from bot.adapters.git_borrowed import borrowed
    from bot.adapters.git_origin import Origin
    from bot.adapters.policy_file_local import LocalPolicyFile
    from bot.adapters.policy_versions_memory import MemoryPolicyVersions
    from bot.adapters.process import ProcessRunner
    from bot.cli.fingerprint_key import public_key
    from bot.cli.gate_local import LocalGate
    from bot.cli.gate_revision import Locator
    from bot.cli.packs import rulebook
    from bot.reviewer.levels import Levels
    from bot.scanners.secrets import redactor_of

    place = Path(pipeline["CI_PROJECT_DIR"] or ".")
    origin = Origin.of(pipeline["CI_REPOSITORY_URL"], pipeline["CI_SERVER_TLS_CA_FILE"])
    key, runner = public_key(settings), ProcessRunner()
    async with borrowed(place, origin) as clone:
        # The rules are compiled while commits are fetched.
        located, scanners = await asyncio.gather(
            Locator(clone, pipeline, _say).located(base, head), rulebook(settings, key, runner)
        )
        for problem in scanners.problems:
            _say(f"warning: {problem}")
        mask = redactor_of(scanners)
        own = LocalPolicyFile(settings.policy_file) if settings.policy_file else None
        levels = Levels(own, None, MemoryPolicyVersions(), lambda text: mask.redact(text).text)
        if settings.policy_project:
            _say("warning: policies of groups (CLOISTER_POLICY_PROJECT) are heeded by the server only")
        local = LocalGate(
            scanners, runner, key, lambda text: mask.redact(text).text, levels, SystemClock(), _say
        )
        return await local.ask(clone, located.revision, pipeline.facts), located


def _write(kind: str, file: Path, result: GateResult, occasion: Occasion) -> None:
    """Write one report.

    Raises:
        Permanent: the file cannot be written.
    """
    from bot.domain.errors import Permanent
    from bot.domain.reports import FORMATS

    try:
        file.write_text(FORMATS[kind](result.findings, occasion), encoding="utf-8")
    except OSError as error:
        raise Permanent(
            f"cannot write {file}: {error.strerror}; name a writable file with --report"
        ) from error


def _print(result: GateResult, located: Located | None, *, as_json: bool, fail_open: bool) -> None:
    from bot.cli import gate_text

    revision, why = (located.revision, located.why) if located else (None, "nothing was looked at")
    if as_json:
        shas = (revision.base_sha, revision.start_sha, revision.head_sha) if revision else ("", "", "")
        base, start, head = shas
        said = gate_text.as_json(result, base=base, start=start, head=head, why=why)
        print_json({**said, "exit_status": _status(result, fail_open=fail_open)}, hostile=True)
        return
    style = _style()
    for line in gate_text.render(result, style, why=why):
        typer.echo(line, color=style.colours)


def _style() -> Style:
    """Return what the reader's screen can do: GitLab's job log shows colours and folds sections."""
    import time

    from bot.cli.gate_text import Style
    from bot.settings import inherited

    screen: Mapping[str, str] = inherited("GITLAB_CI", "NO_COLOR", "TERM")
    in_gitlab = screen.get("GITLAB_CI") == "true"
    terminal = sys.stdout.isatty() and screen.get("TERM") != "dumb"
    colours = (in_gitlab or terminal) and not screen.get("NO_COLOR")
    return Style(colours, in_gitlab, int(time.time()))


def _status(result: GateResult, *, fail_open: bool) -> int:
    from bot.domain.gate import Answer

    return 0 if fail_open and result.answer is Answer.undecided else result.answer.exit_status


def _leave(result: GateResult, *, fail_open: bool) -> None:
    status = _status(result, fail_open=fail_open)
    if status:
        raise typer.Exit(status)
    if result.answer.exit_status:
        _say("the gate is undecided and lets the change pass, because of --fail-open")


def _say(message: str) -> None:
    typer.echo(printable(message), err=True)
