"""What changed between two evaluations, and what of it is more than chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bot.domain.evaluation.intervals import Difference
from bot.domain.evaluation.report import Outcome, Report


@dataclass(frozen=True, slots=True)
class Changed:
    """Hold what became of one case: expectations that are met now or no more, and false positives that came or went."""

    name: str
    gained: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    false_positives: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold the differences. Only cases that both evaluations carried out are compared; others are named."""

    shares: dict[str, Difference]
    cases: tuple[Changed, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    tokens: tuple[int, int]
    seconds: tuple[float, float]
    comments_per_clean: tuple[float | None, float | None]


def compare(old: Report, new: Report) -> Comparison:
    """Return what changed from *old* to *new*."""
    before = {one.name: one for one in old.carried_out}
    after = {one.name: one for one in new.carried_out}
    both = [name for name in after if name in before]
    old = old.model_copy(update={"cases": tuple(before[name] for name in both)})
    new = new.model_copy(update={"cases": tuple(after[name] for name in both)})
    changed = (_changed(before[name], after[name]) for name in both)
    return Comparison(
        shares={name: Difference(share, new.shares[name]) for name, share in old.shares.items()},
        cases=tuple(one for one in changed if one.gained or one.lost or one.false_positives),
        only_old=tuple(sorted(set(before) - set(both))),
        only_new=tuple(sorted(set(after) - set(both))),
        tokens=(_tokens(old), _tokens(new)),
        seconds=(_seconds(old), _seconds(new)),
        comments_per_clean=(old.comments_per_clean, new.comments_per_clean),
    )


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Return *comparison* for programs."""
    shares = {
        name: {
            "old": difference.old.value,
            "new": difference.new.value,
            "difference": difference.value,
            "interval95": list(difference.interval),
            "clear": difference.clear,
        }
        for name, difference in comparison.shares.items()
    }
    return {**asdict(comparison), "shares": shares}


def _changed(old: Outcome, new: Outcome) -> Changed:
    before, after = ({missed.number for missed in one.missed} for one in (old, new))
    return Changed(
        new.name,
        gained=tuple(sorted(before - after)),
        lost=tuple(sorted(after - before)),
        false_positives=new.false_positives - old.false_positives,
    )


def _tokens(report: Report) -> int:
    return sum(one.calls.prompt_tokens + one.calls.output_tokens for one in report.cases)


def _seconds(report: Report) -> float:
    return sum(one.seconds for one in report.cases)
