"""What is shown to a model that has seen the merge request before, and what of its words still counts."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.errors import CloisterError, Permanent, Transient
from bot.domain.findings import Evidence, Finding, Severity
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import Paths, Policy, Review
from bot.domain.run import REVIEW_STEP, Outcome, Run, Step
from bot.reviewer.unseen import Unseen, basis_of, unseen

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
LINES = tuple(f"step_{number}()" for number in range(20))


def added(path: str, *lines: str) -> FileDiff:
    """Return a new file."""
    rows = tuple(DiffLine(Sign.added, None, number, line) for number, line in enumerate(lines, start=1))
    return FileDiff(path, path, Change.added, hunks=(Hunk(0, 0, 1, len(rows), "", rows),))


def finding(path: str = "a.py", line: int = 5) -> Finding:
    """Return what the model said about a line."""
    return Finding(
        scanner="model",
        rule="correctness",
        category="correctness",
        severity=Severity.medium,
        path=path,
        line=line,
        end_line=line,
        title="t",
        message="m",
        evidence=(Evidence(line=line, quote="q"), Evidence(line=999, quote="q")),
        fingerprint=f"{path}:{line}",
    )


def run_on(head: str, step: Step | None = None, **values: object) -> Run:
    """Return a run on a head."""
    revision = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha=head * 40)
    made = Run(id=uuid.uuid4(), ref=REF, head_sha=head * 40, revision=revision, created_at=datetime.now(UTC))
    return made.model_copy(update={"steps": {REVIEW_STEP: step or Step()}, **values})


BEFORE = Diff((added("a.py", *LINES), added("b.py", *LINES)))


@dataclass
class Past:
    """Remember one run, its change and its findings: store and workspaces in one."""

    last: Run | None
    before: Diff | CloisterError = BEFORE
    said: list[Finding] = field(default_factory=lambda: [finding()])

    async def last_reviewed(self, ref: MergeRequestRef) -> Run | None:
        """Return the run."""
        assert ref == REF
        return self.last

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return what was said in the run."""
        assert self.last is not None
        assert run_id == self.last.id
        return {REVIEW_STEP: self.said}

    async def diff(self, revision: Revision) -> Diff:
        """Return the change of the run."""
        assert self.last is not None
        assert revision == self.last.revision
        if isinstance(self.before, CloisterError):
            raise self.before
        return self.before


REVIEWED = Step(
    outcome=Outcome.done, basis="v1", walkthrough={"a.py": "It adds steps.", "gone.py": "It is gone."}
)
PUSHED = Diff((added("a.py", "first()", *LINES), added("b.py", *LINES)))


async def look(past: Past, *, run: Run | None = None, basis: str = "v1") -> Unseen:
    """Return what is to be shown of the pushed change."""
    return await unseen(run or run_on("2"), PUSHED, store=past, workspaces=past, basis=basis)  # type: ignore[arg-type]


async def test_only_what_was_pushed_is_shown() -> None:
    """The rest is known, and what was said about it stays with its code."""
    last = run_on("1", REVIEWED)
    found = await look(Past(last))
    assert ["a.py"] == [file.new_path for file in found.diff.files]
    assert {1} == found.diff.files[0].added_lines
    (carried,) = found.carried
    assert (6, "a.py:5", (Evidence(line=6, quote="q"),)) == (
        carried.line,
        carried.fingerprint,
        carried.evidence,
    )
    assert ("v1", last.head_sha, {"a.py": "It adds steps."}) == (found.basis, found.since, found.walkthrough)


@pytest.mark.parametrize(
    ("step", "run", "basis"),
    [
        (REVIEWED, run_on("2", full=True), "v1"),
        (REVIEWED, run_on("2"), "v2"),
        (Step(outcome=Outcome.done), run_on("2"), "v1"),
    ],
    ids=["asked for", "another basis", "an unknown basis"],
)
async def test_everything_is_shown_again(step: Step, run: Run, basis: str) -> None:
    """Whoever asks for a review gets one, and another model has seen nothing."""
    assert Unseen(PUSHED, basis) == await look(Past(run_on("1", step)), run=run, basis=basis)


async def test_what_changes_in_a_file_is_told_by_who_saw_most_of_it() -> None:
    """A line that was pushed does not tell what a file is about; a file that was written anew is another one."""
    fresh = {"a.py": "It adds a step.", "b.py": "It adds b."}
    assert {"a.py": "It adds steps.", "b.py": "It adds b."} == (
        await look(Past(run_on("1", REVIEWED)))
    ).retold(fresh)
    other = Past(
        run_on("1", REVIEWED), before=Diff((added("a.py", "other()", LINES[0]), added("b.py", *LINES)))
    )
    assert fresh == (await look(other)).retold(fresh)


async def test_a_first_review_shows_everything() -> None:
    """Nothing is known."""
    assert Unseen(PUSHED, "v1") == await look(Past(None))


async def test_a_run_that_is_repeated_is_not_its_own_past() -> None:
    """An operator who replays it wants the model to be asked."""
    again = run_on("1", REVIEWED)
    assert Unseen(PUSHED, "v1") == await look(Past(again), run=again)


@pytest.mark.parametrize("error", [Transient("GitLab is away"), Permanent("the commit is gone")])
async def test_a_past_that_is_lost_costs_a_full_review(error: CloisterError) -> None:
    """After a force-push the old commits may be gone."""
    assert Unseen(PUSHED, "v1") == await look(Past(run_on("1", REVIEWED), before=error))


async def test_what_was_not_looked_at_then_is_shown_now() -> None:
    """Whether the policy left it out or the model did not answer."""
    for last in (
        run_on("1", REVIEWED.model_copy(update={"not_analysed": {"b.py": "the model was away"}})),
        run_on("1", REVIEWED, skipped={"b.py": "excluded by the policy"}),
    ):
        found = await look(Past(last, said=[finding("b.py")]))
        assert ["a.py", "b.py"] == [file.new_path for file in found.diff.files]
        assert [] == found.carried


async def test_while_no_model_says_who_it_is_what_was_said_stays() -> None:
    """It could not be asked anyhow."""
    found = await look(Past(run_on("1", REVIEWED)), basis="")
    assert ("v1", 1) == (found.basis, len(found.carried))


@dataclass
class Named:
    """A model that only says who it is."""

    digest: str | CloisterError
    name: str = "m"

    async def identity(self) -> str:
        """Return the digest."""
        if isinstance(self.digest, CloisterError):
            raise self.digest
        return self.digest


async def test_the_basis_is_all_that_decides_besides_the_change() -> None:
    """The model, what it is told, and what the policy says about reviews; other sections do not matter."""
    models, policy = [Named("d")], Policy()
    usual = await basis_of(models, ["v"], policy)  # type: ignore[arg-type]
    assert usual == await basis_of(models, ["v"], Policy(paths=Paths(exclude=("x",))))  # type: ignore[arg-type]
    others = [
        await basis_of([Named("e")], ["v"], policy),  # type: ignore[list-item]
        await basis_of([Named("d", "n")], ["v"], policy),  # type: ignore[list-item]
        await basis_of(models, ["w"], policy),  # type: ignore[arg-type]
        await basis_of(models, ["v"], Policy(review=Review(language="zh"))),  # type: ignore[arg-type]
    ]
    assert 5 == len({usual, *others})
    assert "" == await basis_of([Named(Transient("away"))], ["v"], policy)  # type: ignore[list-item]
