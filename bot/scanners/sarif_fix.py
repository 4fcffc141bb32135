"""A fix of a SARIF log -> whole lines of the head."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from bot.domain.findings import Fix
from bot.scanners.sarif_log import Region, Replacement

_MAX_REPLACEMENTS = 100


class _Span(NamedTuple):
    """A stretch of text by line and character, both from 0; the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


def whole_lines(replacements: Sequence[Replacement], lines: Sequence[str], *, utf16: bool) -> Fix | None:
    """Return *replacements* in a file with those *lines* as one fix, None where they do not fit it.

    Args:
        replacements: of one file, in any order; ones that touch each other are refused.
        lines: without their ends.
        utf16: columns count UTF-16 code units, as SARIF does unless told otherwise, instead of characters.
    """
    if not 0 < len(replacements) <= _MAX_REPLACEMENTS:
        return None
    edits = []
    for one in replacements:
        span = _span(one.deleted_region, lines, utf16=utf16)
        if span is None:
            return None
        edits.append((span, one.inserted_content.text.replace("\r\n", "\n")))
    edits.sort()
    if any(_end(one) > _start(other) for (one, _), (other, _) in itertools.pairwise(edits)):
        return None
    first, last = edits[0][0].line, max(span.end_line for span, _ in edits)
    text, at = [], (first, 0)
    for span, inserted in edits:
        text += [_between(lines, at, _start(span)), inserted]
        at = _end(span)
    text.append(_between(lines, at, (last, len(lines[last]))))
    return Fix(line=first + 1, end_line=last + 1, replacement="".join(text))


def _span(region: Region, lines: Sequence[str], *, utf16: bool) -> _Span | None:
    if region.start_line is None or region.start_line > len(lines):
        return None
    line = region.start_line - 1
    end_line = (region.end_line or region.start_line) - 1
    column = _character(lines[line], region.start_column or 1, utf16=utf16)
    if end_line == len(lines) and region.end_column in (None, 1):
        # To the start of the line behind the last: to the end of the file.
        end_line, end_column = end_line - 1, len(lines[-1])
    elif not line <= end_line < len(lines):
        return None
    elif region.end_column is None:
        end_column = len(lines[end_line])
    else:
        end_column = _character(lines[end_line], region.end_column, utf16=utf16)
    if column < 0 or end_column < 0 or (end_line, end_column) < (line, column):
        return None
    return _Span(line, column, end_line, end_column)


def _character(line: str, column: int, *, utf16: bool) -> int:
    """Return the index that *column* names, -1 where there is none."""
    if not utf16:
        return column - 1 if column - 1 <= len(line) else -1
    units = 0
    for index, character in enumerate(line):
        if units == column - 1:
            return index
        units += 2 if ord(character) > 0xFFFF else 1
    return len(line) if units == column - 1 else -1


def _start(span: _Span) -> tuple[int, int]:
    return span.line, span.column


def _end(span: _Span) -> tuple[int, int]:
    return span.end_line, span.end_column


def _between(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    (line, column), (end_line, end_column) = start, end
    if line == end_line:
        return lines[line][column:end_column]
    return "\n".join([lines[line][column:], *lines[line + 1 : end_line], lines[end_line][:end_column]])
