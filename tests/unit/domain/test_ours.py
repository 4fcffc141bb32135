"""Which threads and notes are ours."""

import uuid
from dataclasses import replace

import pytest

from bot.domain.findings import Finding, Severity
from bot.domain.forge import ForgeDiscussion, ForgeNote
from bot.domain.marker import EXPLAINED, Marker, Word
from bot.domain.merge_request import MergeRequestRef
from bot.domain.ours import ADVISED, EXCUSED, FIXED, OPEN, Ours, deleted, ours, remember, unseen
from bot.domain.reconcile import Cause, Keep, Reopen, Resolve
from bot.domain.records import ThreadRecord

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
MARKER = Marker(b"k" * 32)
ME, DEVELOPER = 1, 2
FINGERPRINT = "f" * 32
FOUND = Finding(
    scanner="semgrep",
    rule="r",
    category="c",
    severity=Severity.high,
    path="a.py",
    line=1,
    end_line=1,
    title="t",
    message="m",
    fingerprint=FINGERPRINT,
)


def discussion(*notes: ForgeNote) -> ForgeDiscussion:
    """Return a discussion of *notes*."""
    return ForgeDiscussion("d1", notes)


def note(body: str = "", author: int = ME, **values: bool | int) -> ForgeNote:
    """Return a note, by default ours with a marker."""
    return ForgeNote(10, author, body or f"text\n\n{MARKER.of(REF, FINGERPRINT)}", **values)


def record(state: str = OPEN) -> ThreadRecord:
    """Return what we remember of the thread."""
    return ThreadRecord(FINGERPRINT, uuid.uuid4(), state, "semgrep", "r", "high", "a.py", "1:x")


def read(*discussions: ForgeDiscussion, state: str | None = OPEN) -> Ours:
    """Pick out what is ours, with a record of the thread in *state*, or none."""
    known = {} if state is None else {FINGERPRINT: record(state)}
    return ours(discussions, REF, me=ME, marker=MARKER, known=known)


def test_our_thread_is_recognised_with_what_we_remember() -> None:
    """Account and signature make it ours; the record tells where it points."""
    (thread,) = read(discussion(note())).threads
    assert (thread.fingerprint, thread.path, thread.severity) == (FINGERPRINT, "a.py", Severity.high)
    assert not thread.touched


@pytest.mark.parametrize(
    "foreign",
    [
        note(author=DEVELOPER),
        note("no marker"),
        note(f"{MARKER.of(REF, FINGERPRINT)}\nand more"),
        note(Marker(b"x" * 32).of(REF, FINGERPRINT)),
        note(MARKER.of(REF.model_copy(update={"iid": 4}), FINGERPRINT)),
    ],
)
def test_copies_and_forgeries_are_not_ours(foreign: ForgeNote) -> None:
    """Another author, another key, another merge request, or a marker that is not last."""
    assert read(discussion(foreign)).threads == ()


def test_what_we_said_last_is_read_from_the_thread() -> None:
    """Only in our own notes; a copy of our words by somebody else is somebody else's word."""
    fixed, back = (MARKER.of_word(REF, word, FINGERPRINT) for word in (Word.fixed, Word.back))
    other = MARKER.of_word(REF, Word.fixed, "e" * 32)
    (thread,) = read(discussion(note(), note(fixed), note(back), note(other))).threads
    assert (Word.back, False) == (thread.told, thread.touched)
    (thread,) = read(discussion(note(), note(fixed, author=DEVELOPER))).threads
    assert (None, True) == (thread.told, thread.touched)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("text", True), ("```suggestion:-0+0\nx\n```", False), (f"why\n\n{EXPLAINED}", False)],
)
def test_a_note_is_edited_only_where_that_takes_nothing(text: str, plain: bool) -> None:
    """GitLab makes suggestions anew, and an explanation is given once."""
    join = "\n" if EXPLAINED in text else "\n\n"
    (thread,) = read(discussion(note(f"{text}{join}{MARKER.of(REF, FINGERPRINT)}"))).threads
    assert plain is thread.plain


def test_a_thread_without_a_record_is_ours_but_unknown() -> None:
    """After a loss of the database nothing is posted twice, and nothing is resolved by guess."""
    (thread,) = read(discussion(note()), state=None).threads
    assert (thread.fingerprint, thread.scanner, thread.severity) == (FINGERPRINT, "", None)


@pytest.mark.parametrize(
    ("discussed", "state", "touched", "mended"),
    [
        (discussion(note(), note("why?", DEVELOPER)), OPEN, True, False),
        (discussion(note(), note("resolved all threads", DEVELOPER, system=True)), OPEN, False, False),
        (discussion(note(), note("our own word")), OPEN, False, False),
        (discussion(note(resolved=True)), FIXED, False, True),
        (discussion(note(resolved=True)), ADVISED, False, True),
        (discussion(note(resolved=False)), ADVISED, True, True),
        (discussion(note(resolved=True, resolved_by=DEVELOPER)), ADVISED, False, False),
        (discussion(note(resolved=False)), EXCUSED, True, True),
        (discussion(note(resolved=True)), EXCUSED, False, True),
        (discussion(note(resolved=False)), FIXED, True, True),
        (discussion(note(resolved=True, resolved_by=ME)), OPEN, False, True),
        (discussion(note(resolved=True, resolved_by=DEVELOPER)), FIXED, False, False),
    ],
)
def test_what_people_did_to_a_thread(
    discussed: ForgeDiscussion, state: str, touched: bool, mended: bool
) -> None:
    """Replies of others and a thread that was opened again count; system notes and our own do not."""
    (thread,) = read(discussed, state=state).threads
    assert (thread.touched, thread.mended) == (touched, mended)


def test_a_thread_that_a_waiver_resolved_is_remembered_as_that() -> None:
    """Also when people answer in it, and until it is opened."""
    mine = read(discussion(note(), note("may I?", DEVELOPER)))
    (thread,) = mine.threads
    (kept,) = remember(mine, [Resolve(thread, Cause.waived)], {FINGERPRINT: record()})
    assert EXCUSED == kept.state
    resolved = read(discussion(note(resolved=True), note("may I?", DEVELOPER)), state=EXCUSED)
    (thread,) = resolved.threads
    assert (True, True, False) == (thread.excused, thread.advised, thread.reopened)
    (kept,) = remember(resolved, [], {FINGERPRINT: kept})
    assert EXCUSED == kept.state
    (again,) = read(discussion(note(resolved=False)), state=EXCUSED).threads
    assert again.reopened


def test_the_first_summary_note_is_the_one_to_edit() -> None:
    """A second one, left by a broken-off try, is not edited instead."""
    body = f"text\n\n{MARKER.of_summary(REF)}"
    first, second = ForgeNote(10, ME, body), ForgeNote(11, ME, body)
    mine = read(discussion(first), ForgeDiscussion("d2", (second,)))
    assert (mine.summary_id, mine.summary_body, mine.threads) == (10, body, ())


def test_remembers_what_was_done_last() -> None:
    """Resolving because the finding is gone is remembered; dropping a duplicate is not."""
    mine = read(discussion(note()))
    (thread,) = mine.threads
    done = {
        Resolve(thread, Cause.gone): FIXED,
        Resolve(thread, Cause.duplicate): OPEN,
        Resolve(thread, Cause.advice): ADVISED,
        Keep(replace(thread, resolved=True, mended=True), FOUND): ADVISED,
        Keep(replace(thread, resolved=True, mended=True, touched=True), FOUND): OPEN,
        Keep(thread, FOUND): OPEN,
        Reopen(thread, FOUND): OPEN,
    }
    for action, state in done.items():
        (kept,) = remember(mine, [action], {FINGERPRINT: record()})
        assert (kept.state, kept.discussion_id) == (state, "d1")


def test_a_thread_that_people_deleted_is_known_for_it() -> None:
    """A thread that was seen and is gone counts; one that was never seen may just not have been published."""
    seen = replace(record(), discussion_id="d1")
    assert deleted(Ours(), {FINGERPRINT: seen}) == {FINGERPRINT}
    assert deleted(Ours(), {FINGERPRINT: record()}) == frozenset()
    assert deleted(read(discussion(note())), {FINGERPRINT: seen}) == frozenset()


def test_a_thread_that_nobody_has_seen_since_is_told_once_more() -> None:
    """Whoever posted it may have died before the ledger heard of it; one that was seen, or is unknown, is not meant."""
    (thread,) = read(discussion(note())).threads
    actions = [Keep(thread, FOUND)]
    assert [FOUND] == unseen(actions, {FINGERPRINT: record()})
    assert [] == unseen(actions, {FINGERPRINT: replace(record(), discussion_id="d1")})
    assert [] == unseen(actions, {})
    assert [] == unseen([Resolve(thread, Cause.gone)], {FINGERPRINT: record()})
