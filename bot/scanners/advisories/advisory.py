"""One advisory about one package: which versions it affects, and which end it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.domain.findings import Severity
from bot.scanners.advisories.versions import is_prerelease, version_key

_MALICIOUS = "MAL-"
_MOST_CANDIDATES = 300

#: An event of a range: ``introduced``, ``fixed``, ``last_affected``, or ``before``, which ends a range
#: without promising a repair; and the version.
Event = tuple[str, str]


@dataclass(frozen=True)
class Advisory:
    """Hold what an OSV record says about one package; ``severity`` is None where the record tells none."""

    id: str
    summary: str
    severity: Severity | None
    aliases: tuple[str, ...] = ()
    cwe: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    ranges: tuple[tuple[Event, ...], ...] = ()
    versions: frozenset[str] = frozenset()

    @property
    def malicious(self) -> bool:
        """Say whether the package itself is the attack."""
        return any(name.startswith(_MALICIOUS) for name in self.names)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return id and aliases."""
        return (self.id, *self.aliases)

    @cached_property
    def effort(self) -> int:
        """Return how many versions have to be compared to tell whether one is affected."""
        return 1 + sum(len(events) for events in self.ranges)

    def affects(self, ecosystem: str, version: str) -> bool:
        """Say whether *version* is affected; a version that cannot be compared is so only if listed."""
        return version in self.versions or any(_inside(ecosystem, version, events) for events in self.ranges)

    def fixed_after(self, ecosystem: str, version: str) -> Iterator[str]:
        """Yield the versions above *version* that are said to repair it."""
        for events in self.ranges:
            for kind, fixed in events:
                if kind == "fixed" and _newer(ecosystem, fixed, version):
                    yield fixed


def _newer(ecosystem: str, one: str, other: str) -> bool:
    try:
        return bool(version_key(ecosystem, one) > version_key(ecosystem, other))
    except ValueError:
        return False


def _inside(ecosystem: str, version: str, events: Sequence[Event]) -> bool:
    """Walk through the events in the order of their versions, as the OSV schema describes it.

    An event that cannot be compared makes the whole range worthless: it might be the one that ends it.
    """
    try:
        wanted = version_key(ecosystem, version)
        ordered = sorted(
            (
                (None if at == "0" and kind == "introduced" else version_key(ecosystem, at), kind)
                for kind, at in events
            ),
            key=lambda event: (event[0] is not None, event[0]) if event[0] is not None else (False,),
        )
    except ValueError:
        return False
    inside = False
    for at, kind in ordered:
        if at is None or (kind == "introduced" and wanted >= at):
            inside = True
        elif (kind in {"fixed", "before"} and wanted >= at) or (kind == "last_affected" and wanted > at):
            inside = False
    return inside


def lowest_repair(ecosystem: str, version: str, advisories: Sequence[Advisory]) -> str:
    """Return the lowest version above *version* that none of *advisories* affects, empty if none is known.

    Final releases come before prereleases unless *version* is a prerelease itself.
    """
    candidates = {fixed for advisory in advisories for fixed in advisory.fixed_after(ecosystem, version)}
    ordered = sorted(candidates, key=lambda found: version_key(ecosystem, found))[:_MOST_CANDIDATES]
    clean = [v for v in ordered if not any(a.affects(ecosystem, v) for a in advisories)]
    stay = is_prerelease(ecosystem, version) if clean else False
    finals = [v for v in clean if stay or not is_prerelease(ecosystem, v)]
    return next(iter(finals or clean), "")
