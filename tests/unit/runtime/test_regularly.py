"""Work that goes on whatever happens."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from bot.domain.errors import Transient
from bot.runtime.regularly import regularly


@dataclass
class Passes:
    """Raise *failures* one after the other, then succeed and say so."""

    failures: list[BaseException] = field(default_factory=list)
    succeeded: asyncio.Event = field(default_factory=asyncio.Event)

    async def make(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.succeeded.set()


async def test_neither_outages_nor_bugs_end_the_work():
    """Both are logged, the second with its traceback; the next pass is made all the same."""
    bug = ZeroDivisionError("bug")
    passes = Passes([Transient("the database is away"), bug])
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(regularly(passes.make, every_s=0, failed="pass.failed", of="labels"))
        await asyncio.wait_for(passes.succeeded.wait(), 60)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert [("the database is away", None), ("unexpected ZeroDivisionError", bug)] == [
        (line["error"], line["exc_info"]) for line in logs
    ]
    assert {("pass.failed", "labels")} == {(line["event"], line["of"]) for line in logs}


async def test_cancelling_breaks_off_a_pass():
    """It does not go on behind the back of who cancelled."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long_pass() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = asyncio.create_task(regularly(long_pass, every_s=0, failed="pass.failed"))
    await begun.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()
    assert ended.is_set()
