"""`cloister gate`: a CI job that fails when a change must not be merged."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.context import FAILED, FOUND, print_json, printable, quiet_logs, settings_of
from bot.cli.gate_reports import KINDS

if TYPE_CHECKING:
    from bot.cli.gate_revision import Located
    from bot.cli.gate_text import Style
    from bot.domain.gate import Answer, GateResult
    from bot.domain.pipeline import Pipeline
    from bot.domain.reports import Occasion
    from bot.settings import Settings

_NO_GROUPS = "policies of groups (CLOISTER_POLICY_PROJECT) are heeded by the server only"


@dataclass(frozen=True, slots=True)
class Ending:
    """Say how a gate ends that has an answer; ``unwritten`` are reports that could not be written."""

    answer: Answer
    fail_open: bool
    unwritten: Sequence[str] = ()

    @property
    def opened(self) -> bool:
        """Say whether an undecided change passes."""
        return self.fail_open and self.answer.value == "undecided"

    @property
    def status(self) -> int:
        """Return the exit status; what blocks wins over a report that is missing."""
        status = 0 if self.opened else self.answer.exit_status
        return FAILED if self.unwritten and status != FOUND else status


def gate(
    ctx: typer.Context,
    local: Annotated[bool, typer.Option("--local", help="Scan the change here, without a server.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdict of the server.")] = False,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server to ask, instead of CLOISTER_SERVER_URL."),
    ] = None,
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
            help=f"Write a report, of the kinds {', '.join(KINDS)}; repeatable.",
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
    """Say whether a change may be merged, in a GitLab CI job or, with --local, in any clone.

    With --wait the server is asked for its verdict on the merge request of the job, with `CI_JOB_TOKEN` or
    `CLOISTER_API_TOKEN`. With --local only commits count, not what lies around uncommitted; the policy is that of the
    target branch. Exits with 0 if the change passes, with 1 if findings block it, with 2 if the gate was asked for
    wrongly, with 3 if it cannot tell; `--fail-open` turns 3 into 0, unless a newer commit was pushed. GitLab's
    variables are read, a `.env` in the working directory is not.

    Example: `cloister gate --local --report codequality=gl-code-quality-report.json`
    """
    from bot.cli import gate_reports
    from bot.domain.errors import Permanent
    from bot.domain.pipeline import VARIABLES, Pipeline
    from bot.settings import inherited

    if local == wait:
        raise Permanent(
            "--wait and --local exclude each other; give one of them"
            if local
            else "say how to find out: --wait asks the server for its verdict, --local scans the change here"
        )
    files = gate_reports.files_of(report or ())
    gate_reports.clear(files)
    _refuse("--wait" if wait else "--local", base=base, head=head, rules_dir=rules_dir, server=server)
    settings = settings_of(
        ctx, dotenv=False, rules_dirs=",".join(rules_dir) if rules_dir else None, server_url=server
    )
    quiet_logs()
    pipeline = Pipeline(inherited(*VARIABLES))
    if wait:
        _by_server(settings, pipeline, timeout_s, files, as_json=as_json, fail_open=fail_open)
        return
    from bot.cli.interrupts import run

    result, located, occasion = run(_ask(settings, pipeline, base, head, timeout_s))
    unwritten = gate_reports.write(files, result.findings, occasion)
    ending = Ending(result.answer, fail_open=fail_open, unwritten=unwritten)
    _print(result, located, ending, as_json=as_json)
    _leave(ending)


def _by_server(
    settings: Settings,
    pipeline: Pipeline,
    timeout_s: float,
    files: Mapping[str, Path],
    *,
    as_json: bool,
    fail_open: bool,
) -> None:
    """Let the server decide."""
    from bot.cli import gate_reports, gate_server, gate_wait_text
    from bot.cli.interrupts import run

    gate_server.check_reports(files)
    result, question, occasion = run(gate_server.ask(settings, pipeline, timeout_s, _say))
    told = {kind: file for kind, file in files.items() if gate_server.tells(kind, result)}
    unwritten = gate_reports.write(told, list(occasion.blocking), occasion)
    ending = Ending(result.answer, fail_open=fail_open, unwritten=unwritten)
    if as_json:
        said = gate_wait_text.as_json(result, question)
        print_json({**said, "exit_status": ending.status}, hostile=True)
    else:
        style = _style()
        for line in gate_wait_text.render(result, question, style):
            typer.echo(line, color=style.colours)
    _leave(ending)


def _refuse(way: str, **given: object) -> None:
    """Check that no option is given that belongs to the other way.

    Raises:
        Permanent: one is.
    """
    from bot.domain.errors import Permanent

    others = ("server",) if way == "--local" else ("base", "head", "rules_dir")
    if wrong := [name for name in others if given[name]]:
        option = f"--{wrong[0].replace('_', '-')}"
        raise Permanent(f"{option} has no meaning with {way}; leave it out")


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
        mask = redactor_of(scanners)
        own = LocalPolicyFile(settings.policy_file) if settings.policy_file else None
        levels = Levels(own, None, MemoryPolicyVersions(), lambda text: mask.redact(text).text)
        local = LocalGate(
            scanners, runner, key, lambda text: mask.redact(text).text, levels, SystemClock(), _say
        )
        result = await local.ask(clone, located.revision, pipeline.facts)
        groups = [_NO_GROUPS] if settings.policy_project else []
        return replace(result, problems=(*scanners.problems, *groups, *result.problems)), located


def _print(result: GateResult, located: Located | None, ending: Ending, *, as_json: bool) -> None:
    from bot.cli import gate_text

    revision, why = (located.revision, located.why) if located else (None, "nothing was looked at")
    if as_json:
        shas = (revision.base_sha, revision.start_sha, revision.head_sha) if revision else ("", "", "")
        base, start, head = shas
        said = gate_text.as_json(result, base=base, start=start, head=head, why=why)
        print_json({**said, "exit_status": ending.status}, hostile=True)
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
    terminal = sys.stdout is not None and sys.stdout.isatty() and screen.get("TERM") != "dumb"
    colours = (in_gitlab or terminal) and not screen.get("NO_COLOR")
    return Style(colours, in_gitlab, int(time.time()))


def _leave(ending: Ending) -> None:
    for problem in ending.unwritten:
        _say(f"error: {problem}")
    if ending.opened:
        _say("the gate is undecided and lets the change pass, because of --fail-open")
    if ending.status:
        raise typer.Exit(ending.status)


def _say(message: str) -> None:
    typer.echo(printable(message), err=True)
