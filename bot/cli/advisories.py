"""`cloister advisories`: what is known about vulnerable packages, imported from files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import print_json, print_table, printable, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.adapters.advisory_import import Imported
    from bot.scanners.advisories.index import EcosystemStatus

app = typer.Typer(no_args_is_help=True, help="Import advisories about packages; see what is there.")


@app.callback()
def advisories() -> None:
    """Import advisories about packages; see what is there."""


@app.command("import", epilog="Example: `cloister advisories import PyPI-all.zip npm-all.zip`")
def import_(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Archives of OSV, directories with OSV records, or records."),
    ],
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was imported before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Add OSV records to the advisories; doing it twice is fine. Running scanners notice it by themselves.

    Files that are no OSV records are named and left out. Nothing is downloaded.
    """
    from bot.adapters.advisory_import import import_advisories

    settings = settings_of(ctx)
    quiet_logs()
    done = import_advisories(files, settings.advisories, fresh=fresh, progress=_say)
    for problem in done.problems:
        _say(f"warning: not imported: {problem}")
    if done.refused > len(done.problems):
        _say(f"warning: not imported: {done.refused - len(done.problems)} more")
    if as_json:
        print_json(dataclasses.asdict(done), hostile=True)
    else:
        typer.echo(told(done))


def told(done: Imported) -> str:
    """Return one line about an import."""
    parts = [
        f"{done.added} added",
        f"{done.updated} updated",
        f"{done.unchanged} known already",
        f"{done.withdrawn} withdrawn",
        f"{done.elsewhere} about other ecosystems",
        f"{done.refused} not usable",
    ]
    return f"{done.seen} records: {', '.join(parts)}"


@app.command(epilog="Example: `cloister advisories status`")
def status(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Print how many advisories there are for each ecosystem, and how old the newest is."""
    from datetime import UTC, datetime

    from bot.scanners.advisories.index import opened

    with opened(settings_of(ctx).advisories) as index:
        entries = [_described(one, datetime.now(UTC)) for one in index.status()]
    if as_json:
        print_json(entries)
        return
    titles = ["Ecosystem", "Advisories", "Packages", "Newest change", "Days ago"]
    print_table(titles, [list(entry.values()) for entry in entries])


def _described(one: EcosystemStatus, now: Any) -> dict[str, Any]:
    return {
        "ecosystem": one.ecosystem,
        "advisories": one.advisories,
        "packages": one.packages,
        "newest": one.newest.isoformat(timespec="seconds"),
        "age_days": max(0, (now - one.newest).days),
    }


def _say(message: str) -> None:
    typer.echo(printable(message), err=True)
