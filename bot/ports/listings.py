"""Lists that are gone through part by part: what is remembered of projects, waivers, dead letters and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bot.domain.audit_log import Checked, Entry
from bot.domain.dead_letters import DeadLetter
from bot.domain.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Scoped:
    """Hold whose waivers are listed: of ``visible`` projects, None for all; of one project or below a group."""

    visible: frozenset[int] | None
    project_id: int | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Sought:
    """Hold which entries of the audit log are listed: all where nothing is said.

    ``action`` is an act such as ``waiver.granted``, or all of a kind such as ``waiver``; ``actor`` a name, or all that
    an entry says of who it was. Days are those of UTC, both inclusive.
    """

    action: str = ""
    actor: str = ""
    project_id: int | None = None
    since: date | None = None
    until: date | None = None


class Listings(Protocol):
    """List things in the order of a number that never changes; a part begins beyond the number that is given.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def projects(
        self, visible: frozenset[int] | None, *, after: int | None, limit: int
    ) -> Mapping[int, str]:
        """Return paths of reviewed projects by number, the lowest number first; no path where none is known."""

    async def waivers(
        self, scoped: Scoped, *, before: int | None, limit: int
    ) -> Sequence[tuple[int, Waiver]]:
        """Return waivers with their numbers, the newest first, those that have ended too."""

    async def letters(self, *, before: int | None, limit: int) -> Sequence[DeadLetter]:
        """Return dead letters without their bodies, the newest first."""

    async def entries(self, sought: Sought, *, before: int | None, limit: int) -> Sequence[Entry]:
        """Return entries of the audit log, the newest first."""

    async def chain(self) -> Checked:
        """Check that the newest entries of the audit log, a bounded number, follow each other unchanged."""
