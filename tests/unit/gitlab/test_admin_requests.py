"""Webhooks are installed once, and the reconciler's list misses nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest

from bot.adapters.forge_gitlab_admin import GitLabAdmin, HookScope, InstalledHook
from bot.domain.errors import Refused
from bot.domain.forge import ForgeUser
from tests.unit.gitlab.scripted import Script

API = "https://gitlab.example/api/v4"
URL = "https://bot.example/webhooks/gitlab"
WANTED = {
    "url": URL,
    "merge_requests_events": True,
    "note_events": True,
    "emoji_events": True,
    "pipeline_events": True,
    "push_events": False,
    "enable_ssl_verification": True,
}
SIGNING = "whsec_MDEyMw=="


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def admin(script: Script) -> AsyncIterator[GitLabAdmin]:
    made = GitLabAdmin("https://gitlab.example/", "t", transport=httpx.MockTransport(script))
    yield made
    await made.aclose()


async def test_a_missing_hook_is_created(admin: GitLabAdmin, script: Script):
    """The hook sends what Cloister uses, and no pushes, which GitLab would turn on by itself."""
    script.plan(200, [{"id": 1, "url": "https://other.example/"}])
    script.plan(201, WANTED | {"id": 2})
    made = await admin.install_hook(HookScope.project, "team/app", url=URL, token="plain")
    assert InstalledHook(2, "created", signed=False) == made
    assert ("POST", f"{API}/projects/team%2Fapp/hooks", WANTED | {"token": "plain"}) == script.sent


async def test_a_hook_that_is_right_is_left_alone(admin: GitLabAdmin, script: Script):
    """Installing twice changes nothing; fields that an older release does not show are taken on trust."""
    shown = {name: value for name, value in WANTED.items() if name != "emoji_events"}
    script.plan(200, [shown | {"id": 2}])
    made = await admin.install_hook(HookScope.group, 8, url=URL, token="plain")
    assert InstalledHook(2, "unchanged", signed=False) == made
    assert ("GET", f"{API}/groups/8/hooks?per_page=100", None) == script.sent


@pytest.mark.parametrize(
    ("difference", "rotate"),
    [
        ({"note_events": False}, False),
        ({"push_events": True}, False),
        ({"token_present": False}, False),
        ({}, True),
    ],
)
async def test_a_hook_that_differs_is_updated(
    admin: GitLabAdmin, script: Script, difference: dict[str, Any], rotate: bool
):
    """The same hook is changed, no second one is made."""
    script.plan(200, [WANTED | {"id": 2} | difference])
    script.plan(200, WANTED | {"id": 2})
    made = await admin.install_hook(HookScope.project, 5, url=URL, token="plain", rotate=rotate)
    assert InstalledHook(2, "updated", signed=False) == made
    assert ("PUT", f"{API}/projects/5/hooks/2", WANTED | {"token": "plain"}) == script.sent


async def test_a_release_that_signs_gets_the_signing_token(admin: GitLabAdmin, script: Script):
    """From 19.0 on the hook is signed, which the answer confirms."""
    script.plan(200, {"version": "19.0.1-ee", "revision": "abc"})
    script.plan(200, [])
    script.plan(201, WANTED | {"id": 2, "signing_token_present": True})
    made = await admin.install_hook(HookScope.project, 5, url=URL, signing_token=SIGNING)
    assert InstalledHook(2, "created", signed=True) == made
    assert script.sent[2] == WANTED | {"signing_token": SIGNING}


@pytest.mark.parametrize("present", [{}, {"signing_token_present": False}])
async def test_an_ignored_signing_token_is_noticed(
    admin: GitLabAdmin, script: Script, present: dict[str, bool]
):
    """A hook that would send unsigned deliveries is reported, not trusted."""
    script.plan(200, {"version": "19.0.0"})
    script.plan(200, [])
    script.plan(201, WANTED | {"id": 2} | present)
    with pytest.raises(Refused, match="plain secret"):
        await admin.install_hook(HookScope.project, 5, url=URL, signing_token=SIGNING)


async def test_older_releases_need_a_plain_secret(admin: GitLabAdmin, script: Script):
    """Before 19.0 the attribute would be ignored silently."""
    script.plan(200, {"version": "18.10.2"})
    with pytest.raises(Refused, match=r"19\.0"):
        await admin.install_hook(HookScope.project, 5, url=URL, signing_token=SIGNING)
    script.plan(200, {"version": "18.10.2"})
    script.plan(200, [])
    script.plan(201, WANTED | {"id": 2})
    made = await admin.install_hook(HookScope.project, 5, url=URL, token="plain", signing_token=SIGNING)
    assert not made.signed
    assert script.sent[2] == WANTED | {"token": "plain"}


@pytest.mark.parametrize(
    ("expected", "version"), [((17, 5), "17.5.1-ee"), ((19, 10), "19.10.0-pre"), ((0, 0), "unknown")]
)
async def test_the_release_is_read_from_the_version(
    admin: GitLabAdmin, script: Script, expected: tuple[int, int], version: str
):
    """Editions and pre-releases do not matter."""
    script.plan(200, {"version": version})
    assert expected == (await admin.version()).release


async def test_the_token_tells_scopes_and_expiry(admin: GitLabAdmin, script: Script):
    """What doctor needs is there."""
    script.plan(200, {"id": 1, "scopes": ["api"], "expires_at": "2026-12-31", "active": True})
    info = await admin.token_info()
    assert (("api",), date(2026, 12, 31), True) == (info.scopes, info.expires_at, info.active)


async def test_access_is_zero_for_strangers(admin: GitLabAdmin, script: Script):
    """No membership is an answer, not an error."""
    script.plan(200, {"id": 9, "access_level": 30})
    script.plan(404, {"message": "404 Not found"})
    assert [await admin.access_level(5, 9), await admin.access_level("team/app", 9)] == [30, 0]
    assert script.sent[1] == f"{API}/projects/team%2Fapp/members/all/9"


async def test_user_and_project_are_read(admin: GitLabAdmin, script: Script):
    """A project is found by its path."""
    script.plan(200, {"id": 9, "username": "bot"})
    script.plan(200, {"id": 5, "path_with_namespace": "team/app", "default_branch": None})
    assert ForgeUser(9, "bot") == await admin.user()
    assert (await admin.project("team/app")).id == 5
