"""The audit log: what people did with their privileges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from bot.domain.audit_log import Act, Entry


class AuditLog(Protocol):
    """Keep entries in one chain, whoever writes at the same time.

    Every method raises ``Transient`` when the store is out of reach: what cannot be written down must not be done.
    """

    async def append(self, act: Act) -> Entry:
        """Write *act* down as the newest entry, and return that."""

    async def newest(self, limit: int) -> list[Entry]:
        """Return the last entries, the newest first."""

    def all(self) -> AsyncIterator[list[Entry]]:
        """Yield every entry in the order of the numbers, in parts, as of the time of the first part."""
