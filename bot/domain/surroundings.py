"""A changed file as excerpts: each hunk with the function or class around it, as far as there is room.

Where no grammar knows a file, or nothing encloses a hunk, indentation tells what does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.diff import FileDiff, Hunk, Sign
from bot.domain.excerpt import Excerpt, Row, Source, redacted, row
from bot.domain.outline import Definition, Syntax

#: Enclosing lines shown above an excerpt: a class, a method and two nested blocks.
_MAX_ENCLOSING = 4
#: A definition that spans more is too long to be read for the sake of a hunk.
_MAX_WIDENED_LINES = 300
#: No definition begins here: an order above all depths.
_NOWHERE = 99

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """Say that hunk number ``hunk`` would be understood better with all of ``span``, at the cost of ``tokens``."""

    hunk: int
    span: Span
    tokens: int


@dataclass(frozen=True, slots=True)
class Ground:
    """Hold what is known of a changed file at the head."""

    source: Source
    syntax: Syntax | None = None


def wishes(file: FileDiff, ground: Ground, estimate: Callable[[str], int]) -> Iterator[Wish]:
    """Yield for each hunk of *file* the definitions around its changed lines, where they reach beyond it."""
    if ground.syntax is None or not ground.source.lines:
        return
    around = _innermost(ground.syntax, len(ground.source.lines))
    for number, hunk in enumerate(file.hunks):
        first, last = shown = _span(hunk)
        for line in _changed(hunk):
            if line < len(around) and (innermost := around[line]):
                first, last = min(first, innermost.first_line), max(last, innermost.last_line)
        last = min(last, len(ground.source.lines))
        if (first, last) == shown or last - first > _MAX_WIDENED_LINES:
            continue
        extra = [*range(first, shown[0]), *range(shown[1] + 1, last + 1)]
        text = "\n".join(f"{at:>5}   {ground.source.masked[at - 1]}" for at in extra)
        yield Wish(number, (first, last), estimate(text))


def excerpts(
    file: FileDiff, ground: Ground, redact: Callable[[str], str], granted: Mapping[int, Span] | None = None
) -> list[Excerpt]:
    """Return the hunks of *file*, those that meet joined.

    Args:
        file: a change with hunks.
        ground: gives surrounding lines, and masks secrets whose beginning or end no hunk shows.
        redact: masks secrets in the hunks, removed lines included.
        granted: lines to show besides, by number of the hunk.

    Raises:
        Unshowable: *redact* joined lines.
    """
    pieces: list[list[Row]] = []
    upto, tail = 0, 0
    for number, hunk in enumerate(file.hunks):
        first, last = _span(hunk)
        start, end = (granted or {}).get(number, (first, last))
        rows = _rows(hunk, ground.source, redact)
        if pieces and min(start, first) <= tail + 1:
            pieces[-1] += _context(ground.source, upto + 1, first - 1)
        else:
            if pieces:
                pieces[-1] += _context(ground.source, upto + 1, tail)
            pieces.append(_context(ground.source, max(start, upto + 1), first - 1))
        pieces[-1] += rows
        upto, tail = max(upto, last), max(tail, last, end)
    if pieces:
        pieces[-1] += _context(ground.source, upto + 1, tail)
    return [_excerpt(file.new_path, tuple(rows), ground) for rows in pieces if rows]


def halves(excerpt: Excerpt, ground: Ground) -> tuple[Excerpt, Excerpt] | None:
    """Return *excerpt* cut in two, None when it is a single row.

    The cut is where an outer definition begins, or else where the code is least indented.
    """
    rows = excerpt.rows
    if len(rows) < 2:
        return None
    begins = _beginnings(ground.syntax)
    middle = range(max(1, len(rows) // 4), max(2, len(rows) * 3 // 4))

    def price(at: int) -> tuple[bool, int, int, int]:
        depth = begins.get(rows[at].number or 0, _NOWHERE)
        return not rows[at].text.strip(), depth, rows[at].indent, abs(2 * at - len(rows))

    cut = min(middle, key=price)
    return _excerpt(excerpt.path, rows[:cut], ground), _excerpt(excerpt.path, rows[cut:], ground)


def _beginnings(syntax: Syntax | None) -> Mapping[int, int]:
    """Return how deep the outermost definition is that begins in a line, by line."""
    begins: dict[int, int] = {}
    for one in syntax.definitions if syntax else ():
        depth = one.parent.count(".") + 1 if one.parent else 0
        begins[one.first_line] = min(depth, begins.get(one.first_line, _NOWHERE))
    return begins


def _span(hunk: Hunk) -> Span:
    """Return the first and last new-side line of *hunk*; the last is the smaller one where it has none."""
    numbers = [line.new for line in hunk.lines if line.new]
    return (numbers[0], numbers[-1]) if numbers else (hunk.new_start + 1, hunk.new_start)


def _changed(hunk: Hunk) -> Iterator[int]:
    """Yield the new-side lines that changed; of removed lines, the one before them."""
    before = hunk.new_start
    for line in hunk.lines:
        before = line.new or before
        if line.sign is not Sign.context:
            yield before


def _innermost(syntax: Syntax, lines: int) -> Sequence[Definition | None]:
    """Return for each line the smallest definition around it that is no module; line 0 is nobody's."""
    owners: list[Definition | None] = [None] * (lines + 1)
    for one in sorted(syntax.definitions, key=lambda one: (one.first_line, -one.last_line)):
        if one.kind != "module":
            owners[one.first_line : one.last_line + 1] = [one] * (one.last_line + 1 - one.first_line)
    return owners


def _rows(hunk: Hunk, source: Source, redact: Callable[[str], str]) -> tuple[Row, ...]:
    head = source.masked
    known = [head[line.new - 1] if line.new and line.new <= len(head) else line.text for line in hunk.lines]
    texts = redacted(known, redact)
    return tuple(
        row(line.new, line.sign, line.text, text) for line, text in zip(hunk.lines, texts, strict=True)
    )


def _context(source: Source, first: int, last: int) -> list[Row]:
    return [source.row(number) for number in range(max(1, first), min(last, len(source.lines)) + 1)]


def _excerpt(path: str, rows: tuple[Row, ...], ground: Ground) -> Excerpt:
    return Excerpt(path, rows, tuple(_enclosing(rows, ground)))


def _enclosing(rows: Sequence[Row], ground: Ground) -> list[Row]:
    """Return the lines above *rows* that begin what encloses them, outermost first."""
    start = next((one.number for one in rows if one.number), None)
    if start is None or start - 1 > len(ground.source.lines):
        return []
    around = ground.syntax.enclosing(start, start) if ground.syntax else ()
    heads = [one.line or one.first_line for one in around if (one.line or one.first_line) < start]
    blocks = [above.number or 0 for above in _indented(rows, ground.source, start)]
    below = max(heads, default=0)
    numbers = [*dict.fromkeys(heads), *(number for number in blocks if number > below)]
    return [ground.source.row(number) for number in numbers[-_MAX_ENCLOSING:]]


def _indented(rows: Sequence[Row], source: Source, start: int) -> list[Row]:
    """Return the lines above *start* that indentation says enclose it, outermost first."""
    first = next((one for one in rows if one.number and one.text.strip()), None)
    indent, found = first.indent if first else 0, list[Row]()
    for number in range(start - 1, 0, -1):
        if indent == 0:
            break
        text = source.masked[number - 1]
        if text.strip() and len(text) - len(text.lstrip()) < indent:
            found.append(source.row(number))
            indent = found[-1].indent
    return list(itertools.islice(reversed(found), max(0, len(found) - _MAX_ENCLOSING), None))
