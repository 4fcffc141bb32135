"""Which waivers count for one merge request now, and for which of its findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.domain.findings import Finding
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy_model import Policy
from bot.domain.policy_waivers import Waivers
from bot.domain.waivers import State, Waiver


def terms(policy: Policy) -> Waivers:
    """Return what *policy* says about waivers: a level that enforces its gate has a say in what opens it."""
    found = policy.waivers
    for floor in policy.floors:
        found = found.stricter(floor.waivers)
    return found


def waivable(finding: Finding, allowed: Waivers) -> bool:
    """Say whether the policy lets anybody waive *finding*."""
    return finding.scanner not in allowed.never and finding.severity.rank <= allowed.max_severity.rank


@dataclass(frozen=True, slots=True)
class Waived:
    """Pair a finding that would block with the waiver that lets it pass."""

    finding: Finding
    waiver: Waiver


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Pair a finding that blocks with the request to waive it; None where a comment in the code is all there is."""

    finding: Finding
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold by fingerprint which waivers count for one merge request now, and which are asked for on it."""

    granted: Mapping[str, Waiver] = field(default_factory=dict)
    asked: Mapping[str, Waiver] = field(default_factory=dict)
    terms: Waivers = field(default_factory=Waivers)
    ref: MergeRequestRef | None = None

    @property
    def here(self) -> list[str]:
        """Return the fingerprints that are known on the merge request itself."""
        own = [mark for mark, waiver in self.granted.items() if waiver.ref == self.ref]
        return [*own, *self.asked]

    @property
    def elsewhere(self) -> list[str]:
        """Return the fingerprints that are known from other merge requests."""
        return [mark for mark, waiver in self.granted.items() if waiver.ref != self.ref]

    def covers(self, finding: Finding) -> bool:
        """Say whether *finding* may pass: its code is what was waived, and the policy still allows that."""
        waiver = self.granted.get(finding.fingerprint)
        return (
            waiver is not None
            and waiver.about.fits(finding)
            and waivable(finding, self.terms)
            and finding.severity.rank <= waiver.about.severity.rank
        )


def standing(
    waivers: Iterable[Waiver], ref: MergeRequestRef, branch: str | None, policy: Policy, now: datetime
) -> Standing:
    """Return which of *waivers* count for a merge request into *branch*; of several for a finding the longest."""
    allowed = terms(policy)
    granted: dict[str, Waiver] = {}
    asked: dict[str, Waiver] = {}
    for waiver in waivers:
        if waiver.branch != branch:
            continue
        state, mark = waiver.state(now), waiver.fingerprint
        here = waiver.ref == ref or waiver.merged or allowed.scope == "target_branch"
        if here and state is State.granted:
            other = granted.get(mark)
            granted[mark] = waiver if other is None else max(other, waiver, key=lambda one: _rank(one, ref))
        elif state is State.asked and waiver.ref == ref:
            asked[mark] = waiver
    return Standing(granted, asked, allowed, ref)


def _rank(waiver: Waiver, ref: MergeRequestRef) -> tuple[bool, date]:
    return waiver.ref == ref, waiver.said.until or date.min
