"""Files whose lines git does not show: one NUL, another encoding, or 10 MB are enough. Secrets are looked for in them too."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.findings import Finding
from bot.domain.policy import Policy, excluded
from bot.ports import Blob, Runner
from bot.scanners import Scanner, Source
from bot.scanners.comparison import Read
from bot.scanners.encodings import as_utf8

#: Read at once; each is as large as the scanner lets it be.
_BATCH: Final = 4
#: Pictures of a website are fewer; all of them are read, and told about if they are not.
MOST_FILES: Final = 200
#: What a scanner sees at once; a secret has its key nearby.
_PIECE_BYTES: Final = 250_000
_OVERLAP_BYTES: Final = 4_000
#: Of text, even of odd encodings, hardly any byte is one of these.
_ODD: Final = bytes({*range(9), 11, *range(14, 27), *range(28, 32), 127})
_MOST_ODD: Final = 0.02
#: Text of 16 or 32 bits for each character, wherever in a file it stands, and whichever byte comes first. It looks ahead
#: since a possessive group must not fail after its first character: Python before 3.11.5 then finds no match at all.
_WIDE: Final = re.compile(rb"(?:(?=\0{1,3}+[\t\n\r -~])\0{1,3}+[\t\n\r -~]){8,}+\0{0,3}+")


@dataclass(frozen=True)
class Revealed:
    """Hold what was found in such files, each with the part of the file that it is in, and what could not be read."""

    findings: Sequence[tuple[Finding, Source]] = ()
    not_analysed: Mapping[str, str] = field(default_factory=dict)


def hidden(diff: Diff, policy: Policy) -> list[FileDiff]:
    """Return the files of *diff* that have content which it does not show."""
    return [
        file
        for file in diff.files
        if file.binary and file.regular and not excluded(file.new_path, policy, everywhere=True)
    ]


async def reveal(scanner: Scanner, runner: Runner, read: Read, files: Sequence[FileDiff]) -> Revealed:
    """Have *scanner* look at what *files* have that they had not before.

    What is no text either gets no guesses: `Guessing` rules find something in any noise.

    Raises:
        Transient: files cannot be read.
        Permanent: the same, without hope.
    """
    findings: list[tuple[Finding, Source]] = []
    not_analysed = {file.new_path: "one of too many binary files" for file in files[MOST_FILES:]}
    for start in range(0, min(len(files), MOST_FILES), _BATCH):
        some = files[start : min(start + _BATCH, MOST_FILES)]
        after = await read([file.new_path for file in some], "head")
        before = await read([file.old_path for file in some if file.change is not Change.added], "base")
        for file in some:
            blob = after.get(file.new_path)
            if blob is None or blob.content is None:
                not_analysed[file.new_path] = _unread(blob)
                continue
            text = await asyncio.to_thread(_Text.of, blob.content, before.get(file.old_path))
            guesses = getattr(scanner, "guessing", frozenset[str]()) if text.noise else frozenset()
            for part in text.parts():
                piece = await asyncio.to_thread(text.source, file.new_path, *part)
                if piece.added:
                    report = await scanner.scan([piece], runner)
                    not_analysed |= report.not_analysed
                    findings += [(one, piece) for one in report.findings if one.rule not in guesses]
    return Revealed(_once(findings), not_analysed)


def _unread(blob: Blob | None) -> str:
    return f"larger than {blob.size // 1_000_000} MB" if blob is not None else "not found under this name"


@dataclass(frozen=True)
class _Text:
    """Hold a file as text, the lines that it had before, and whether it is none at all: ``noise``."""

    text: bytes
    known: Collection[bytes]
    noise: bool

    @classmethod
    def of(cls, content: bytes, before: Blob | None) -> _Text:
        """Read what can be read."""
        text = _narrow(content)
        odd = len(text) - len(text.translate(None, _ODD))
        known = _readable(_narrow(before.content)).split(b"\n") if before and before.content else ()
        return cls(_readable(text), frozenset(known), odd > _MOST_ODD * len(text))

    def parts(self) -> Iterator[tuple[int, int, int]]:
        """Yield where parts begin and end, and the number of the first line; they overlap, and are cut between lines."""
        start, line = 0, 1
        while True:
            end = start + _PIECE_BYTES
            if end < len(self.text):
                end = self.text.rfind(b"\n", start + _OVERLAP_BYTES, end) + 1 or end
            yield start, end, line
            if end >= len(self.text):
                return
            following = self.text.find(b"\n", end - _OVERLAP_BYTES, end - 1) + 1 or end - _OVERLAP_BYTES
            line += self.text.count(b"\n", start, following)
            start = following

    def source(self, path: str, start: int, end: int, line: int) -> Source:
        """Return one part, with the lines that are new."""
        part = self.text[start:end]
        lines = part.split(b"\n")
        added = (number for number, one in enumerate(lines, line) if one.strip() and one not in self.known)
        return Source(path, part, frozenset(added), tuple(range(line, line + len(lines))))


def _narrow(content: bytes) -> bytes:
    # What is UTF-16 as a whole may hold letters of any language, of the rest only ASCII can be told.
    return _WIDE.sub(lambda wide: wide[0].replace(b"\0", b""), as_utf8(content))


def _readable(text: bytes) -> bytes:
    # A space, so that what follows keeps its place.
    return text.replace(b"\0", b" ")


def _once(findings: Sequence[tuple[Finding, Source]]) -> list[tuple[Finding, Source]]:
    """Return each thing once in a file, where it is first: parts overlap."""
    return list(
        {(one.path, one.rule, one.subject): (one, piece) for one, piece in reversed(findings)}.values()
    )
