"""When, where and with what outcome findings were made, for the reports that say so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.domain.findings import Finding

#: Stands for every scanner where none could begin, or end in time.
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Hold what a report says besides its findings.

    ``head_sha`` is the commit that was looked at, empty where it was a working tree. ``blocking`` are those of the
    findings that fail the gate, ``broken`` maps a scanner that gave no answer, or `EVERYTHING`, to the reason.
    """

    started: datetime
    ended: datetime
    head_sha: str = ""
    blocking: Collection[Finding] = ()
    broken: Mapping[str, str] = field(default_factory=dict)


#: Stands in where nobody cares.
NO_OCCASION = Occasion(datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(0, UTC))
