"""`cloister db`: the schema of the database."""

from __future__ import annotations

import typer

from bot.cli.context import settings_of

app = typer.Typer(no_args_is_help=True, help="Look after the database.")


@app.callback()
def database() -> None:
    """Look after the database."""


@app.command(epilog="Example: `cloister db upgrade`")
def upgrade(ctx: typer.Context) -> None:
    """Bring the schema of your own Postgres up to date; doing it twice is fine.

    The embedded database is brought up to date whenever Cloister starts it.
    """
    from bot.adapters import migrations
    from bot.settings import SettingsError

    url = settings_of(ctx).database_url
    if url is None:
        embedded = "the embedded database is brought up to date whenever Cloister starts it"
        raise SettingsError([f"CLOISTER_DATABASE_URL is not set, so there is nothing to do: {embedded}"])
    applied = migrations.upgrade(url.get_secret_value())
    typer.echo(f"applied {', '.join(applied)}" if applied else "the schema is up to date already")
