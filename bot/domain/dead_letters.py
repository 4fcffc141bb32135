"""Events that were given up, and what it means to retry one."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from bot.domain.errors import Permanent
from bot.domain.events import (
    UNREADABLE,
    Action,
    Event,
    FetchRequested,
    MergeRequestChanged,
    Record,
    ReportRequested,
    ReviewRequested,
    ScanRequested,
    UnknownEvent,
    Unreadable,
)
from bot.domain.merge_request import MergeRequestRef, ref_of
from bot.domain.replay import ORIGINAL, copied
from bot.domain.run import REVIEW_STEP, Outcome, Run, RunState
from bot.domain.steps import SCAN_PREFIX

#: Events whose stage marks the run when it gives one up, a moment after it has put the letter here.
_MARKING = (FetchRequested, ScanRequested, ReportRequested, ReviewRequested)
#: Errors of letters that nobody could tell the run of.
_UNTOLD = frozenset({"UnknownEvent", "Unreadable", "ValidationError"})


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Hold an event that was given up, with the reason; ``content`` is the record as it stood in the log."""

    number: int
    stage: str
    event_id: uuid.UUID
    attempts: int
    error: str
    reason: str
    parked_at: datetime
    content: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Return the kind of the event."""
        return str(self.content.get("kind", ""))

    @property
    def ref(self) -> MergeRequestRef | None:
        """Return the merge request, None when the letter names none."""
        if self.kind == UNREADABLE:
            return None
        return ref_of(str(self.content.get("key", "")))

    @property
    def trace_id(self) -> str:
        """Return the id of the trace, empty when there is none."""
        trace = self.content.get("trace")
        parts = str(trace.get("traceparent", "")).split("-") if isinstance(trace, dict) else []
        return parts[1] if len(parts) == 4 else ""

    @property
    def unread(self) -> Unread | None:
        """Return what was no record, None when there was one."""
        body = self.content.get("body")
        if self.kind != UNREADABLE or not isinstance(body, dict):
            return None
        try:
            raw = base64.b64decode(str(body.get("raw_base64", "")), validate=True)
        except ValueError:
            raw = b""
        place, size = body.get("from"), body.get("size")
        return Unread(
            raw,
            size if isinstance(size, int) else len(raw),
            str(body.get("problem", "")),
            place if isinstance(place, dict) else {},
        )

    def read(self) -> tuple[Record, Event]:
        """Return the event, read once more with what this release knows.

        Raises:
            Permanent: it still cannot be read.
        """
        unread = self.unread
        try:
            record = Record.model_validate_json(unread.raw if unread else json.dumps(self.content))
            event = record.event()
        except (UnknownEvent, Unreadable, ValidationError) as error:
            problem = (
                str(error) if isinstance(error, UnknownEvent) else "it is no event that this release reads"
            )
            if unread and unread.cut:
                problem = f"only {len(unread.raw)} of its {unread.size} bytes were kept"
            raise self._stays(problem) from error
        if (record.key, record.stage) != (event.key, event.stage):
            raise self._stays("it is addressed to another merge request or stage than it is about")
        return record, event

    def _stays(self, problem: str) -> Permanent:
        return Permanent(
            f"dead letter {self.number} cannot be retried: {problem}. It stays here; retry it after an upgrade,"
            f" or give it up with `cloister dlq drop {self.number}`"
        )


@dataclass(frozen=True, slots=True)
class Unread:
    """Hold the first bytes of what was no record, how many there were, why not, and where they stood in the log."""

    raw: bytes
    size: int
    problem: str
    place: Mapping[str, Any]

    @property
    def cut(self) -> bool:
        """Say whether not all of it was kept."""
        return self.size > len(self.raw)


@dataclass(frozen=True, slots=True)
class HandOut:
    """Append ``record`` in place of the letter."""

    record: Record
    said: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Do nothing more: the letter has lost its point."""

    said: str


def run_of(event: Event) -> uuid.UUID | None:
    """Return the run that *event* belongs to, None when it belongs to none."""
    run_id: uuid.UUID | None = getattr(event, "run_id", None)
    return run_id


def retry(
    letter: DeadLetter, record: Record, event: Event, run: Run | None, *, newest: bool
) -> HandOut | Settled:
    """Return what becomes of *letter* now that its cause is removed.

    An event of a run that goes on is handed out again. Where giving it up has marked the run, or is about to, it
    would find nothing to do: the merge request is reviewed once more instead, for all letters of the run together.

    Args:
        letter: what was given up.
        record: the record in it.
        event: the event in that.
        run: the run of *event*, None when there is none.
        newest: whether *run* reviews the newest known head of an open merge request.
    """
    again = copied(record, f"dead letter {letter.number}")
    if isinstance(event, MergeRequestChanged):
        return HandOut(_asking_for_head(again, event), "handed out again; GitLab is asked for the head")
    if run_of(event) is None:
        return HandOut(again, "handed out again")
    if run is None:
        return Settled("nothing to do: its review is no longer known")
    if run.state is RunState.superseded or not newest:
        return Settled("nothing to do: a newer head won, or the merge request was closed")
    if run.state is RunState.failed or _failed(event, run) or (not run.ended and _marks(letter, event)):
        return HandOut(_review_again(record, run), "the merge request is reviewed again")
    if run.ended:
        return Settled("nothing to do: the review has been finished")
    return HandOut(again, "handed out again")


def _asking_for_head(record: Record, event: MergeRequestChanged) -> Record:
    """Return *record* without its head, which may be an old one by now; a close is looked up in any case."""
    if event.action is Action.closed:
        return record
    asking = event.model_copy(update={"head_sha": None, "updated_at": None})
    return record.model_copy(update={"version": asking.version, "body": asking.model_dump(mode="json")})


def _marks(letter: DeadLetter, event: Event) -> bool:
    """Say whether giving *event* up marks its run."""
    return isinstance(event, _MARKING) and letter.stage == event.stage and letter.error not in _UNTOLD


def _failed(event: Event, run: Run) -> bool:
    match event:
        case ScanRequested() | ReportRequested():
            step = run.steps.get(f"{SCAN_PREFIX}{event.scanner}")
        case ReviewRequested():
            step = run.steps.get(REVIEW_STEP)
        case _:
            step = None
    return step is not None and step.outcome is Outcome.failed


def _review_again(record: Record, run: Run) -> Record:
    event = MergeRequestChanged(
        ref=run.ref, action=Action.changed, head_sha=None, again=True, source="command"
    )
    trace = {name: value for name, value in record.trace.items() if name != ORIGINAL}
    return Record.of(event, id=uuid.uuid5(run.id, "review again"), trace=trace)
