"""What was measured: a list of figures, as a table for people and as JSON for comparisons."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold one measured value.

    ``goal`` is what we promise ourselves, ``baseline`` what the same machine does in the same run without
    Cloister; both in the same unit as the value.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    more_is_better: bool = False
    baseline: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return value / baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def verdict(self) -> str:
        """Say whether the goal is met."""
        if self.goal is None:
            return ""
        met = self.value >= self.goal if self.more_is_better else self.value <= self.goal
        return "met" if met else "MISSED"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of *values* that is not below *share* (0 to 1) of them."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as text, one a line."""
    rows = [("figure", "value", "unit", "goal", "", "ratio", "note")]
    for figure in figures:
        goal = (
            "" if figure.goal is None else f"{'>=' if figure.more_is_better else '<='} {_shown(figure.goal)}"
        )
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2g}x of {_shown(figure.baseline or 0)}"
        rows.append(
            (figure.name, _shown(figure.value), figure.unit, goal, figure.verdict, ratio, figure.note)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    """Write the figures with what the machine is."""
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "figures": [
            asdict(figure) | {"ratio": figure.ratio, "verdict": figure.verdict} for figure in figures
        ],
    }
    path.write_text(json.dumps(content, indent=2) + "\n")


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def _shown(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
