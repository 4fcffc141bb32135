"""Events for what it is time to look at."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.errors import Transient
from bot.domain.events import FeedbackDue, Record
from bot.domain.merge_request import MergeRequestRef
from bot.ports import Due
from bot.runtime.feedback_poller import LEASE, FeedbackPoller

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def due(iid: int, at: datetime = AT) -> Due:
    """Return something that was claimed."""
    return Due(MergeRequestRef(instance="gitlab.example", project_id=7, iid=iid), at)


@dataclass
class World:
    """A ledger that hands out *batches*, a log, and telemetry that says nothing."""

    batches: list[list[Due]] = field(default_factory=list)
    appended: list[Record] = field(default_factory=list)
    asked: list[tuple[int, timedelta]] = field(default_factory=list)
    broken: bool = False

    async def due(self, *, per_minute: int, lease: timedelta) -> list[Due]:
        self.asked.append((per_minute, lease))
        return self.batches.pop(0) if self.batches else []

    async def append(self, records: Sequence[Record]) -> int:
        if self.broken:
            raise Transient("the log is out of reach")
        self.appended += records
        return len(records)

    def span(self, _: str, **__: Any) -> nullcontext[None]:
        return nullcontext()

    def trace_context(self) -> dict[str, str]:
        return {"traceparent": "00-1-2-01"}

    @property
    def poller(self) -> FeedbackPoller:
        """Return a poller on all of this."""
        return FeedbackPoller(feedback=self, sink=self, telemetry=self, per_minute=20)  # type: ignore[arg-type]


async def test_each_claim_becomes_an_event() -> None:
    """Of its own: the same merge request, claimed later, is another one; the limit is passed on."""
    world = World([[due(1), due(2)], [due(1, AT + timedelta(hours=1))], []])
    assert [2, 1, 0] == [await world.poller.poll() for _ in range(3)]
    assert [1, 2, 1] == [record.event().ref.iid for record in world.appended]
    assert {FeedbackDue.kind} == {record.kind for record in world.appended}
    assert 3 == len({record.id for record in world.appended})
    assert {(20, LEASE)} == set(world.asked)
    assert all(record.trace for record in world.appended)


async def test_the_same_claim_is_the_same_event() -> None:
    """Whoever raises it twice raises it once."""
    world = World([[due(1)], [due(1)]])
    for _ in range(2):
        await world.poller.poll()
    assert 1 == len({record.id for record in world.appended})


async def test_a_log_out_of_reach_is_no_reason_to_give_up() -> None:
    """What was claimed is due again after its lease."""
    world = World([[due(1)]], broken=True)
    with pytest.raises(Transient):
        await world.poller.poll()
    world.broken = False
    assert 0 == await world.poller.poll()
