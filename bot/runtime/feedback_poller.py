"""Raise an event for each merge request that it is time to look at, no more of them than GitLab shall bear."""

from __future__ import annotations

import uuid
from datetime import timedelta

from bot.domain.events import NAMESPACE, FeedbackDue, Record
from bot.ports import Due, EventSink, Feedback, Telemetry
from bot.runtime.regularly import regularly

#: How often a process asks for what is due.
POLL_S = 1.0
#: Above the time that a look takes, so that only a lost event is followed by another.
LEASE = timedelta(minutes=10)


class FeedbackPoller:
    """Claim what is due and append its event; two processes that do so share the work, and the limit.

    Args:
        feedback: says what is due.
        sink: where events go.
        telemetry: gives the trace context.
        per_minute: looks that all processes together start in a minute.
    """

    def __init__(self, *, feedback: Feedback, sink: EventSink, telemetry: Telemetry, per_minute: int) -> None:
        self._feedback = feedback
        self._sink = sink
        self._telemetry = telemetry
        self._per_minute = per_minute

    async def run(self) -> None:
        """Poll until cancelled."""
        await regularly(self.poll, every_s=POLL_S, failed="feedback.not_polled")

    async def poll(self) -> int:
        """Raise the events of what is due now, and return how many there are.

        Raises:
            Transient: store or log is out of reach; what was claimed is due again after its lease.
        """
        due = await self._feedback.due(per_minute=self._per_minute, lease=LEASE)
        if due:
            with self._telemetry.span("feedback poll"):
                trace = self._telemetry.trace_context()
                await self._sink.append([_record(one, trace) for one in due])
        return len(due)


def _record(due: Due, trace: dict[str, str]) -> Record:
    identity = uuid.uuid5(NAMESPACE, f"look:{due.ref.key}:{due.claimed_at.isoformat()}")
    return Record.of(FeedbackDue(ref=due.ref), id=identity, trace=trace)
