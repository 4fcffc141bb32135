"""What a text holds in disguise: in base64, hexadecimal or percent encoding, or split over string literals.

Each disguise has a trigger for the first pass, so selective that ordinary text hardly ever has one, and a reader that
takes the disguise off. All that is found goes into one more text, a view, that is scanned like the first; its
stretches know where they come from.
"""

from __future__ import annotations

import bisect
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from bot.scanners.secret_checks import unpadded

_RUN_BYTES = 1_000_000
_WORD_BYTES = 4_000
_LITERALS = 64  # parts that one token is put together from, at most
_READ = 300  # times that each disguise is taken off, at most
_SEPARATOR = b"\n\n"

# In base64 of printable ASCII the first three of each four characters have only some of their 64 values: a random
# string or an identifier of 24 characters is taken for it once in a hundred thousand.
_QUAD = "[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_WIDE = (
    "[A-Za-f][AQgw][AB][A-Za-z0-9+/]A[A-H][AEIMQUYcgkosw048]A"  # the same for UTF-16, as PowerShell takes it
)
_EDGE = r"(?:^|[^A-Za-z0-9+/_-])"
_GLUE = (
    r"""["'`](?:[ \t]*(?:[+&~]|\.\.?|<<|\|\|)[ \t]*(?:\\?\r?\n[ \t]*)?|[ \t]*(?:\\|_)?\r?\n[ \t]*(?:[+&.][ \t]*)?|[ \t]+)"""
    r"""[rbfuRBFU]?["'`]"""
)

_PRINTABLE = bytes([9, 10, 13, *range(32, 127)])
_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_NEXT_LINE = re.compile(rb"(?:\\n|\r?\n)[ \t]*([A-Za-z0-9+/_-]+={0,2})(?=[ \t]*(?:\r?\n|[\"'\\]|\Z))")
_HEXED = re.compile(rb"(?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+")
_ESCAPED = re.compile(rb"[^\s\"'<>]+")
_EDGES = tuple(bytes([edge]) for edge in b" \t\r\n\"'<>")


class Stretch(NamedTuple):
    """Hold where ``length`` bytes of a view, from ``at`` on, come from; ``exact`` if byte for byte."""

    at: int
    length: int
    start: int
    end: int
    exact: bool


class View:
    """Hold another text that a text contains, and where each part of it stands."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._stretches: list[Stretch] = []
        self._size = 0

    def __bool__(self) -> bool:
        """Say whether there is anything in it."""
        return bool(self._parts)

    @property
    def text(self) -> bytes:
        """Return the text of the view."""
        return b"".join(self._parts)

    def add(self, pieces: Iterable[tuple[bytes, int, int]], *, exact: bool) -> None:
        """Add a passage of pieces with their places; passages never touch each other."""
        for piece, start, end in pieces:
            self._stretches.append(Stretch(self._size, len(piece), start, end, exact))
            self._parts.append(piece)
            self._size += len(piece)
        self._parts.append(_SEPARATOR)
        self._size += len(_SEPARATOR)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the view comes from."""
        first, last = self._at(start), self._at(end - 1)
        return (
            first.start + start - first.at if first.exact else first.start,
            last.start + end - last.at if last.exact else last.end,
        )

    def _at(self, place: int) -> Stretch:
        return self._stretches[bisect.bisect_right(self._stretches, place, key=lambda one: one.at) - 1]


def _base64(data: bytes, end: int, view: View) -> int:
    start = end - 24
    run = _ENCODED.match(data, start, start + _RUN_BYTES)
    if run is None:
        return end
    text, stop = [run[0]], run.end()
    while len(text[-1]) >= 40 and (line := _NEXT_LINE.match(data, stop, stop + 1_000)):
        text.append(line[1])
        stop = line.end()
    _add_decoded(view, b"".join(text), start, stop)
    return stop


def _add_decoded(view: View, encoded: bytes, start: int, stop: int) -> None:
    try:
        plain = unpadded(encoded[: len(encoded) // 4 * 4] if len(encoded) % 4 == 1 else encoded)
    except ValueError:
        return
    if plain[1:2] == b"\0":
        plain = plain.decode("utf-16-le", "replace").encode()
    if _readable(plain):
        view.add([(plain, start, stop)], exact=False)


def _readable(plain: bytes) -> bool:
    strange = len(plain.translate(None, _PRINTABLE))
    return strange * 20 <= len(plain)


def _hexadecimal(data: bytes, end: int, view: View) -> int:
    run = _HEXED.match(data, end - 40, end - 40 + _RUN_BYTES)
    if run is None:
        return end
    plain = bytes.fromhex(run[0].decode())
    if _readable(plain):
        view.add([(plain, run.start(), run.end())], exact=False)
    return run.end()


def _percent(data: bytes, end: int, view: View) -> int:
    earliest = max(0, end - _WORD_BYTES)
    first = max(data.rfind(edge, earliest, end) for edge in _EDGES) + 1 or earliest
    word = _ESCAPED.match(data, first, first + 2 * _WORD_BYTES)
    if word is None:
        return end
    view.add([(urllib.parse.unquote_to_bytes(word[0]), word.start(), word.end())], exact=False)
    return max(end, word.end())


_GLUED = re.compile(_GLUE.encode())


def _literals(data: bytes, end: int, view: View) -> int:
    """Put string literals together that follow each other, with the beginning of the first one's line."""
    line = data.rfind(b"\n", max(0, end - _WORD_BYTES), max(0, end - 200)) + 1
    line = max(line, end - 400)
    pieces: list[tuple[bytes, int, int]] = []
    start = line
    for glue in _GLUED.finditer(data, max(line, end - 200), end + _WORD_BYTES):
        if pieces and (b"\n" in data[start : glue.start()] or len(pieces) >= _LITERALS):
            break
        pieces.append((data[start : glue.start()], start, glue.start()))
        start = glue.end()
    stop = data.find(b"\n", start, start + _WORD_BYTES)
    stop = min(len(data), start + _WORD_BYTES) if stop < 0 else stop
    pieces.append((data[start:stop], start, stop))
    if len(pieces) > 1:
        view.add(pieces, exact=True)
    return stop


def _continued(data: bytes, end: int, view: View) -> int:
    """Put lines together that end in a backslash, or that YAML folds."""
    line = data.rfind(b"\n", 0, max(0, data.rfind(b"\n", 0, end) - 1)) + 1
    line = max(line, end - _WORD_BYTES)
    pieces: list[tuple[bytes, int, int]] = []
    start = line
    for joint in _JOINT.finditer(data, line, end + _WORD_BYTES):
        if len(pieces) >= _LITERALS or (pieces and b"\n" in data[start : joint.start()]):
            break
        pieces.append((data[start : joint.start()], start, joint.start()))
        start = joint.end()
    stop = data.find(b"\n", start)
    stop = len(data) if stop < 0 else min(stop, start + _WORD_BYTES)
    pieces.append((data[start:stop], start, stop))
    view.add(pieces, exact=True)
    return max(end, stop)


_JOINT = re.compile(rb"\\\r?\n[ \t]*|(?<=[\w+/=-])\r?\n[ \t]+(?=[\w+/=-]+[ \t]*\r?(?:\n|\Z))")

Reader = Callable[[bytes, int, View], int]

#: Name, trigger and reader of each disguise; a reader returns up to where it has read.
DISGUISES: Sequence[tuple[str, bytes, Reader]] = (
    ("base64", f"{_EDGE}(?:{_QUAD}){{6}}".encode(), _base64),
    ("base64 of UTF-16", f"{_EDGE}(?:{_WIDE}){{3}}".encode(), _base64),
    ("hexadecimal", rb"\b(?:(?:[2-7][0-9a-f]){20}|(?:[2-7][0-9A-F]){20})", _hexadecimal),
    ("percent encoding", rb"%(?:40|3[aAdD]|2[bB])", _percent),
    # Written so that Hyperscan can search for short strings first: with classes instead these take half of the time.
    (
        "literals on several lines",
        rb"""[\w+/=.~-]{4}(?:"\n|'\n|" \\\n|' \\\n|"\r\n|'\r\n|" \\\r\n|' \\\r\n)[ \t]*(?:[+.&][ \t]*)?[rbfu]?["'][\w+/=.~-]{3}""",
        _literals,
    ),
    (
        "literals with an operator",
        rb"""[\w+/=.~-]{4}(?:" \+|' \+|"\+|'\+|` \+|" \.|' \.|" &)[ \t]*(?:\\?\r?\n[ \t]*)?[rbfu]?["'`][\w+/=.~-]{3}""",
        _literals,
    ),
    ("continued lines", rb"[\w+/=-]{4}(?:\\\n|\\\r\n)[ \t]*[\w+/=-]{3}", _continued),
    (
        "folded lines",
        rb"(?:: >|: \|)[+-]?[ \t]*\r?\n[ \t]+[\w+/=-]{6,}[ \t]*\r?\n[ \t]+[\w+/=-]{3}",
        _continued,
    ),
)


def disguised(data: bytes, found: Iterable[tuple[int, int]]) -> Iterator[View]:
    """Yield a view of what *found*, (end, number of the disguise) in order, has shown, if there is anything."""
    view = View()
    read = [0] * len(DISGUISES)
    times = [0] * len(DISGUISES)
    for end, number in found:
        if end > read[number] and times[number] < _READ:
            times[number] += 1
            read[number] = DISGUISES[number][2](data, end, view)
    if view:
        yield view
