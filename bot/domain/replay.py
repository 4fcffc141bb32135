"""Choose from the history of the log what is handed out once more, as copies that the inbox takes for new."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from bot.domain.events import Action, MergeRequestChanged, Record, Stage, UnknownEvent
from bot.domain.merge_request import ref_of

#: Where a copy names the event that it goes back to, beside the trace context, which nothing else inherits.
ORIGINAL = "original"


def original_of(record: Record) -> uuid.UUID:
    """Return the id of the event that *record* is a copy of, over all generations; its own if it is none."""
    try:
        return uuid.UUID(record.trace[ORIGINAL])
    except (KeyError, ValueError):
        return record.id


def copied(record: Record, nonce: str) -> Record:
    """Return *record* as new work in the same trace; an event and its copies give one copy for each *nonce*."""
    original = original_of(record)
    return record.model_copy(
        update={
            "id": uuid.uuid5(original, nonce),
            "attempt": 0,
            "due_at": None,
            "trace": {**record.trace, ORIGINAL: str(original)},
        }
    )


@dataclass(frozen=True, slots=True)
class _Newest:
    """Hold what is known of the newest change of a merge request."""

    original: uuid.UUID
    updated_at: datetime | None
    opened: bool


class Selection:
    """Choose the events of one stage that are handed out again.

    First every record of the range goes to `consider`, then once more to `take`, in the same order. An event
    is taken once, however many retries and earlier copies of it are in the range. Of the changes of a merge
    request only the newest is taken: intake would drop the others as overtaken, but could take one that has
    no time of its own for news.

    Args:
        stage: whose events they are.
        nonce: tells this replay from others.
        project_id: take only events of this project.
        again: whether the newest change of an open merge request starts a review although its head has had one.
    """

    def __init__(
        self, stage: Stage, nonce: str, *, project_id: int | None = None, again: bool = False
    ) -> None:
        self.stage = stage
        self.unreadable = 0
        self._nonce = nonce
        self._project_id = project_id
        self._again = again
        self._newest: dict[str, _Newest] = {}
        self._chosen: dict[uuid.UUID, str] = {}
        self._taken: set[uuid.UUID] = set()

    @property
    def events(self) -> int:
        """Return how many events are chosen."""
        return len(self._newest) + len(self._chosen)

    @property
    def merge_requests(self) -> int:
        """Return how many merge requests they are about."""
        return len(self._newest) + len(set(self._chosen.values()))

    @property
    def reviews(self) -> int:
        """Return how many merge requests get a review whether they have had one or not."""
        return sum(newest.opened for newest in self._newest.values()) if self._again else 0

    def consider(self, record: Record) -> None:
        """Look at the next record of the range."""
        if not self._wanted(record):
            return
        if self.stage is not Stage.intake:
            self._chosen[original_of(record)] = record.key
            return
        change = _change(record)
        if change is None:
            self.unreadable += 1
            return
        known = self._newest.get(record.key)
        if known is None or not _later(known.updated_at, change.updated_at):
            opened = change.action is Action.changed
            self._newest[record.key] = _Newest(original_of(record), change.updated_at, opened)

    def take(self, record: Record) -> Record | None:
        """Return the copy of the next record of the range, None when it is not handed out."""
        original = original_of(record)
        newest = self._newest.get(record.key)
        chosen = original in self._chosen or (newest is not None and newest.original == original)
        if not chosen or original in self._taken:
            return None
        self._taken.add(original)
        change = _change(record)
        return copied(record if change is None else self._asked(record, change), self._nonce)

    def _asked(self, record: Record, change: MergeRequestChanged) -> Record:
        """Return *record* as intake shall see it now: a head without a time may be an old one, so GitLab is asked."""
        if change.action is Action.closed:
            return record
        head = change.head_sha if change.updated_at else None
        asked = change.model_copy(update={"again": self._again, "head_sha": head})
        return record.model_copy(update={"version": asked.version, "body": asked.model_dump(mode="json")})

    def _wanted(self, record: Record) -> bool:
        if self._project_id is None:
            return True
        ref = ref_of(record.key)
        return ref is not None and ref.project_id == self._project_id


def _change(record: Record) -> MergeRequestChanged | None:
    try:
        event = record.event()
    except (UnknownEvent, ValidationError):
        return None
    return event if isinstance(event, MergeRequestChanged) else None


def _later(one: datetime | None, other: datetime | None) -> bool:
    """Say whether *one* is later by the forge's own time; without times the order of the log decides."""
    return one is not None and other is not None and one > other
