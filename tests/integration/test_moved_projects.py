"""Projects have a number for good, and a path for a while."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from bot.adapters.facts_postgres import save_fact
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.places_postgres import PostgresPlaces
from bot.domain.merge_request import MergeRequestRef
from bot.domain.review_fact import ReviewFact
from bot.gitlab.instance import instance_name
from tests.gitlab import GitLab
from tests.history import INSTANCE

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Time:
    """A clock that stands still until told otherwise."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


async def test_code_is_fetched_from_where_the_project_is(gitlab: GitLab) -> None:
    """Another project may have taken its path; what was heard counts for a minute, and costs no request."""
    time, server = Time(), gitlab.server
    forge = GitLabForge(server.url, gitlab.token, monotonic=time.monotonic)
    try:
        opened = server.open_merge_request(gitlab.project, "one", {"a.py": "a\n"})
        await forge.merge_request(
            MergeRequestRef(instance=instance_name(server.url), project_id=gitlab.project.id, iid=opened.iid)
        )
        server.move_project(gitlab.project, "elsewhere/app")
        server.create_project("group/app")
        calls = forge.calls
        assert await forge.clone_url(gitlab.project.id) == f"{server.url}/group/app.git"
        assert calls == forge.calls
        time.now = 61
        assert await forge.clone_url(gitlab.project.id) == f"{server.url}/elsewhere/app.git"
    finally:
        await forge.aclose()


async def test_nobody_is_led_to_another_project(pool: Any) -> None:
    """Once a path has another owner, the former one has none until its next review."""
    places = PostgresPlaces(pool, INSTANCE)

    async def reviewed(project_id: int, path: str) -> dict[int, str]:
        async with pool.acquire() as connection, connection.transaction():
            await save_fact(connection, _fact(project_id, path), {})
        return dict(await places.projects(None))

    assert await reviewed(1, "group/app") == {1: "group/app"}
    assert await reviewed(2, "group/app") == {2: "group/app"}
    assert await reviewed(1, "elsewhere/app") == {1: "elsewhere/app", 2: "group/app"}
    assert await reviewed(3, "") == {1: "elsewhere/app", 2: "group/app"}


def _fact(project_id: int, path: str) -> ReviewFact:
    return ReviewFact(
        run_id=uuid.uuid4(),
        ref=MergeRequestRef(instance=INSTANCE, project_id=project_id, iid=1),
        project=path,
        created_at=NOW,
        published_at=NOW,
        generated=0,
        posted=0,
        standing=False,
        filtered={},
        left_out=(),
        unread={},
        files=1,
        files_read=1,
        blocking=0,
        undecided=False,
        waived=0,
    )
