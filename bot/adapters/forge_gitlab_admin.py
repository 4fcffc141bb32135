"""What the operator's commands ask GitLab, beyond one merge request."""

from __future__ import annotations

import enum
import ssl
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from bot.adapters.forge_gitlab_api import AnswerProblem, GitLabApi, explained
from bot.domain.errors import Refused
from bot.domain.forge import ForgeUser
from bot.gitlab.administration import SIGNING_SINCE, Installation, Member, Project, TokenInfo, WebHook
from bot.gitlab.people_shapes import User
from bot.gitlab.shapes import read


class HookScope(enum.StrEnum):
    """Where a webhook is installed; a group hook covers all projects of the group and needs GitLab Premium."""

    project = "projects"
    group = "groups"


@dataclass(frozen=True, slots=True)
class InstalledHook:
    """Say what `GitLabAdmin.install_hook` did: ``created``, ``updated`` or ``unchanged``."""

    id: int
    outcome: str
    signed: bool


class GitLabAdmin:
    """Look at a GitLab and install webhooks there; the errors are those of `bot.ports.Forge`.

    Args are those of `bot.adapters.forge_gitlab_api.GitLabApi`.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 30.0,
        connections: int = 5,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.api = GitLabApi(
            url, token, timeout_s=timeout_s, connections=connections, verify=verify, transport=transport
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self.api.aclose()

    @property
    def calls(self) -> int:
        """Return how many requests were sent."""
        return self.api.calls

    async def version(self) -> Installation:
        """Return the release of GitLab."""
        return await self.api.one(Installation, "version")

    async def token_info(self) -> TokenInfo:
        """Return scopes and expiry of our token."""
        return await self.api.one(TokenInfo, "personal_access_tokens/self")

    async def user(self) -> ForgeUser:
        """Return the account that the token belongs to."""
        return (await self.api.one(User, "user")).forge()

    async def project(self, path_or_id: str | int) -> Project:
        """Return the project, named by its id or its full path."""
        return await self.api.one(Project, f"projects/{_quoted(path_or_id)}")

    async def access_level(self, path_or_id: str | int, user_id: int) -> int:
        """Return the access of a user to a project, inherited access included; 0 without any."""
        path = f"projects/{_quoted(path_or_id)}/members/all/{user_id}"
        try:
            member = await self.api.ask_once("GET", path)
        except AnswerProblem as trouble:
            if trouble.answer.status == httpx.codes.NOT_FOUND:
                return 0
            raise explained(trouble) from None
        return read(Member, member, f"GET {path}").access_level

    async def hooks(self, scope: HookScope, target: str | int) -> list[WebHook]:
        """Return the webhooks of a project or group; needs the role Maintainer (project) or Owner (group)."""
        return [hook async for hook in self.api.every(WebHook, _hooks(scope, target))]

    async def install_hook(
        self,
        scope: HookScope,
        target: str | int,
        *,
        url: str,
        token: str | None = None,
        signing_token: str | None = None,
        verify_tls: bool = True,
        rotate: bool = False,
    ) -> InstalledHook:
        """Make sure that exactly one webhook sends our events to *url*, changing one that is there.

        GitLab does not tell secrets, so a hook that looks right is left alone; *rotate* sets them anyway.

        Args:
            scope: project or group.
            target: its id or full path.
            url: where our receiver listens, as GitLab reaches it.
            token: plain secret, for any release.
            signing_token: ``whsec_`` token, used from GitLab 19.0 on.
            verify_tls: whether GitLab checks the receiver's certificate.
            rotate: set the secrets although the hook is there.

        Raises:
            Refused: GitLab cannot sign, and no plain secret was given.
        """
        signs = signing_token is not None and (await self.version()).release >= SIGNING_SINCE
        if token is None and not signs:
            msg = "GitLab signs deliveries from 19.0 on; give a plain secret token for this release"
            raise Refused(msg)
        wanted = _events() | {"enable_ssl_verification": verify_tls}
        secrets = {"token": token, "signing_token": signing_token if signs else None}
        present = {f"{name}_present": True for name, value in secrets.items() if value is not None}
        found = next((hook for hook in await self.hooks(scope, target) if hook.url == url), None)
        if found is not None and not rotate and not found.lacks(wanted | present):
            return InstalledHook(found.id, "unchanged", signs)
        data = {"url": url, **wanted, **{name: value for name, value in secrets.items() if value is not None}}
        method, path = "POST", _hooks(scope, target)
        if found is not None:
            method, path = "PUT", f"{path}/{found.id}"
        stored = read(WebHook, await self.api.ask(method, path, data=data), f"{method} {path}")
        if signs and not stored.signing_token_present:
            msg = f"GitLab ignored the signing token of webhook {stored.id}; give it a plain secret token instead"
            raise Refused(msg)
        return InstalledHook(stored.id, "created" if found is None else "updated", signs)


def _events() -> dict[str, bool]:
    # GitLab turns push events on unless told otherwise.
    return {
        "merge_requests_events": True,
        "note_events": True,
        "emoji_events": True,
        "pipeline_events": True,
        "push_events": False,
    }


def _hooks(scope: HookScope, target: str | int) -> str:
    return f"{scope.value}/{_quoted(target)}/hooks"


def _quoted(path_or_id: str | int) -> str:
    return quote(str(path_or_id), safe="")
