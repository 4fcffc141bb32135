"""`cloister up`, `web` and `consume`: the long-running commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.context import settings_of

if TYPE_CHECKING:
    from bot.settings import Settings

STAGES = (
    *("intake", "fetch", "scan", "report", "review", "collect", "verify", "publish", "converse", "tests"),
    "feedback",
)


def stage(name: str) -> str:
    """Return *name* if it is that of a stage; for options that take one.

    Raises:
        typer.BadParameter: it is not.
    """
    if name not in STAGES:
        raise typer.BadParameter(f"no such stage: {name}; there are {', '.join(STAGES)}")
    return name


def up(
    ctx: typer.Context,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Overrides CLOISTER_LISTEN.")
    ] = None,
) -> None:
    """Run everything in one process: receiver, consumers and, unless a database is configured, Postgres.

    Example: CLOISTER_GITLAB_URL=https://gitlab.example CLOISTER_GITLAB_TOKEN=... CLOISTER_WEBHOOK_SECRET=...
    cloister up
    """
    settings = settings_of(ctx, listen=listen)
    settings.require("gitlab_url", "gitlab_token", "webhook_secret")
    _run(settings, hooks=True, stages=STAGES)


def web(
    ctx: typer.Context,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Overrides CLOISTER_LISTEN.")
    ] = None,
) -> None:
    """Run the webhook receiver alone, on a shared database.

    Example: CLOISTER_DATABASE_URL=postgresql://cloister@db.example/cloister cloister web
    """
    settings = settings_of(ctx, listen=listen)
    settings.require("gitlab_url", "webhook_secret", "database_url")
    _run(settings, hooks=True, stages=())


def consume(
    ctx: typer.Context,
    stages: Annotated[
        list[str], typer.Argument(metavar="STAGE...", help=f"Of: {', '.join(STAGES)}, or all.")
    ],
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve /healthz, /readyz and /metrics there.")
    ] = None,
) -> None:
    """Run the consumers of some stages, on a shared database; more processes share the work.

    Example: cloister consume scan review --listen 127.0.0.1:8081
    """
    wanted = tuple(STAGES) if stages == ["all"] else tuple(dict.fromkeys(stages))
    if unknown := sorted(set(wanted) - set(STAGES)):
        raise typer.BadParameter(
            f"no such stage: {', '.join(unknown)}; there are {', '.join(STAGES)} and all"
        )
    settings = settings_of(ctx, listen=listen)
    settings.require("gitlab_url", "gitlab_token", "database_url")
    _run(settings, hooks=False, listen=listen is not None, stages=wanted)


def _run(settings: Settings, *, hooks: bool, stages: tuple[str, ...], listen: bool = True) -> None:
    import asyncio

    from bot.adapters.telemetry import configure_logging
    from bot.cli.serving import serve_until_signalled

    configure_logging(level=settings.log_level, json=settings.log_format == "json")
    asyncio.run(serve_until_signalled(settings, hooks=hooks, stages=stages, listen=listen))
