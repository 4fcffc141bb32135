"""Findings in the formats of other programs; pure, and the same findings give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType

from bot.domain.findings import Finding
from bot.domain.reports.codequality import codequality
from bot.domain.reports.junit import junit
from bot.domain.reports.native import native
from bot.domain.reports.occasion import EVERYTHING, NO_OCCASION, Occasion
from bot.domain.reports.sarif import sarif
from bot.domain.reports.security import sast, secret_detection

__all__ = ["EVERYTHING", "FORMATS", "NO_OCCASION", "Occasion"]

#: Writes findings, and what the occasion adds to them.
Report = Callable[[Iterable[Finding], Occasion], str]


def _whenever(report: Callable[[Iterable[Finding]], str]) -> Report:
    """Return *report* as one that does not care about the occasion."""
    return lambda findings, _: report(findings)


#: Every machine-readable format by the name that the command line takes.
FORMATS: MappingProxyType[str, Report] = MappingProxyType(
    {
        "codequality": _whenever(codequality),
        "json": _whenever(native),
        "junit": junit,
        "sarif": _whenever(sarif),
        "sast": sast,
        "secret_detection": secret_detection,
    }
)
