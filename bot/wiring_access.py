"""Settings -> who may look at the pages, and how they sign in."""

from __future__ import annotations

from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.forge_gitlab_people import GitLabPeople
from bot.adapters.sign_in_gitlab import GitLabSignIn
from bot.domain.forge import ForgeMember, ForgeMergeRequest
from bot.domain.merge_request import MergeRequestRef
from bot.ports import Clock, SignIn
from bot.settings import Settings

#: Where GitLab sends browsers back to; it is registered with the application.
CALLBACK = "/sign-in/callback"


class AskedAnew:
    """Ask GitLab about people on a connection of its own each time: decisions on pages are rare."""

    def __init__(self, settings: Settings, token: str) -> None:
        self._url = str(settings.gitlab_url)
        self._token = token
        self._verify = settings.gitlab_tls()

    async def member(self, project_id: int, user_id: int) -> ForgeMember:
        """Return the account with its access; see `bot.ports.People`."""
        api = self._api()
        try:
            return await GitLabPeople(api).member(project_id, user_id)
        finally:
            await api.aclose()

    async def wrote(self, ref: MergeRequestRef, user_id: int) -> bool:
        """Say whether the account may have written a commit; see `bot.ports.People`."""
        api = self._api()
        try:
            return await GitLabPeople(api).wrote(ref, user_id)
        finally:
            await api.aclose()

    async def level_in_group(self, group: str, user_id: int) -> int:
        """Return the access to a group; see `bot.ports.People`."""
        api = self._api()
        try:
            return await GitLabPeople(api).level_in_group(group, user_id)
        finally:
            await api.aclose()

    async def may_sign_in(self, user_id: int) -> bool:
        """Say whether the account can sign in; see `bot.ports.People`."""
        api = self._api()
        try:
            return await GitLabPeople(api).may_sign_in(user_id)
        finally:
            await api.aclose()

    async def may_push(self, merge_request: ForgeMergeRequest, user_id: int) -> bool:
        """Say whether the account may push; see `bot.ports.People`."""
        api = self._api()
        try:
            return await GitLabPeople(api).may_push(merge_request, user_id)
        finally:
            await api.aclose()

    async def merge_request(self, ref: MergeRequestRef) -> ForgeMergeRequest:
        """Return the merge request as it is now; see `bot.ports.Forge`."""
        forge = GitLabForge(self._url, self._token, connections=1, verify=self._verify)
        try:
            return await forge.merge_request(ref)
        finally:
            await forge.aclose()

    def _api(self) -> GitLabApi:
        return GitLabApi(self._url, self._token, connections=1, verify=self._verify)


def people_of(settings: Settings) -> AskedAnew | None:
    """Return who is asked about people, None where this process has no token for that."""
    if settings.gitlab_token is None:
        return None
    return AskedAnew(settings, settings.gitlab_token.get_secret_value())


def sign_in_of(settings: Settings, clock: Clock) -> SignIn | None:
    """Return how people sign in with GitLab, None where no application is set."""
    if settings.oauth_client_id is None or settings.oauth_client_secret is None:
        return None
    return GitLabSignIn(
        str(settings.gitlab_url),
        settings.oauth_client_id,
        settings.oauth_client_secret.get_secret_value(),
        f"{settings.public_url}{CALLBACK}",
        clock=clock,
        verify=settings.gitlab_tls(),
    )


def link_address(settings: Settings, port: int, secret: str) -> str:
    """Return the address that signs in as the operator; *port* is where this Cloister listens."""
    base = settings.public_url or f"http://127.0.0.1:{port}"
    return f"{base}/sign-in/link?key={secret}"
