"""`cloister rules`: the rules that scanners apply; test, list and write them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import FOUND, print_json, print_table, printable, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.scanners.rule_check import Checked
    from bot.scanners.semgrep_rules import Rule
    from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Test, list and write the rules of the scanners.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("test")
def _test(
    ctx: typer.Context,
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A pack, a directory in it, or one file of rules.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run rules over the samples beside them and check what they find, and what they offer as a fix.

    A sample is named like its rule's file. Comments on the line before say what is expected: `ruleid: ID`,
    `ok: ID`, `todoruleid: ID`, `todook: ID`. Without DIR the shipped rules and those of CLOISTER_RULES_DIRS are
    tested. Exits with 1 if anything is wrong.

    Example: `cloister rules test rules/semgrep/python`
    """
    import asyncio

    from bot.domain.errors import Permanent

    # The rules of a merge request may be tested, beside a `.env` of anybody's.
    settings = settings_of(ctx, dotenv=False)
    quiet_logs()
    if directory is not None and not directory.exists():
        raise Permanent(f"{directory} does not exist; name a directory with rules, or one file")
    checked, missing = asyncio.run(_check(directory and directory.resolve(), settings))
    for why in missing:
        typer.echo(f"error: {printable(why)}", err=True)
    if as_json:
        problems = [
            {**dataclasses.asdict(problem), "file": str(problem.file)} for problem in checked.problems
        ]
        print_json({"rules": checked.rules, "samples": checked.samples, "problems": problems})
    else:
        _show(checked)
    if missing or not checked.passed:
        raise typer.Exit(FOUND)


async def _check(directory: Path | None, settings: Settings) -> tuple[Checked, list[str]]:
    from bot.cli.packs import packs_of
    from bot.resources import resource
    from bot.scanners.rule_check import Checked

    if directory is not None:
        return await _check_one(directory), []
    packs, missing = await packs_of(settings)
    checked = Checked()
    for pack in (resource("rules"), *packs):
        checked += await _check_one(pack)
    return checked, missing


async def _check_one(directory: Path) -> Checked:
    from bot.adapters.process import ProcessRunner
    from bot.resources import resource
    from bot.scanners.rule_check import check
    from bot.scanners.secret_check import check_secrets

    shipped, runner = resource("rules"), ProcessRunner()
    secrets = await check_secrets(directory, shipped, runner)
    if (secrets.rules or secrets.problems) and not (directory / "semgrep").is_dir():
        return secrets
    return secrets + await check(directory, runner, strict=directory.is_relative_to(shipped))


@app.command("list")
def list_rules(
    ctx: typer.Context,
    language: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only rules for that language.")
    ] = None,
    category: Annotated[str | None, typer.Option(metavar="NAME", help="Only rules of that category.")] = None,
    as_json: Json = False,
) -> None:
    """List the shipped rules and those of CLOISTER_RULES_DIRS.

    Rules for secrets have the language `secrets`. What is off by default is enabled by a project's policy.

    Example: `cloister rules list --language python --category security`
    """
    import asyncio

    settings = settings_of(ctx)
    quiet_logs()
    entries, problems = asyncio.run(_entries(settings))
    for problem in problems:
        typer.echo(f"warning: {printable(problem)}", err=True)
    wanted = [
        entry
        for entry in entries
        if language in (None, *entry["languages"]) and category in (None, entry["category"])
    ]
    if as_json:
        print_json(wanted)
        return
    columns = ("id", "languages", "severity", "confidence", "category", "default", "title", "pack")
    rows = [[", ".join(v) if isinstance(v := one[key], list) else v for key in columns] for one in wanted]
    print_table([column.capitalize() for column in columns], rows)
    counts = Counter(name for entry in wanted for name in entry["languages"])
    typer.echo("\n" + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    typer.echo(_count(len(wanted), "rule") or "no rules")


async def _entries(settings: Settings) -> tuple[list[dict[str, Any]], list[str]]:
    """Return all rules as people see them, and what is wrong with any."""
    from bot.cli.packs import packs_of
    from bot.scanners.secrets import plug
    from bot.scanners.semgrep_rules import Pack
    from bot.wiring_rules import scanner_setup

    packs, problems = await packs_of(settings)
    setup = scanner_setup(settings, packs, b"of no consequence")
    rules, secrets = Pack(setup.rules, *packs), plug(setup)
    entries = [
        {
            "id": rule.id,
            "languages": sorted(rule.languages),
            **rule.metadata.model_dump(mode="json", include={"severity", "confidence", "category", "title"}),
            "default": "on" if rule.metadata.default else "off",
            "cwe": list(rule.metadata.cwe),
            "owasp": list(rule.metadata.owasp),
            "pack": "shipped" if rule.file.is_relative_to(setup.rules) else str(rule.pack),
        }
        for rule in rules.by_id.values()
    ]
    shipped = plug(scanner_setup(settings, (), b"of no consequence")).rules
    entries += [
        {
            "id": rule.settings.id,
            "languages": ["secrets"],
            "severity": rule.settings.severity.value,
            "confidence": rule.confidence.value,
            "category": "secret",
            "title": rule.settings.title,
            "default": "on",
            "cwe": ["CWE-798"],
            "owasp": [],
            "pack": "shipped" if rule.settings.id in shipped else "own",
        }
        for rule in secrets.every_rule
    ]
    return entries, [*problems, *map(str, rules.problems), *secrets.problems]


@app.command()
def show(
    ctx: typer.Context, rule_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the rule.")]
) -> None:
    """Print the file of a rule, and where it is.

    Example: `cloister rules show python-sql-injection`
    """
    import asyncio

    from bot.cli.packs import packs_of
    from bot.domain.errors import Permanent
    from bot.resources import resource
    from bot.scanners.semgrep_rules import Pack

    settings = settings_of(ctx)
    quiet_logs()
    packs, _ = asyncio.run(packs_of(settings))
    rules = Pack(resource("rules"), *packs).by_id
    if rule_id not in rules:
        raise Permanent(_no_rule(rule_id, list(rules)))
    rule: Rule = rules[rule_id]
    typer.secho(f"{rule.file}:{rule.line}", bold=True)
    typer.echo(visible_lines(rule.file.read_text(encoding="utf-8", errors="replace")))


def visible_lines(text: str) -> str:
    """Return *text* line by line as a terminal may show it."""
    return "\n".join(printable(line) for line in text.rstrip().split("\n"))


def _no_rule(rule_id: str, known: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(rule_id, known, n=1)
    return f"there is no Semgrep rule {rule_id}; " + (
        f"did you mean {close[0]}?" if close else "`cloister rules list` has them all"
    )


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="LANGUAGE/NAME", help="As in python/unsafe-call.")],
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="The pack to write it to.")] = Path(),
) -> None:
    """Write a rule and its sample to begin with; they pass `cloister rules test` as they are.

    Example: `cloister rules new python/unsafe-call my-rules`
    """
    from bot.cli.rule_skeleton import write_skeleton

    rule, sample = write_skeleton(name, directory)
    typer.echo(f"wrote {rule} and {sample}")
    typer.echo(f"next: edit both, then run `cloister rules test {rule}`")


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
