"""`cloister kafka`: the topics."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.context import FOUND, print_json, print_table, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.adapters.kafka_topics import Layout, TopicState
    from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Look after Kafka.")


@app.callback()
def kafka() -> None:
    """Look after Kafka."""


@app.command(epilog="Example: `CLOISTER_LOG_URL=kafka://kafka.example:9092 cloister kafka init`")
def init(
    ctx: typer.Context,
    partitions: Annotated[
        int, typer.Option(min=1, max=1000, help="Of each stage's topic; so many processes can share a stage.")
    ] = 16,
    copies: Annotated[
        int | None,
        typer.Option(
            min=1, max=9, help="Of each record; three, or as many as there are brokers, if not given."
        ),
    ] = None,
    retention_h: Annotated[
        int, typer.Option(min=1, help="Hours that records are kept; a replay goes back that far.")
    ] = 168,
    grow: Annotated[
        bool,
        typer.Option(
            "--grow",
            help="Add partitions to topics that have fewer. Stop consumers first: order is lost once.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing or differs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Create the topics that are missing, and report what differs from what is wanted; repeating it is fine.

    What differs is never mended unasked. With --dry-run the exit status is 1 if anything is missing or differs.
    """
    import asyncio

    from bot.adapters.kafka_topics import Layout

    settings = settings_of(ctx)
    settings.require("log_url")
    quiet_logs()
    layout = Layout(partitions, copies, retention_h)
    states = asyncio.run(_init(settings, layout, grow=grow, dry_run=dry_run))
    if as_json:
        print_json([dataclasses.asdict(state) for state in states])
    else:
        rows = [[state.name, state.partitions, _said(state), "; ".join(state.drift)] for state in states]
        print_table(
            ["Topic", "Partitions", "", "Differs"], rows, styles={"created": "green", "missing": "red"}
        )
    if dry_run and any(state.drift for state in states):
        raise typer.Exit(FOUND)


def _said(state: TopicState) -> str:
    if state.created or state.grown:
        return "created" if state.created else "grown"
    return "there" if state.partitions else "missing"


async def _init(settings: Settings, layout: Layout, *, grow: bool, dry_run: bool) -> list[TopicState]:
    from bot.adapters.kafka_topics import Topics, topic_admin
    from bot.settings import SettingsError
    from bot.wiring import kafka_connection

    if settings.kafka_bootstrap is None:
        raise SettingsError(["CLOISTER_LOG_URL names no Kafka; set it like kafka://kafka.example:9092"])
    async with topic_admin(kafka_connection(settings), Topics(settings.kafka_prefix)) as admin:
        return await admin.init(layout, grow=grow, dry_run=dry_run)
