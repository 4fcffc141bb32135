"""Policies of several levels, broken ones, and rules that ask for facts of the merge request."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.demo.gitlab import GitLabServer, MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import start_with_accounts
from tests.postgres import create_database

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n"
INSTANCE = """\
enforced: [gate]
gate:
  rules:
    - when: {labels: [incident], author_role: developer}
      mode: shadow
    - when: {scanners: [secrets]}
      mode: block
"""
#: What a project must not be able to do: it does without secrets in every way that there is.
LAX = """\
gate: {block_at: never}
rules: {disable: ["*"], severity: {"*": info}}
paths: {exclude: ["**"]}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cloister]:
    """Run Cloister with a policy of the instance and a project with policies of groups."""
    place = tmp_path_factory.mktemp("policies")
    (place / "policy.yml").write_text(INSTANCE)
    database_url = await create_database(postgres_server, f"test_{uuid.uuid4().hex[:12]}", migrated_template)
    with GitLabServer() as server, ScriptedOllama(script=planted_review) as ollama:
        gitlab = start_with_accounts(server)
        groups = {"groups/group.yml": "review: {model: false}\n"}
        server.create_project("security/policies", groups, members={gitlab.bot: 20})
        above = {"policy_file": place / "policy.yml", "policy_project": "security/policies"}
        settings = settings_for(gitlab, ollama.url, database_url, place / "data", **above)
        async with running(settings, gitlab, ollama) as cloister:
            server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
            yield cloister


def opened(cloister: Cloister, name: str, policy: str | None) -> MergeRequest:
    """Open a merge request with a secret into a branch with a policy."""
    server, project = cloister.gitlab.server, cloister.gitlab.project
    server.commit(project, f"{name}-target", {".cloister.yml": policy} if policy else {"x": name})
    return server.open_merge_request(
        project,
        name,
        {f"{name}.txt": SECRET},
        title=name,
        target=f"{name}-target",
        author=cloister.gitlab.developer,
    )


async def test_a_project_cannot_turn_off_what_the_instance_enforces(world: Cloister) -> None:
    """The secret blocks and is commented, and the group's word on the model counts."""
    outcome = await world.outcome(opened(world, "lax", LAX))
    assert outcome.status == "failed"
    assert [("lax.txt", 1)] == outcome.lines
    assert "model review" in outcome.summary
    assert "switched off by the policy" in outcome.summary


async def test_a_label_changes_the_verdict_without_another_scan(world: Cloister) -> None:
    """There and back again, on one run; what is in shadow is recorded in the summary."""
    merge_request = opened(world, "labelled", None)
    assert (await world.outcome(merge_request)).status == "failed"
    server = world.gitlab.server
    for labels, expected in ((("incident",), "success"), ((), "failed")):
        server.label(merge_request, *labels)
        await world.idle()
        outcome = await world.outcome(merge_request)
        assert expected == outcome.status
        assert ("Would block if their rules did more than record (1)" in outcome.summary) is bool(labels)
    assert len(await world.runs(merge_request)) == 1


async def test_the_last_valid_policy_stays_in_force(world: Cloister) -> None:
    """A policy that breaks is told with its line, before it is merged too, and what it said before holds."""
    server, project = world.gitlab.server, world.gitlab.project
    excluding = "gate:\n  limits: {max_files: 1, on_exceed: block}\n"
    broken = {".cloister.yml": "gate:\n  limts: {}\n"}
    merge_request = opened(world, "valid", excluding)
    await world.outcome(merge_request)
    breaking = server.open_merge_request(project, "breaking", broken, title="breaking", target="valid-target")
    told = (await world.outcome(breaking)).summary
    assert "`.cloister.yml` as this merge request leaves it, line 2" in told
    assert "did you mean 'limits'? Merged like this it does not count" in told
    server.commit(project, "valid-target", broken)
    merge_request = server.open_merge_request(
        project, "later", {"a.txt": "a\n", "b.txt": "b\n"}, title="later", target="valid-target"
    )
    outcome = await world.outcome(merge_request)
    assert "`.cloister.yml`, line 2" in outcome.summary
    assert "The last valid policy stays in force" in outcome.summary
    assert "2 changed files, more than the 1 that the policy allows" in outcome.summary
    assert outcome.status == "failed"
