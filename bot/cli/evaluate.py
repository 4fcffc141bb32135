"""`cloister eval`: how good reviews are, measured on cases whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.context import FAILED, FOUND, print_json, printable, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.cli.evaluation.cases import CaseDirectory
    from bot.domain.evaluation.report import Report
    from bot.settings import Settings

_MAX_REPORT_BYTES = 50_000_000


def evaluate(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Holds one directory per case.")],
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask this model instead of CLOISTER_MODEL.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask this server instead of CLOISTER_MODEL_URL.")
    ] = None,
    no_model: Annotated[bool, typer.Option("--no-model", help="Leave the language model out.")] = False,
    only: Annotated[str, typer.Option(metavar="GLOB", help="Only cases with such names.")] = "*",
    repositories: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where repositories may lie that cases name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report there too, as JSON.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="OLD.json", help="Show what changed since this report.")
    ] = None,
    min_recall: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit with 1 if less of what is expected is found.")
    ] = None,
    min_precision: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit with 1 if fewer of the comments are right.")
    ] = None,
) -> None:
    """Review cases whose answers are known, and report what was found, missed and wrongly said.

    Uses the code that reviews merge requests: scanners, model, checks, policy. Nothing is posted. Exits with
    0, with 1 below a minimum, with 2 if a case is broken or could not be reviewed. docs/evaluation.md tells how to
    make cases of your own merge requests.

    Example: `cloister eval cases --model deepseek-coder-v2:16b --output new.json --compare old.json`
    """
    settings = settings_of(ctx, dotenv=False, model=model, model_url=url)
    quiet_logs()
    import asyncio

    from bot.cli.evaluation.cases import CASE_FILE, find, strays
    from bot.cli.evaluation.table import print_comparison, print_report
    from bot.domain.evaluation.comparison import compare as compare_reports
    from bot.domain.evaluation.comparison import to_json as compared_json

    old = _read(compare) if compare else None
    cases = find(directory, only=only, repositories=repositories)
    for name in strays(directory):
        _say(f"warning: {name} holds a change and no {CASE_FILE}, so it is left out")
    report = asyncio.run(_replay(settings, cases, with_model=not no_model))
    _write(report, output)
    if as_json:
        print_json(
            {
                **report.to_json(),
                **({"compared": compared_json(compare_reports(old, report))} if old else {}),
            },
            hostile=True,
        )
    else:
        print_report(report)
        if old:
            print_comparison(compare_reports(old, report))
    _leave(report, {"recall": min_recall, "precision": min_precision})


async def _replay(settings: Settings, cases: Sequence[CaseDirectory], *, with_model: bool) -> Report:
    from bot.cli.evaluation.observed import Tally
    from bot.cli.evaluation.replay import Replay
    from bot.cli.evaluation.reviewing import reviewing
    from bot.settings import inherited

    tally = Tally()
    async with reviewing(settings, tally, with_model=with_model, warn=_say) as (reviewer, prompts):
        replay = Replay(reviewer.review, inherited("PATH"), tally, _say)
        name = reviewer.reviewing.model.name if reviewer.reviewing else ""
        return await replay.all(cases, model=name, prompts=prompts)


def _read(file: Path) -> Report:
    """Return the report in *file*.

    Raises:
        Permanent: it cannot be read, or is none.
    """
    from bot.domain.errors import Permanent
    from bot.domain.evaluation.report import Report

    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_REPORT_BYTES)
    except OSError as error:
        raise Permanent(
            f"cannot read {file}: {error.strerror}; name a report that --output has written"
        ) from error
    try:
        return Report.from_json(content)
    except Permanent as error:
        raise Permanent(f"{file}: {error}") from error


def _write(report: Report, output: Path | None) -> None:
    import json

    from bot.domain.errors import Permanent

    if output is None:
        return
    try:
        output.write_text(json.dumps(report.to_json(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Permanent(
            f"cannot write {output}: {error.strerror}; name a writable file with --output"
        ) from error


def _leave(report: Report, minima: Mapping[str, float | None]) -> None:
    """Exit as the report asks for."""
    from bot.domain.evaluation.report import shortfalls

    below = shortfalls(report, minima)
    for line in below:
        _say(line)
    failed = len(report.cases) - len(report.carried_out)
    if failed:
        _say(f"error: {failed} of {len(report.cases)} cases could not be reviewed")
        raise typer.Exit(FAILED)
    if below:
        raise typer.Exit(FOUND)


def _say(message: str) -> None:
    typer.echo(printable(message), err=True)
