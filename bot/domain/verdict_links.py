"""Addresses of verdict pages, signed where nobody can sign in."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VerdictLinks:
    """Make and check addresses of verdict pages.

    ``root`` is the public address of the pages, empty where there is none: then no link leads to them. A link is
    ``signed`` where people cannot sign in: whoever has it may read that one page.
    """

    root: str = ""
    key: bytes = field(default=b"", repr=False)
    signed: bool = False

    def of(self, run_id: uuid.UUID) -> str:
        """Return the address of a run's page, empty where pages have none."""
        return f"{self.root.rstrip('/')}{self.path(run_id)}" if self.root else ""

    def path(self, run_id: uuid.UUID) -> str:
        """Return the address without its host."""
        return f"/verdicts/{run_id}" + (f"?key={self._mac(run_id)}" if self.signed else "")

    def opens(self, run_id: uuid.UUID, key: str) -> bool:
        """Say whether *key* opens the page of that run."""
        given = key.encode("ascii", "replace")
        return self.signed and hmac.compare_digest(given, self._mac(run_id).encode())

    def _mac(self, run_id: uuid.UUID) -> str:
        return hmac.new(self.key, f"cloister verdict page v1 {run_id}".encode(), hashlib.sha256).hexdigest()
