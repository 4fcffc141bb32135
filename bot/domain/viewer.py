"""Who looks at a page or asks the API, and what they may see and do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.domain.forge import ForgeUser
from bot.domain.token_names import Scope

#: GitLab's access levels from which people see a project's findings, and from which they decide about them.
REPORTER, DEVELOPER, MAINTAINER = 20, 30, 40


class Via(StrEnum):
    """Say how somebody came in."""

    gitlab = "gitlab"
    #: The one-time link of the operator's command line.
    link = "link"
    #: ``--dev-login``: a name and a role that somebody picked.
    development = "development"
    #: The operator's command line.
    command = "command"
    #: A token of a script.
    token = "token"  # noqa: S105 - the name of a way in


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold what GitLab says of somebody who has just signed in; ``levels`` is the access by project.

    ``cut`` says that there are more projects than were read.
    """

    user: ForgeUser
    admin: bool = False
    auditor: bool = False
    levels: Mapping[int, int] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """Hold whose merge requests are shown, by the number of their author, and in which projects (None: in all)."""

    author: int
    projects: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Say what somebody is shown: all of the projects ``whole`` (None: of all), elsewhere what is their ``own``.

    Figures are of ``whole`` alone, so what does not know of ``own`` shows too little rather than too much.
    """

    whole: frozenset[int] | None
    own: Own | None = None

    @property
    def projects(self) -> frozenset[int] | None:
        """Return the projects in which anything may be shown, None for all."""
        if self.whole is None or self.own is None:
            return self.whole
        return None if self.own.projects is None else self.whole | self.own.projects

    def covers(self, project_id: int, author_id: int | None) -> bool:
        """Say whether reviews of a merge request of *author_id* may be shown; None, not known, is nobody."""
        if self.whole is None or project_id in self.whole:
            return True
        own = self.own
        if own is None or own.author != author_id:
            return False
        return own.projects is None or project_id in own.projects


@dataclass(frozen=True, slots=True)
class Viewer:
    """Hold somebody who has signed in, or a script with a token.

    ``levels`` is GitLab's access level by project, as of signing in: enough to show pages. Whoever changes
    something is asked about anew. ``admin`` sees and may do everything, ``auditor`` sees everything. ``scopes``
    is None for people, who may do what their role allows.
    """

    user: ForgeUser
    admin: bool = False
    auditor: bool = False
    levels: Mapping[int, int] = field(default_factory=dict)
    via: Via = Via.gitlab
    scopes: frozenset[Scope] | None = None

    def reads(self, project_id: int) -> bool:
        """Say whether a single verdict of the project may be shown, as GitLab shows its merge requests."""
        return self.reads_all or self.levels.get(project_id, 0) >= REPORTER

    def oversees(self, project_id: int) -> bool:
        """Say whether figures of the project, and the reviews of everybody there, may be shown."""
        if self.reads_all or self.leads(project_id):
            return True
        # An operator made the token for this project; no membership says more.
        return self.via is Via.token and self.reads(project_id)

    @property
    def reach(self) -> Reach:
        """Return what may be shown: the one place that tells figures and reviews of others from one's own."""
        readable = frozenset(project for project in self.levels if self.reads(project))
        whole = None if self.reads_all else frozenset(filter(self.oversees, readable))
        # Only GitLab tells who somebody is: an operator's link or a token has no merge requests.
        own = Own(self.user.id, None if self.reads_all else readable) if self.via is Via.gitlab else None
        return Reach(whole, own)

    @property
    def oversees_any(self) -> bool:
        """Say whether there are figures to show at all."""
        return self.reach.whole != frozenset()

    @property
    def reads_all(self) -> bool:
        """Say whether every project may be shown."""
        return self.admin or self.auditor

    def leads(self, project_id: int) -> bool:
        """Say whether this is a tech lead of the project: pages offer what only they may do."""
        return self.admin or self.levels.get(project_id, 0) >= MAINTAINER

    def allows(self, scope: Scope) -> bool:
        """Say whether *scope* is among those of a token; people have all."""
        return self.scopes is None or scope in self.scopes

    @property
    def role(self) -> str:
        """Return the highest role, as people read it."""
        if self.via is Via.token:
            return "API token"
        if self.admin:
            return "administrator"
        if self.auditor:
            return "auditor"
        return "tech lead" if any(level >= MAINTAINER for level in self.levels.values()) else "developer"

    @property
    def actor(self) -> str:
        """Return who that is in the audit log: how they came in, the number and the name."""
        return f"{self.via.value}:{self.user.id}:{self.user.username}"

    def without_privileges(self) -> Viewer:
        """Return the same person without what only a look at GitLab could confirm again."""
        return replace(self, admin=False, auditor=False)


def promoted(identity: Identity, admins: frozenset[str], auditors: frozenset[str]) -> Identity:
    """Return *identity* with the roles that the operator gives by user name, in lower case."""
    name = identity.user.username.lower()
    return replace(
        identity, admin=identity.admin or name in admins, auditor=identity.auditor or name in auditors
    )
