"""What was proven of a fix, as it is stored and as readers of a comment are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.domain.findings import Finding
from bot.domain.run import Run

#: GitLab would apply it to the head, and it fits there.
APPLIES = "applies"
#: A parser read the file before and after, and the fix adds no error.
PARSES = "parses"
#: No parser for such files is here.
UNPARSED = "unparsed"

_GONE, _CLEAN = "gone:", "clean:"

_APPLIES, _APPLIES_TO = "applies", "applies to {head}"
_PARSES = "parses"
_UNPARSED = "not parsed (no grammar)"
_GONE_WORDS = "{scanners} no longer {verb} it"
_CLEAN_WORDS = "{scanners} reports nothing new"
_CLEAN_WORDS_OF_MANY = "{scanners} report nothing new"


def gone(scanner: str) -> str:
    """Return the proof that *scanner* does not report the finding any more."""
    return f"{_GONE}{scanner}"


def clean(scanner: str) -> str:
    """Return the proof that *scanner* reports nothing that it did not before."""
    return f"{_CLEAN}{scanner}"


def waits(run: Run, findings: Mapping[str, Iterable[Finding]]) -> bool:
    """Say whether fixes among the *findings* of *run*, by step, are to be checked before it is published."""
    if run.ended or run.revision is None:
        return False
    return any(one.fix is not None and one.fix.unchecked for found in findings.values() for one in found)


def evidence(verified: Iterable[str], head_sha: str = "") -> list[str]:
    """Return *verified* in words, for the line that begins with "Checked:"."""
    proven = list(verified)
    applies = _APPLIES_TO.format(head=head_sha[:8]) if head_sha else _APPLIES
    plain = {APPLIES: applies, PARSES: _PARSES, UNPARSED: _UNPARSED}
    words = [plain[one] for one in proven if one in plain]
    if names := _names(_GONE, proven):
        verb = "report" if len(names) > 1 else "reports"
        words.append(_GONE_WORDS.format(scanners=_listed(names), verb=verb))
    if names := _names(_CLEAN, proven):
        form = _CLEAN_WORDS_OF_MANY if len(names) > 1 else _CLEAN_WORDS
        words.append(form.format(scanners=_listed(names)))
    return words


def _names(prefix: str, proven: Iterable[str]) -> list[str]:
    return [one.removeprefix(prefix) for one in proven if one.startswith(prefix)]


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
