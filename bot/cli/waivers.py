"""`cloister waivers`: findings that may pass the gate for a while, who said so, and the way to end that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli.context import print_json, print_table, settings_of
from bot.cli.operator import actor, on_database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.adapters.waivers_postgres import PostgresWaivers
    from bot.domain.waivers import Waiver, WaiverStep
    from bot.settings import Settings

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True, help="Look after waivers: findings that may pass the gate for a while."
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="As in the list; its first digits are enough.")]


@app.callback()
def waivers() -> None:
    """Look after waivers: findings that may pass the gate for a while."""


@app.command("list", epilog="Example: `cloister waivers list --expiring 7d`")
def list_(
    ctx: typer.Context,
    project: Annotated[
        int | None, typer.Option(metavar="ID", min=1, max=2**63 - 1, help="Only those of this project.")
    ] = None,
    expiring: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Only those granted that end within it, as in 7d.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the waivers that are asked for or granted, the first to end first."""
    from datetime import UTC, date, datetime

    from bot.cli.moments import ahead
    from bot.domain.waivers import State, ends_at

    now = datetime.now(UTC)
    limit = ahead(expiring, now) if expiring else None

    async def act(book: PostgresWaivers) -> list[Waiver]:
        return await book.all(project_id=project, until=limit.date() if limit else None)

    found = [one for one in _run(settings_of(ctx), act) if everything or one.open(now)]
    if limit is not None:
        found = [
            one
            for one in found
            if one.state(now) is State.granted and one.said.until and ends_at(one.said.until) <= limit
        ]
    found.sort(key=lambda one: (one.said.until or date.max, str(one.id)))
    if as_json:
        print_json([described(one, now) for one in found], hostile=True)
        return
    if not found:
        typer.echo("there are none")
        return
    print_table(
        ["Id", "State", "Until", "Merge request", "Finding", "Severity", "Rule", "Place", "Who", "Reason"],
        [_row(one, now) for one in found],
    )


@app.command(epilog="Example: `cloister waivers show 1a2b3c4d`")
def show(ctx: typer.Context, waiver: Id, as_json: AsJson = False) -> None:
    """Show one waiver with all that happened to it, and the policy that allowed it."""
    from datetime import UTC, datetime

    async def act(book: PostgresWaivers) -> Waiver:
        return await book.get(_prefix(waiver))

    found, now = _run(settings_of(ctx), act), datetime.now(UTC)
    if as_json:
        print_json(
            {**described(found, now), "steps": [step.model_dump(mode="json") for step in found.steps]},
            hostile=True,
        )
        return
    print_table(["Field", "Value"], [[name, value] for name, value in described(found, now).items()])
    typer.echo()
    print_table(
        ["When", "What", "Who", "From", "Merge request", "Until", "Reason"],
        [_told(step) for step in found.steps],
    )


@app.command(epilog="Example: `cloister waivers revoke 1a2b3c4d --because 'the exploit is public'`")
def revoke(
    ctx: typer.Context,
    waiver: Id,
    because: Annotated[str, typer.Option(metavar="REASON", help="Why; it stays on record.")],
) -> None:
    """End a waiver; the verdicts that rest on it are made anew by the running consumers."""
    import uuid
    from datetime import UTC, datetime

    from bot.domain.markdown import one_line
    from bot.domain.waiver_audit import act as audited
    from bot.domain.waivers import Source, revocation

    now, reason = datetime.now(UTC), one_line(because)
    if not reason:
        raise typer.BadParameter("say why", param_hint="--because")

    async def act(book: PostgresWaivers) -> str:
        found = await book.get(_prefix(waiver))
        if not found.open(now):
            return f"it has ended before: {found.state(now).value}"
        name = f"operator {actor().rpartition(':')[2]}"
        step = revocation(found, source=Source.command, name=name, reason=reason, at=now, event=uuid.uuid4())
        await book.end(step, audited(step, actor()))
        return f"revoked {found.id}"

    typer.echo(_run(settings_of(ctx), act))


def described(waiver: Waiver, now: datetime) -> dict[str, Any]:
    """Return a waiver as JSON shows it, its steps left out."""
    said, about = waiver.said, waiver.about
    return {
        "id": str(waiver.id),
        "state": waiver.state(now).value,
        "until": said.until.isoformat() if said.until else None,
        "merge_request": waiver.ref.key,
        "target_branch": waiver.branch,
        "merged": waiver.merged,
        "finding": about.fingerprint,
        "severity": about.severity.value,
        "scanner": about.scanner,
        "rule": about.rule,
        "path": about.path,
        "line": about.line,
        "title": about.title,
        "asked_by": [step.name or step.by for step in waiver.asks],
        "granted_by": waiver.grant.name if waiver.grant else None,
        "reason": said.reason,
    }


def _row(waiver: Waiver, now: datetime) -> list[object]:
    said, about = waiver.said, waiver.about
    return [
        str(waiver.id)[:8],
        waiver.state(now).value,
        said.until or "",
        str(waiver.ref),
        about.fingerprint[:8],
        about.severity.value,
        about.rule,
        f"{about.path}:{about.line}",
        _who(said),
        said.reason,
    ]


def _told(step: WaiverStep) -> list[object]:
    source = f"{step.source.value} {step.note_id}" if step.note_id else step.source.value
    at = step.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return [at, step.deed.value, _who(step), source, str(step.ref), step.until or "", step.reason]


def _who(step: WaiverStep) -> str:
    return step.name or (f"account {step.by}" if step.by else "Cloister")


def _prefix(text: str) -> str:
    """Return *text* if it can begin an id."""
    import re

    if not re.fullmatch("[0-9a-f-]{4,36}", text.lower()):
        raise typer.BadParameter("an id has at least 4 of the digits 0 to 9 and a to f", param_hint="ID")
    return text.lower()


def _run(settings: Settings, act: Callable[[PostgresWaivers], Awaitable[T]]) -> T:
    async def connected(pool: Any) -> T:
        from bot.adapters.waivers_postgres import PostgresWaivers

        return await act(PostgresWaivers(pool))

    return on_database(settings, connected)
