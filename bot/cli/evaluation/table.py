"""An evaluation, and the difference between two, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cli.context import print_table
from bot.domain.evaluation.comparison import Changed, Comparison
from bot.domain.evaluation.intervals import Difference, Share
from bot.domain.evaluation.report import Outcome, Report

_CASE = ("Case", "Language", "Found", "False", "Listed", "Placed", "JSON", "Tokens", "Seconds", "Remark")
_TOTAL = ("All cases", "Value", "Counted", "95 % interval")
_DIFFERENCE = ("Compared", "Old", "New", "Difference", "95 % interval", "Says")

_NAMES = {
    "recall": "Recall",
    "precision": "Precision",
    "silence_on_clean": "Clean changes without a comment",
    "position_validity": "Comments with a valid position",
    "valid_json": "Valid JSON answers",
}


def print_report(report: Report) -> None:
    """Print one row per case, then the figures of all."""
    print_table(_CASE, [_case(one) for one in report.cases])
    print_table(("",), [])
    print_table(_TOTAL, list(_totals(report)))


def print_comparison(comparison: Comparison) -> None:
    """Print what changed; where chance explains a difference, that is what it says."""
    print_table(_DIFFERENCE, list(_differences(comparison)))
    for changed in comparison.cases:
        print_table((f"{changed.name}: {_changed(changed)}",), [])
    for title, names in (
        ("Only in the old report", comparison.only_old),
        ("Only in the new report", comparison.only_new),
    ):
        if names:
            print_table((f"{title}: {', '.join(names)}",), [])


def _case(one: Outcome) -> tuple[object, ...]:
    if one.error:
        return (one.name, one.language, "", "", "", "", "", "", "", f"not carried out: {one.error}")
    placed = sum(said.placed for said in one.comments)
    return (
        one.name,
        one.language,
        "clean" if one.clean else f"{one.found}/{one.expected}",
        one.false_positives or "",
        one.listed or "",
        f"{placed}/{len(one.comments)}",
        f"{one.calls.usable}/{one.calls.made}",
        one.calls.prompt_tokens + one.calls.output_tokens,
        f"{one.seconds:.1f}",
        "; ".join(_remarks(one)),
    )


def _remarks(one: Outcome) -> Iterator[str]:
    for missed in one.missed:
        first, last = missed.lines
        where = f"{missed.path}:{first}" if first == last else f"{missed.path}:{first}-{last}"
        yield f"missed {where}{' (listed in the summary)' if missed.listed else ''}"
    for said in one.comments:
        if said.forbidden:
            yield f"must not say: {said.path}:{said.line} {said.title}"
        elif said.meant is None:
            yield f"false: {said.path}:{said.line} {said.title}"
    if one.calls.failed:
        yield f"{one.calls.failed} calls of the model failed"
    if one.not_reviewed:
        yield f"not reviewed: {', '.join(one.not_reviewed)}"


def _totals(report: Report) -> Iterator[tuple[object, ...]]:
    for name, share in report.shares.items():
        yield (_NAMES[name], _percent(share.value), f"{share.count} of {share.of}", _interval(share))
    per_clean = report.comments_per_clean
    yield ("Comments per clean change", "" if per_clean is None else f"{per_clean:.2f}", "", "")
    calls = [one.calls for one in report.carried_out]
    tokens = sum(one.prompt_tokens for one in calls), sum(one.output_tokens for one in calls)
    yield ("Tokens", sum(tokens), f"{tokens[0]} read, {tokens[1]} written", "")
    yield ("Seconds", f"{sum(one.seconds for one in report.carried_out):.1f}", "", "")
    failed = len(report.cases) - len(report.carried_out)
    yield ("Cases", len(report.cases), f"{failed} not carried out" if failed else "", "")


def _differences(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    for name, difference in comparison.shares.items():
        low, high = difference.interval
        known = difference.value is not None
        yield (
            _NAMES[name],
            _percent(difference.old.value),
            _percent(difference.new.value),
            f"{difference.value:+.1%}" if difference.value is not None else "",
            f"{low:+.1%} to {high:+.1%}" if known else "",
            _verdict(difference),
        )
    old, new = comparison.comments_per_clean
    yield ("Comments per clean change", _number(old), _number(new), "", "", "")
    yield ("Tokens", *comparison.tokens, f"{comparison.tokens[1] - comparison.tokens[0]:+d}", "", "")
    seconds = comparison.seconds
    yield ("Seconds", f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", f"{seconds[1] - seconds[0]:+.1f}", "", "")


def _verdict(difference: Difference) -> str:
    if difference.value is None:
        return "nothing to compare"
    if not difference.value:
        return "the same"
    if not difference.clear:
        return "may be chance"
    return "higher" if difference.value > 0 else "lower"


def _changed(changed: Changed) -> str:
    parts = [
        f"finds expected {_numbers(changed.gained)} now" if changed.gained else "",
        f"misses expected {_numbers(changed.lost)} now" if changed.lost else "",
        f"{changed.false_positives:+d} false positives" if changed.false_positives else "",
    ]
    return ", ".join(part for part in parts if part)


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(str(number + 1) for number in numbers)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{low:.1%} to {high:.1%}" if share.of else ""
