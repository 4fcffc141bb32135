"""Who may decide about a project or a group, as of now: sessions know what was true when somebody signed in."""

from __future__ import annotations

from bot.domain.errors import Refused
from bot.domain.token_names import DECIDING
from bot.domain.viewer import MAINTAINER, Via, Viewer
from bot.ports import People
from bot.web.problems import Problem


class Deciding:
    """Ask GitLab whether somebody may decide.

    Args:
        people: what somebody may do as of now, None where the forge cannot be asked.
    """

    def __init__(self, people: People | None) -> None:
        self._people = people

    async def may_decide(self, viewer: Viewer, project_id: int) -> bool:
        """Say whether *viewer* is a tech lead of the project or an administrator, as of now.

        A token decides about the projects that it names, if it has a scope for that: the operator said so.

        Raises:
            Problem: the forge cannot be asked.
            Transient: it does not answer.
        """
        if viewer.scopes is not None:
            return bool(viewer.scopes & DECIDING) and viewer.leads(project_id)
        if viewer.via is not Via.gitlab:
            return viewer.leads(project_id)
        if viewer.admin:
            return await self._is_there(viewer)
        try:
            member = await self._forge().member(project_id, viewer.user.id)
        except Refused:
            return False
        return member.access_level >= MAINTAINER

    async def may_decide_group(self, viewer: Viewer, group: str) -> bool:
        """Say whether *viewer* is a Maintainer of the group with this path itself, or an administrator, as of now.

        Raises:
            Problem: the forge cannot be asked.
            Transient: it does not answer.
        """
        if viewer.scopes is not None:
            return False
        if viewer.via is not Via.gitlab:
            return viewer.admin
        if viewer.admin:
            return await self._is_there(viewer)
        try:
            return await self._forge().level_in_group(group, viewer.user.id) >= MAINTAINER
        except Refused:
            return False

    async def _is_there(self, viewer: Viewer) -> bool:
        """Say whether an administrator can still sign in: whether one still is one, GitLab tells few."""
        return self._people is None or await self._people.may_sign_in(viewer.user.id)

    def _forge(self) -> People:
        if self._people is None:
            raise Problem(
                503, "unavailable", "set CLOISTER_GITLAB_TOKEN for this process: it must ask GitLab"
            )
        return self._people
