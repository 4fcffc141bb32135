"""`cloister rules`: the rules that scanners apply; test, list and write them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.context import FOUND, print_json, printable, quiet_logs

if TYPE_CHECKING:
    from bot.scanners.rule_check import Checked

app = typer.Typer(no_args_is_help=True, help="Test, list and write the rules of the scanners.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("test")
def _test(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A pack, a directory in it, or one file of rules.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run rules over the samples beside them and check what they find, and what they offer as a fix.

    A sample is named like its rule's file. Comments on the line before say what is expected: `ruleid: ID`,
    `ok: ID`, `todoruleid: ID`, `todook: ID`. Without DIR the shipped rules are tested. Exits with 1 if anything
    is wrong.

    Example: `cloister rules test rules/semgrep/python`
    """
    import asyncio

    from bot.adapters.process import ProcessRunner
    from bot.domain.errors import Permanent
    from bot.resources import resource
    from bot.scanners.rule_check import check

    quiet_logs()
    directory = directory or resource("rules")
    if not directory.exists():
        raise Permanent(f"{directory} does not exist; name a directory with rules, or one file")
    checked = asyncio.run(check(directory, ProcessRunner()))
    if as_json:
        problems = [
            {**dataclasses.asdict(problem), "file": str(problem.file)} for problem in checked.problems
        ]
        print_json({"rules": checked.rules, "samples": checked.samples, "problems": problems})
    else:
        _show(checked)
    if checked.problems:
        raise typer.Exit(FOUND)


def _show(checked: Checked) -> None:
    for problem in checked.problems:
        first, *more = str(problem).splitlines()
        place, _, message = first.partition(": ")
        typer.echo(f"{typer.style(printable(place), bold=True)}: {printable(message)}")
        for line in more:
            typer.echo(f"    {printable(line)}")
    colour = typer.colors.RED if checked.problems else typer.colors.GREEN
    count = len(checked.problems)
    outcome = f"{count} problem{'' if count == 1 else 's'}" if count else "all as expected"
    typer.secho(f"{checked.rules} rules, {checked.samples} samples: {outcome}", fg=colour)
