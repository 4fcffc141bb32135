"""`cloister gate --local` in clones that lack files, are bound to somewhere else, or have no common history."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path

import pytest

from bot.cli.app import app
from tests.integration.test_cli_gate import SECRET, ZEROS, Project, answer, outside_of_ci
from tests.integration.test_cli_review import Repository
from tests.unit.cli.command import run

__all__ = ["outside_of_ci"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project without a change in ``topic``."""
    made = Project(tmp_path)
    made.origin.git("config", "uploadpack.allowFilter", "true")
    return made


def places(environ: dict[str, str | None], *arguments: str) -> list[tuple[str, str]]:
    """Return what blocks: the path, and the commit where it is not at the head."""
    return [(one["path"], one["commit"]) for one in answer(environ, *arguments)["blocking"]]


def partial(project: Project, root: Path, kind: str) -> Path:
    """Return a clone in which objects of one kind are left out."""
    project.origin.git("clone", "--quiet", f"--filter={kind}", f"file://{project.origin.root}", str(root))
    return root


@pytest.mark.parametrize("kind", ["blob:none", "tree:0"])
def test_a_partial_clone_is_as_good_as_a_whole_one(project: Project, tmp_path: Path, kind: str):
    """What was left out is fetched with the rest, by the address of the job."""
    project.origin.commit(conf__txt="a\n")
    head = project.origin.commit(conf__txt=SECRET)
    project.origin.git("checkout", "--quiet", "main")
    clone = partial(project, tmp_path / "partial", kind)
    assert [("conf.txt", "")] == places(project.merge_request(clone, head))


def test_a_partial_clone_without_an_address_says_what_to_leave_out(project: Project, tmp_path: Path):
    """No depth would mend it."""
    project.base = project.origin.commit(conf__txt="a\n")
    head = project.origin.commit(conf__txt=SECRET)
    clone = partial(project, tmp_path / "partial", "blob:none")
    environ = project.merge_request(clone, head, CI_REPOSITORY_URL="")
    said = run("gate", "--local", **environ)
    assert (2, True, False) == (said.exit_code, "--filter" in said.stderr, "GIT_DEPTH of" in said.stderr)


@pytest.mark.parametrize("lost", ["HEAD", "f" * 40])
def test_no_lost_object_is_asked_for_by_the_settings_of_the_clone(
    project: Project, tmp_path: Path, lost: str
):
    """They name a server to ask, and the program to ask it with; settings could allow each protocol, too."""
    mark, program = tmp_path / "ran", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    clone = Repository(tmp_path / "clone")
    clone.commit(app__py="import os\n")
    for name, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"file://{project.origin.root}",
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": str(program),
        "protocol.file.allow": "always",
    }.items():
        clone.git("config", name, value)
    (clone.root / ".git" / "HEAD").write_text("e" * 40 + "\n")
    said = run("gate", "--local", "--base", lost, "--head", lost, CI_PROJECT_DIR=str(clone.root))
    assert (2, False) == (said.exit_code, mark.exists()), said.output


@pytest.mark.parametrize("depth", [1, None])
def test_a_branch_that_has_nothing_in_common_with_its_target_is_all_new(project: Project, depth: int | None):
    """No depth would bring them together; secrets in its earlier commits count as well."""
    project.origin.git("checkout", "--quiet", "--orphan", "lost")
    leak = project.origin.commit(conf__txt=SECRET)
    head = project.origin.commit(conf__txt="a\n")
    environ = project.variables(
        project.job(head, depth=depth), head, CI_PIPELINE_SOURCE="push", CI_COMMIT_BRANCH="lost"
    )
    said = answer(environ)
    assert "everything, since the target has none of it" == said["scope"]
    assert [("conf.txt", leak)] == [(one["path"], one["commit"]) for one in said["blocking"]]


@pytest.mark.parametrize("depth", [1, None])
def test_secrets_are_looked_for_in_each_commit_of_the_first_push(project: Project, depth: int | None):
    """There is no base, and yet commits that nobody has seen."""
    project.origin.git("checkout", "--quiet", "main")
    leak = project.origin.commit(conf__txt=SECRET)
    head = project.origin.commit(conf__txt="a\n")
    push = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_BEFORE_SHA": ZEROS}
    environ = project.variables(project.job(head, depth=depth), head, **push)
    assert [("conf.txt", leak)] == places(environ)


@pytest.mark.parametrize("base", ["release", "origin/release"])
def test_a_branch_to_compare_with_is_fetched(project: Project, base: str):
    """The clone of a job has no branch but its own; and in merged results it stands on a merge that GitLab made."""
    project.origin.commit(old__txt=SECRET)
    project.origin.git("branch", "release")
    head = project.origin.commit(conf__txt=SECRET.replace("7XYA", "7XYB"))
    project.origin.git("checkout", "--quiet", "main")
    project.origin.commit(other__txt=SECRET.replace("7XYA", "7XYC"))
    project.origin.git("merge", "--quiet", "--no-edit", "topic")
    merged = project.origin.git("rev-parse", "HEAD")
    environ = project.merge_request(
        project.job(merged, depth=1), merged, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=head
    )
    assert [("conf.txt", "")] == places(environ, "--base", base)
    wrong = run("gate", "--local", "--base", "nowhere", **environ)
    assert (2, True) == (wrong.exit_code, "the origin has no branch nowhere" in wrong.stderr)


def test_rules_that_cannot_be_had_are_told_with_the_answer(project: Project, tmp_path: Path):
    """For programs too: the gate has decided without them, and without the policies of groups."""
    project.origin.commit(conf__txt="a\n")
    here: dict[str, str | None] = {
        "CI_PROJECT_DIR": str(project.origin.root),
        "CLOISTER_POLICY_PROJECT": "group/policies",
    }
    rules, groups = answer(here, "--rules-dir", str(tmp_path / "gone"))["problems"]
    assert ("does not exist" in rules, "of groups" in groups) == (True, True)


def test_an_answer_that_nobody_reads_is_an_exit_status_all_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    """Standard output may be closed from the start, as services have it."""
    head = project.origin.commit(conf__txt=SECRET)
    for name, value in project.merge_request(project.job(head), head).items():
        monkeypatch.setenv(name, value or "")
    with redirect_stdout(None), pytest.raises(SystemExit) as left:
        app(["gate", "--local"])
    assert 1 == left.value.code
