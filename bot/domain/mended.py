"""Whether defects that a model has found were mended: asked of a model with the code of then and now, and read back.

What it says counts only with a line of the code of now that reads as quoted.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from bot.domain import schema
from bot.domain.claims import FRAME, NO_RULING, Ruled, rulings
from bot.domain.diff import FileDiff, Sign
from bot.domain.excerpt import Excerpt, Source, header, row, visible
from bot.domain.findings import Finding
from bot.domain.line_map import LineMap
from bot.domain.prompt import fence_around
from bot.domain.quoting import folded_lines, located
from bot.domain.said import UnusableAnswer, said

_MAX_MESSAGE_CHARS: Final = 600
#: Lines above and below: of then enough to know the place, of now most of a function.
_AROUND_THEN: Final = 3
_AROUND: Final = 10
#: Code of one claim, then and now; who rewrote more than this has written something else.
_MOST_ROWS: Final = 60

#: A comment says that something is mended; it mends nothing.
_COMMENT = re.compile(
    r"""\s*(?: \# | // | /\* | \*(?:\s|/|$) | --\s | <!-- | ;;|;\s | \{\# | \{-\s | (?P<quotes>\"{3}|'{3}).*(?P=quotes)\s*$ )""",
    re.VERBOSE,
)


class Ruling(enum.StrEnum):
    """What a model says of a defect."""

    mended = "mended"
    still_there = "still_there"
    cannot_say = "cannot_say"


SCHEMA: Final = schema.record(rulings=rulings(Ruling))


@dataclass(frozen=True, slots=True)
class Claim:
    """Hold what was found, the code that it was found in, and the code that stands there now."""

    finding: Finding
    then: Excerpt
    now: Excerpt


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what was proven of a claim: it is mended or it is not, and by which line of the code of now."""

    mended: bool
    line: int


def claim(finding: Finding, file: FileDiff, *, then: Source, now: Source) -> Claim | None:
    """Return what to ask of *finding*, whose lines are those of *then*; None where no code is left to show.

    Args:
        finding: where it was, and what was said of it.
        file: how its file changed from then to now.
        then: the file in which it was found.
        now: the file as it is, under whatever name.
    """
    if file.truncated or file.binary or not now.lines or finding.end_line > len(then.lines):
        return None
    first, last = _place(finding, LineMap(file), then, now)
    shown = range(max(1, first - _AROUND), min(len(now.lines), last + _AROUND) + 1)[:_MOST_ROWS]
    before = range(
        max(1, finding.line - _AROUND_THEN), min(len(then.lines), finding.end_line + _AROUND_THEN) + 1
    )
    added = file.added_lines
    return Claim(
        finding,
        Excerpt(file.old_path, tuple(then.row(number) for number in before[:_MOST_ROWS])),
        Excerpt(
            file.new_path,
            tuple(
                row(
                    number,
                    Sign.added if number in added else Sign.context,
                    now.lines[number - 1],
                    now.masked[number - 1],
                )
                for number in shown
            ),
        ),
    )


def question(claims: Sequence[Claim]) -> str:
    """Return the prompt about *claims*, secrets masked."""
    data = "\n\n".join(f"Claim {number}: {_written(one)}" for number, one in enumerate(claims))
    return FRAME.format(fence=fence_around([data]), data=data)


def read(text: str, claims: Sequence[Claim]) -> Mapping[int, Verdict]:
    """Return what *text* proves, by the number of the claim.

    A verdict counts if it quotes a line of the code of now, no comment, and for *mended* one that is new where any is:
    the same line with another indentation is not.
    What contradicts itself proves nothing.

    Raises:
        UnusableAnswer: there is no verdict in it.
    """
    spoken = said(text, "rulings")
    told: dict[int, set[Verdict | None]] = {}
    for number, verdict in _verdicts(spoken.items, claims):
        told.setdefault(number, set()).add(verdict)
    if not told:
        raise UnusableAnswer(NO_RULING)
    found: dict[int, Verdict] = {}
    for number, all_of_it in told.items():
        first = next(iter(all_of_it))
        if first is not None and all(one and one.mended is first.mended for one in all_of_it):
            found[number] = first
    return found


def _place(finding: Finding, lines: LineMap, then: Source, now: Source) -> tuple[int, int]:
    """Return the lines of now between those that stood above and below *finding* and still do."""
    above = next((new for old in range(finding.line - 1, 0, -1) if (new := lines.new_of(old))), 0)
    below = next(
        (new for old in range(finding.end_line + 1, len(then.lines) + 1) if (new := lines.new_of(old))),
        len(now.lines) + 1,
    )
    return above + 1, max(above + 1, below - 1)


def _written(one: Claim) -> str:
    finding = one.finding
    lines = str(finding.line) if finding.line == finding.end_line else f"{finding.line}-{finding.end_line}"
    return "\n".join(
        [
            f"{_one_line(finding.category)}, line {lines} of then: {_one_line(finding.title)}",
            _one_line(finding.message)[:_MAX_MESSAGE_CHARS],
            f"The code of then. {header(one.then.path)}",
            one.then.text,
            f"The code of now. {header(one.now.path)}",
            one.now.text,
        ]
    )


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _verdicts(items: Sequence[object], claims: Sequence[Claim]) -> Iterator[tuple[int, Verdict | None]]:
    for item in items:
        try:
            raw = Ruled.model_validate(item)
            ruling = Ruling(raw.verdict.lower())
        except (ValidationError, ValueError, RecursionError):
            continue
        if raw.claim < len(claims):
            yield raw.claim, _proven(raw, ruling, claims[raw.claim])


def _proven(raw: Ruled, ruling: Ruling, one: Claim) -> Verdict | None:
    now = one.now
    line = located(raw.line, raw.quote, [now])
    if ruling is Ruling.cannot_say or line is None:
        return None
    quoted = range(line, line + len(folded_lines(raw.quote)))
    if all(_COMMENT.match(now.shown[number].text) for number in quoted):
        return None
    if ruling is Ruling.mended and now.added and _new(one).isdisjoint(quoted):
        return None
    return Verdict(ruling is Ruling.mended, line)


def _new(one: Claim) -> frozenset[int]:
    """Return which lines of now are new; those only that did not stand there before with other blanks, where any are."""
    before = {_blank_free(shown.text) for shown in one.then.rows}
    fresh = [number for number in one.now.added if _blank_free(one.now.shown[number].text) not in before]
    return frozenset(fresh) or one.now.added


def _blank_free(text: str) -> str:
    return "".join(text.split())
