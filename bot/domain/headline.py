"""The first lines of the summary note: the verdict, and what is to come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.domain.findings import Severity
from bot.domain.markdown import code_span, neutral_inline
from bot.domain.review_result import ReviewResult
from bot.domain.wording import SummaryText, Wording

_ITEMS = 20
_REASONS = 4
_TITLE_LIMIT = 120


def headline(result: ReviewResult, words: Wording) -> str:
    """Return the verdict."""
    text, blocking = words.summary, result.verdict.blocking
    if result.failed:
        return text.failed
    if result.left_out:
        return text.left_out
    if blocking:
        return text.blocked.format(len(blocking), first=neutral_inline(blocking[0].title, _TITLE_LIMIT))
    if exceeded := result.verdict.exceeded:
        return text.exceeded.format(limits=_steps(exceeded, words))
    if result.undecided:
        return text.undecided.format(steps=_steps(result.undecided, words))
    if unread := result.verdict.unread:
        return text.unread.format(len(unread))
    return text.passed


def remedy(result: ReviewResult, words: Wording) -> str:
    """Return what people can do about the verdict besides mending what blocks."""
    if result.failed:
        review = code_span("@cloister review")
        return words.summary.try_again.format(review=review) if result.retriable else ""
    count = len(result.verdict.blocking)
    if not result.way_out or not count:
        return ""
    return words.summary.remedy.format(count, command=code_span(result.way_out))


def _steps(names: Sequence[str], words: Wording) -> str:
    return ", ".join(neutral_inline(words.phrases.say(name)) for name in names[:_ITEMS])


def paused(text: SummaryText) -> str:
    """Return that new commits are not reviewed, and what to do about it."""
    return text.paused.format(review=code_span("@cloister review"), resume=code_span("@cloister resume"))


def ask_again(text: SummaryText) -> str:
    """Return how to ask the model once more."""
    return text.ask_again.format(
        review=code_span("@cloister review"), check=code_span("cloister model check")
    )


def pending(result: ReviewResult, words: Wording) -> str:
    """Return what is still to come, if anything."""
    return words.summary.pending.format(steps=_steps(result.pending, words)) if result.pending else ""


def risk(result: ReviewResult, words: Wording) -> str:
    """Return how risky the change is, if that is known."""
    if result.risk is None:
        return ""
    text, found = words.summary, result.risk
    reasons = [words.risk.reasons[one.ground].format(one.count) for one in found.reasons[:_REASONS]]
    because = text.colon + text.comma.join(reasons) if reasons else ""
    return text.risk.format(level=words.risk.levels[found.level], reasons=because)


def counts(result: ReviewResult, words: Wording) -> str:
    """Return how many findings of which severity there are."""
    text = words.summary
    shown = [*result.inline, *(item.finding for item in result.listed)]
    if not shown:
        unknown = result.pending or result.undecided or result.failed or result.left_out
        return "" if unknown else text.nothing
    severities = Counter(finding.severity for finding in shown)
    counts = [
        f"{severities[severity]} {words.severities[severity]}"
        for severity in reversed(Severity)
        if severities[severity]
    ]
    return text.comma.join(counts) + text.stop
