"""Findings in the formats of other programs; pure, and the same findings give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType

from bot.domain.findings import Finding
from bot.domain.reports.codequality import codequality
from bot.domain.reports.native import native
from bot.domain.reports.sarif import sarif

#: Every machine-readable format by the name that the command line takes.
FORMATS: MappingProxyType[str, Callable[[Iterable[Finding]], str]] = MappingProxyType(
    {"codequality": codequality, "json": native, "sarif": sarif}
)
