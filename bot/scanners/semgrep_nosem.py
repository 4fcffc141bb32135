"""Which findings the code asks to ignore, exactly as Semgrep's engine reads ``nosemgrep`` comments.

The engine marks them; the ``semgrep`` command only drops them, or reports them without a mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_IDS = rb"(?:[:=]\s?((?:[^,\s](?:[,\s]+)?)+))?"
_SAME_LINE = re.compile(rb" nosem(?:grep)?" + _IDS, re.IGNORECASE)
_LINE_ABOVE = re.compile(rb"[^a-zA-Z0-9]*nosem(?:grep)?" + _IDS, re.IGNORECASE)


def ignored(lines: Sequence[bytes], line: int, rule: str) -> bool:
    """Say whether a comment on *line* (1-based), or alone on the one above, is meant for *rule*."""
    above = _LINE_ABOVE.match(lines[line - 2]) if line > 1 else None
    return _names(_SAME_LINE.finditer(lines[line - 1]), rule) or _names([above] if above else [], rule)


def _names(comments: Iterable[re.Match[bytes]], rule: str) -> bool:
    """Say whether there is a comment, and either none of them names rules or one names this *rule*."""
    found = list(comments)
    lists = [comment[1] for comment in found if comment[1] is not None]
    names = {part.strip(b" ").split(b" ")[0].strip(b'"') for ids in lists for part in ids.split(b",")}
    # A rule of a directory is called by its own name too: ``team.rule`` is also ``rule``.
    own = {rule.encode().split(b".", n)[-1] for n in range(rule.count(".") + 1)}
    return bool(found) and (not lists or not own.isdisjoint(names))
