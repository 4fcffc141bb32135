"""Whoever reads the summary learns who looked at each file, and why nobody did."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from bot.domain.coverage import Covered, covered, uncovered, withheld
from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.run import Outcome, Plan, Run, Step

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
REVISION = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha="a" * 40)
SINCE = "d" * 40
ADDED = (Hunk(1, 0, 1, 1, "", (DiffLine(Sign.added, None, 1, "x"),)),)
LOST = (Hunk(1, 1, 1, 0, "", (DiffLine(Sign.removed, 1, None, "x"),)),)


def changed(path: str, hunks: tuple[Hunk, ...] = ADDED, *, binary: bool = False) -> FileDiff:
    return FileDiff(path, path, Change.modified, hunks=hunks, binary=binary)


def ended(steps: dict[str, Step], skipped: dict[str, str] | None = None) -> Run:
    """Return a run with these steps."""
    run = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=datetime.now(UTC))
    started = run.start_work(
        Plan(revision=REVISION, policy=run.policy, steps=tuple(steps), skipped=skipped or {})
    )
    for name, step in steps.items():
        started = started.finish_step(name, step)
    return started


def done(*paths: str, **more: object) -> Step:
    return Step.model_validate({"outcome": Outcome.done, "shown": dict.fromkeys(paths, 1), **more})


def test_everybody_who_looked_is_told() -> None:
    """Scanners that took the file, the model with its prompts, and nobody who broke off on it."""
    run = ended(
        {
            "scan:semgrep": done("a.py", outcome=Outcome.partial, not_analysed={"b.py": "timeout"}),
            "scan:secrets": done("a.py", "b.py"),
            "scan:dependencies": Step(outcome=Outcome.failed, shown={"a.py": 1}),
            "review": done("b.py").model_copy(update={"shown": {"a.py": 3, "b.py": 1}}),
        }
    )
    diff = Diff((changed("a.py"), changed("b.py")))
    assert covered(run, diff) == (
        Covered("a.py", ("semgrep", "secrets"), 3),
        Covered("b.py", ("secrets",), 1),
    )
    assert uncovered(run, diff) == {"b.py": "timeout"}


def test_what_the_model_saw_before_is_told() -> None:
    """Only of files in which there is something to see, and not of those that were left out."""
    run = ended({"review": done("b.py", since=SINCE)}, skipped={"go.sum": "lock file"})
    diff = Diff((changed("a.py"), changed("b.py"), changed("c.py", LOST), changed("go.sum")))
    assert covered(run, diff) == (Covered("a.py", (), 0, SINCE), Covered("b.py", (), 1))
    assert uncovered(run, diff) == {"c.py": "it only loses lines", "go.sum": "lock file"}


def test_a_failed_model_has_seen_nothing() -> None:
    """Whatever it was shown."""
    run = ended({"review": Step(outcome=Outcome.failed, problem="away", shown={"a.py": 1}, since=SINCE)})
    assert covered(run, Diff((changed("a.py"),))) == ()


def test_a_file_that_nobody_reads_is_told_when_all_have_ended() -> None:
    """Until then somebody may; another tool's report may take hours, and is not waited for."""
    diff = Diff((changed("a.txt"), changed("b.png", (), binary=True), changed("c.py")))
    scanned = {"scan:semgrep": done("c.py"), "scan:sarif:lint": Step()}
    assert uncovered(ended(scanned), diff) == {
        "a.txt": "nothing that ran reads such files",
        "b.png": "it is binary, or larger than 10 MB",
    }
    assert uncovered(ended({**scanned, "review": Step()}), diff) == {}


def test_a_run_that_never_began_blames_no_file() -> None:
    """Its summary says what is wrong."""
    run = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=datetime.now(UTC))
    assert uncovered(run, Diff((changed("a.py"),))) == {}


@pytest.mark.parametrize("within", [True, False])
def test_instructions_that_did_not_fit_are_no_file_of_the_change(within: bool) -> None:
    """Unless the merge request changes that file."""
    run = ended({"review": done("a.py", outcome=Outcome.partial, not_analysed={".cloister.yml": "too long"})})
    diff = Diff((changed("a.py"), *([changed(".cloister.yml")] if within else [])))
    assert withheld(run, diff) == ([] if within else ["too long"])
    assert uncovered(run, diff) == ({".cloister.yml": "too long"} if within else {})


def test_files_of_older_commits_are_told_too() -> None:
    """A scanner that searches all commits names files that the head does not have."""
    run = ended(
        {"scan:secrets": done("a.py", outcome=Outcome.partial, not_analysed={"old.bin": "too large"})}
    )
    assert uncovered(run, Diff((changed("a.py"),))) == {"old.bin": "too large"}
