"""How much it takes for training to be worth while; with less an export is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bot.domain.errors import Refused
from bot.learning.formats import Format
from bot.learning.rows import Row

#: With fewer rejections, rules and vetoes do more than training.
LEAST_REJECTED: Final = 300
#: Rows of each format.
LEAST_ROWS: Final = {Format.classifier: 1_000, Format.kto: 2_000, Format.sft: 1_000, Format.dpo: 1_000}
#: Of the rarer of the two labels.
LEAST_OF_RARER: Final = {Format.kto: 500}
#: Of the reasons why comments were left out, those that a refusal names.
_REASONS: Final = 5


def check(format_: Format, rows: Sequence[Row], left_out: Counter[str]) -> None:
    """Let *rows* pass if they are enough for *format_*; *left_out* helps to understand why not.

    Raises:
        Refused: they are not; the message says what is missing.
    """
    problems = shortfalls(format_, rows)
    if problems:
        why = "; ".join(f"{count} because {reason}" for reason, count in left_out.most_common(_REASONS))
        raise Refused(
            f"there is too little for {format_}: {'; '.join(problems)}. Left out: {why or 'nothing'}. Training on less"
            " makes models worse. Wait, widen --since, or have more projects allow learning.export in their policy"
        )


def shortfalls(format_: Format, rows: Sequence[Row]) -> list[str]:
    """Return what is missing for *format_*, one sentence each."""
    sources = {one.comment.id: one.accepted for row in rows for one in row.sources}
    rejected = sum(not accepted for accepted in sources.values())
    problems = []
    if len(rows) < LEAST_ROWS[format_]:
        problems.append(f"{len(rows)} rows of at least {LEAST_ROWS[format_]}")
    if rejected < LEAST_REJECTED:
        problems.append(f"{rejected} rejected comments of at least {LEAST_REJECTED}")
    rarer = min(rejected, len(sources) - rejected)
    if rarer < LEAST_OF_RARER.get(format_, 0):
        problems.append(f"{rarer} of the rarer label of at least {LEAST_OF_RARER[format_]}")
    return problems
