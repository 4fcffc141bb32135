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


DevLogin = Annotated[
    bool,
    typer.Option(
        "--dev-login", help="For development: whoever is on this machine may pick a name and a role."
    ),
]


def up(
    ctx: typer.Context,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Overrides CLOISTER_LISTEN.")
    ] = None,
    dev_login: DevLogin = False,
) -> None:
    """Run everything in one process: receiver, pages, consumers and, unless a database is configured, Postgres.

    Unless people sign in with GitLab, it prints a link that signs in as the operator, once.

    Example: CLOISTER_GITLAB_URL=https://gitlab.example CLOISTER_GITLAB_TOKEN=... CLOISTER_WEBHOOK_SECRET=...
    cloister up
    """
    settings = settings_of(ctx, listen=listen)
    settings.require("gitlab_url", "gitlab_token", "webhook_secret")
    _run(settings, hooks=True, stages=STAGES, dev_login=dev_login, link=settings.oauth_client_id is None)


def web(
    ctx: typer.Context,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Overrides CLOISTER_LISTEN.")
    ] = None,
    dev_login: DevLogin = False,
) -> None:
    """Run the webhook receiver and the pages alone, on a shared database.

    Example: CLOISTER_DATABASE_URL=postgresql://cloister@db.example/cloister cloister web
    """
    settings = settings_of(ctx, listen=listen)
    settings.require("gitlab_url", "webhook_secret", "database_url")
    _run(settings, hooks=True, stages=(), dev_login=dev_login)


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


def _run(
    settings: Settings,
    *,
    hooks: bool,
    stages: tuple[str, ...],
    listen: bool = True,
    dev_login: bool = False,
    link: bool = False,
) -> None:
    import asyncio

    from bot.adapters.telemetry import configure_logging
    from bot.cli.serving import Entry, serve_until_signalled
    from bot.settings import check_access

    if hooks:
        check_access(settings)
    if dev_login:
        _check_development(settings)
    configure_logging(level=settings.log_level, json=settings.log_format == "json")
    entry = Entry(dev_login, _show_link if link else None)
    asyncio.run(serve_until_signalled(settings, hooks=hooks, stages=stages, listen=listen, entry=entry))


def _check_development(settings: Settings) -> None:
    from urllib.parse import urlsplit

    from bot.settings_types import is_loopback

    public = urlsplit(settings.public_url or "").hostname
    if not is_loopback(settings.host) or not (public is None or is_loopback(public)):
        raise typer.BadParameter(
            "--dev-login is for this machine alone: listen on 127.0.0.1, and leave CLOISTER_PUBLIC_URL unset"
        )
    typer.echo(
        "WARNING: --dev-login lets whoever is on this machine see and do everything; never use it but for development",
        err=True,
    )


def _show_link(address: str) -> None:
    typer.echo(f"Sign in once, within ten minutes (`cloister login-link` prints another): {address}")
