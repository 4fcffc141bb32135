"""What a consumer does with a delivery in its hands."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import Obsolete, Transient
from bot.domain.events import FetchRequested, Record, Stage
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Run
from bot.runtime.consumer import Work

REF = MergeRequestRef(instance="gitlab.example", project_id=1, iid=1)
RUN = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class Answers:
    """Say of a run what comes next of *said*; an outage is raised, the last answer stays."""

    said: list[bool | Transient] = field(default_factory=lambda: [True])

    async def is_current(self, run: Run) -> bool:
        answer = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(answer, Transient):
            raise answer
        return answer


def work(*said: bool | Transient) -> Work:
    """Return a delivery whose store gives these answers."""
    store: Any = Answers(list(said))
    return Work(Stage.fetch, Record.of(FetchRequested(ref=REF, run_id=RUN.id), id=uuid.uuid4()), store)


async def test_work_on_a_run_that_is_over_does_not_begin():
    """Nothing of the body is done."""
    with pytest.raises(Obsolete):
        async with work(False).while_current(RUN):
            pytest.fail("it began")


async def test_an_outage_does_not_end_the_watch():
    """A newer head that comes after it still breaks off what runs."""
    away = Transient("the database is away")
    with pytest.raises(Obsolete):
        async with asyncio.timeout(60), work(True, away, away, False).while_current(RUN, every_s=0):
            await asyncio.Event().wait()


async def test_whoever_stops_the_process_is_not_told_that_the_run_is_over():
    """The event is handed out again, rather than dropped."""
    begun = asyncio.Event()

    async def long_work() -> None:
        async with work(True).while_current(RUN, every_s=0):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(long_work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
