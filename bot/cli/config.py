"""`cloister config`: what the settings are and where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from bot.cli.context import load, print_json, print_table

if TYPE_CHECKING:
    from bot.settings import Loaded

MASK = "****"

app = typer.Typer(no_args_is_help=True, help="Look at the settings.")


@app.callback()
def config() -> None:
    """Look at the settings."""


@app.command(epilog="Example: `cloister --config cloister.toml config show`")
def show(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every setting, its value and where the value comes from; secrets are masked."""
    entries = described(load(ctx))
    if as_json:
        print_json(entries)
        return
    rows = [
        [entry["variable"], "" if entry["value"] is None else entry["value"], entry["origin"]]
        for entry in entries
    ]
    print_table(["Setting", "Value", "From"], rows)


def described(loaded: Loaded) -> list[dict[str, Any]]:
    """Return name, variable, shown value and origin of every setting, in the order of their declaration."""
    from bot.settings import variable

    return [
        {
            "name": name,
            "variable": variable(name),
            "value": _shown(getattr(loaded.settings, name)),
            "origin": origin,
        }
        for name, origin in loaded.origins.items()
    ]


def _shown(value: object) -> str | int | None:
    from pydantic import SecretStr

    if isinstance(value, SecretStr):
        return _masked(value.get_secret_value())
    return value if value is None or isinstance(value, int) else str(value)


def _masked(secret: str) -> str:
    """Mask *secret*, of a URL only what may hold a password, without telling its length."""
    if secret.startswith("kafka://"):
        return secret
    if not secret.startswith(("postgres://", "postgresql://")):
        return MASK
    parts = urlsplit(secret)
    userinfo, separator, host = parts.netloc.rpartition("@")
    user, colon, _ = userinfo.partition(":")
    password = f"{colon}{MASK}" if colon else ""
    return (
        f"{parts.scheme}://{user}{password}{separator}{host}{parts.path}{f'?{MASK}' if parts.query else ''}"
    )
