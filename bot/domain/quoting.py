"""Whether lines read as somebody says they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bot.domain.excerpt import Excerpt

#: A quote shorter than this matches too much to prove a part of a line.
_TELLING_CHARS: Final = 8


class Misquoted(Exception):
    """Say in what a quote does not hold."""


def anchored(line: int, quote: str, excerpts: Sequence[Excerpt]) -> tuple[Excerpt, int]:
    """Return where the quoted code is: at *line*, or else at the only added line of *excerpts* that reads so.

    Args:
        line: as the model numbers it.
        quote: one or several lines; spacing does not count.
        excerpts: those of one file.

    Raises:
        Misquoted: nowhere.
    """
    wanted = folded_lines(quote)
    if not wanted:
        msg = "it quotes nothing"
        raise Misquoted(msg)
    for excerpt in excerpts:
        if line in excerpt.added and reads(excerpt, line, wanted, exactly=False):
            return excerpt, line
    places = [
        (excerpt, number)
        for excerpt in excerpts
        for number in sorted(excerpt.added)
        if reads(excerpt, number, wanted, exactly=True)
    ]
    if len(places) != 1:
        known = any(line in excerpt.added for excerpt in excerpts)
        raise Misquoted(
            "its line does not read as quoted" if known else "its line was not added by the change"
        )
    return places[0]


def located(line: Any, quote: Any, excerpts: Sequence[Excerpt]) -> int | None:
    """Return the line that reads as quoted, added or not: *line*, or else the only one; None if nothing does.

    A quote without a letter or a digit, such as a brace, tells nothing.
    """
    if not isinstance(line, int) or isinstance(line, bool) or not isinstance(quote, str):
        return None
    wanted = folded_lines(quote)
    if not any(character.isalnum() for character in quote):
        return None
    if any(line in one.shown and reads(one, line, wanted, exactly=False) for one in excerpts):
        return line
    places = {number for one in excerpts for number in one.shown if reads(one, number, wanted, exactly=True)}
    return places.pop() if len(places) == 1 else None


def reads(excerpt: Excerpt, line: int, wanted: Sequence[str], *, exactly: bool) -> bool:
    """Say whether the lines from *line* on are *wanted*; a single telling part of one will do, unless *exactly*."""
    if len(wanted) == 1 and not exactly and len(wanted[0]) >= _TELLING_CHARS:
        return wanted[0] in folded(excerpt.shown[line].text)
    rows = [excerpt.shown.get(line + offset) for offset in range(len(wanted))]
    return all(row is not None and folded(row.text) == part for row, part in zip(rows, wanted, strict=True))


def folded_lines(quote: str) -> list[str]:
    """Return the lines of *quote* that are not blank, spacing folded."""
    return [one for part in quote.split("\n") if (one := folded(part))]


def folded(text: str) -> str:
    """Return *text* with every run of blanks as one."""
    return " ".join(text.split())
