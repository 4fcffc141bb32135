"""The first pass over a text: all expressions at once, in one Hyperscan database."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import hyperscan

from bot.domain.errors import Permanent

_SHORT_BYTES, _PADDING = 4_096, b"\n" * 64


class Database:
    """Find where expressions end in bytes. Safe to use from several threads.

    Args:
        expressions: by name; the name is for messages.
    """

    def __init__(self, expressions: Sequence[tuple[str, bytes]]) -> None:
        self._expressions = expressions
        self._lock = threading.Lock()
        self._compiled: Any = None
        self._local = threading.local()

    def warm(self) -> None:
        """Compile now instead of at first use.

        Raises:
            Permanent: an expression is broken; the message names it.
        """
        with self._lock:
            if self._compiled is None:
                self._compiled = _compile(self._expressions)

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (end, number of the expression) in order of the ends."""
        if self._compiled is None:
            self.warm()
        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            # Two scans must never share one, and each thread scans one text at a time.
            scratch = self._local.scratch = hyperscan.Scratch(self._compiled)
        found: list[tuple[int, int]] = []
        last: dict[int, int] = {}

        def collect(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            # An open-ended expression reports every possible end; a few bytes apart say nothing new.
            if end - last.get(number, -9) > 8:
                last[number] = end
                found.append((end, number))

        # At the end of a short text Hyperscan misses some matches, with more behind them it does not.
        text = data + _PADDING if len(data) < _SHORT_BYTES else data
        self._compiled.scan(text, match_event_handler=collect, scratch=scratch)
        found = [(min(end, len(data)), number) for end, number in found]
        found.sort()
        return found


def _compile(expressions: Sequence[tuple[str, bytes]]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[expression for _, expression in expressions],
            ids=list(range(len(expressions))),
            flags=[hyperscan.HS_FLAG_MULTILINE] * len(expressions),
        )
    except hyperscan.error as error:
        raise Permanent(f"secret rule {_culprit(expressions)} is broken: {error}") from error
    return database


def _culprit(expressions: Sequence[tuple[str, bytes]]) -> str:
    """Return the name of the first expression that cannot be compiled by itself."""
    for name, expression in expressions:
        try:
            hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(expressions=[expression])
        except hyperscan.error:
            return name
    return "(several together)"
