"""`cloister policy show|check|schema`, on files and on a GitLab that answers as a real one does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.checks import Check, guarded
from bot.cli.checks.policies import NAME, REMEDY, policies
from bot.cli.policy import levels_at
from bot.demo.gitlab.server import GitLabServer
from bot.domain.policy_model import keys
from bot.domain.policy_schema import schema
from bot.settings import Settings
from tests.unit.cli.command import run

INSTANCE = "enforced: [gate, review.model]\ngate: {block_at: critical}\nreview: {model: true}\n"
PROJECT = "gate: {block_at: never}\nreview: {model: false, language: zh}\n"


def test_a_good_file_is_valid(tmp_path: Path) -> None:
    """And its exit status says so to a pipeline."""
    file = tmp_path / "policy.yml"
    file.write_text(PROJECT)
    result = run("policy", "check", str(file))
    assert (result.exit_code, result.stdout) == (0, f"{file}: valid\n")


def test_a_mistake_is_told_with_its_place_and_a_remedy(tmp_path: Path) -> None:
    """In the form that editors jump to, or as JSON."""
    file = tmp_path / "policy.yml"
    file.write_text("gate:\n  block_at: high\n  rules:\n    - {when: {severty: high}, mode: block}\n")
    result = run("policy", "check", str(file))
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:4:15: 'gate.rules.0.when.severty' is not a known key")
    assert "did you mean 'severity'?" in result.stdout
    said = json.loads(run("policy", "check", "--json", str(file)).stdout)
    assert (said["valid"], said["problem"]["line"], said["problem"]["column"]) == (False, 4, 15)


def test_standard_input_and_shared_files_are_read() -> None:
    """A file for many projects may enforce, that of a project may not."""
    assert run("policy", "check", "--shared", "-", stdin=INSTANCE).exit_code == 0
    result = run("policy", "check", "-", stdin=INSTANCE)
    assert result.exit_code == 1
    assert "standard input:1:1: 'enforced' is not a known key; only files of the instance" in result.stdout


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Of another kind than a mistake in one."""
    result = run("policy", "check", str(tmp_path / "none.yml"))
    assert result.exit_code == 2
    assert "name a policy file" in result.stderr


def test_the_schema_is_printed() -> None:
    """That of projects, and that of shared files."""
    assert schema() == json.loads(run("policy", "schema").stdout)
    assert schema(shared=True) == json.loads(run("policy", "schema", "--shared").stdout)


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Serve a GitLab with a project in a group, and the policies of the group."""
    with GitLabServer() as gitlab:
        gitlab.create_project("bank/pay/app", {".cloister.yml": PROJECT})
        gitlab.create_project("bank/odd", {".cloister.yml": "gate: {blok_at: x}\n"})
        policies = {"groups/bank.yml": "comments: {max_inline: 3}\n", "groups/bank/pay.yml": "# nothing\n"}
        policies_project = gitlab.create_project("security/policies", policies)
        bot = gitlab.create_user("bot", "Bot", bot=True)
        for project in [*gitlab.instance.state.projects.values()]:
            gitlab.add_member(project, bot, 30)
        assert policies_project
        gitlab.move_project(gitlab.create_project("bank/former", members={bot: 30}), "elsewhere/now")
        (tmp_path / "policy.yml").write_text(INSTANCE)
        yield {
            "CLOISTER_GITLAB_URL": gitlab.url,
            "CLOISTER_GITLAB_TOKEN": gitlab.create_token(bot),
            "CLOISTER_POLICY_FILE": str(tmp_path / "policy.yml"),
            "CLOISTER_POLICY_PROJECT": "security/policies",
        }


def test_what_holds_is_shown_with_where_it_comes_from(environ: dict[str, str]) -> None:
    """Every key, its level, who enforces it, and what does not count."""
    result = run("policy", "show", "bank/pay/app", "--json", **environ)
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    by_key = {one["key"]: (one["value"], one["origin"], one["enforced_by"]) for one in said["keys"]}
    assert keys() == list(by_key)
    assert by_key["gate.block_at"] == ("never", "project", "instance")
    assert by_key["review.model"] == (True, "instance", "instance")
    assert by_key["review.language"] == ("zh", "project", None)
    assert by_key["comments.max_inline"] == (3, "group bank", None)
    assert by_key["review.judge"] == (True, "default", None)
    assert [{"key": "review.model", "origin": "project", "by": "instance"}] == said["overruled"]
    text = run("policy", "show", "bank/pay/app", **environ)
    (row,) = [line.split() for line in text.stdout.splitlines() if line.startswith("comments.max_inline")]
    assert row == ["comments.max_inline", "3", "group", "bank"]
    assert "review.model does not count" in text.stderr


def test_a_broken_file_is_named(environ: dict[str, str]) -> None:
    """Beside what holds without it."""
    result = run("policy", "show", "bank/odd", **environ)
    assert result.exit_code == 0
    assert ".cloister.yml, line 1: 'gate.blok_at' is not a known key" in result.stderr


def test_the_doctor_looks_at_policies(environ: dict[str, str]) -> None:
    """It tells what is enforced."""
    said = json.loads(run("doctor", "--json", **environ).stdout)
    (check,) = [one for one in said if one["name"] == "policies"]
    assert ("ok", "enforced: gate, review.model") == (check["outcome"], check["detail"])


@pytest.mark.parametrize(
    ("instance", "project", "word"),
    [
        ("gate: {blok_at: x}\n", "security/policies", "did you mean"),
        (INSTANCE, "security/none", "cannot be seen"),
    ],
)
def test_the_doctor_names_a_policy_that_cannot_be_used(
    instance: str, project: str, word: str, environ: dict[str, str]
) -> None:
    """As a failure, whatever else is fine."""
    Path(environ["CLOISTER_POLICY_FILE"]).write_text(instance)
    given = {name.removeprefix("CLOISTER_").lower(): value for name, value in environ.items()}

    async def judged() -> list[Check]:
        async with levels_at(Settings(**given | {"policy_project": project})) as (_, levels):
            return await guarded(NAME, policies(levels, None), remedy=REMEDY)

    (check,) = asyncio.run(judged())
    assert ("fail", True) == (check.outcome, word in check.detail), check


def test_a_former_path_is_no_project_of_its_former_group(environ: dict[str, str]) -> None:
    """The policy of that group does not hold for it any more, so nothing is shown."""
    result = run("policy", "show", "bank/former", **environ)
    assert result.exit_code == 2
    assert "name it by its new path" in result.stderr
    assert "group bank" in run("policy", "show", "bank/odd", **environ).stdout
    assert "group" not in run("policy", "show", "elsewhere/now", **environ).stdout


def test_a_project_that_cannot_be_seen_is_an_error(environ: dict[str, str]) -> None:
    """It is no project without a policy."""
    for name, change in (("bank/none", {}), ("bank/odd", {"CLOISTER_POLICY_PROJECT": "security/none"})):
        result = run("policy", "show", name, **environ | change)
        assert result.exit_code == 2
        assert "cannot be seen" in result.stderr
