"""Our own JSON report: every field of every finding."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bot.domain.findings import Finding
from bot.domain.reports.order import in_order

#: Grows when a field changes its meaning or goes away.
_VERSION = 1


def native(findings: Iterable[Finding]) -> str:
    """Return the report as JSON: an object with ``version`` and ``findings``."""
    # Paths may hold lone surrogates, which only escaped JSON can carry; pydantic's own writer refuses them.
    entries = [finding.model_dump() for finding in in_order(findings)]
    return json.dumps({"version": _VERSION, "findings": entries}, indent=2) + "\n"
