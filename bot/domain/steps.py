"""The names of a run's steps: whose findings they bring, and how people call them."""

from __future__ import annotations

from bot.domain.findings import MODEL
from bot.domain.run import REVIEW_STEP

SCAN_PREFIX = "scan:"


def scanner_of(step: str) -> str:
    """Return the scanner whose findings *step* brings."""
    return MODEL if step == REVIEW_STEP else step.removeprefix(SCAN_PREFIX)


def spoken(step: str) -> str:
    """Return *step* as people call it."""
    return "model review" if step == REVIEW_STEP else step.removeprefix(SCAN_PREFIX)
