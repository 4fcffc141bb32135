"""How grave an advisory is, on our scale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from cvss.cvss2 import CVSS2
from cvss.cvss3 import CVSS3
from cvss.cvss4 import CVSS4
from cvss.exceptions import CVSSError

from bot.domain.findings import Severity

_MAX_CHARS = 300
_LABELS = {
    "LOW": Severity.low,
    "MODERATE": Severity.medium,
    "MEDIUM": Severity.medium,
    "HIGH": Severity.high,
    "IMPORTANT": Severity.high,
    "CRITICAL": Severity.critical,
}
#: Newest first; https://www.first.org/cvss/v4.0/specification-document#Qualitative-Severity-Rating-Scale
_VERSIONS: Mapping[str, Callable[[str], Any]] = {"CVSS_V4": CVSS4, "CVSS_V3": CVSS3, "CVSS_V2": CVSS2}
_FLOORS = ((9.0, Severity.critical), (7.0, Severity.high), (4.0, Severity.medium), (0.1, Severity.low))


def severity_of(vectors: Iterable[tuple[str, str]], label: str) -> Severity | None:
    """Return the severity by the newest CVSS vector that can be read, else by *label*, None if neither tells.

    Args:
        vectors: pairs of OSV's type (``CVSS_V3``) and the vector.
        label: what the database calls it, such as ``MODERATE``.
    """
    scores = {kind: score for kind, vector in vectors if (score := _score(kind, vector)) is not None}
    for kind in _VERSIONS:
        if kind in scores:
            return next((severity for floor, severity in _FLOORS if scores[kind] >= floor), Severity.info)
    return _LABELS.get(label.upper())


@lru_cache(maxsize=10_000)
def _score(kind: str, vector: str) -> float | None:
    """Return the base score, None where there is none to be read."""
    scheme = _VERSIONS.get(kind)
    if scheme is None or len(vector) > _MAX_CHARS:
        return None
    try:
        return float(scheme(vector).base_score)
    except (CVSSError, ValueError, ArithmeticError, LookupError):
        return None
