"""How tech leads have rules say nothing for a while, and take that back."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Protocol

from bot.domain.viewer import Viewer


class Muting(Protocol):
    """Mute rules of one project, and end mutes; both are written to the audit log with who did it and why.

    Both raise ``Transient`` when the store is out of reach: nothing has changed then.
    """

    async def mute(
        self, project_id: int, scanner: str, rule: str, *, why: str, until: datetime, by: Viewer
    ) -> None:
        """Have *rule* of *scanner* say nothing in the project until *until*; a mute that there is gets that end.

        Raises:
            Permanent: the rule may never be muted; the message says why.
        """

    async def unmute(self, project_id: int, mute_id: uuid.UUID, *, why: str, by: Viewer) -> bool:
        """End a mute of the project; False where there is none in force with that id."""
