"""Find merge requests whose event never came, by listing what was updated: the forge repeats no delivery."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

import structlog

from bot.domain.errors import CloisterError, Obsolete, Permanent, Transient
from bot.domain.events import Record
from bot.domain.forge import UpdatedMergeRequest
from bot.domain.missed import OPENED, missed, missed_id, unusable
from bot.domain.retry import MAX_ASKED_S, describe
from bot.ports import Clock, EventSink, ForgeUpdates, Reconciliations, Telemetry, Turn
from bot.runtime.regularly import regularly

log = structlog.get_logger()

#: Time between two passes of an installation.
EVERY = timedelta(minutes=5)
#: The same while a backlog is worked off.
SOON = timedelta(seconds=15)
#: How far back the very first pass looks.
FIRST = timedelta(hours=24)
#: Above the time that one page takes, so that only a dead process is followed by another.
LEASE = timedelta(minutes=3)
#: What was updated this short a time ago is left to its hook.
SETTLE = timedelta(seconds=30)
#: The list may lag behind: what is newer than this is looked at once more by the next pass.
OVERLAP = timedelta(seconds=90)
#: Pages of a pass, so that a backlog neither keeps the forge busy nor the turn for long.
PASS_PAGES = 20
#: A hundred thousand updates are more than anybody wants to have reviewed at once.
MAX_PAGES = 1000
#: How often a process looks whether a pass is due.
POLL_S = 10.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Hold settled merge requests, and until when nothing else was updated; ``now`` is the forge's time."""

    merge_requests: Sequence[UpdatedMergeRequest]
    position: datetime
    now: datetime
    last: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Say what to ask for, in a list that moves: each update takes an entry to the end, and the rest one up.

    So the way leads on from the time of the last entry, not by the number of the page. Only where one time fills
    more than a page, pages are counted, and then once more backwards: what moved up over the edge is met there.
    """

    since: datetime
    page: int = 1
    then: _Place | None = None
    done: bool = False

    def after(self, reached: datetime, *, ended: bool) -> _Place:
        """Return where to go on when a page went up to *reached*; *ended* when that was the end of the list."""
        if self.then is None and reached == self.since and not ended:
            return _Place(self.since, self.page + 1)
        then = self.then or _Place(reached, done=ended)
        return _Place(self.since, self.page - 1, then) if self.page > 1 else then


@dataclass(frozen=True, slots=True)
class Raised:
    """Hold the events that were missing, and how many of them the log had not seen before."""

    records: tuple[Record, ...]
    new: int


class Reconciler:
    """Compare what the forge lists with what the store knows, and append the events that are missing.

    Events are appended before the cursor moves, and their ids follow from what was compared: two who do the same,
    or one who does it again after a crash, raise the same events.

    Args:
        forge: where merge requests are listed.
        reconciliations: whose turn it is, the cursor, and what is known.
        sink: where missing events go.
        telemetry: counts them.
        clock: stands in where the forge does not tell its time.
        instance: name of the forge.
        members: look into every project that we are a member of, not only into those that had an event.
    """

    def __init__(
        self,
        *,
        forge: ForgeUpdates,
        reconciliations: Reconciliations,
        sink: EventSink,
        telemetry: Telemetry,
        clock: Clock,
        instance: str,
        members: bool = False,
    ) -> None:
        self._forge = forge
        self._reconciliations = reconciliations
        self._sink = sink
        self._telemetry = telemetry
        self._clock = clock
        self._instance = instance
        self._members = members
        self._ours: frozenset[int] | None = None

    async def run(self, *, poll_s: float = POLL_S) -> None:
        """Make the passes that are due until cancelled, which is safe at any time."""
        await regularly(self.take_turn, every_s=poll_s, failed="reconcile.failed")

    async def take_turn(self) -> None:
        """Make one pass if one is due.

        Raises:
            Transient: the store is out of reach.
        """
        turn = await self._reconciliations.claim(self._instance, lease=LEASE, first=FIRST)
        if turn is None:
            return
        try:
            await self._pass(turn)
        except Obsolete:
            log.info("reconcile.taken_over")
        except CloisterError as error:
            asked_s = error.retry_after_s if isinstance(error, Transient) else None
            pause = max(EVERY, timedelta(seconds=min(asked_s or 0.0, MAX_ASKED_S)))
            log.warning("reconcile.failed", error=describe(error), wait_s=pause.total_seconds())
            await turn.move(turn.updated_after, pause=pause)

    async def catch_up(self, since: datetime) -> Raised:
        """Make a whole pass from *since* on, whosever turn it is; the cursor stays where it is.

        Raises:
            CloisterError: as the forge, the store and the log do.
        """
        records: dict[uuid.UUID, Record] = {}
        new = 0
        async with aclosing(self._batches(since)) as batches:
            async for batch in batches:
                raised = await self._raise(batch.merge_requests)
                records |= {record.id: record for record in raised.records}
                new += raised.new
        return Raised(tuple(records.values()), new)

    async def _pass(self, turn: Turn) -> None:
        start, pages = turn.updated_after, 0
        async with aclosing(self._batches(start)) as batches:
            async for batch in batches:
                await self._raise(batch.merge_requests)
                pages += 1
                # Without progress the next pass would do the same again.
                enough = pages >= PASS_PAGES and batch.position > start
                pause = EVERY if batch.last else SOON if enough else LEASE
                cursor = max(turn.updated_after, min(batch.position, batch.now - OVERLAP))
                await turn.move(cursor, pause=pause)
                if enough and not batch.last:
                    log.info("reconcile.unfinished", until=batch.position.isoformat())
                    return

    async def _batches(self, since: datetime) -> AsyncGenerator[_Batch]:
        """Yield what was updated since, the oldest update first, each as often as it is updated meanwhile."""
        self._ours = None
        place = _Place(since)
        seen: set[UpdatedMergeRequest] = set()
        for _ in range(MAX_PAGES):
            found = await self._forge.updated_since(place.since, page=place.page)
            for problem in found.problems:
                log.warning("reconcile.skipped", reason=problem)
            now = found.now or self._clock.now()
            settled = _settled(found.merge_requests, now - SETTLE)
            following = place.after(
                max([place.since, *(one.updated_at for one in settled)]),
                ended=not found.more or len(settled) < len(found.merge_requests),
            )
            unseen = [one for one in settled if one not in seen]
            yield _Batch(unseen, following.since, now, following.done)
            if following.done:
                return
            seen = seen.union(settled) if following.since == place.since else set(settled)
            place = following
        raise Permanent(f"the list of merge requests does not end after {MAX_PAGES} pages")

    async def _raise(self, listed: Sequence[UpdatedMergeRequest]) -> Raised:
        """Append what is missing of *listed*."""
        with self._telemetry.span("reconcile"):
            records = await self._missing(await self._looked_at(listed))
            new = await self._sink.append(records) if records else 0
        if new:
            self._telemetry.count("cloister_reconciled", new)
            for record in records:
                log.info("reconcile.raised", merge_request=record.key, action=record.body["action"])
        return Raised(tuple(records), new)

    async def _looked_at(self, listed: Sequence[UpdatedMergeRequest]) -> list[UpdatedMergeRequest]:
        """Return those of projects that are looked at: an account may be a member where nobody wants reviews."""
        projects = await self._reconciliations.known_projects(
            self._instance, {one.ref.project_id for one in listed}
        )
        if self._members and any(
            one.state == OPENED and one.ref.project_id not in projects for one in listed
        ):
            if self._ours is None:
                self._ours = await self._forge.our_projects()
            projects |= self._ours
        return [one for one in listed if one.ref.project_id in projects]

    async def _missing(self, listed: Sequence[UpdatedMergeRequest]) -> list[Record]:
        for one in listed:
            if reason := unusable(one):
                log.warning("reconcile.skipped", merge_request=one.ref.key, reason=reason)
        known = await self._reconciliations.known([one.ref for one in listed])
        trace = self._telemetry.trace_context()
        records = []
        for one in listed:
            before = known.get(one.ref)
            event = missed(one, before)
            if event is not None:
                records.append(Record.of(event, id=missed_id(event, before), trace=trace))
        return records


def _settled(listed: Sequence[UpdatedMergeRequest], until: datetime) -> list[UpdatedMergeRequest]:
    return list(takewhile(lambda one: one.updated_at <= until, listed))
