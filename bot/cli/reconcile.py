"""`cloister reconcile`: look now for merge requests whose webhook never came."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import print_json, print_table, quiet_logs, settings_of
from bot.cli.moments import moment

if TYPE_CHECKING:
    from bot.domain.events import Record
    from bot.runtime.reconciler import Raised
    from bot.settings import Settings

#: The looking takes one connection at a time, the log two.
_CONNECTIONS = 4


def reconcile(
    ctx: typer.Context,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Look at what was updated since: ISO 8601, or a span back from now: 90m, 2h, 3d.",
        ),
    ] = "24h",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for merge requests whose webhook never came, and have them reviewed; doing it twice is fine.

    Running consumers do so every five minutes. This is for going further back.

    Example: `cloister reconcile --since 3d`
    """
    start = moment(since, datetime.now(UTC))
    settings = settings_of(ctx)
    settings.require("gitlab_url", "gitlab_token")

    import asyncio

    quiet_logs()
    show(asyncio.run(_raised(settings, start)), as_json=as_json)


def show(raised: Raised, *, as_json: bool) -> None:
    """Print which events were raised."""
    entries = [_described(record) for record in raised.records]
    if as_json:
        print_json({"raised": entries, "new": raised.new})
        return
    if entries:
        print_table(
            ["Merge request", "Event", "Head"],
            [[entry["merge_request"], entry["action"], (entry["head_sha"] or "")[:12]] for entry in entries],
        )
    known = len(entries) - raised.new
    again = f", {known} of them raised before and not handled yet" if known else ""
    typer.echo(f"{len(entries)} merge requests whose webhook never came{again}")


def _described(record: Record) -> dict[str, Any]:
    ref = record.body["ref"]
    return {
        "merge_request": f"{ref['project_id']}!{ref['iid']}",
        "project_id": ref["project_id"],
        "iid": ref["iid"],
        "action": record.body["action"],
        "head_sha": record.body["head_sha"],
        "updated_at": record.body["updated_at"],
        "event": str(record.id),
    }


async def _raised(settings: Settings, since: datetime) -> Raised:
    from contextlib import AsyncExitStack

    from bot.adapters.forge_gitlab_api import GitLabApi
    from bot.cli.connection import database_of
    from bot.wiring import base, reconciler, telemetry_of

    assert settings.gitlab_url is not None
    assert settings.gitlab_token is not None
    token = settings.gitlab_token.get_secret_value()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_of(settings))
        telemetry = stack.enter_context(telemetry_of(settings))
        parts = await stack.enter_async_context(base(settings, url, telemetry, connections=_CONNECTIONS))
        api = GitLabApi(settings.gitlab_url, token, verify=settings.gitlab_tls())
        stack.push_async_callback(api.aclose)
        return await reconciler(parts, api).catch_up(since)
