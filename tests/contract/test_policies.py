"""What every adapter keeps to that reads policies, or remembers them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.policy_file_local import LocalPolicyFile
from bot.adapters.policy_files_gitlab import GitLabPolicyFiles
from bot.adapters.policy_versions_postgres import PostgresPolicyVersions
from bot.adapters.postgres import close_pool, connect_pool
from bot.domain.errors import Permanent, Transient
from tests.gitlab import GitLab


class Time:
    """A clock that stands still until told otherwise."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
async def api(gitlab: GitLab) -> AsyncIterator[GitLabApi]:
    api = GitLabApi(gitlab.server.url, gitlab.token, timeout_s=5.0)
    yield api
    await api.aclose()


async def test_files_of_a_project_are_those_of_its_default_branch(gitlab: GitLab, api: GitLabApi) -> None:
    """A changed one counts after a minute; until then it costs no request."""
    time = Time()
    files = GitLabPolicyFiles(api, "group/app", monotonic=time.monotonic)
    assert await files.read("groups/a.yml") is None
    gitlab.server.commit(gitlab.project, "main", {"groups/a.yml": "gate: {}\n"})
    calls = api.calls
    assert await files.read("groups/a.yml") is None
    assert calls == api.calls
    time.now += 61
    assert await files.read("groups/a.yml") == b"gate: {}\n"
    gitlab.server.commit(gitlab.project, "other", {"groups/a.yml": "x"})
    time.now += 61
    assert await files.read("groups/a.yml") == b"gate: {}\n"
    assert [] == gitlab.server.unknown_requests


async def test_a_project_out_of_sight_is_no_project_without_policies(api: GitLabApi) -> None:
    """GitLab answers 404 to both, and taking one for the other would open gates."""
    with pytest.raises(Permanent, match="add our account to it as Reporter"):
        await GitLabPolicyFiles(api, "group/none").read("groups/a.yml")


async def test_a_project_that_moved_is_followed(gitlab: GitLab, api: GitLabApi) -> None:
    """GitLab says its number; whoever takes its former path later does not get its place."""
    files = GitLabPolicyFiles(api, "group/app", monotonic=Time().monotonic)
    gitlab.server.commit(gitlab.project, "main", {"groups/a.yml": "ours\n", "groups/b.yml": "ours too\n"})
    gitlab.server.move_project(gitlab.project, "elsewhere/policies")
    assert await files.read("groups/a.yml") == b"ours\n"
    assert await files.read("groups/c.yml") is None
    gitlab.server.create_project("group/app", {"groups/b.yml": "theirs\n"}, members={gitlab.bot: 20})
    assert await files.read("groups/b.yml") == b"ours too\n"


async def test_a_file_that_is_far_too_large_is_a_problem(gitlab: GitLab, api: GitLabApi) -> None:
    """Nobody writes such a policy."""
    gitlab.server.commit(gitlab.project, "main", {"groups/a.yml": "#" * 100_001})
    with pytest.raises(Permanent, match="shorten it"):
        await GitLabPolicyFiles(api, "group/app").read("groups/a.yml")


async def test_gitlab_out_of_reach_is_not_taken_for_an_answer() -> None:
    """Another try may succeed."""
    api = GitLabApi("http://127.0.0.1:9", "token", timeout_s=2.0)
    with pytest.raises(Transient):
        await GitLabPolicyFiles(api, "group/app").read("groups/a.yml")
    await api.aclose()


async def test_a_local_file_is_read_anew_each_time(tmp_path: Path) -> None:
    """It has been named, so its absence is a problem."""
    file = tmp_path / "policy.yml"
    files = LocalPolicyFile(file)
    with pytest.raises(Permanent, match="CLOISTER_POLICY_FILE"):
        await files.read("")
    for content in (b"a", b"b"):
        file.write_bytes(content)
        assert content == await files.read("")
    file.write_bytes(b"#" * 100_001)
    with pytest.raises(Permanent, match="shorten it"):
        await files.read("")


async def test_versions_are_remembered_by_name(database_url: str) -> None:
    """The newest replaces the one before, all processes see it, and what is forgotten is gone."""
    pool = await connect_pool(database_url, size=2)
    try:
        versions, others = PostgresPolicyVersions(pool), PostgresPolicyVersions(pool)
        assert await versions.last_valid("a") is None
        await asyncio.gather(*(versions.remember("a", f'{{"gate": {{"n": {n}}}}}') for n in range(3)))
        await versions.remember("a", '{"gate": {}}')
        await versions.remember("b", '{"x": "\\u0000\\ud800"}')
        assert ('{"gate": {}}', '{"x": "\\u0000\\ud800"}') == (
            await others.last_valid("a"),
            await others.last_valid("b"),
        )
        await versions.forget("a")
        await versions.forget("a")
        assert await others.last_valid("a") is None
    finally:
        await close_pool(pool)
