"""`cloister labels`: what became of comments, derived from what people did with them."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli.context import print_json, print_table, settings_of
from bot.cli.moments import moment
from bot.cli.operator import on_database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.adapters.labels_postgres import PostgresLabels
    from bot.domain.labels import Labelled
    from bot.learning.labelling import Rebuilt
    from bot.ports import LabelCount
    from bot.settings import Settings

T = TypeVar("T")

#: Seconds between two lines that say how far it is.
_TELL_S = 5.0

app = typer.Typer(
    no_args_is_help=True, help="Look after the labels of comments: accepted, rejected, or unknown."
)

Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Only comments posted since: ISO 8601, or a span back from now: 2h, 3d, 1w."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def labels() -> None:
    """Look after the labels of comments."""


@app.command("rebuild", epilog="Example: `cloister labels rebuild --since 8w`")
def rebuild(
    ctx: typer.Context,
    since: Since = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin at the start although an earlier rebuild broke off.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Derive the labels of all comments anew from what people did; everything else keeps running.

    It may be broken off and goes on where it was, if it is called with the same absolute `--since`. Labels of earlier
    versions are kept. Doing it twice changes nothing.
    """
    from bot.domain.labels import LABEL_VERSION
    from bot.learning.labelling import rebuild as derive

    begin = _since(since)
    told = _teller()

    async def act(store: PostgresLabels) -> Rebuilt:
        return await derive(store, since=begin, restart=restart, told=told)

    done = _run(settings_of(ctx), act)
    if as_json:
        resumed = done.resumed.posted_at.isoformat() if done.resumed else None
        values = {"labelled": done.labelled, "changed": done.changed, "resumed_at": resumed}
        values["passed_over"] = done.passed_over
        print_json({"label_version": LABEL_VERSION, **values})
        return
    if done.resumed:
        typer.echo(
            f"went on where an earlier rebuild broke off, at comments of {done.resumed.posted_at:%Y-%m-%d %H:%M}"
        )
    typer.echo(
        f"{done.labelled} comments labelled by version {LABEL_VERSION}, {done.changed} labels new or changed"
    )
    if done.passed_over:
        typer.echo(
            f"{done.passed_over} older comments keep their labels: what people did with them is not kept any more"
        )


@app.command("show", epilog="Example: `cloister labels show --since 4w`")
def show(
    ctx: typer.Context,
    comment: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The labels of this comment, with the signals that decided."),
    ] = None,
    since: Since = None,
    project: Annotated[
        int | None, typer.Option(metavar="ID", min=1, max=2**63 - 1, help="Only comments of this project.")
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(min=1, max=2**31 - 1, help="Of the function that made the labels. Default: the newest."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how many comments have which label, or the labels of one comment."""
    from bot.domain.labels import LABEL_VERSION

    if comment is not None:
        _show_comment(ctx, comment, as_json=as_json)
        return
    begin, wanted = _since(since), version or LABEL_VERSION

    async def act(pool: Any) -> tuple[Sequence[LabelCount], bool]:
        from bot.adapters.commented_postgres import has_comments
        from bot.adapters.labels_postgres import PostgresLabels

        counts = await PostgresLabels(pool).counts(wanted, since=begin, project_id=project)
        return counts, bool(counts) or await has_comments(pool, project_id=project, since=begin)

    counts, commented = on_database(settings_of(ctx), act)
    if not commented and project is not None:
        raise typer.BadParameter(_no_comments(project, begin), param_hint="--project")
    if as_json:
        print_json({"label_version": wanted, **described(counts)})
        return
    if not counts:
        none = "no comment was posted since then" if begin else "there are no comments yet"
        remedy = "run `cloister labels rebuild`" if commented else none
        typer.echo(f"there are no labels of version {wanted}: {remedy}")
        return
    titles = ["Label", "Because", "Comments", "Frozen", "Changed late"]
    print_table(titles, [[_name(one), one.why, one.count, one.frozen, one.late] for one in counts])
    typer.echo(_sentence(described(counts)))


@app.command("opt-out", epilog="Example: `cloister labels opt-out 42`")
def opt_out(
    ctx: typer.Context,
    user: Annotated[
        int, typer.Argument(metavar="USER_ID", min=1, max=2**63 - 1, help="Id of the account in GitLab.")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
) -> None:
    """Leave a person out of every data set from now on.

    What they said does not count for exported labels, and none of their merge requests is exported. Figures stay as
    they are. Sets that were exported before are yours to delete.
    """
    from bot.gitlab.instance import instance_name

    settings = settings_of(ctx)
    settings.require("gitlab_url")
    instance = instance_name(str(settings.gitlab_url))

    async def act(pool: Any) -> bool:
        from bot.adapters.learning_postgres import PostgresLearning

        return await PostgresLearning(pool).opt_out(instance, user, out=not undo)

    news = on_database(settings, act)
    state = "is part of data sets again" if undo else "is left out of data sets"
    typer.echo(f"account {user} of {instance} {state}{'' if news else ', as before'}")


def described(counts: Sequence[LabelCount]) -> dict[str, Any]:
    """Return counts as JSON shows them, with the acceptance that they make."""
    from bot.domain.evaluation.intervals import Share

    share = Share(
        sum(one.count for one in counts if one.label.accepted),
        sum(one.count for one in counts if one.label.counts),
    )
    rows = [
        {
            "label": one.label.value,
            "censored_why": one.why or None,
            "contradictory": one.contradictory,
            "comments": one.count,
            "frozen": one.frozen,
            "late": one.late,
        }
        for one in counts
    ]
    interval = [round(bound, 4) for bound in share.interval]
    return {
        "labels": rows,
        "accepted": share.count,
        "of": share.of,
        "interval": interval if share.of else None,
    }


def _no_comments(project: int, since: datetime | None) -> str:
    when = f" since {since:%Y-%m-%d %H:%M}" if since else ""
    return f"no comment was posted in a project {project}{when}; GitLab shows the id of a project in the menu of its page"


def _name(one: LabelCount) -> str:
    return f"{one.label.value}{' (contradictory)' if one.contradictory else ''}"


def _sentence(found: Mapping[str, Any]) -> str:
    if found["interval"] is None:
        return "No comment counts yet: all are censored."
    low, high = (round(100 * bound) for bound in found["interval"])
    return (
        f"Accepted, strong or weak: {found['accepted']} of {found['of']} comments that are not censored, "
        f"95 % interval {low} to {high} %."
    )


def _show_comment(ctx: typer.Context, comment: str, *, as_json: bool) -> None:
    try:
        comment_id = uuid.UUID(comment)
    except ValueError:
        raise typer.BadParameter(f"{comment!r} is no id of a comment") from None

    async def act(store: PostgresLabels) -> Mapping[int, Labelled]:
        return await store.of_comment(comment_id)

    found = sorted(_run(settings_of(ctx), act).items())
    entries = [
        {
            "label_version": version,
            "label": one.label.value,
            "censored_why": one.censored_why.value if one.censored_why else None,
            "contradictory": one.contradictory,
            "reasons": [str(reason) for reason in one.reasons],
            "frozen_at": one.frozen_at.isoformat() if one.frozen_at else None,
            "late_at": one.late_at.isoformat() if one.late_at else None,
        }
        for version, one in found
    ]
    if as_json:
        print_json(entries)
    elif not entries:
        typer.echo("this comment has no label: run `cloister labels rebuild`")
    else:
        rows = [["" if value is None else value for value in entry.values()] for entry in entries]
        print_table(
            ["Version", "Label", "Because", "Contradictory", "Signals", "Frozen", "Changed late"], rows
        )


def _since(text: str | None) -> datetime | None:
    return moment(text, datetime.now(UTC)) if text else None


def _teller() -> Callable[[Rebuilt], None]:
    last = time.monotonic()

    def tell(done: Rebuilt) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_S:
            typer.echo(f"{done.labelled} comments labelled so far, {done.changed} labels changed", err=True)
            last = time.monotonic()

    return tell


def _run(settings: Settings, act: Callable[[PostgresLabels], Awaitable[T]]) -> T:
    from bot.adapters.labels_postgres import PostgresLabels

    return on_database(settings, lambda pool: act(PostgresLabels(pool)))
