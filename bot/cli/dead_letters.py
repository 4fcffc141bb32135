"""`cloister dlq`: events that were given up."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli import serve
from bot.cli.context import FAILED, print_json, print_table, printable, quiet_logs, settings_of
from bot.domain.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.adapters.dead_letters_postgres import PostgresDeadLetters
    from bot.domain.dead_letters import DeadLetter
    from bot.settings import Settings

T = TypeVar("T")

#: What a page of a terminal shows of bytes that could not be read.
_SHOWN_BYTES = 2_000

app = typer.Typer(no_args_is_help=True, help="Look after the dead letters: events that were given up.")


def _group(name: str) -> str:
    # What Kafka refuses for good is given up by the relay, before any stage.
    return name if name == "relay" else serve.stage(name)


Stage = Annotated[
    str | None, typer.Option(parser=_group, metavar="STAGE", help="Only those that it gave up; also relay.")
]
Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="NUMBER", min=1, max=2**31 - 1, help="As in the list.")
]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def dlq() -> None:
    """Look after the dead letters: events that were given up."""


@app.command("list", epilog="Example: `cloister dlq list --stage fetch`")
def list_(
    ctx: typer.Context,
    stage: Stage = None,
    project: Annotated[
        int | None, typer.Option(metavar="ID", min=1, max=2**63 - 1, help="Only those of this project.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first, each with the reason and what to do about it."""

    async def act(letters: PostgresDeadLetters) -> list[DeadLetter]:
        return await letters.newest(limit + 1, stage=stage, project_id=project)

    found = _run(settings_of(ctx), act)
    shown = found[:limit]
    if as_json:
        print_json([described(letter) for letter in shown], hostile=True)
        return
    if not shown:
        typer.echo("there are none")
        return
    titles = ["Number", "Stage", "Merge request", "Kind", "Attempts", "Error", "Reason", "Parked", "Trace"]
    print_table(titles, [_row(letter) for letter in shown])
    if len(found) > limit:
        typer.echo(f"there are more: `--limit` is {limit}", err=True)


@app.command(epilog="Example: `cloister dlq show 7`")
def show(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, max=2**31 - 1, help="As in the list.")],
    as_json: AsJson = False,
) -> None:
    """Show one dead letter with the whole event."""

    async def act(letters: PostgresDeadLetters) -> DeadLetter:
        return await letters.get(number)

    letter = _run(settings_of(ctx), act)
    if as_json:
        print_json({**described(letter), "record": letter.content}, hostile=True)
        return
    print_table(["Field", "Value"], _fields(letter))


@app.command(epilog="Example: `cloister dlq retry 7 8`")
def retry(
    ctx: typer.Context,
    numbers: Numbers = None,
    everything: All = False,
    stage: Stage = None,
) -> None:
    """Have events handled after all, once the cause is removed; the running consumers take them up.

    An event that its review still waits for is handed out again. If the review has gone on without it, the merge
    request is reviewed again as it is now, and what it already says is not said twice. Where a newer head won or the
    merge request was closed there is nothing to do, and the letter goes. One that this release cannot read
    stays, and makes the exit status 2: retry it after an upgrade.
    """
    _check(numbers, everything, stage)

    async def act(letters: PostgresDeadLetters) -> list[tuple[int, str, bool]]:
        done = []
        for number in numbers or await letters.numbers(stage):
            try:
                done.append((number, (await letters.retry(number)).said, True))
            except Permanent as error:
                done.append((number, str(error), False))
        return done

    outcomes = _run(settings_of(ctx), act)
    _report([(number, said) for number, said, good in outcomes if good], "What happens")
    _fail_with([said for _, said, good in outcomes if not good])


@app.command(epilog="Example: `cloister dlq drop 7`")
def drop(
    ctx: typer.Context,
    numbers: Numbers = None,
    everything: All = False,
    stage: Stage = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete dead letters for good, without retrying them."""
    _check(numbers, everything, stage)

    async def act(letters: PostgresDeadLetters) -> tuple[list[int], list[int]]:
        wanted = sorted(set(numbers or await letters.numbers(stage)))
        if wanted and not yes:
            await _confirm(len(wanted))
        return wanted, await letters.drop(wanted)

    wanted, gone = _run(settings_of(ctx), act)
    _report([(number, "dropped") for number in gone], "What happened")
    if numbers:
        missing = [number for number in wanted if number not in gone]
        _fail_with([f"there is no dead letter {number}; see `cloister dlq list`" for number in missing])


def described(letter: DeadLetter) -> dict[str, Any]:
    """Return a letter as JSON shows it, the event left out."""
    return {
        "number": letter.number,
        "stage": letter.stage,
        "merge_request": letter.ref.key if letter.ref else None,
        "kind": letter.kind,
        "event_id": str(letter.event_id),
        "attempts": letter.attempts,
        "error": letter.error,
        "reason": letter.reason,
        "parked_at": letter.parked_at.isoformat(),
        "trace_id": letter.trace_id or None,
    }


def _row(letter: DeadLetter) -> list[object]:
    parked = letter.parked_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    where = str(letter.ref or "")
    return [
        letter.number,
        letter.stage,
        where,
        letter.kind,
        letter.attempts,
        letter.error,
        letter.reason,
        parked,
        letter.trace_id,
    ]


def _fields(letter: DeadLetter) -> list[tuple[str, str]]:
    import json

    fields = [(name, "" if value is None else str(value)) for name, value in described(letter).items()]
    unread = letter.unread
    if unread is None:
        return [*fields, ("record", json.dumps(letter.content, indent=2, ensure_ascii=False))]
    start = unread.raw[:_SHOWN_BYTES].decode(errors="replace")
    rest = unread.size - _SHOWN_BYTES
    return [
        *fields,
        ("problem", unread.problem),
        *((str(name), str(value)) for name, value in unread.place.items()),
        ("size", f"{unread.size} bytes"),
        ("bytes", start + (f" ... and {rest} bytes more" if rest > 0 else "")),
    ]


def _check(numbers: Sequence[int] | None, everything: bool, stage: str | None) -> None:
    if bool(numbers) == everything:
        raise typer.BadParameter("name the letters by their numbers, or say --all")
    if stage is not None and not everything:
        raise typer.BadParameter("--stage goes with --all")


async def _confirm(count: int) -> None:
    import asyncio

    letters = f"{count} dead letter{'' if count == 1 else 's'}"
    if not sys.stdin.isatty():
        raise Permanent(f"this deletes {letters} for good: say --yes if you mean it")
    await asyncio.to_thread(typer.confirm, f"Delete {letters} for good?", abort=True)


def _report(outcomes: Sequence[tuple[int, str]], title: str) -> None:
    if outcomes:
        print_table(["Number", title], outcomes)
    else:
        typer.echo("nothing was changed")


def _fail_with(problems: Sequence[str]) -> None:
    for problem in problems:
        typer.echo(f"error: {printable(problem)}", err=True)
    if problems:
        raise typer.Exit(FAILED)


def _run(settings: Settings, act: Callable[[PostgresDeadLetters], Awaitable[T]]) -> T:
    import asyncio

    quiet_logs()

    async def connected() -> T:
        from bot.adapters.dead_letters_postgres import PostgresDeadLetters
        from bot.adapters.postgres import connect_pool
        from bot.cli.connection import database_of

        async with database_of(settings) as url:
            pool = await connect_pool(url, size=2)
            try:
                return await act(PostgresDeadLetters(pool))
            finally:
                await pool.close()

    return asyncio.run(connected())
