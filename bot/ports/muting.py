"""How tech leads have rules say nothing for a while, and take that back."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Protocol

from bot.domain.viewer import Viewer


class Muting(Protocol):
    """Mute rules, and end mutes, of a project or of all below a group; the audit log has who did it and why.

    A group is named by its path, as `bot.domain.quiet.groups.group_path` gives it. Every method raises ``Transient`` when the store is out of reach: nothing has changed then.
    """

    async def mute(
        self, project_id: int, scanner: str, rule: str, *, why: str, until: datetime, by: Viewer
    ) -> None:
        """Have *rule* of *scanner* say nothing in the project until *until*; a mute that there is gets that end.

        Raises:
            Permanent: the rule may never be muted; the message says why.
        """

    async def mute_for_group(
        self, group: str, scanner: str, rule: str, *, why: str, until: datetime, by: Viewer
    ) -> None:
        """Have *rule* say nothing in any project below the group, those to come included; as for a project."""

    async def unmute(self, project_id: int, mute_id: uuid.UUID, *, why: str, by: Viewer) -> bool:
        """End a mute in the project; False where there is none in force with that id.

        One of a group above it ends for this project alone.
        """

    async def unmute_for_group(self, group: str, mute_id: uuid.UUID, *, why: str, by: Viewer) -> bool:
        """End a mute in the group, as `unmute` does in a project."""
