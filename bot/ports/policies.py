"""Policies of higher levels, and those that were valid last."""

from __future__ import annotations

from typing import Protocol


class PolicyFiles(Protocol):
    """Read policy files of the operator, or of groups."""

    @property
    def name(self) -> str:
        """Return what tells these files from others, for people too."""

    async def read(self, path: str) -> bytes | None:
        """Return a file as it is now, None if there surely is none.

        Raises:
            Transient: it cannot be read now.
            Permanent: it cannot be read until somebody does something; the message says what.
        """


class PolicyVersions(Protocol):
    """Remember by name what a policy file said when it was valid last, for all processes.

    Every method raises ``Transient`` when the store is out of reach.
    """

    async def last_valid(self, name: str) -> str | None:
        """Return what was remembered, None if nothing is."""

    async def remember(self, name: str, said: str) -> None:
        """Remember *said*, which is JSON in ASCII, instead of what was remembered before."""

    async def forget(self, name: str) -> None:
        """Forget what was remembered: there is no such file any more."""
