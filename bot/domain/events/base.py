"""What every event is, and how its id follows from what caused it."""

from __future__ import annotations

import enum
import uuid
from abc import ABC, abstractmethod
from typing import ClassVar

from bot.domain.merge_request import MergeRequestRef, Value

#: Namespace of every deterministic id that Cloister makes.
NAMESPACE = uuid.UUID("6f3f6a0e-7f0e-5d0a-9a50-1f6d2b7f9c11")


class Stage(enum.StrEnum):
    """The stages; each has one topic and one consumer group of the same name."""

    intake = "intake"
    fetch = "fetch"
    scan = "scan"
    report = "report"
    review = "review"
    collect = "collect"
    verify = "verify"
    publish = "publish"
    converse = "converse"
    tests = "tests"
    feedback = "feedback"


class Event(Value, ABC):
    """Say that something happened, or should happen."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    stage: ClassVar[Stage]

    @property
    @abstractmethod
    def key(self) -> str:
        """Return the ordering key."""

    @property
    def discriminator(self) -> str:
        """Return what tells siblings of one parent apart; empty where a parent emits one per kind."""
        return ""


class MergeRequestEvent(Event):
    """Say that something happened, or should happen, to one merge request."""

    ref: MergeRequestRef

    @property
    def key(self) -> str:
        """Return the ordering key."""
        return self.ref.key


def event_id(parent: uuid.UUID, event: Event) -> uuid.UUID:
    """Return the id of *event* emitted while handling *parent*: the same inputs give the same id."""
    return uuid.uuid5(parent, f"{event.kind}:{event.discriminator}")


def delivery_id(source: str, delivery_key: str) -> uuid.UUID:
    """Return the id of an event that came from outside, from the sender's stable delivery key."""
    return uuid.uuid5(NAMESPACE, f"{source}:{delivery_key}")
