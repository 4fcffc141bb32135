"""`cloister gate --local` in clones as GitLab's runner makes them, and in plain ones."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.gitlab import GitLab, gitlab
from tests.integration.test_cli_review import VULNERABLE, Repository
from tests.unit.cli.command import run

__all__ = ["gitlab"]

#: Documented by its maker as an example would be refused; this one is made up.
SECRET = 'KEY = "AKIAQYLPMN5HFIQR7XYA"\n'
CLEAN = "a = 1\n"
ZEROS = "0" * 40


class Project:
    """An origin with a branch ``main`` and a branch ``topic``, and clones of it in CI jobs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.origin = Repository(root / "origin")
        self.base = self.origin.commit(app__py="import os\n")
        self.origin.git("checkout", "--quiet", "-b", "topic")

    def job(self, sha: str, *, depth: int | None = 20) -> Path:
        """Return what the runner has made for a job on *sha*: no branch, a ref of its own, few commits."""
        clone = Repository(self.root / f"job-{sha[:8]}-{depth}")
        options = [f"--depth={depth}"] if depth else []
        url = f"file://{self.origin.root}"
        clone.git("fetch", "--quiet", *options, url, f"+{sha}:refs/pipelines/1")
        clone.git("checkout", "--quiet", "--detach", sha)
        return clone.root

    def variables(self, clone: Path, sha: str, **more: str) -> dict[str, str | None]:
        """Return the variables of a job in *clone*."""
        return {
            "GITLAB_CI": "true",
            "CI_PROJECT_DIR": str(clone),
            "CI_COMMIT_SHA": sha,
            "CI_DEFAULT_BRANCH": "main",
            "CI_REPOSITORY_URL": f"file://{self.origin.root}",
            **more,
        }

    def merge_request(self, clone: Path, sha: str, **more: str) -> dict[str, str | None]:
        """Return the variables of a detached merge request pipeline from ``topic`` to ``main``."""
        return self.variables(
            clone,
            sha,
            **{
                "CI_PIPELINE_SOURCE": "merge_request_event",
                "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.base,
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                **more,
            },
        )


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may themselves run in a job of GitLab's, whose variables would count."""
    for name in [name for name in os.environ if name.startswith(("CI_", "GITLAB_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project without a change in ``topic``."""
    return Project(tmp_path)


def answer(environ: dict[str, str | None], *arguments: str) -> Any:
    """Return what the gate prints for programs."""
    result = run("gate", "--local", "--json", *arguments, **environ)
    said = json.loads(result.stdout)
    assert said["exit_status"] == result.exit_code
    return said


def rules(said: Any) -> list[str]:
    """Return the rules that block."""
    return [one["rule"] for one in said["blocking"]]


def test_a_merge_request_with_a_defect_is_blocked(project: Project):
    """In a shallow clone, without a branch of the target in it."""
    head = project.origin.commit(store__py=VULNERABLE)
    clone = project.job(head)
    result = run("gate", "--local", **project.merge_request(clone, head))
    assert 1 == result.exit_code
    assert "python-weak-password-hash" in result.stdout
    assert "store.py:5" in result.stdout
    assert "cloister gate: BLOCKED by 1 finding (1 file, 5 added lines: the merge request)" in result.stdout


def test_a_merge_request_without_one_passes(project: Project):
    """Whatever lies around in the job, as artifacts of other jobs do."""
    head = project.origin.commit(clean__py=CLEAN)
    clone = project.job(head, depth=1)
    (clone / "artifact.py").write_text(VULNERABLE)
    said = answer(project.merge_request(clone, head))
    assert ("passed", project.base, head) == (said["answer"], said["base"], said["head"])


def test_a_secret_is_found_in_a_file_that_git_calls_binary(project: Project):
    """One NUL is enough for that; what no scanner reads is told, with the setting that keeps the gate shut for it."""
    head = project.origin.commit(store__py=f"#\0\n{SECRET}")
    clone = project.job(head)
    said = answer(project.merge_request(clone, head))
    assert [("store.py", 2)] == [(one["path"], one["line"]) for one in said["blocking"]]
    head = project.origin.commit(store__py="#\0\n")
    clone = project.job(head)
    passed = run("gate", "--local", "--base", head + "^", **project.merge_request(clone, head))
    assert ("store.py (semgrep): binary for git" in passed.stdout, 0) == (True, passed.exit_code)
    assert "gate.unread: all" in passed.stdout


def test_the_policy_is_that_of_the_target_branch_now(project: Project):
    """Not that of the change, nor that of where it began; the clone has no commit of it yet."""
    head = project.origin.commit(store__py=VULNERABLE, __cloister__yml="gate: {block_at: never}\n")
    clone = project.job(head)
    environ = project.merge_request(clone, head)
    assert "blocked" == answer(environ)["answer"]
    project.origin.git("checkout", "--quiet", "main")
    tip = project.origin.commit(__cloister__yml="rules: {disable: [python-weak-password-hash]}\n")
    said = answer(environ)
    assert ("passed", tip) == (said["answer"], said["policy_at"])
    fork = {**environ, "CI_PROJECT_ID": "2", "CI_MERGE_REQUEST_PROJECT_ID": "1"}
    said = answer(fork)
    assert ("blocked", project.base) == (said["answer"], said["policy_at"])


def test_the_policy_of_the_instance_stands_above(project: Project, tmp_path: Path):
    """A project cannot open a gate that the instance enforces."""
    project.origin.git("checkout", "--quiet", "main")
    project.base = project.origin.commit(__cloister__yml="gate: {block_at: never}\n")
    project.origin.git("checkout", "--quiet", "-B", "topic")
    head = project.origin.commit(store__py=VULNERABLE)
    environ = project.merge_request(project.job(head), head)
    said = answer(environ)
    assert "passed" == said["answer"], json.dumps(said)
    (tmp_path / "policy.yml").write_text("enforced: [gate]\n")
    assert "blocked" == answer({**environ, "CLOISTER_POLICY_FILE": str(tmp_path / "policy.yml")})["answer"]


def test_merged_results_are_about_the_source(project: Project):
    """The merge that GitLab made has what others wrote, too."""
    source = project.origin.commit(store__py=VULNERABLE)
    project.origin.git("checkout", "--quiet", "main")
    tip = project.origin.commit(other__py=SECRET)
    project.origin.git("merge", "--quiet", "--no-edit", "topic")
    merged = project.origin.git("rev-parse", "HEAD")
    clone = project.job(merged, depth=2)
    said = answer(
        project.merge_request(
            clone,
            merged,
            CI_MERGE_REQUEST_EVENT_TYPE="merged_result",
            CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=source,
            CI_MERGE_REQUEST_TARGET_BRANCH_SHA=tip,
        )
    )
    assert (["python-weak-password-hash"], source, tip) == (rules(said), said["head"], said["policy_at"])


def test_a_secret_in_an_earlier_commit_blocks(project: Project):
    """Though the clone has one commit, and there it seems to add every file that there is."""
    project.origin.git("checkout", "--quiet", "main")
    project.base = project.origin.commit(old__py=SECRET.replace("7XYA", "7XYB"))
    project.origin.git("checkout", "--quiet", "-B", "topic")
    leak = project.origin.commit(conf__py=SECRET)
    project.origin.git("rm", "--quiet", "conf.py")
    head = project.origin.commit(clean__py=CLEAN)
    clone = project.job(head, depth=1)
    (finding,) = answer(project.merge_request(clone, head))["blocking"]
    assert ("conf.py", leak) == (finding["path"], finding["commit"])


def test_a_branch_counts_since_it_left_the_default_branch(project: Project):
    """Over several pushes, and though the clone does not reach that far."""
    project.origin.commit(store__py=VULNERABLE)
    before = project.origin.git("rev-parse", "HEAD")
    head = project.origin.commit(clean__py=CLEAN)
    clone = project.job(head, depth=1)
    push = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "topic", "CI_COMMIT_BEFORE_SHA": before}
    said = answer(project.variables(clone, head, **push))
    assert (["python-weak-password-hash"], project.base) == (rules(said), said["base"])


def test_the_default_branch_counts_since_the_push(project: Project):
    """The first push brings everything, and after a force-push the last commit counts."""
    project.origin.git("checkout", "--quiet", "main")
    middle = project.origin.commit(store__py=VULNERABLE)
    head = project.origin.commit(clean__py=CLEAN)
    clone = project.job(head, depth=1)
    push = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}
    answers = {
        before: answer(project.variables(clone, head, CI_COMMIT_BEFORE_SHA=before, **push))["answer"]
        for before in (project.base, middle, ZEROS, "f" * 40)
    }
    assert {project.base: "blocked", middle: "passed", ZEROS: "blocked", "f" * 40: "passed"} == answers


def test_a_plain_clone_needs_no_variables(project: Project):
    """Only commits count there."""
    project.origin.commit(store__py=VULNERABLE)
    project.origin.write("dirty.py", SECRET)
    here: dict[str, str | None] = {"CI_PROJECT_DIR": str(project.origin.root)}
    assert ["python-weak-password-hash"] == rules(answer(here))
    assert "passed" == answer(here, "--base", "topic")["answer"]
    assert "passed" == answer(here, "--head", "main")["answer"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--local"),
        (("--local", "--base", "nowhere"), "'nowhere' is not a commit here"),
        (("--local", "--report", "html=x"), "codequality, sast, secret_detection, sarif, junit"),
        (("--local", "--report", "sast=/nonexistent/x.json"), "cannot write /nonexistent/x.json"),
    ],
)
def test_asked_for_wrongly_is_two(project: Project, arguments: tuple[str, ...], said: str):
    """With one line that says what to do."""
    result = run("gate", *arguments, CI_PROJECT_DIR=str(project.origin.root))
    assert (2, True) == (result.exit_code, said in result.stderr)
    assert 1 == len([line for line in result.stderr.splitlines() if line.startswith("error: ")])


def test_no_clone_at_all_is_said(tmp_path: Path):
    """As with GIT_STRATEGY none."""
    result = run("gate", "--local", CI_PROJECT_DIR=str(tmp_path), CI_COMMIT_SHA="a" * 40)
    assert 2 == result.exit_code
    assert "GIT_STRATEGY" in result.stderr


def test_what_cannot_be_fetched_names_the_depth(project: Project):
    """Without an address, or with one that does not answer: the former can be mended in the job."""
    project.origin.commit(one__py=CLEAN)
    head = project.origin.commit(clean__py=CLEAN)
    clone = project.job(head, depth=1)
    environ = project.merge_request(clone, head)
    result = run("gate", "--local", **{**environ, "CI_REPOSITORY_URL": None})
    assert (2, True) == (result.exit_code, "GIT_DEPTH" in result.stderr)


def test_an_origin_that_is_down_leaves_it_undecided(project: Project):
    """That is nobody's fault in this change: another status, which a job may let pass."""
    project.origin.commit(one__py=CLEAN)
    head = project.origin.commit(clean__py=CLEAN)
    clone = project.job(head, depth=1)
    environ = project.merge_request(clone, head, CI_REPOSITORY_URL="http://ci:secret-token@127.0.0.1:9/a.git")
    result = run("gate", "--local", **environ)
    assert 3 == result.exit_code
    assert "UNDECIDED" in result.stdout
    assert "secret-token" not in result.output
    assert 0 == answer(environ, "--fail-open")["exit_status"]
    opened = run("gate", "--local", "--fail-open", **environ)
    assert (0, True) == (opened.exit_code, "--fail-open" in opened.stderr)


def test_an_origin_that_hangs_is_given_up_in_time(project: Project, tmp_path: Path):
    """What was not looked at is no success in the reports either."""
    project.origin.commit(one__py=CLEAN)
    head = project.origin.commit(clean__py=CLEAN)
    clone = project.job(head, depth=1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.git"
        environ = project.merge_request(clone, head, CI_REPOSITORY_URL=url)
        files = {kind: tmp_path / kind for kind in ("sast", "secret_detection")}
        reports = [word for kind, file in files.items() for word in ("--report", f"{kind}={file}")]
        said = answer(environ, "--timeout", "1", *reports)
    assert {"everything": "not finished within 1 s; allow more with --timeout"} == said["undecided"]
    assert {"failure"} == {json.loads(file.read_text())["scan"]["status"] for file in files.values()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_clone_of_another_user_is_read(project: Project):
    """As runners make them, with a helper of their own; git itself refuses to look around in those."""
    head = project.origin.commit(store__py=VULNERABLE)
    clone = project.job(head)
    for path in (clone, *clone.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    assert "blocked" == answer(project.merge_request(clone, head))["answer"]


def test_the_jobs_token_fetches_what_is_missing(gitlab: GitLab, tmp_path: Path):
    """From GitLab over HTTP, with the address that the runner gives; the token is in nothing that is said."""
    token = gitlab.server.create_token(gitlab.developer)
    url = gitlab.server.url.replace("://", f"://gitlab-ci-token:{token}@") + "/group/app.git"
    work = Repository(tmp_path / "work")
    work.git("fetch", "--quiet", url, "main")
    work.git("checkout", "--quiet", "-b", "topic", "FETCH_HEAD")
    head = work.commit(store__py=VULNERABLE)
    work.git("push", "--quiet", url, "topic")
    clone = Repository(tmp_path / "job")
    clone.git("fetch", "--quiet", "--depth=1", url, f"+{head}:refs/pipelines/1")
    clone.git("checkout", "--quiet", "--detach", head)
    environ: dict[str, str | None] = {
        "CI_PROJECT_DIR": str(clone.root),
        "CI_COMMIT_SHA": head,
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_REPOSITORY_URL": url,
    }
    result = run("gate", "--local", **environ)
    assert 1 == result.exit_code, result.output
    assert token not in result.output


def test_reports_are_written_whatever_the_answer(project: Project, tmp_path: Path):
    """All kinds, from one run; a blocking secret is in none of them."""
    head = project.origin.commit(store__py=VULNERABLE, conf__py=SECRET)
    clone = project.job(head)
    kinds = ("codequality", "sast", "secret_detection", "sarif", "junit")
    options = [word for kind in kinds for word in ("--report", f"{kind}={tmp_path / kind}")]
    result = run("gate", "--local", *options, **project.merge_request(clone, head))
    assert 1 == result.exit_code
    texts = {kind: (tmp_path / kind).read_text() for kind in kinds}
    assert 2 == len(json.loads(texts["codequality"]))
    assert 1 == len(json.loads(texts["sast"])["vulnerabilities"])
    (secret,) = json.loads(texts["secret_detection"])["vulnerabilities"]
    assert head == secret["location"]["commit"]["sha"]
    assert 2 == texts["junit"].count("<failure ")
    assert not any("QYLPMN5HFIQR" in text for text in (*texts.values(), result.output))


def test_nothing_that_the_clone_configures_is_run(project: Project, tmp_path: Path):
    """Neither hooks nor filters nor programs named by the settings of the clone."""
    mark = tmp_path / "ran"
    attributes = {"__gitattributes": "*.py filter=x diff=x\n"}
    head = project.origin.commit(store__py=VULNERABLE, **attributes)
    clone = Repository(project.job(head))
    program = f"touch {mark}; cat"
    for name in ("filter.x.clean", "filter.x.smudge", "diff.x.textconv", "diff.x.command", "core.fsmonitor"):
        clone.git("config", name, program)
    clone.git("config", "core.alternateRefsCommand", program)
    clone.git("config", "uploadpack.packObjectsHook", program)
    hook = clone.write(".git/hooks/reference-transaction", f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    assert "blocked" == answer(project.merge_request(clone.root, head))["answer"]
    assert not mark.exists()
