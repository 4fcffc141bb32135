"""Who looks at a page or asks the API, and what they may see there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.forge import ForgeUser

#: GitLab's access levels from which people see a project's findings, and from which they decide about them.
REPORTER, DEVELOPER, MAINTAINER = 20, 30, 40


@dataclass(frozen=True, slots=True)
class Viewer:
    """Hold somebody who has signed in.

    ``levels`` is GitLab's access level by project, as of signing in: enough to show pages. Whoever changes
    something is asked about anew. ``admin`` sees and may do everything, ``auditor`` sees everything.
    """

    user: ForgeUser
    admin: bool = False
    auditor: bool = False
    levels: Mapping[int, int] = field(default_factory=dict)

    def reads(self, project_id: int) -> bool:
        """Say whether findings of the project may be shown."""
        return self.admin or self.auditor or self.levels.get(project_id, 0) >= REPORTER

    def leads(self, project_id: int) -> bool:
        """Say whether this is a tech lead of the project: pages offer what only they may do."""
        return self.admin or self.levels.get(project_id, 0) >= MAINTAINER
