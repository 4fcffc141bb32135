"""The policy of a project comes from all levels, and a broken level does not open the gate."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.domain.errors import Permanent, Transient
from bot.domain.policy_file import PolicyProblem
from bot.reviewer.levels import Levels

BROKEN = b"gate:\n  blok_at: never\n"


@dataclass
class Files:
    """Policy files; an error is raised instead of giving the content."""

    name: str
    content: dict[str, bytes | Exception | None]
    asked: list[str] = field(default_factory=list)

    async def read(self, path: str) -> bytes | None:
        self.asked.append(path)
        found = self.content.get(path)
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Versions:
    """What was valid last, in memory."""

    kept: dict[str, str] = field(default_factory=dict)

    async def last_valid(self, name: str) -> str | None:
        return self.kept.get(name)

    async def remember(self, name: str, said: str) -> None:
        self.kept[name] = said

    async def forget(self, name: str) -> None:
        self.kept.pop(name, None)


async def effective(levels: Levels, content: bytes | PolicyProblem | None = None) -> tuple[str, list[str]]:
    """Return where the gate of a project blocks, and what is said about its files."""
    found = await levels.effective("a/b/p", content, name="p")
    return found.resolved.policy.gate.block_at, list(found.problems)


async def test_all_levels_are_read_from_the_outermost_to_the_innermost() -> None:
    """Groups have a file each, named like them."""
    groups = Files(
        "g/policies",
        {
            "instance.yml": b"comments: {max_inline: 1}\n",
            "groups/a.yml": b"gate: {block_at: critical}\n",
            "groups/a/b.yml": b"gate: {block_at: medium}\n",
        },
    )
    own = Files("/etc/policy.yml", {"": b"review: {language: zh}\n"})
    found = await Levels(own, groups, Versions()).effective("a/b/p", b"review: {model: off}\n", name="p")
    assert ["instance.yml", "groups/a.yml", "groups/a/b.yml"] == groups.asked
    assert {
        "review.language": "instance",
        "comments.max_inline": "instance.yml of g/policies",
        "gate.block_at": "group a/b",
        "review.model": "project",
    } == found.resolved.origins
    assert () == found.problems


async def test_without_any_file_the_defaults_hold() -> None:
    """Nobody has to write one."""
    assert ("high", []) == await effective(Levels(None, None, Versions()))
    assert ("high", []) == await effective(Levels(None, Files("g", {}), Versions()))


async def test_the_last_valid_version_of_a_project_stays_in_force() -> None:
    """A misspelt key neither opens the gate nor takes back what held before."""
    levels = Levels(None, None, Versions())
    assert ("critical", []) == await effective(levels, b"gate: {block_at: critical}\n")
    large = PolicyProblem(1, "the file is larger than 100 kB", "shorten it")
    for broken in (BROKEN, large):
        block_at, (problem,) = await effective(levels, broken)
        assert block_at == "critical"
        assert "`" not in problem
        assert problem.startswith(f".cloister.yml, line {2 if broken is BROKEN else 1}: ")
        assert problem.endswith("The last valid policy stays in force.")
    assert ("medium", []) == await effective(levels, b"gate: {block_at: medium}\n")


async def test_a_file_that_was_never_valid_leaves_it_to_the_levels_above() -> None:
    """Or to the default, where there are none; one that was taken away is not remembered."""
    groups = Files("g", {"groups/a.yml": b"gate: {block_at: medium}\n"})
    block_at, (problem,) = await effective(Levels(None, groups, Versions()), BROKEN)
    assert (block_at, problem.endswith("What the levels above it say applies.")) == ("medium", True)
    levels = Levels(None, None, Versions())
    for content in (b"gate: {block_at: never}\n", None):
        await effective(levels, content)
    block_at, (problem,) = await effective(levels, BROKEN)
    assert (block_at, problem.endswith("The default policy applies.")) == ("high", True)


@pytest.mark.parametrize("trouble", [BROKEN, Transient("no answer"), Permanent("no access")])
async def test_a_group_that_cannot_be_read_keeps_what_it_said(trouble: bytes | Exception) -> None:
    """Whether its file is broken or out of reach; the summary says so."""
    groups = Files("g", {"groups/a.yml": b"enforced: [gate]\ngate: {block_at: medium}\n"})
    levels = Levels(None, groups, Versions())
    await effective(levels)
    groups.content["groups/a.yml"] = trouble
    found = await levels.effective("a/b/p", None, name="p")
    assert ["medium"] == [floor.gate.block_at for floor in found.resolved.policy.floors]
    (problem,) = found.problems
    assert problem.startswith("group a: ")
    assert problem.endswith("The last valid policy stays in force.")


async def test_a_group_out_of_reach_that_was_never_read_keeps_the_gate_shut() -> None:
    """What it would say is not known; a file that is there and broken says nothing."""
    groups = Files("g", {"groups/a.yml": Transient("no answer")})
    with pytest.raises(Transient, match="no answer"):
        await effective(Levels(None, groups, Versions()))
    groups.content["groups/a.yml"] = BROKEN
    block_at, (problem,) = await effective(Levels(None, groups, Versions()))
    assert (block_at, problem.endswith("What the levels above it say applies.")) == ("high", True)


async def test_the_operators_own_file_must_be_usable_at_the_start() -> None:
    """Later its last valid version stays in force."""
    own, versions = Files("/etc/policy.yml", {"": BROKEN}), Versions()
    with pytest.raises(Permanent, match=r"/etc/policy\.yml, line 2: .*did you mean 'block_at'"):
        await Levels(own, None, versions).check()
    own.content[""] = b"gate: {block_at: critical}\n"
    await Levels(own, None, versions).check()
    own.content[""] = BROKEN
    await Levels(own, None, versions).check()
    assert (await effective(Levels(own, None, versions)))[0] == "critical"
    await Levels(None, Files("g", {"instance.yml": BROKEN}), versions).check()


async def test_groups_that_cannot_be_told_keep_the_gate_shut() -> None:
    """Where GitLab shows projects at another address, their groups are not known."""
    levels = Levels(None, Files("g", {}), Versions())
    with pytest.raises(Permanent, match="CLOISTER_GITLAB_URL"):
        await levels.effective("", None, name="p")


async def test_what_does_not_count_is_said() -> None:
    """In the words of the file that its author can change."""
    own = Files("/etc/policy.yml", {"": b"enforced: [review]\n"})
    _, problems = await effective(Levels(own, None, Versions()), b"review: {model: false}\n")
    assert [".cloister.yml: review.model does not count, because instance enforces it."] == problems


async def test_secrets_in_broken_files_are_masked() -> None:
    """A complaint quotes the key that is wrong, and anything may have been pasted there."""
    levels = Levels(None, None, Versions(), redact=lambda text: text.replace("blok_at", "****"))
    _, (problem,) = await effective(levels, BROKEN)
    assert "blok_at" not in problem


async def test_a_project_may_name_reports_that_its_group_brings() -> None:
    """The names of jobs come from all levels."""
    groups = Files("g", {"groups/a.yml": b"reports: {sarif: [{job: lint, paths: [a.sarif]}]}\n"})
    levels = Levels(None, groups, Versions())
    assert ("high", []) == await effective(levels, b"gate: {scanners: ['sarif:lint']}\n")
    assert (await effective(levels, b"gate: {scanners: ['sarif:lnt']}\n"))[1]


async def test_a_remembered_version_that_this_release_does_not_know_is_none() -> None:
    """Another release may have had other keys."""
    levels = Levels(None, None, Versions({"p": '{"gate": {"gone": 1}}'}))
    block_at, (problem,) = await effective(levels, BROKEN)
    assert (block_at, problem.endswith("The default policy applies.")) == ("high", True)


async def test_a_file_that_would_be_broken_is_told_of_before_it_counts() -> None:
    """What holds stays, a sound one is not talked about, and a report of a level's job may be named."""
    levels = Levels(None, None, Versions())
    sound = b"gate: {block_at: critical}\n"
    found = await levels.effective("a/b/p", sound, name="p", proposed=BROKEN)
    (problem,) = found.problems
    assert found.resolved.policy.gate.block_at == "critical"
    assert problem.startswith(".cloister.yml as this merge request leaves it, line 2: ")
    assert "did you mean 'block_at'? Merged like this" in problem
    assert (await levels.effective("a/b/p", None, name="p", proposed=sound)).problems == ()
    reports = b"reports: {sarif: [{job: lint, paths: [lint.sarif]}]}\n"
    above = Levels(None, Files("g", {"instance.yml": reports}), Versions())
    named = b"gate: {scanners: [semgrep, 'sarif:lint']}\n"
    assert (await above.effective("a/b/p", None, name="p", proposed=named)).problems == ()
