"""Records of several databases about the same vulnerability, as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.findings import Severity
from bot.scanners.advisories.advisory import Advisory


@dataclass(frozen=True, slots=True)
class Weakness:
    """Hold one vulnerability, told by one or more databases; the most telling record comes first."""

    records: tuple[Advisory, ...]

    @property
    def known_as(self) -> str:
        """Return the name that most people know: the CVE, else the smallest one."""
        names = [name for record in self.records for name in record.names]
        return min(names, key=lambda name: (not name.startswith("CVE-"), name))

    @property
    def severity(self) -> Severity:
        """Return the gravest severity that a record tells, medium if none does."""
        told = [record.severity for record in self.records if record.severity is not None]
        return max(told, key=lambda severity: severity.rank, default=Severity.medium)

    @property
    def malicious(self) -> bool:
        """Say whether the package itself is the attack."""
        return any(record.malicious for record in self.records)


def merged(advisories: Iterable[Advisory]) -> list[Weakness]:
    """Join records that share an id or alias; malicious ones come first, then the gravest."""
    groups: list[tuple[set[str], list[Advisory]]] = []
    for advisory in advisories:
        names, records = set(advisory.names), [advisory]
        for group in [group for group in groups if not names.isdisjoint(group[0])]:
            groups.remove(group)
            names |= group[0]
            records = [*group[1], *records]
        groups.append((names, records))
    weaknesses = [Weakness(tuple(sorted(records, key=_telling))) for _, records in groups]
    return sorted(weaknesses, key=lambda one: (not one.malicious, -one.severity.rank, one.known_as))


def _telling(record: Advisory) -> tuple[bool, bool, int, str]:
    rank = -1 if record.severity is None else record.severity.rank
    return not record.malicious, not record.summary, -rank, record.id
