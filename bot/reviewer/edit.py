"""A fix put into its file: the lines that change, and the file before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bot.domain.findings import MODEL, Finding, Fix
from bot.domain.fingerprint import lines_of
from bot.domain.fix_text import imports_anew, misfit, suspicious, unbalanced, unbalanced_tags
from bot.domain.suggestion import Refusal, applied, suggestion

_TAGGED = frozenset({".jsx", ".tsx", ".js", ".vue", ".svelte", ".html", ".htm", ".xml"})


@dataclass(frozen=True)
class Edit:
    """Hold a fix and its file, ``before`` and ``after``.

    ``ends`` has the rules, by scanner, that report ``finding`` and must not report it any more. The fix puts
    ``count`` lines in place of its own.
    """

    finding: Finding
    fix: Fix
    before: bytes
    after: bytes
    count: int
    ends: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Return the file."""
        return self.finding.path

    def origin(self, line: int) -> int | None:
        """Return the line of the file before that *line* of the one after was, None if the fix wrote it."""
        if line < self.fix.line:
            return line
        if line < self.fix.line + self.count:
            return None
        return line - self.count + self.fix.end_line - self.fix.line + 1

    @property
    def imports(self) -> bool:
        """Say whether it imports something that these lines did not."""
        return imports_anew(*self._texts)

    @property
    def unbalanced(self) -> bool:
        """Say whether it changes which brackets are open."""
        return unbalanced(*self._texts)

    @property
    def unbalanced_tags(self) -> bool:
        """Say whether it changes which tags are open, in a file that has them."""
        return PurePosixPath(self.path).suffix in _TAGGED and unbalanced_tags(*self._texts)

    @property
    def _texts(self) -> tuple[list[str], list[str]]:
        return lines_of(self.before)[self.fix.line - 1 : self.fix.end_line], _lines(self.fix)


def edit(finding: Finding, fix: Fix, content: bytes, ends: Mapping[str, frozenset[str]]) -> Edit | Refusal:
    """Put *fix* of *finding* into the file *content*, or say why its text is enough to refuse it."""
    lines = lines_of(content)
    block = suggestion(fix, path=finding.path, anchor=finding.end_line, lines=lines)
    if isinstance(block, Refusal):
        return block
    plain = [line.removesuffix("\r") for line in lines]
    old, new = plain[fix.line - 1 : fix.end_line], _lines(fix)
    problem = misfit(old, new, plain) or suspicious(old, new, plain, trusted=finding.scanner != MODEL)
    if problem:
        return problem
    return Edit(finding, fix, content, applied(content, block, finding.end_line), len(new), ends)


def _lines(fix: Fix) -> list[str]:
    return fix.replacement.split("\n") if fix.replacement else []
