"""The comment on one finding."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.findings import Finding, Fix
from bot.domain.markdown import code_block, code_span, neutral, neutral_inline
from bot.domain.suggestion import Refusal, SuggestionBlock

_SUGGESTED = "Suggested change:"
_PROSE_FIX = "Possible change, to be made by hand because {reason}:"
_REMOVAL = "Possible change, to be made by hand because {reason}: remove {lines}."
_CHECKED = "Checked: {evidence}."
_SEE = "See {references}."
_HOW_TO_ANSWER = "Intended or wrong? Resolve this thread, and it is not raised again."

#: A comment is read in passing; more belongs on the page of the rule.
_MESSAGE_LIMIT = 2_000
_FIX_LIMIT = 4_000
_TITLE_LIMIT = 160
_REFERENCE_COUNT = 2


def comment(
    finding: Finding,
    *,
    marker: str,
    fix: SuggestionBlock | Refusal | str | None = None,
    evidence: Sequence[str] = (),
) -> str:
    """Return the body of the note that opens the thread on *finding*; *marker* is its last line.

    Args:
        finding: what to say; its texts are neutralised here.
        marker: the line by which we know the note again.
        fix: the suggestion to offer, or why ``finding.fix`` is shown as plain code only. None shows no fix.
        evidence: how the suggestion was checked, e.g. "applies to 1a2b3c4d".
    """
    parts = [
        f"**{finding.severity.value.capitalize()}: {neutral_inline(finding.title, _TITLE_LIMIT)}**",
        neutral(finding.message, _MESSAGE_LIMIT),
        *_fix(finding.fix, fix),
        _CHECKED.format(evidence=", ".join(neutral_inline(item) for item in evidence)) if evidence else "",
        _references(finding),
        f"{_source(finding)}. {_HOW_TO_ANSWER}",
        marker,
    ]
    return "\n\n".join(part for part in parts if part)


def _fix(fix: Fix | None, outcome: SuggestionBlock | Refusal | str | None) -> list[str]:
    if isinstance(outcome, SuggestionBlock):
        return [_SUGGESTED, outcome.markdown]
    if fix is None or outcome is None:
        return []
    reason = neutral_inline(outcome)
    if fix.replacement:
        return [_PROSE_FIX.format(reason=reason), code_block(fix.replacement, limit=_FIX_LIMIT)]
    lines = f"line {fix.line}" if fix.line == fix.end_line else f"lines {fix.line} to {fix.end_line}"
    return [_REMOVAL.format(reason=reason, lines=lines)]


def _references(finding: Finding) -> str:
    spans = [span for span in map(code_span, finding.references[:_REFERENCE_COUNT]) if span]
    return _SEE.format(references=" and ".join(spans)) if spans else ""


def _source(finding: Finding) -> str:
    cwe = [code_span(item) for item in finding.cwe[:_REFERENCE_COUNT]]
    owasp = [code_span(f"OWASP {item}") for item in finding.owasp[:_REFERENCE_COUNT]]
    names = [code_span(finding.scanner), code_span(finding.rule), *cwe, *owasp]
    return ", ".join([*filter(None, names), f"confidence {finding.confidence.value}"])
