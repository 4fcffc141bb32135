"""`cloister login-link`: sign in without GitLab, as the operator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import typer

from bot.cli.context import settings_of
from bot.cli.operator import actor, on_database


def login_link(ctx: typer.Context) -> None:
    """Print a link that signs in as the operator: once, and within ten minutes.

    Whoever follows it may see and do everything. The audit log has who made it.

    Example: cloister login-link
    """
    from bot.adapters.audit_log_postgres import PostgresAuditLog
    from bot.adapters.sessions_postgres import PostgresSessions
    from bot.domain.audit_log import Act
    from bot.wiring_access import link_address

    settings = settings_of(ctx)

    async def make(pool: Any) -> str:
        await PostgresAuditLog(pool).append(Act(actor(), "login_link.create"))
        return await PostgresSessions(pool).make_link(datetime.now(UTC))

    typer.echo(link_address(settings, settings.port, on_database(settings, make)))
