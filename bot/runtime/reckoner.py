"""Keep labels, and then the counts of dashboards, up with what happens to comments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.learning.labelling import DUE, label_due
from bot.ports import Labels
from bot.runtime.regularly import regularly

#: How often a process looks for what is due; a look that finds nothing reads two empty tables.
EVERY_S = 2.0
#: Notes of what is to be counted, taken at a time: a pass over so many merge requests takes seconds, and holds nobody
#: up but other passes.
COUNTED = 2_000


class Reckoner:
    """Label what something has happened to, then count it; of processes that do so, one at a time does the work.

    Args:
        labels: where comments, signals and labels are.
        count: counts anew what is due, up to so many notes of it, and returns how many there were.
    """

    def __init__(self, labels: Labels, count: Callable[[int], Awaitable[int]]) -> None:
        self._labels = labels
        self._count = count

    async def run(self, *, every_s: float = EVERY_S) -> None:
        """Make passes until cancelled, which is safe at any time."""
        await regularly(self._catch_up_wholly, every_s=every_s, failed="dashboards.not_counted")

    async def catch_up(self) -> bool:
        """Make one pass, and say whether it left something for the next one.

        Raises:
            Transient: the database is out of reach; what was due still is.
        """
        labelled = await label_due(self._labels)
        counted = await self._count(COUNTED)
        return labelled == DUE or counted == COUNTED

    async def _catch_up_wholly(self) -> None:
        while await self.catch_up():
            pass
