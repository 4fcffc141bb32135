"""A project is transferred to another group, and another one is deleted, with all that Cloister keeps of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bot.adapters.forgetting_postgres import forget_project
from bot.adapters.postgres import connect_pool
from bot.demo.gitlab import GitLabServer, Level, MergeRequest, Project, User
from bot.demo.gitlab.hooks import Delivery
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from bot.gitlab.instance import instance_name
from bot.wiring_access import CALLBACK
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import start_with_accounts
from tests.ports import free_address
from tests.postgres import create_database
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cloister]:
    """Run Cloister with pages, and with a policy for each of two groups, of which the second lets everything pass."""
    address = free_address()
    url = await create_database(postgres_server, f"test_{uuid.uuid4().hex[:12]}", migrated_template)
    with GitLabServer() as server, ScriptedOllama(script=planted_review) as ollama:
        gitlab = start_with_accounts(server)
        policies = {
            "groups/group.yml": "review: {model: false}\n",
            "groups/elsewhere.yml": "review: {model: false}\ngate: {block_at: never}\n",
        }
        server.create_project("security/policies", policies, members={gitlab.bot: Level.reporter})
        application = server.create_application(f"http://{address}{CALLBACK}")
        settings = settings_for(
            gitlab,
            ollama.url,
            url,
            tmp_path_factory.mktemp("moved"),
            listen=address,
            public_url=f"http://{address}",
            oauth_client_id=application.id,
            oauth_client_secret=application.secret,
            auditors="eye",
            policy_project="security/policies",
        )
        async with running(settings, gitlab, ollama) as cloister:
            yield cloister


def project_of(cloister: Cloister, path: str) -> Project:
    """Return a new project with our hook."""
    gitlab = cloister.gitlab
    members = {gitlab.bot: Level.developer, gitlab.developer: Level.developer}
    project = gitlab.server.create_project(path, members=members)
    gitlab.server.add_hook(project, cloister.webhook_url, WEBHOOK_SECRET)
    return project


async def reviewed(cloister: Cloister, project: Project) -> MergeRequest:
    """Return a reviewed merge request with one comment."""
    gitlab = cloister.gitlab
    opened = gitlab.server.open_merge_request(project, "flaw", {"find.py": FLAW}, author=gitlab.developer)
    outcome = await cloister.outcome(opened)
    assert ("failed", [("find.py", 2)]) == (outcome.status, outcome.lines)
    return opened


@asynccontextmanager
async def signed_in(cloister: Cloister, user: User) -> AsyncIterator[httpx.AsyncClient]:
    """Lend a browser in which *user* has just signed in."""
    here, cookies = f"http://{cloister.settings.listen}", cloister.gitlab.server.browser_of(user)
    async with httpx.AsyncClient(base_url=here, cookies=cookies, trust_env=False, timeout=150) as browser:
        answer = await browser.get("/sign-in/gitlab?to=/api/v1/me", follow_redirects=True)
        assert answer.status_code == 200, answer.text
        yield browser


async def comments_in(browser: httpx.AsyncClient, group: str) -> int:
    """Return how many comments are counted for a group."""
    answer = await browser.get("/api/v1/funnel", params={"group": group})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["comments"])


async def looked(cloister: Cloister, merge_request: MergeRequest) -> None:
    """Have Cloister look at what people did, now."""
    which = merge_request.project.id, merge_request.iid
    await cloister.fetch(
        "UPDATE feedback_watch SET next_at = now(), expected_at = NULL, claimed_at = NULL"
        " WHERE project_id = $1 AND iid = $2",
        *which,
    )
    claimed = "SELECT FROM feedback_watch WHERE project_id = $1 AND iid = $2 AND claimed_at IS NOT NULL"
    await until(lambda: cloister.fetch(claimed, *which), "nobody looked")
    await cloister.idle()


async def test_a_project_takes_along_what_is_known_of_it(world: Cloister) -> None:
    """Its figures, links and policy are those of its new group, and of its people; nothing is said twice."""
    server = world.gitlab.server
    old, new = server.create_user("old-lead"), server.create_user("new-lead")
    project = project_of(world, "group/app-that-moves")
    server.add_member(project.group, old, Level.maintainer)
    server.add_member(server.create_group("elsewhere"), new, Level.maintainer)
    opened = await reviewed(world, project)
    await world.counted()
    async with signed_in(world, old) as browser:
        assert (1, 0) == (await comments_in(browser, "group"), await comments_in(browser, "elsewhere"))

    server.move_project(project, "elsewhere/renamed")
    server.push(opened, {"find.py": "import os\n\n" + FLAW, "other.py": "x = 1\n"})
    outcome = await world.outcome(opened)
    assert ("success", 1) == (outcome.status, len(outcome.threads))
    assert f"{server.url}/elsewhere/renamed/-/blob/" in outcome.summary
    (note,) = [note for note in world.ours(opened) if note.resolvable]
    server.react(opened, note, "thumbsdown", user=world.gitlab.developer)
    server.merge(opened, user=world.gitlab.developer)
    await world.idle()
    await looked(world, opened)
    await world.counted()

    assert [("rejected_strong",)] == [
        tuple(row)
        for row in await world.fetch(
            "SELECT label FROM label JOIN comment c ON c.id = comment_id WHERE c.project_id = $1", project.id
        )
    ]
    assert [] == await world.fetch("SELECT FROM dead_letter")
    async with signed_in(world, new) as browser:
        assert (0, 1) == (await comments_in(browser, "group"), await comments_in(browser, "elsewhere"))
        ((comment,),) = await world.fetch("SELECT id FROM comment WHERE project_id = $1", project.id)
        led = await browser.get(f"/comments/{comment}")
        assert led.headers["location"] == f"{server.url}/elsewhere/renamed/-/merge_requests/1#note_{note.id}"
        assert "elsewhere/renamed" in (await browser.get("/reviews")).text
    async with signed_in(world, old) as browser:
        assert [] == (await browser.get("/api/v1/projects")).json()["projects"]
        assert 0 == await comments_in(browser, "elsewhere")


async def test_a_deleted_project_is_history(world: Cloister) -> None:
    """What still comes of it ends, nobody asks for it for ever, its history is shown, and can be forgotten."""
    server = world.gitlab.server
    project = project_of(world, "group/app-that-goes")
    opened = await reviewed(world, project)
    await world.counted()
    kind = ("merge_request", project.id)
    hook = next(
        one for one in server.deliveries if (one.payload["object_kind"], one.payload["project"]["id"]) == kind
    )
    server.delete_project(project)
    server.instance.core.hooks.resend(_with_head(hook, "f" * 40))
    await world.idle()
    letters = await world.fetch("SELECT consumer_group, reason FROM dead_letter")
    assert ["fetch"] == [letter["consumer_group"] for letter in letters]
    assert "It does not exist, or the token's user has no access" in letters[0]["reason"]
    for failures in (0, 8):
        await world.fetch(
            "UPDATE feedback_watch SET failures = $2 WHERE project_id = $1", project.id, failures
        )
        await looked(world, opened)
    assert [(None,)] == [
        tuple(row)
        for row in await world.fetch("SELECT next_at FROM feedback_watch WHERE project_id = $1", project.id)
    ]
    async with signed_in(world, server.create_user("eye")) as browser:
        assert "group/app-that-goes" in (await browser.get("/reviews")).text
    pool = await connect_pool(world.database_url, size=1)
    try:
        instance = instance_name(str(world.settings.gitlab_url))
        assert (await forget_project(pool, instance, project.id, actor="test"))["comment"] == 1
    finally:
        await pool.close()
    assert [] == await world.fetch("SELECT FROM dead_letter")


def _with_head(delivery: Delivery, head: str) -> Delivery:
    """Return the hook of a push that came just before."""
    body: dict[str, Any] = json.loads(delivery.body)
    body["object_attributes"]["last_commit"]["id"] = head
    headers = delivery.headers | {"Idempotency-Key": str(uuid.uuid4())}
    return Delivery(delivery.hook, headers, json.dumps(body).encode())
