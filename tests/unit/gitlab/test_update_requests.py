"""The list of what changed lately: exact requests, and entries of every sort."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.forge_gitlab_updates import GitLabUpdates
from bot.domain.errors import Permanent
from bot.domain.forge import UpdatedMergeRequest
from bot.domain.merge_request import MergeRequestRef
from tests.unit.gitlab.scripted import Script

SINCE = datetime(2026, 1, 1, 9, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=1)))
LISTED: dict[str, Any] = {
    "iid": 7,
    "project_id": 5,
    "state": "merged",
    "draft": True,
    "sha": "a" * 40,
    "target_branch": "main",
    "labels": ["a", "b"],
    "updated_at": "2026-01-01T10:00:00.123+01:00",
}
NEXT = '<https://gitlab.example/api/v4/merge_requests?page=2>; rel="next"'


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def updates(script: Script) -> AsyncIterator[GitLabUpdates]:
    api = GitLabApi("https://gitlab.example", "t", transport=httpx.MockTransport(script))
    yield GitLabUpdates(api, "gitlab.example")
    await api.aclose()


async def test_a_page_is_asked_for_by_time(updates: GitLabUpdates, script: Script):
    """Oldest update first, of everybody's merge requests in every state, to the millisecond."""
    script.plan(200, [LISTED], link=NEXT, date="Thu, 01 Jan 2026 12:00:00 GMT")
    page = await updates.updated_since(SINCE)
    at = datetime(2026, 1, 1, 9, 0, 0, 123_000, tzinfo=UTC)
    ref = MergeRequestRef(instance="gitlab.example", project_id=5, iid=7)
    assert (
        UpdatedMergeRequest(ref, "merged", "a" * 40, at, draft=True, target_branch="main", labels=("a", "b")),
    ) == page.merge_requests
    assert (True, datetime(2026, 1, 1, 12, tzinfo=UTC), ()) == (page.more, page.now, page.problems)
    assert script.requests[0].url.path == "/api/v4/merge_requests"
    assert dict(script.requests[0].url.params) == {
        "scope": "all",
        "state": "all",
        "order_by": "updated_at",
        "sort": "asc",
        "updated_after": "2026-01-01T08:00:00.123Z",
        "page": "1",
        "per_page": "100",
    }


async def test_the_last_page_says_so(updates: GitLabUpdates, script: Script):
    """Nothing listed is no end of the world either."""
    script.plan(200, [])
    page = await updates.updated_since(SINCE, page=3)
    assert ((), False, None) == (page.merge_requests, page.more, page.now)
    assert script.requests[0].url.params["page"] == "3"


@pytest.mark.parametrize(
    "odd",
    [
        {"iid": 2**31},
        {"iid": 0},
        {"iid": "7"},
        {"iid": True},
        {"project_id": 2**63},
        {"project_id": None},
        {"state": None},
        {"sha": "not a sha"},
        {"updated_at": None},
        {"updated_at": "yesterday"},
        {"updated_at": "2026-01-01T10:00:00"},
        {"updated_at": "0001-01-01T00:00:00+14:00"},
        {"updated_at": "9999-12-31T23:59:59-14:00"},
    ],
)
async def test_an_odd_entry_does_not_spoil_the_page(
    updates: GitLabUpdates, script: Script, odd: dict[str, Any]
):
    """It is left out and its field named, without its value."""
    script.plan(200, [LISTED | odd, "rubbish", LISTED])
    page = await updates.updated_since(SINCE)
    assert len(page.merge_requests) == 1
    assert [True, True] == [problem.startswith("GET merge_requests:") for problem in page.problems]
    assert next(iter(odd)) in page.problems[0]


@pytest.mark.parametrize(("expected", "sha"), [(None, None), (None, ""), ("b" * 64, "b" * 64)])
async def test_a_missing_head_is_none(
    updates: GitLabUpdates, script: Script, expected: str | None, sha: str | None
):
    """GitLab knows none while it prepares the merge request."""
    script.plan(200, [LISTED | {"sha": sha}])
    assert expected == (await updates.updated_since(SINCE)).merge_requests[0].head_sha


@pytest.mark.parametrize(
    "date", ["soon", "", "Fri, 01 Jan 1999 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
async def test_an_absurd_time_is_no_time(updates: GitLabUpdates, script: Script, date: str):
    """Nothing is calculated with it."""
    script.plan(200, [], date=date)
    assert (await updates.updated_since(SINCE)).now is None


async def test_what_is_not_a_list_is_not_gitlab(updates: GitLabUpdates, script: Script):
    """The message says which setting to look at."""
    script.plan(200, {"message": "hello"})
    with pytest.raises(Permanent, match="CLOISTER_GITLAB_URL"):
        await updates.updated_since(SINCE)


async def test_our_projects_are_those_of_developers(updates: GitLabUpdates, script: Script):
    """All keyset pages are read."""
    script.plan(200, [{"id": 5}], link='<https://gitlab.example/api/v4/projects?id_after=5>; rel="next"')
    script.plan(200, [{"id": 9, "name": "shop"}])
    assert {5, 9} == await updates.our_projects()
    assert dict(script.requests[0].url.params) == {
        "membership": "true",
        "min_access_level": "30",
        "archived": "false",
        "simple": "true",
        "pagination": "keyset",
        "order_by": "id",
        "sort": "asc",
        "per_page": "100",
    }
    assert str(script.requests[1].url) == "https://gitlab.example/api/v4/projects?id_after=5"
