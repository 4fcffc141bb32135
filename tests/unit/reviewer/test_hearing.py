"""Whether a comment is for us, and what decides about its commands, is what forge and store say at that moment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.commands import Verb
from bot.domain.conversation import Scene
from bot.domain.diff import Diff
from bot.domain.errors import Obsolete, Permanent, Refused
from bot.domain.events import CommentPosted
from bot.domain.findings import Finding, Severity
from bot.domain.forge import ForgeDiscussion, ForgeMember, ForgeMergeRequest, ForgeNote, ForgeUser
from bot.domain.marker import Marker
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import Policy, Review
from bot.domain.records import MergeRequestState, ThreadRecord
from bot.domain.run import Run
from bot.reviewer.hearing import Comment, Known, heard, known, scene

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
MARKER = Marker(b"0123456789abcdef")
ME, DEVELOPER = ForgeUser(1, "review-bot"), ForgeUser(5, "dev")
EVENT = CommentPosted(ref=REF, note_id=20, discussion_id="d1", author_id=DEVELOPER.id)
MARK = "f" * 32


def note(body: str, number: int = 20, author: ForgeUser = DEVELOPER, **more: bool) -> ForgeNote:
    return ForgeNote(number, author.id, body, **more)


def thread(*notes: ForgeNote, resolved: bool = False) -> ForgeDiscussion:
    """Return our thread on a finding, with *notes* in it."""
    opening = f"A finding.\n\n{MARKER.of(REF, MARK)}"
    return ForgeDiscussion("d1", (note(opening, 10, ME, resolvable=True, resolved=resolved), *notes))


def run_on(head: str, **policy: str) -> Run:
    revision = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha=head * 40)
    return Run(
        id=uuid.uuid4(),
        ref=REF,
        head_sha=head * 40,
        revision=revision,
        policy=Policy(review=Review.model_validate(policy)),
        created_at=datetime.now(UTC),
    )


FOUND = Finding(
    scanner="semgrep",
    rule="r",
    category="security",
    severity=Severity.high,
    path="a.py",
    line=2,
    end_line=2,
    title="t",
    message="m",
    fingerprint=MARK,
)


@dataclass
class World:
    """Forge, store, people and workspaces in one."""

    discussion_: ForgeDiscussion
    runs: Sequence[Run] = ()
    found: dict[uuid.UUID, Finding] = field(default_factory=dict)
    answered: bool = False
    gone: bool = False
    removed: uuid.UUID | None = None
    asked_to_push: list[int] = field(default_factory=list)

    async def whoami(self) -> ForgeUser:
        """Return our account."""
        return ME

    async def discussion(self, ref: MergeRequestRef, discussion_id: str) -> ForgeDiscussion:
        """Return the discussion, if it is still there."""
        assert (ref, discussion_id) == (REF, "d1")
        if self.gone:
            raise Refused("404")
        return self.discussion_

    async def was_answered(self, ref: MergeRequestRef, note_id: int) -> bool:
        """Say whether the comment was acted on."""
        assert (ref, note_id) == (REF, 20)
        return self.answered

    async def merge_request(self, ref: MergeRequestRef) -> MergeRequestState:
        """Return the state."""
        return MergeRequestState(ref, run_id=self.runs[0].id if self.runs else None, paused=True)

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return a run."""
        for run in self.runs:
            if run.id == run_id != self.removed:
                return run
        raise Permanent("the review run does not exist")

    async def findings(self, run_id: uuid.UUID) -> dict[str, list[Finding]]:
        """Return what a run has found."""
        return {"scan:semgrep": [self.found[run_id]]} if run_id in self.found else {}

    async def threads(self, ref: MergeRequestRef) -> dict[str, ThreadRecord]:
        """Return the thread, which the oldest run has opened."""
        if not self.runs:
            return {}
        return {MARK: ThreadRecord(MARK, self.runs[-1].id, "open", "semgrep", "r", "high", "a.py", "")}

    async def diff(self, _: Revision) -> Diff:
        """Return no change."""
        return Diff(())

    async def may_push(self, _: ForgeMergeRequest, user_id: int) -> bool:
        """Let everybody push."""
        self.asked_to_push.append(user_id)
        return True


async def hear(world: World) -> Comment:
    return await heard(EVENT, world, world, lambda text: text.replace("s3cret", "[masked]"))  # type: ignore[arg-type]


async def see(
    world: World, *, level: int = 30, head: str = "1", participants: frozenset[int] = frozenset()
) -> Scene:
    found = ForgeMergeRequest(
        REF, "t", "", "opened", False, head * 40, None, "main", "f", 7, "u", participants=participants
    )
    return await scene(
        await hear(world),
        found,
        ForgeMember(DEVELOPER, level),
        await known(EVENT, world),  # type: ignore[arg-type]
        world,  # type: ignore[arg-type]
        world,  # type: ignore[arg-type]
        world,  # type: ignore[arg-type]
        MARKER,
        key=b"key",
        model=True,
    )


@pytest.mark.parametrize("name", ["cloister", "review-bot", "Review-Bot"])
async def test_a_command_to_us_is_heard(name: str) -> None:
    """By the name that works everywhere, or by that of our account; secrets do not get further."""
    comment = await hear(World(thread(note(f"@{name} ignore it is s3cret"))))
    (command,) = comment.asked.commands
    assert (Verb.ignore, "it is [masked]", True) == (command.verb, command.words, comment.resolvable)


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (World(thread(note("@cloister help")), answered=True), "acted on before"),
        (World(thread(note("@cloister help")), gone=True), "cannot be read"),
        (World(thread()), "deleted"),
        (World(thread(note("@cloister help", 21))), "deleted"),
        (World(thread(note("@cloister help", author=ME))), "not answered"),
        (World(thread(note("@cloister help", system=True))), "not answered"),
        (World(thread(note("@cloister help", internal=True))), "not answered"),
    ],
)
async def test_other_comments_are_not_ours_to_answer(world: World, why: str) -> None:
    """They end quietly, each for its reason."""
    with pytest.raises(Obsolete, match=why):
        await hear(world)


@pytest.mark.parametrize("text", ["Fine. @cloister help", "@somebody help"])
async def test_a_comment_may_ask_nothing_of_us(text: str) -> None:
    """It is no command, and may still be a reply to us."""
    assert not (await hear(World(thread(note(text))))).asked


async def test_the_scene_is_that_of_our_thread() -> None:
    """With the finding as the newest run has it, rather than the one that opened the thread."""
    newest, oldest = run_on("1"), run_on("0")
    moved = FOUND.model_copy(update={"line": 9})
    world = World(
        thread(note("@cloister fix"), resolved=True), (newest, oldest), {newest.id: moved, oldest.id: FOUND}
    )
    seen = await see(world, participants=frozenset({DEVELOPER.id}))
    assert (MARK, moved, newest) == (seen.fingerprint, seen.finding, seen.run)
    assert (seen.reviewed, seen.resolved, seen.paused, seen.participant) == (True, True, True, True)


async def test_what_the_newest_run_has_not_is_known_from_the_one_that_raised_it() -> None:
    """So that it can be explained though the scanner failed this time."""
    newest, oldest = run_on("1"), run_on("0")
    seen = await see(World(thread(note("@cloister explain")), (newest, oldest), {oldest.id: FOUND}), head="2")
    assert (FOUND, oldest, False) == (seen.finding, seen.run, seen.reviewed)
    forgotten = await see(World(thread(note("@cloister explain")), (newest, oldest)))
    assert (MARK, None, None) == (forgotten.fingerprint, forgotten.finding, forgotten.run)


async def test_a_thread_outlives_the_run_that_opened_it() -> None:
    """Retention has removed that run: commands in the thread are answered all the same."""
    newest, oldest = run_on("1"), run_on("0")
    world = World(thread(note("@cloister ignore")), (newest, oldest), {oldest.id: FOUND}, removed=oldest.id)
    seen = await see(world)
    assert (MARK, None, None) == (seen.fingerprint, seen.finding, seen.run)


async def test_a_copy_of_our_marker_is_no_thread_of_ours() -> None:
    """Whoever wrote the opening note decides."""
    opening = replace(thread().notes[0], author_id=DEVELOPER.id)
    run = run_on("1")
    copied = World(ForgeDiscussion("d1", (opening, note("@cloister fix"))), (run,), {run.id: FOUND})
    seen = await see(copied)
    assert (None, None) == (seen.fingerprint, seen.finding)


async def test_an_edited_comment_is_told_from_one_that_stands_as_it_was_written() -> None:
    """By its times alone: GitLab names its author, whoever has edited it."""
    written = datetime.now(UTC)
    for later_s, expected in ((0, False), (0.4, False), (3, True)):
        changed = {"written_at": written, "changed_at": written + timedelta(seconds=later_s)}
        world = World(thread(replace(note("@cloister unwaive"), **changed)))
        assert expected is (await see(world)).edited
    assert not (await see(World(thread(note("@cloister unwaive"))))).edited


async def test_the_policy_is_that_of_the_newest_run() -> None:
    """Before the first one the defaults count, and nothing was reviewed."""
    seen = await see(World(thread(note("@cloister test")), (run_on("1", unit_tests="off"),)))
    assert not seen.tests
    fresh = World(thread(note("@cloister test")))
    seen = await see(fresh)
    assert (seen.tests, seen.reviewed) == (Policy().review.unit_tests != "off", False)
    assert await known(EVENT, fresh) == Known(await fresh.merge_request(REF), None)  # type: ignore[arg-type]


async def test_only_who_wants_to_commit_is_asked_about() -> None:
    """Whether somebody may push costs requests."""
    for words, expected in (("test", []), ("test --commit", [DEVELOPER.id])):
        world = World(thread(note(f"@cloister {words}")))
        assert bool(expected) == (await see(world)).may_push
        assert expected == world.asked_to_push
