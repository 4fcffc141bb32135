"""Records of the event log as messages of Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.domain.events import Record, Stage

_STAGES = frozenset(stage.value for stage in Stage)

Headers = Sequence[tuple[str, bytes]]


def encode(record: Record) -> tuple[bytes, bytes, Headers]:
    """Return key, value and headers of *record*; its trace context goes where other tools look for it."""
    value = record.model_dump_json(exclude={"trace"}).encode()
    headers = [(name, text.encode()) for name, text in record.trace.items()]
    return record.key.encode(), value, headers


def decode(message: Any, stage: str | None) -> Record:
    """Return the record in *message*; what cannot be one comes back as a record of the kind ``unreadable``.

    *stage* is whose topic it was read from; None for topics that all stages share.
    """
    problem = ""
    try:
        record = Record.model_validate_json(message.value or b"")
        if record.stage not in (_STAGES if stage is None else {stage}):
            problem = f"an event for the stage {record.stage[:40]}, which is not read here"
        elif message.key != record.key.encode():
            problem = "its key is not that of its merge request"
        else:
            return record.model_copy(update={"trace": _trace(message.headers)})
    except ValueError as error:
        problem = f"not a record of Cloister: {_first_line(error)}"
    place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    # Where topics are shared, somebody has to set it aside: the first stage does.
    return Record.unreadable(
        message.value or b"", stage=stage or Stage.intake.value, place=place, problem=problem
    )


def _trace(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in headers}


def _first_line(error: ValueError) -> str:
    return str(error).partition("\n")[0]
