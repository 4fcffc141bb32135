"""The numbered source lines that a model gets to see.

An excerpt remembers exactly what was shown, so that an answer is judged by what the model knew.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.domain.control_tokens import plain
from bot.domain.diff import Sign
from bot.domain.markdown import BLANK

#: Categories of characters that could fake a line, that UTF-8 cannot carry, or that nobody sees in a diff.
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
#: Letters and marks without a shape can spell out whole sentences. The two that choose how emoji look are harmless.
_BLANK = BLANK - {"\ufe0e", "\ufe0f"}


class Unshowable(Exception):
    """Say why a file cannot be put into a prompt."""


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one line as shown; ``number`` is None on a removed line.

    ``altered`` says that the shown text is not exactly the file's, because something was masked.
    """

    number: int | None
    sign: Sign
    text: str
    altered: bool = False

    @property
    def indent(self) -> int:
        """Return how many blanks the text starts with."""
        return len(self.text) - len(self.text.lstrip())

    def __str__(self) -> str:
        number = "" if self.number is None else self.number
        return f"{number:>5} {self.sign} {self.text}".rstrip()


@dataclass(frozen=True)
class Excerpt:
    """Hold consecutive rows of one file's change; ``enclosing`` are head lines above it, for orientation."""

    path: str
    rows: tuple[Row, ...]
    enclosing: tuple[Row, ...] = ()

    @cached_property
    def shown(self) -> Mapping[int, Row]:
        """Return the rows that are lines of the head, by number."""
        return {row.number: row for row in self.rows if row.number is not None}

    @cached_property
    def added(self) -> frozenset[int]:
        """Return the numbers of the shown lines that the change adds."""
        return frozenset(number for number, row in self.shown.items() if row.sign is Sign.added)

    @cached_property
    def span(self) -> str:
        """Return the new-side lines it covers, e.g. ``12-40`` or ``7``; empty where it only removes."""
        numbers = [row.number for row in self.rows if row.number]
        return "-".join(dict.fromkeys(map(str, numbers[:1] + numbers[-1:])))

    @cached_property
    def text(self) -> str:
        """Return the rows as the model sees them."""
        gap = ["  ..."] if self.enclosing else []
        return "\n".join([*map(str, self.enclosing), *gap, *map(str, self.rows)])


@dataclass(frozen=True, slots=True)
class Source:
    """Hold the lines of a file at the head, as they are and with secrets masked; both empty if it is not at hand."""

    lines: Sequence[str] = ()
    masked: Sequence[str] = ()

    @classmethod
    def of(cls, text: str | None, redact: Callable[[str], str]) -> Source:
        """Return the lines of *text*.

        Raises:
            Unshowable: *redact* joined lines.
        """
        lines = text.split("\n") if text is not None else []
        return cls(lines, redacted(lines, redact))

    def row(self, number: int) -> Row:
        """Return line *number* as context."""
        return row(number, Sign.context, self.lines[number - 1], self.masked[number - 1])


def row(number: int | None, sign: Sign, original: str, text: str) -> Row:
    """Return a line that shows *text* where the file has *original*."""
    shown = visible(text.removesuffix("\r").replace("\n", " "))
    return Row(number, sign, shown, altered=shown != original.removesuffix("\r"))


def header(path: str) -> str:
    """Return the line that names the file above its excerpts; the path is a JSON string."""
    return f"File: {quoted(path)}"


def quoted(path: str) -> str:
    """Return *path* as a JSON string, which no path can break out of."""
    return json.dumps(visible(path), ensure_ascii=False)


def visible(text: str) -> str:
    """Return *text* with a mark for each character that could fake a line, or that people do not see.

    What a reviewer cannot read must not speak to the model, and nothing may speak to the server.
    """
    text = plain(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_hidden(c) else c for c in text)


def _is_hidden(char: str) -> bool:
    return (unicodedata.category(char) in _HIDDEN and char not in "\n\t") or char in _BLANK


def redacted(lines: Sequence[str], redact: Callable[[str], str]) -> list[str]:
    """Return *lines* with secrets masked, those that span lines included.

    Raises:
        Unshowable: *redact* joined lines, so that line numbers are no longer known.
    """
    masked = redact("\n".join(lines)).split("\n") if lines else []
    if len(masked) != len(lines):
        msg = "it holds a secret that spans lines"
        raise Unshowable(msg)
    return masked
