"""The audit log: what people did with their privileges, each entry bound to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

#: What the first entry is bound to.
GENESIS = "0" * 64

Detail = str | int | bool | None

_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")
#: What the database would not keep as it is.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Act:
    """Hold what somebody did: ``action`` is a word such as ``token.create``, ``subject`` what it was done to.

    ``details`` must hold no secret; nobody can take it out again.
    """

    actor: str
    action: str
    subject: str = ""
    project_id: int | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)

    def storable(self) -> Act:
        """Return it as the database will give it back: the hash is made of that."""
        return Act(
            _storable(self.actor),
            _storable(self.action),
            _storable(self.subject),
            self.project_id,
            {
                _storable(key): _storable(value) if isinstance(value, str) else value
                for key, value in self.details.items()
            },
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold an act in its place in the chain."""

    number: int
    at: datetime
    act: Act
    previous: str
    hash: str

    @classmethod
    def after(cls, previous: Entry | None, act: Act, at: datetime) -> Self:
        """Return the entry of *act* that follows *previous*, None for the first of all."""
        number, before = (previous.number + 1, previous.hash) if previous else (1, GENESIS)
        kept = act.storable()
        return cls(number, at, kept, before, _hash(number, at, kept, before))

    @property
    def head(self) -> str:
        """Return what names this entry and all before it: keep it elsewhere, and nobody can take them away."""
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Broken:
    """Hold where a chain breaks first, and how."""

    number: int
    reason: str


def parse_head(text: str) -> tuple[int, str]:
    """Return number and hash of a head as `Entry.head` writes it.

    Raises:
        ValueError: it is none.
    """
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        msg = "a head is NUMBER:HASH, as `cloister audit head` prints it"
        raise ValueError(msg)
    return int(match[1]), match[2]


@dataclass(frozen=True, slots=True)
class Checked:
    """Hold what a look at the newest part of a chain came to: it began with the entry ``first``.

    ``head`` names the last entry that is in order, None where there is none; ``broken`` is None for a whole chain.
    """

    first: int
    head: str | None
    broken: Broken | None = None


def checked(entries: Sequence[Entry], *, most: int) -> Checked:
    """Check the last *most* of *entries*, the newest first; one more than that is what they follow, on trust."""
    oldest = entries[most] if len(entries) > most else None
    verification = Verification(since=oldest)
    verification.take(reversed(entries[:most]))
    broken, last = verification.end(), verification.last
    return Checked(oldest.number + 1 if oldest else 1, last.head if last else None, broken)


class Verification:
    """Check a chain, handed over in the order of its numbers, part by part.

    Args:
        kept: a head that was kept elsewhere, which must be in the chain.
        since: an entry that is taken on trust, None to begin with the first of all.
    """

    def __init__(self, kept: tuple[int, str] | None = None, *, since: Entry | None = None) -> None:
        self._kept = kept
        self._last = since
        self.broken: Broken | None = None

    @property
    def last(self) -> Entry | None:
        """Return the last entry that is in order."""
        return self._last

    def take(self, entries: Iterable[Entry]) -> None:
        """Check what comes next; nothing after the first break counts."""
        for entry in entries:
            if self.broken is None:
                self.broken = self._problem(entry)
            if self.broken is None:
                self._last = entry

    def end(self) -> Broken | None:
        """Return the first break, None if the chain is whole."""
        length = self._last.number if self._last else 0
        if self.broken is None and self._kept is not None and self._kept[0] > length:
            reason = f"it is missing, and all after it: the chain was {self._kept[0]} entries long"
            self.broken = Broken(length + 1, reason)
        return self.broken

    def _problem(self, entry: Entry) -> Broken | None:
        number, before = (self._last.number + 1, self._last.hash) if self._last else (1, GENESIS)
        if entry.number != number:
            return Broken(number, f"it is missing: entry {entry.number} comes next")
        if entry.previous != before:
            return Broken(number, "it does not follow the entry before it")
        if entry.hash != _hash(entry.number, entry.at, entry.act, entry.previous):
            return Broken(number, "it was changed: its hash is not that of its content")
        if self._kept is not None and self._kept[0] == number and self._kept[1] != entry.hash:
            return Broken(number, "it is not the one that the kept head names: the chain was made anew")
        return None


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text[:_LONGEST])


def _hash(number: int, at: datetime, act: Act, previous: str) -> str:
    content = {
        "number": number,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": act.actor,
        "action": act.action,
        "subject": act.subject,
        "project_id": act.project_id,
        "details": dict(act.details),
        "previous": previous,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
