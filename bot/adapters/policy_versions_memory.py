"""Policies that were valid last, for as long as a command runs."""

from __future__ import annotations


class MemoryPolicyVersions:
    """Implement ``bot.ports.PolicyVersions`` in memory."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    async def last_valid(self, name: str) -> str | None:
        """Return what was remembered, None if nothing is."""
        return self._said.get(name)

    async def remember(self, name: str, said: str) -> None:
        """Remember *said* instead of what was remembered before."""
        self._said[name] = said

    async def forget(self, name: str) -> None:
        """Forget what was remembered."""
        self._said.pop(name, None)
