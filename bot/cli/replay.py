"""`cloister replay`: have a part of the past handled once more, while everything keeps running."""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import serve
from bot.cli.context import print_json, print_table, quiet_logs, settings_of
from bot.cli.moments import moment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bot.domain.events import Record
    from bot.domain.replay import Selection
    from bot.ports import EventLog
    from bot.settings import Settings

#: More reviews than these make a question: each takes the model's time.
MANY_REVIEWS = 100
#: Events appended at a time.
_BATCH = 200
#: Seconds between two lines that say how far it is.
_TELL_S = 5.0
#: The log's own background work, reading and appending.
_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Wish:
    """Hold what shall be replayed, and how."""

    since: datetime
    until: datetime
    project: str | None
    stages: tuple[str, ...]
    again: bool
    dry_run: bool
    ask: bool


def replay(
    ctx: typer.Context,
    since: Annotated[
        str,
        typer.Option("--from", metavar="TIME", help="ISO 8601, or a span back from now: 90m, 2h, 3d, 1w."),
    ],
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Default: now.")] = None,
    project: Annotated[
        str | None,
        typer.Option(metavar="ID_OR_PATH", help="Only this project; a path is looked up in GitLab."),
    ] = None,
    stages: Annotated[
        list[str] | None,
        typer.Option(
            "--stage",
            parser=serve.stage,
            metavar="STAGE",
            help="What this stage reads; may be repeated. Default: intake, what happened to merge requests. What"
            " others read belongs to a review, and is dropped if that has ended.",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Review each merge request although its head has been reviewed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help=f"Do not ask, even for over {MANY_REVIEWS} reviews.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hand out again what was in the log between two times; consumers keep running.

    A merge request whose head was reviewed stays as it is; one whose review failed or was lost is reviewed. With
    `--again` all are reviewed, each at its newest head, and what they already say is not said twice. Of the
    events of a merge request that intake reads, only the newest is handed out. Copies that an
    earlier replay made are not copied once more.

    Example: `cloister replay --from 2h --project group/app --again`
    """
    wanted = tuple(dict.fromkeys(stages or ["intake"]))
    if again and "intake" not in wanted:
        raise typer.BadParameter("--again is for what intake reads: leave --stage out, or add --stage intake")
    now = datetime.now(UTC)
    begin, end = moment(since, now), moment(until, now) if until else now
    if begin >= end:
        raise typer.BadParameter(
            f"there is nothing between --from {begin.isoformat()} and --to {end.isoformat()}"
        )
    ask = not yes and not dry_run and sys.stdin.isatty()
    wish = Wish(begin, end, project, wanted, again, dry_run, ask)
    quiet_logs()
    import asyncio

    _print(wish, asyncio.run(_replay(settings_of(ctx), wish)), as_json=as_json)


async def _replay(settings: Settings, wish: Wish) -> list[Selection]:
    from contextlib import AsyncExitStack

    from bot.cli.connection import database_of
    from bot.domain.events import Stage
    from bot.domain.replay import Selection
    from bot.wiring import base, telemetry_of

    project_id = await _project_id(settings, wish.project)
    nonce = uuid.uuid4().hex
    selections = [
        Selection(Stage(stage), nonce, project_id=project_id, again=wish.again and stage == Stage.intake)
        for stage in wish.stages
    ]
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_of(settings))
        telemetry = stack.enter_context(telemetry_of(settings))
        parts = await stack.enter_async_context(base(settings, url, telemetry, connections=_CONNECTIONS))
        for selection in selections:
            async for record in _history(parts.log, wish, selection, "read"):
                selection.consider(record)
        if not wish.dry_run:
            await _agree(wish, selections)
            for selection in selections:
                await _hand_out(parts.log, wish, selection)
    return selections


async def _project_id(settings: Settings, project: str | None) -> int | None:
    if project is None or project.isdecimal():
        return int(project) if project else None
    from bot.adapters.forge_gitlab_admin import GitLabAdmin

    settings.require("gitlab_url", "gitlab_token")
    assert settings.gitlab_url is not None
    assert settings.gitlab_token is not None
    token = settings.gitlab_token.get_secret_value()
    admin = GitLabAdmin(settings.gitlab_url, token, verify=settings.gitlab_tls())
    try:
        return (await admin.project(project)).id
    finally:
        await admin.aclose()


async def _history(log: EventLog, wish: Wish, selection: Selection, did: str) -> AsyncIterator[Record]:
    """Yield the records of the range, and say now and then how far it is."""
    import time

    count, told = 0, time.monotonic()
    async for record in log.history(selection.stage.value, wish.since, wish.until):
        yield record
        count += 1
        if time.monotonic() - told >= _TELL_S:
            typer.echo(f"{selection.stage}: {did} {count} events so far", err=True)
            told = time.monotonic()


async def _agree(wish: Wish, selections: Sequence[Selection]) -> None:
    import asyncio

    reviews = sum(selection.reviews for selection in selections)
    if wish.ask and reviews > MANY_REVIEWS:
        await asyncio.to_thread(typer.confirm, f"Review {reviews} merge requests again?", abort=True)


async def _hand_out(log: EventLog, wish: Wish, selection: Selection) -> None:
    batch: list[Record] = []
    async for record in _history(log, wish, selection, "went through"):
        copy = selection.take(record)
        if copy is not None:
            batch.append(copy)
        if len(batch) >= _BATCH:
            await log.append(batch)
            batch = []
    if batch:
        await log.append(batch)


def _print(wish: Wish, selections: Sequence[Selection], *, as_json: bool) -> None:
    entries: list[dict[str, Any]] = [
        {
            "stage": selection.stage.value,
            "events": selection.events,
            "merge_requests": selection.merge_requests,
            "reviewed_again": selection.reviews,
            "unreadable": selection.unreadable,
        }
        for selection in selections
    ]
    if as_json:
        times = {"from": wish.since.isoformat(), "to": wish.until.isoformat()}
        print_json({**times, "dry_run": wish.dry_run, "stages": entries})
        return
    typer.echo("would be handed out again:" if wish.dry_run else "handed out again:")
    rows = [list(entry.values())[:4] for entry in entries]
    print_table(["Stage", "Events", "Merge requests", "Reviewed again"], rows)
    if unreadable := sum(selection.unreadable for selection in selections):
        typer.echo(f"warning: {unreadable} events cannot be read by this release and were left out", err=True)
