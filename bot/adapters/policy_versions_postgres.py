"""What policy files said when they were valid last, in Postgres."""

from __future__ import annotations

from typing import Any

from bot.adapters.postgres import translated

_LAST = "SELECT said FROM policy_version WHERE name = $1"
_REMEMBER = """
INSERT INTO policy_version (name, said) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET said = excluded.said, valid_at = now()
WHERE policy_version.said <> excluded.said
"""
_FORGET = "DELETE FROM policy_version WHERE name = $1"


class PostgresPolicyVersions:
    """Keep them in the table ``policy_version``; see the port."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def last_valid(self, name: str) -> str | None:
        """Return what was remembered; see the port."""
        async with translated():
            found: str | None = await self._pool.fetchval(_LAST, name)
        return found

    async def remember(self, name: str, said: str) -> None:
        """Remember it; see the port."""
        async with translated():
            await self._pool.execute(_REMEMBER, name, said)

    async def forget(self, name: str) -> None:
        """Forget it; see the port."""
        async with translated():
            await self._pool.execute(_FORGET, name)
