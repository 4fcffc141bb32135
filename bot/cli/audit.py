"""`cloister audit`: what people did with their privileges."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bot.cli.context import FOUND, print_json, print_table, printable, settings_of
from bot.cli.operator import on_database
from bot.domain.audit_log import Entry, Verification, parse_head

app = typer.Typer(
    no_args_is_help=True, help="Read and check the log of what people did with their privileges."
)


def _head(text: str) -> tuple[int, str]:
    try:
        return parse_head(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@app.callback()
def audit() -> None:
    """Read and check the log of what people did with their privileges."""


@app.command(epilog="Example: `cloister audit verify`")
def verify(
    ctx: typer.Context,
    head: Annotated[
        Any,
        typer.Option(
            parser=_head,
            metavar="NUMBER:HASH",
            help="What `cloister audit head`, or a line of the log, once said: it must be in the chain.",
        ),
    ] = None,
) -> None:
    """Check that no entry was changed, taken out or put in; exit status 1 says which is the first.

    That the newest entries were cut off shows only with a `--head` that was kept elsewhere. Each `audit.appended` in
    the logs is one.
    """
    from bot.adapters.audit_log_postgres import PostgresAuditLog

    async def act(pool: Any) -> Verification:
        verification = Verification(head)
        async for entries in PostgresAuditLog(pool).all():
            verification.take(entries)
        return verification

    checked = on_database(settings_of(ctx), act)
    if broken := checked.end():
        typer.echo(f"the chain breaks at entry {broken.number}: {broken.reason}", err=True)
        raise typer.Exit(FOUND)
    said = checked.last.head if checked.last else "there are no entries"
    typer.echo(f"the chain is whole: {said}")


@app.command("list", epilog="Example: `cloister audit list --limit 20`")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List who did what, the newest first."""
    found = _newest(ctx, limit)
    if as_json:
        print_json([_described(entry) for entry in found], hostile=True)
    elif found:
        print_table(["Number", "Time", "Who", "Act", "On what", "Project", "Details"], list(map(_row, found)))
    else:
        typer.echo("there are no entries")


@app.command(epilog="Example: `cloister audit head`")
def head(ctx: typer.Context) -> None:
    """Print what names the newest entry and all before it, to be kept elsewhere for `cloister audit verify`."""
    found = _newest(ctx, 1)
    if not found:
        typer.echo("there are no entries", err=True)
        raise typer.Exit(FOUND)
    typer.echo(printable(found[0].head))


def _newest(ctx: typer.Context, limit: int) -> list[Entry]:
    from bot.adapters.audit_log_postgres import PostgresAuditLog

    async def act(pool: Any) -> list[Entry]:
        return await PostgresAuditLog(pool).newest(limit)

    return on_database(settings_of(ctx), act)


def _described(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor": entry.act.actor,
        "action": entry.act.action,
        "subject": entry.act.subject,
        "project_id": entry.act.project_id,
        "details": dict(entry.act.details),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _row(entry: Entry) -> list[object]:
    act = entry.act
    details = ", ".join(f"{name}: {value}" for name, value in act.details.items())
    at = entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    project = "" if act.project_id is None else act.project_id
    return [entry.number, at, act.actor, act.action, act.subject, project, details]
