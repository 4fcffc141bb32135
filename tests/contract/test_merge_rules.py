"""What a project asks for before a merge is known, and not asked for again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.forge_gitlab_rules import GitLabMergeRules
from bot.domain.errors import Permanent, Transient
from tests.gitlab import GitLab


class Time:
    """A clock that stands still until told otherwise."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
async def api(gitlab: GitLab) -> AsyncIterator[GitLabApi]:
    """Connect as the bot."""
    api = GitLabApi(gitlab.server.url, gitlab.token, timeout_s=5.0)
    yield api
    await api.aclose()


async def test_a_change_of_the_settings_counts_after_a_minute(gitlab: GitLab, api: GitLabApi) -> None:
    """Until then it costs no request; projects are told apart."""
    time = Time()
    rules = GitLabMergeRules(api, monotonic=time.monotonic)
    other = gitlab.server.create_project("group/other", {"a": ""}, members={gitlab.bot: 30})
    other.only_allow_merge_if_all_discussions_are_resolved = True
    assert (False, True) == (
        await rules.needs_resolved_threads(gitlab.project.id),
        await rules.needs_resolved_threads(other.id),
    )
    gitlab.project.only_allow_merge_if_all_discussions_are_resolved = True
    calls = api.calls
    assert not await rules.needs_resolved_threads(gitlab.project.id)
    assert calls == api.calls
    time.now += 61
    assert await rules.needs_resolved_threads(gitlab.project.id)


async def test_a_forge_that_gives_no_answer_is_an_error(gitlab: GitLab, api: GitLabApi) -> None:
    """It is not guessed, and not remembered."""
    rules = GitLabMergeRules(api)
    gitlab.server.faults.add("GET", r"/projects/\d+$", status=502)
    with pytest.raises(Transient):
        await rules.needs_resolved_threads(gitlab.project.id)
    assert not await rules.needs_resolved_threads(gitlab.project.id)
    with pytest.raises(Permanent):
        await rules.needs_resolved_threads(999_999)
