"""`cloister export`: make a data set for training of what people accepted and rejected."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import print_json, print_table, quiet_logs, settings_of
from bot.cli.moments import moment
from bot.domain.errors import Permanent
from bot.learning.formats import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.learning.dataset import Dataset, Window
    from bot.settings import Settings

#: Seconds between two lines that say how far it is.
_TELL_S = 5.0


def export(
    ctx: typer.Context,
    format_: Annotated[Format, typer.Option("--format", help="What kind of training it is for.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Directory to write; it must not exist, or be empty.")
    ],
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Only comments posted since: ISO 8601, or a span back from now: 3d, 8w."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Only what was seen until then, for the same bytes again. Default: now."
        ),
    ] = None,
    project: Annotated[
        int | None, typer.Option(metavar="ID", min=1, max=2**63 - 1, help="Only comments of this project.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a data set of comments that people clearly accepted or rejected, for training a model.

    Only projects whose policy says `learning.export: true` are in it. Secrets, addresses, names and hosts are taken
    out; a row that cannot be cleaned is left out. With too little for training nothing is written, and the reason is
    said.

    Example: `cloister export --format kto --since 26w --out kto-2026-06`
    """
    from bot.learning.dataset import Window

    now = datetime.now(UTC)
    window = Window(moment(since, now) if since else None, moment(until, now) if until else now)
    if window.since and window.since >= window.until:
        raise typer.BadParameter("--since must be before --until")
    check(out)
    quiet_logs()
    import asyncio

    dataset, files = asyncio.run(_made(settings_of(ctx), format_, window, project))
    write(out, files)
    if as_json:
        print_json({"out": str(out), **described(dataset)})
        return
    print_table(["Part", "Rows"], list(dataset.rows.items()))
    print_table(["Left out because", "Comments or rows"], dataset.left_out.most_common())
    typer.echo(f"written to {out}: read its README.md before you train on it")


def described(dataset: Dataset) -> dict[str, Any]:
    """Return what JSON says of a data set."""
    return {
        "format": dataset.format.value,
        "since": dataset.window.since.isoformat() if dataset.window.since else None,
        "until": dataset.window.until.isoformat(),
        "rows": dataset.rows,
        "begins": dataset.begins,
        "left_out": dict(dataset.left_out.most_common()),
        "scrubbed": dict(dataset.scrubbed.most_common()),
    }


async def _made(
    settings: Settings, format_: Format, window: Window, project: int | None
) -> tuple[Dataset, Mapping[str, bytes]]:
    import asyncio

    from bot.cli.connection import database_of
    from bot.learning.card import card_of
    from bot.learning.dataset import assemble, files_of
    from bot.wiring_learning import learner

    async with (
        database_of(settings) as url,
        learner(settings, url, format_, told=_teller()) as parts,
    ):
        gathering, scrubber = parts.gathering, parts.scrubber
        material = await gathering.gather(format_, since=window.since, until=window.until, project_id=project)
        dataset = await asyncio.to_thread(
            assemble, format_, material, window=window, scrubber=scrubber, left_out=gathering.left_out
        )
        return dataset, files_of(dataset, card_of(dataset, scrubber))


def _teller() -> Callable[[str], None]:
    last = time.monotonic()

    def tell(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_S:
            typer.echo(text, err=True)
            last = time.monotonic()

    return tell


def check(out: Path) -> None:
    """Check that a data set can be written to *out*, before hours of work.

    Raises:
        Permanent: it is there already, or nothing can be written there; the message says what to do.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Permanent(f"{out} is there already: name a directory that is empty, or none")
    above = next(one for one in out.absolute().parents if one.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise Permanent(f"{out} cannot be made, since {above} cannot be written to: name another directory")


def write(out: Path, files: Mapping[str, bytes]) -> None:
    """Write *files* so that the directory has all of them or is not there; only its owner can read it.

    Raises:
        Permanent: they cannot be written; nothing is left of them.
    """
    out = out.absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{out.name}-", dir=out.parent, ignore_cleanup_errors=True
        ) as name:
            directory = Path(name) / out.name
            directory.mkdir(mode=0o700)
            for file_name, content in files.items():
                with (directory / file_name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            check(out)
            directory.replace(out)
    except OSError as error:
        raise Permanent(f"the data set could not be written to {out}: {error.strerror}") from error
