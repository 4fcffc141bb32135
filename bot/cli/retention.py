"""`cloister retention`: what goes because of its age, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import print_json, print_table, settings_of
from bot.cli.operator import actor, on_database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.adapters.retention_postgres import Pruned, Share
    from bot.adapters.retention_signals import Month
    from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Show and delete what is old.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def retention() -> None:
    """Show and delete what is old."""


@app.command(epilog="Example: `cloister retention show`")
def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show what would go now, and what stays, without deleting anything."""
    settings = settings_of(ctx)
    found, shares = _found(settings)
    if as_json:
        print_json(
            {
                "drop_feedback_after_days": settings.drop_feedback_after_days,
                "drop_reviews_after_days": settings.drop_reviews_after_days,
                "months": [{**_month(month), "goes": goes} for month, goes in found],
                "tables": [_share(one) for one in shares],
            }
        )
        return
    rows = [[month.name, month.rows, _size(month.bytes), "yes" if goes else ""] for month, goes in found]
    print_table(["Feedback of", "Signals, about", "Size", "Goes"], rows)
    typer.echo("")
    titles = ["Table", "Kept for", "Rows that go", "Size of the table"]
    print_table(titles, [[one.table, _span(one), one.goes, _size(one.bytes)] for one in shares])
    typer.echo("\nwhat people did with comments " + _promise(settings))
    typer.echo("what reviews were on the inside " + _promise_of_reviews(settings))


@app.command(epilog="Example: `cloister retention run --yes`")
def run(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; only with `--yes`.")] = False,
) -> None:
    """Delete now what processes with consumers delete once an hour, by the settings of this command.

    Labels and counts are brought up to date before feedback goes, and then stay as they are.
    """
    from bot.domain.errors import Transient

    if as_json and not yes:
        raise typer.BadParameter("--json asks nothing, so it needs --yes")
    settings = settings_of(ctx)
    if not yes:
        going = [month.name for month, goes in _found(settings)[0] if goes]
        typer.echo(f"feedback of {', '.join(going)} goes" if going else "no month of feedback is old enough")
        typer.confirm("Delete what is old for good?", abort=True)
    pruned = _prune(settings)
    if pruned is None:
        raise Transient("another process deletes what is old at this moment: nothing is left to do here")
    if as_json:
        months = [_month(month) for month in pruned.months]
        print_json({"months": months, "rows": dict(pruned.rows), "waits_for": pruned.waits_for or None})
    else:
        for month in pruned.months:
            typer.echo(f"feedback of {month.name}: {month.rows} signals, {_size(month.bytes)}")
        print_table(["Table", "Rows deleted"], list(pruned.rows.items()))
    if pruned.waits_for:
        raise Transient(f"older feedback is left, because {pruned.waits_for}; try again")


def _found(settings: Settings) -> tuple[Sequence[tuple[Month, bool]], Sequence[Share]]:
    from bot.adapters.postgres import translated
    from bot.adapters.retention_postgres import shares
    from bot.adapters.retention_signals import months

    async def act(pool: Any) -> tuple[Sequence[tuple[Month, bool]], Sequence[Share]]:
        async with translated():
            found = await months(pool, settings.feedback_days)
        return found, await shares(pool, **_asked(settings))

    return on_database(settings, act)


def _prune(settings: Settings) -> Pruned | None:
    from bot.adapters.labels_postgres import PostgresLabels
    from bot.adapters.retention_postgres import prune
    from bot.adapters.rollups_postgres import roll_up
    from bot.runtime.reckoner import Reckoner

    async def act(pool: Any) -> Pruned | None:
        reckoner = Reckoner(PostgresLabels(pool), lambda batch: roll_up(pool, batch=batch))
        while await reckoner.catch_up():
            pass
        return await prune(pool, **_asked(settings), actor=actor())

    return on_database(settings, act)


def _asked(settings: Settings) -> Mapping[str, Any]:
    from bot.runtime.relay import GROUP

    return {
        "shipped_by": GROUP if settings.kafka_bootstrap else None,
        "days": settings.feedback_days,
        "review_days": settings.review_days,
    }


def _month(month: Month) -> Mapping[str, Any]:
    return {"month": month.name, "signals": month.rows, "bytes": month.bytes}


def _share(one: Share) -> Mapping[str, Any]:
    kept_s = int(one.keep.total_seconds()) if one.keep is not None else None
    return {"table": one.table, "kept_s": kept_s, "rows": one.goes, "bytes": one.bytes}


def _span(one: Share) -> str:
    if one.keep is None:
        return "ever"
    if not one.keep:
        return "until it ends"
    days, minutes = one.keep.days, int(one.keep.total_seconds()) // 60
    return f"{days} days" if days > 1 else f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"


def _promise(settings: Settings) -> str:
    days = settings.feedback_days
    if days is None:
        return "is kept for ever"
    return f"goes after {days} days, when the last of a month is so old; labels and counts stay"


def _promise_of_reviews(settings: Settings) -> str:
    days = settings.review_days
    if days is None:
        return "is kept for ever"
    return f"goes {days} days after the last one of a closed merge request; what they came to stays"


def _size(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 10_000:
            return f"{count} {unit}"
        count //= 1024
    return f"{count} GB"
