"""Labels first, then counts, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.domain.errors import Transient
from bot.learning.labelling import DUE
from bot.ports import DueLabels
from bot.runtime.reckoner import COUNTED, Reckoner


@dataclass
class World:
    """Labels and counts that are due in *notes* and *rows*; the first *broken* passes find no database."""

    notes: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    broken: int = 0
    steps: list[str] = field(default_factory=list)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def turn(self, *, wait: bool) -> AsyncIterator[World | None]:
        if self.broken:
            self.broken -= 1
            raise Transient("the database is out of reach")
        yield None if wait else self

    async def due(self, *, limit: int) -> DueLabels:
        return DueLabels(range(min(limit, self.notes.pop(0) if self.notes else 0)), ())

    async def keep(self, version: int, labels: Mapping[Any, Any], *, done: Sequence[int]) -> int:
        self.steps.append(f"labelled {len(done)}")
        return 0

    async def count(self, limit: int) -> int:
        counted = min(limit, self.rows.pop(0) if self.rows else 0)
        self.steps.append(f"counted {counted}")
        if not counted and not self.notes:
            self.quiet.set()
        return counted

    @property
    def reckoner(self) -> Reckoner:
        """Return what is tested, on all of this."""
        return Reckoner(self, self.count)  # type: ignore[arg-type]


async def test_labels_come_before_counts() -> None:
    """What gets another label is counted in the same pass."""
    world = World([3], [4])
    assert not await world.reckoner.catch_up()
    assert world.steps == ["labelled 3", "counted 4"]


@pytest.mark.parametrize(("notes", "rows"), [(DUE, 1), (1, COUNTED)])
async def test_a_full_batch_is_followed_at_once(notes: int, rows: int) -> None:
    """A backlog is worked off without waiting."""
    assert await World([notes], [rows]).reckoner.catch_up()


async def test_a_database_that_is_away_ends_nothing() -> None:
    """The next pass does what this one could not."""
    world = World([1], [1], broken=2)
    running = asyncio.create_task(world.reckoner.run(every_s=0))
    await asyncio.wait_for(world.quiet.wait(), 150)
    running.cancel()
    assert world.steps[:2] == ["labelled 1", "counted 1"]
