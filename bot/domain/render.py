"""The comment on one finding."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.commands import NAME
from bot.domain.findings import Finding, Fix
from bot.domain.markdown import code_block, code_span, neutral, neutral_inline
from bot.domain.marker import EXPLAINED, Word
from bot.domain.suggestion import Refusal, SuggestionBlock
from bot.domain.waiver_words import example
from bot.domain.waivers import Waiver, short
from bot.domain.wording import CommentText, Fate, Wording, wording

#: A comment is read in passing; more belongs on the page of the rule.
_MESSAGE_LIMIT = 2_000
_FIX_LIMIT = 4_000
_TEST_LIMIT = 2_000
_TITLE_LIMIT = 160
_REFERENCE_COUNT = 2


def comment(
    finding: Finding,
    *,
    marker: str,
    fix: SuggestionBlock | Refusal | str | None = None,
    evidence: Sequence[str] = (),
    language: str = "en",
    asks: bool = False,
    max_days: int = 30,
) -> str:
    """Return the body of the note that opens the thread on *finding*; *marker* is its last line.

    Args:
        finding: what to say; its texts are neutralised here.
        marker: the line by which we know the note again.
        fix: the suggestion to offer, or why ``finding.fix`` is shown as plain code only. None shows no fix.
        evidence: how the suggestion was checked, e.g. "applies to 1a2b3c4d".
        language: of what stands around the finding's own texts.
        asks: whether a comment in the code asks to let it pass the gate, which only people can do.
        max_days: how long that lets it pass at most.
    """
    words = wording(language)
    text = words.comment
    parts = [
        text.headline.format(
            severity=words.severities[finding.severity].capitalize(),
            title=neutral_inline(finding.title, _TITLE_LIMIT),
        ),
        neutral(finding.message, _MESSAGE_LIMIT),
        _explanation(finding, words.fate),
        *_fix(finding.fix, fix, words),
        _checked(evidence, words),
        *_test(finding.test, text),
        _references(finding, text),
        text.asks.format(command=code_span(f"@{NAME} waive {example(max_days)}")) if asks else "",
        text.source.format(source=_source(finding, words), how_to_answer=text.how_to_answer),
        f"{EXPLAINED}\n{marker}" if finding.explanation else marker,
    ]
    return "\n\n".join(part for part in parts if part)


def _explanation(finding: Finding, fate: Fate) -> str:
    said = neutral(finding.explanation, _MESSAGE_LIMIT)
    return fate.matters.format(explanation=said) if said else ""


def waiver_word(what: Word, waiver: Waiver, *, marker: str, language: str = "en") -> str:
    """Return the body of the note that says in a thread that its finding is waived, or is not any more."""
    fate, said = wording(language).fate, waiver.said
    if what is Word.unwaived:
        return f"{fate.unwaived}\n\n{marker}"
    until = said.until.isoformat() if said.until else ""
    text = fate.waived.format(until=until, who=code_span(said.name), reason=neutral_inline(said.reason))
    return f"{text}\n\n{marker}"


def word(what: Word, *, sha: str, marker: str, language: str = "en") -> str:
    """Return the body of the note that says in a thread what became of its finding; *marker* is its last line."""
    fate = wording(language).fate
    text = fate.fixed if what is Word.fixed else fate.back
    return f"{text.format(sha=code_span(sha[:8]))}\n\n{marker}"


def _fix(fix: Fix | None, outcome: SuggestionBlock | Refusal | str | None, words: Wording) -> list[str]:
    text = words.comment
    if isinstance(outcome, SuggestionBlock):
        return [text.suggested, outcome.markdown]
    if fix is None or outcome is None:
        return []
    reason = neutral_inline(words.phrases.say(outcome))
    if fix.replacement:
        return [text.by_hand.format(reason=reason), code_block(fix.replacement, limit=_FIX_LIMIT)]
    lines = (text.line if fix.line == fix.end_line else text.lines).format(first=fix.line, last=fix.end_line)
    return [text.removal.format(reason=reason, lines=lines)]


def _checked(evidence: Sequence[str], words: Wording) -> str:
    said = ", ".join(neutral_inline(words.phrases.say(item)) for item in evidence)
    return words.comment.checked.format(evidence=said) if said else ""


def _test(code: str, text: CommentText) -> list[str]:
    if not code.strip():
        return []
    return [f"<details><summary>{text.test}</summary>", code_block(code, limit=_TEST_LIMIT), "</details>"]


def _references(finding: Finding, text: CommentText) -> str:
    spans = [span for span in map(code_span, finding.references[:_REFERENCE_COUNT]) if span]
    return text.see.format(references=text.and_.join(spans)) if spans else ""


def _source(finding: Finding, words: Wording) -> str:
    cwe = [code_span(item) for item in finding.cwe[:_REFERENCE_COUNT]]
    owasp = [code_span(f"OWASP {item}") for item in finding.owasp[:_REFERENCE_COUNT]]
    names = [code_span(finding.scanner), code_span(finding.rule), *cwe, *owasp]
    confidence = words.comment.confidence.format(confidence=words.confidences[finding.confidence])
    return ", ".join([*filter(None, [*names, code_span(short(finding.fingerprint))]), confidence])
