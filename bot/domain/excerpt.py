"""The numbered source lines that a model gets to see.

An excerpt remembers exactly what was shown, so that an answer is judged by what the model knew.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.domain.diff import FileDiff, Hunk, Sign

#: Enclosing lines shown above a hunk: a class, a method and two nested blocks.
_MAX_ENCLOSING = 4
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})


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


def header(path: str) -> str:
    """Return the line that names the file above its excerpts; the path is a JSON string."""
    return f"File: {json.dumps(path, ensure_ascii=False)}"


def visible(text: str) -> str:
    """Return *text* with a mark for each character that could fake a line, or that UTF-8 cannot carry."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _BREAKING and c not in "\n\t" else c
        for c in text
    )


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


def excerpts(file: FileDiff, head: Sequence[str], redact: Callable[[str], str]) -> list[Excerpt]:
    """Return one excerpt per hunk of *file*.

    Args:
        file: a change with hunks.
        head: the redacted lines of the file at the head, empty when it is not at hand. It gives enclosing
            lines, and masks secrets whose beginning or end no hunk shows.
        redact: masks secrets in the hunks, removed lines included.

    Raises:
        Unshowable: *redact* joined lines.
    """
    return [_excerpt(file.new_path, _rows(hunk, head, redact), head) for hunk in file.hunks]


def halves(excerpt: Excerpt, head: Sequence[str]) -> tuple[Excerpt, Excerpt] | None:
    """Return *excerpt* cut in two where the code is least indented, None when it is a single row."""
    rows = excerpt.rows
    if len(rows) < 2:
        return None
    middle = range(max(1, len(rows) // 4), max(2, len(rows) * 3 // 4))
    cut = min(middle, key=lambda at: (not rows[at].text.strip(), rows[at].indent, abs(2 * at - len(rows))))
    return _excerpt(excerpt.path, rows[:cut], head), _excerpt(excerpt.path, rows[cut:], head)


def _rows(hunk: Hunk, head: Sequence[str], redact: Callable[[str], str]) -> tuple[Row, ...]:
    known = [head[line.new - 1] if line.new and line.new <= len(head) else line.text for line in hunk.lines]
    texts = redacted(known, redact)
    return tuple(
        _row(line.new, line.sign, line.text, text) for line, text in zip(hunk.lines, texts, strict=True)
    )


def _row(number: int | None, sign: Sign, original: str, text: str) -> Row:
    shown = visible(text.removesuffix("\r").replace("\n", " "))
    return Row(number, sign, shown, altered=shown != original.removesuffix("\r"))


def _excerpt(path: str, rows: tuple[Row, ...], head: Sequence[str]) -> Excerpt:
    return Excerpt(path, rows, tuple(_enclosing(rows, head)))


def _enclosing(rows: Sequence[Row], head: Sequence[str]) -> Iterator[Row]:
    """Yield the lines above *rows* that indentation says enclose them, outermost first."""
    first = next((row for row in rows if row.number and row.text.strip()), None)
    start = next((row.number for row in rows if row.number), None)
    if first is None or start is None:
        return
    indent, found = first.indent, list[Row]()
    for number in range(min(start - 1, len(head)), 0, -1):
        row = _row(number, Sign.context, head[number - 1], head[number - 1])
        if indent == 0:
            break
        if row.text.strip() and row.indent < indent:
            found.append(row)
            indent = row.indent
    yield from reversed(found[-_MAX_ENCLOSING:])
