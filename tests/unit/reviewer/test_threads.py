"""A thread knows its finding though the code around it, or its file's name, has changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.errors import Permanent
from bot.domain.findings import Finding, Severity
from bot.domain.fingerprint import stamp
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.records import ThreadRecord
from bot.domain.run import Run
from bot.reviewer.threads import finding_of

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
KEY = b"key"
FLAW = "query(name)"
CODE = ["def find(name):", f"    {FLAW}", "    return 1"]


def found(path: str, lines: Sequence[str], *at: int, explains: str = "") -> list[Finding]:
    """Return findings of one rule on lines of a file, with their fingerprints."""
    raw = [
        Finding(
            scanner="semgrep",
            rule="sql",
            category="security",
            severity=Severity.high,
            path=path,
            line=line,
            end_line=line,
            title="t",
            message="m",
            explains=explains,
        )
        for line in at
    ]
    return stamp(raw, {path: lines}, key=KEY)


def run_on(head: str) -> Run:
    revision = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha=head * 40)
    return Run(id=uuid.uuid4(), ref=REF, head_sha=head * 40, revision=revision, created_at=datetime.now(UTC))


def added(path: str) -> FileDiff:
    rows = (DiffLine(Sign.added, None, 1, "x"),)
    return FileDiff(path, path, Change.added, hunks=(Hunk(0, 0, 1, 1, "", rows),))


OLD, NOW = run_on("1"), run_on("2")


def record(finding: Finding) -> ThreadRecord:
    return ThreadRecord(
        finding.fingerprint, OLD.id, "open", "semgrep", "sql", "high", finding.path, finding.anchor
    )


@dataclass
class Past:
    """Store and workspaces in one: threads, the findings of two runs, and what was renamed between their heads."""

    now: list[Finding]
    known: Sequence[ThreadRecord] = ()
    change: Diff = field(default_factory=lambda: Diff((added("a.py"),)))
    renames: Mapping[str, str] = field(default_factory=dict)
    gone: bool = False

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return the run of then."""
        assert run_id == OLD.id
        return OLD

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return what the newest run has found."""
        assert run_id == NOW.id
        return {"scan:semgrep": self.now}

    async def threads(self, ref: MergeRequestRef) -> dict[str, ThreadRecord]:
        """Return the threads."""
        assert ref == REF
        return {one.fingerprint: one for one in self.known}

    async def diff(self, revision: Revision) -> Diff:
        """Return the change of now, or what happened between the heads."""
        assert NOW.revision is not None
        if revision == NOW.revision:
            return self.change
        assert revision.base_sha == OLD.head_sha
        if self.gone:
            raise Permanent("the commit is gone")
        return Diff(tuple(FileDiff(old, new, Change.renamed) for old, new in self.renames.items()))


async def look(past: Past, fingerprint: str) -> Finding | None:
    return await finding_of(fingerprint, NOW, store=past, workspaces=past, key=KEY)  # type: ignore[arg-type]


async def test_a_finding_is_known_whatever_happens_around_it() -> None:
    """By the thread's fingerprint, under which the answer goes to the thread."""
    (then,) = found("a.py", CODE, 2)
    (now,) = found("a.py", ["import db", "", "def find_all(name, more):", f"        {FLAW}"], 4)
    assert now.fingerprint != then.fingerprint
    seen = await look(Past([now], [record(then)]), then.fingerprint)
    assert seen is not None
    assert (4, then.fingerprint) == (seen.line, seen.fingerprint)


async def test_of_equal_findings_each_thread_has_its_own() -> None:
    """The one whose surroundings changed does not get its neighbour's."""
    lines = [*CODE, "def other(name):", f"    {FLAW}", "    return 2"]
    first, second = found("a.py", lines, 2, 5)
    moved = [
        "def other(name):",
        f"    {FLAW}",
        "    return 2",
        "class New:",
        "    def found(name):",
        f"        {FLAW}",
    ]
    past = Past(found("a.py", moved, 2, 6), [record(first), record(second)])
    lines_of = {mark: await look(past, mark) for mark in (first.fingerprint, second.fingerprint)}
    assert [6, 2] == [one.line for one in lines_of.values() if one]


async def test_a_renamed_file_is_the_same_file() -> None:
    """Though the merge request adds it under either name."""
    (then,) = found("a.py", CODE, 2)
    past = Past(found("b.py", CODE, 2), [record(then)], Diff((added("b.py"),)), {"a.py": "b.py"})
    seen = await look(past, then.fingerprint)
    assert seen is not None
    assert ("b.py", 2, then.fingerprint) == (seen.path, seen.line, seen.fingerprint)


async def test_another_file_with_such_code_is_another_file() -> None:
    """Nothing was renamed, or the head of then is not to be had any more."""
    (then,) = found("a.py", CODE, 2)
    elsewhere, change = found("b.py", CODE, 2), Diff((added("b.py"),))
    assert await look(Past(elsewhere, [record(then)], change), then.fingerprint) is None
    gone = Past(elsewhere, [record(then)], change, {"a.py": "b.py"}, gone=True)
    assert await look(gone, then.fingerprint) is None


async def test_a_thread_without_a_record_is_known_by_its_code() -> None:
    """As after a restored backup."""
    (then,) = found("a.py", CODE, 2)
    assert await look(Past([then]), then.fingerprint) == then
    assert await look(Past([]), then.fingerprint) is None


async def test_an_explanation_comes_with_what_it_explains() -> None:
    """It is no finding of its own."""
    (then,) = found("a.py", CODE, 2)
    (words,) = found("a.py", CODE, 1, explains=then.fingerprint)
    seen = await look(Past([then, words], [record(then)]), then.fingerprint)
    assert seen is not None
    assert seen.explanation == "m"
