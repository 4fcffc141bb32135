"""Line ends that a language knows and git does not: behind one, what looks like a comment is code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.findings import Finding

#: Python, Java, PHP, clang and others read a lone CR as a line end; where one does not, nothing is lost.
_ENDS: Final = re.compile(rb"\r(?!\n)")
#: https://learn.microsoft.com/dotnet/csharp/language-reference/language-specification/lexical-structure
_CSHARP_ENDS: Final = re.compile(rb"\r(?!\n)|\xc2\x85|\xe2\x80[\xa8\xa9]")


@dataclass(frozen=True, slots=True)
class LineEnds:
    """Hold a file whose lines all end as git's do; ``begun`` are the numbers there of those that git does not know."""

    content: bytes
    begun: Sequence[int] = ()

    @classmethod
    def of(cls, content: bytes, languages: Collection[str]) -> LineEnds:
        """Return *content* with an LF for each line end that one of *languages* knows."""
        ends = _CSHARP_ENDS if "csharp" in languages else _ENDS
        begun, line, last = [], 1, 0
        for end in ends.finditer(content):
            line += content.count(b"\n", last, end.start()) + 1
            last = end.end()
            begun.append(line)
        return cls(ends.sub(b"\n", content), begun) if begun else cls(content)

    def as_git_counts(self, finding: Finding) -> Finding:
        """Return *finding* with the line numbers of git, without a fix, which would be for other lines."""
        if not self.begun:
            return finding
        line, end_line = (
            number - bisect_right(self.begun, number) for number in (finding.line, finding.end_line)
        )
        return finding.model_copy(update={"line": line, "end_line": end_line, "fix": None})
