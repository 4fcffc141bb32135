"""`cloister token`: tokens with which scripts ask the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import print_json, print_table, settings_of
from bot.cli.operator import actor, on_database
from bot.domain.token_names import DECIDING, MOST_DAYS, NAME, Scope

if TYPE_CHECKING:
    from bot.domain.api_tokens import ApiToken

app = typer.Typer(no_args_is_help=True, help="Look after the tokens with which scripts ask the API.")


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise typer.BadParameter("a name has letters, digits, dots, dashes and underscores, 63 at most")
    return text


Name = Annotated[str, typer.Argument(parser=_name, metavar="NAME", help="What the script is called.")]


@app.callback()
def token() -> None:
    """Look after the tokens with which scripts ask the API."""


@app.command(epilog="Example: `cloister token create nightly-report --scope read --project 42 --days 30`")
def create(
    ctx: typer.Context,
    name: Name,
    scope: Annotated[list[Scope], typer.Option(help="What it is for; repeat it for more.")],
    project: Annotated[
        list[int] | None,
        typer.Option(metavar="ID", min=1, max=2**63 - 1, help="Only this project; repeat it for more."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="For so long it is valid.")] = 90,
) -> None:
    """Make a token and print it, this once: only its hash is kept.

    It sees what an auditor sees, in the projects named or in all. With the scope noise it mutes rules too, and only
    in projects that are named. Nothing else can be decided with a token.
    """
    if DECIDING & frozenset(scope) and not project:
        raise typer.BadParameter("a token that decides needs its projects by number: add --project ID")
    from bot.adapters.api_tokens_postgres import PostgresApiTokens

    now = datetime.now(UTC)

    async def act(pool: Any) -> str:
        return await PostgresApiTokens(pool).create(
            name, frozenset(scope), frozenset(project or ()), now, now + timedelta(days=days), actor()
        )

    typer.echo(on_database(settings_of(ctx), act))


@app.command("list", epilog="Example: `cloister token list`")
def list_(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List all tokens, the newest first, with when they were used last."""
    from bot.adapters.api_tokens_postgres import PostgresApiTokens

    async def act(pool: Any) -> list[ApiToken]:
        return await PostgresApiTokens(pool).list()

    now = datetime.now(UTC)
    found = [_described(one, now) for one in on_database(settings_of(ctx), act)]
    if as_json:
        print_json(found)
    elif found:
        titles = ["Name", "State", "Scopes", "Projects", "Until", "Last used"]
        print_table(titles, [[_cell(one[key]) for key in _KEYS] for one in found])
    else:
        typer.echo("there are none")


@app.command(epilog="Example: `cloister token revoke nightly-report`")
def revoke(ctx: typer.Context, name: Name) -> None:
    """Make a token void at once."""
    from bot.adapters.api_tokens_postgres import PostgresApiTokens

    async def act(pool: Any) -> None:
        await PostgresApiTokens(pool).revoke(name, datetime.now(UTC), actor())

    on_database(settings_of(ctx), act)
    typer.echo(f"revoked {name}")


_KEYS = ("name", "state", "scopes", "projects", "expires_at", "used_at")


def _described(one: ApiToken, now: datetime) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": one.state(now),
        "scopes": sorted(scope.value for scope in one.scopes),
        "projects": sorted(one.projects) or "all",
        "created_at": one.created_at.isoformat(timespec="seconds"),
        "expires_at": one.expires_at.isoformat(timespec="seconds"),
        "used_at": one.used_at.isoformat(timespec="minutes") if one.used_at else None,
    }


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "never" if value is None else str(value)
