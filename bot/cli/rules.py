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

    quiet_logs()
    checked = asyncio.run(_check(directory))
    if as_json:
        problems = [
            {**dataclasses.asdict(problem), "file": str(problem.file)} for problem in checked.problems
        ]
        print_json({"rules": checked.rules, "samples": checked.samples, "problems": problems})
    else:
        _show(checked)
    if not checked.passed:
        raise typer.Exit(FOUND)


async def _check(directory: Path | None) -> Checked:
    from bot.adapters.process import ProcessRunner
    from bot.domain.errors import Permanent
    from bot.resources import resource
    from bot.scanners.rule_check import check
    from bot.scanners.secret_check import check_secrets

    shipped = resource("rules")
    directory = (directory or shipped).resolve()
    if not directory.exists():
        raise Permanent(f"{directory} does not exist; name a directory with rules, or one file")
    runner = ProcessRunner()
    secrets = await check_secrets(directory, shipped, runner)
    if secrets.rules and not (directory / "semgrep").is_dir():
        return secrets
    return secrets + await check(directory, runner, strict=directory.is_relative_to(shipped))


def _show(checked: Checked) -> None:
    for problem in checked.problems:
        first, *more = problem.message.splitlines()
        kind = typer.style("warning: ", fg=typer.colors.YELLOW) if problem.warning else ""
        place = typer.style(printable(f"{_shown(problem.file)}:{problem.line}"), bold=True)
        typer.echo(f"{place}: {kind}{printable(first)}")
        for line in more:
            typer.echo(f"    {printable(line)}")
    warnings = sum(problem.warning for problem in checked.problems)
    counts = [_count(len(checked.problems) - warnings, "problem"), _count(warnings, "warning")]
    outcome = ", ".join(filter(None, counts)) or "all as expected"
    colour = typer.colors.GREEN if checked.passed else typer.colors.RED
    typer.secho(f"{_count(checked.rules, 'rule')}, {_count(checked.samples, 'sample')}: {outcome}", fg=colour)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


def _shown(file: Path) -> Path:
    """Return the path as one would type it here."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
