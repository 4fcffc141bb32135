"""Leaving in an orderly way when somebody presses Ctrl-C, or a runner cancels the job."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer

_Result = TypeVar("_Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Return what *work* comes to; a signal cancels it and makes the exit status 128 and its number, as in shells.

    Without this Ctrl-C would end a command with 1, which is an answer where the exit status is one.
    """
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[Any, Any, _Result]) -> _Result:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        task.cancel()

    watched = _SIGNALS if threading.current_thread() is threading.main_thread() else ()
    for number in watched:
        loop.add_signal_handler(number, stop, number)
    try:
        return await work
    except asyncio.CancelledError:
        if not caught:
            raise
        typer.echo(f"interrupted by {signal.Signals(caught[0]).name}: nothing was decided", err=True)
        raise typer.Exit(128 + caught[0]) from None
    finally:
        for number in watched:
            loop.remove_signal_handler(number)
