"""What happened since the last look."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forge import ForgeAward, ForgeDiscussion, ForgeNote
from bot.domain.merge_request import MergeRequestRef
from bot.domain.observation import Observed, ended, observe, reacted, reaction
from bot.domain.scene import Scene
from bot.domain.signals import (
    CLOCK,
    Comment,
    Signal,
    SignalKind,
    Source,
    believed,
    comment_id,
    pseudonym,
)
from bot.domain.watching import Seen, Watch

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=1)
POSTED = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = POSTED + timedelta(hours=2)
ME, AUTHOR, OTHER = 1, 5, 6


def scene(**changes: Any) -> Scene:
    """Return what is known."""
    return replace(Scene(Watch(REF, POSTED, AUTHOR), ME, NOW, "a" * 40), **changes)


def comment(mark: str = "f1", **changes: Any) -> Comment:
    """Return a comment of ours that was seen in its thread."""
    fields: dict[str, Any] = {
        "id": comment_id(REF, mark),
        "ref": REF,
        "fingerprint": mark,
        "run_id": uuid.uuid5(uuid.NAMESPACE_OID, "run"),
        "head_sha": "a" * 40,
        "rule": "sql",
        "scanner": "semgrep",
        "category": "security",
        "severity": "high",
        "confidence": "high",
        "path": "app.py",
        "note_id": 10,
        "discussion_id": "d1",
        "posted_at": POSTED,
    }
    return Comment(**fields | changes)


def thread(*replies: ForgeNote, **changes: Any) -> ForgeDiscussion:
    """Return the thread of the comment as the forge shows it."""
    first = replace(ForgeNote(10, ME, "A finding", resolvable=True, written_at=POSTED), **changes)
    return ForgeDiscussion("d1", (first, *replies))


def reply(note: int, author: int = AUTHOR, **changes: Any) -> ForgeNote:
    """Return a note below it."""
    return replace(
        ForgeNote(note, author, "Hm", resolvable=True, written_at=POSTED + timedelta(minutes=note)), **changes
    )


def look(shown: ForgeDiscussion | None, *, before: Observed | None = None, **changes: Any) -> Observed:
    """Return what a look brings, after another one."""
    here = scene(**changes)
    if before is not None:
        here = replace(here, watch=replace(here.watch, seen=before.seen))
    return observe(here, [comment()], {"f1": shown} if shown else {})


def kinds(found: Observed) -> list[SignalKind]:
    """Return what happened."""
    return [one.kind for one in found.signals]


def test_nothing_has_happened_to_a_new_thread() -> None:
    """Nor is there anything at the second look."""
    first = look(thread())
    assert [] == kinds(first)
    assert first.seen == look(thread(), before=first).seen
    assert [] == kinds(look(thread(), before=first))


def test_who_resolved_a_thread_is_kept() -> None:
    """And each time that it was opened and resolved again is a fact of its own."""
    at = POSTED + timedelta(minutes=9)
    resolved = thread(resolved=True, resolved_by=OTHER, resolved_at=at)
    first = look(resolved)
    (signal,) = first.signals
    assert (SignalKind.resolved, OTHER, at, 10) == (signal.kind, signal.actor_id, signal.at, signal.note_id)
    assert not signal.actor_is_author
    assert not signal.actor_is_bot
    opened = look(thread(), before=first)
    again = look(resolved, before=opened)
    assert [SignalKind.unresolved] == kinds(opened)
    assert [SignalKind.resolved] == kinds(again)
    assert 3 == len({one.id for part in (first, opened, again) for one in part.signals})


@pytest.mark.parametrize("bot", [{"resolved_by": ME}, {"resolved_by": OTHER, "resolver_bot": True}])
def test_what_bots_do_is_marked(bot: dict[str, Any]) -> None:
    """Ourselves first of all."""
    (signal,) = look(thread(resolved=True, **bot)).signals
    assert signal.actor_is_bot


def test_an_applied_suggestion_is_told_once() -> None:
    """Though the note may be edited later, which makes GitLab forget."""
    first = look(thread(applied=(False, True)))
    (signal,) = first.signals
    assert (SignalKind.applied, None) == (signal.kind, signal.actor_id)
    assert {"of": "2", "applied": "1"} == signal.detail
    forgotten = look(thread(applied=(False, False)), before=first)
    assert [] == kinds(forgotten)
    assert [] == kinds(look(thread(applied=(True,)), before=forgotten))


def test_replies_are_handed_out_once() -> None:
    """Those of others: not ours, and not what GitLab notes by itself."""
    shown = thread(reply(11), reply(12, ME), reply(13, system=True), reply(14, OTHER))
    first = look(shown)
    assert [11, 14] == [one.note.id for one in first.replies]
    assert () == look(shown, before=first).replies


def test_replies_that_were_edited_are_handed_out_again() -> None:
    """Once for each edit; nothing of the text is kept, and what an earlier release has seen is not told anew."""
    first = look(thread(reply(11)))
    edited = thread(reply(11, body="I was wrong", changed_at=NOW))
    second = look(edited, before=first)
    back = look(thread(reply(11, changed_at=NOW + timedelta(minutes=1))), before=second)
    told = [one for part in (first, second, back) for one in part.replies]
    assert [11, 11, 11] == [one.note.id for one in told]
    assert 3 == len({one.edit for one in told})
    assert () == look(edited, before=second).replies
    assert "wrong" not in str(second.seen)
    old = replace(first, seen={"f1": first.seen["f1"].model_copy(update={"texts": ()})})
    again = look(edited, before=old)
    assert () == again.replies
    assert second.seen == again.seen


def test_what_was_deleted_is_told_once() -> None:
    """A reply, or the thread with all that stood in it; one that was never seen may never have been visible."""
    first = look(thread(reply(11)))
    without = look(thread(), before=first)
    gone = look(None, before=without)
    assert [(SignalKind.deleted, 11)] == [(one.kind, one.note_id) for one in without.signals]
    assert [(SignalKind.deleted, 10)] == [(one.kind, one.note_id) for one in gone.signals]
    assert [] == kinds(look(None, before=gone))
    assert [] == [one.kind for one in observe(scene(), [comment(note_id=None)], {}).signals]


def test_what_is_gone_at_the_first_look_after_the_end_went_before_it() -> None:
    """After what was said last, and early enough to count; later looks take their own time for it."""
    ended_at = POSTED + timedelta(hours=1)
    first = look(thread(reply(11)))
    watch = replace(scene().watch, state="merged", ended_at=ended_at, seen=first.seen)
    for just_ended, earliest, latest in (
        (True, ended_at + timedelta(seconds=1), ended_at + timedelta(seconds=59)),
        (False, NOW, NOW),
    ):
        found = observe(scene(watch=watch, just_ended=just_ended), [comment()], {"f1": thread()})
        assert [SignalKind.deleted] == kinds(found)
        assert earliest <= found.signals[0].at <= latest


def award(number: int, user: int = OTHER) -> ForgeAward:
    """Return a reaction."""
    return ForgeAward(number, "thumbsup", user, POSTED + timedelta(minutes=3))


def test_reactions_that_hooks_and_looks_tell_of_are_one() -> None:
    """Whatever each says of the time."""
    (polled,), _ = reacted(scene(), comment(), [award(3)], Seen())
    hooked = reaction(
        scene(),
        comment(),
        3,
        "thumbsup",
        OTHER,
        at=POSTED + timedelta(seconds=181),
        added=True,
        source=Source.hook,
    )
    assert hooked.id == polled.id
    assert hooked.at != polled.at


def test_a_reaction_that_is_not_there_any_more_was_taken_back() -> None:
    """It is known by its number."""
    added, seen = reacted(scene(), comment(), [award(3), award(4)], Seen())
    removed, after = reacted(scene(), comment(), [award(4)], seen)
    assert [SignalKind.reaction_added] * 2 == [one.kind for one in added]
    new = [one for one in removed if one.id not in {before.id for before in added}]
    assert [(SignalKind.reaction_removed, {"award": "3"})] == [(one.kind, one.detail) for one in new]
    assert (4,) == after.awards


def test_the_end_of_a_reaction_that_only_a_hook_told_of_is_missed() -> None:
    """Then it is known whose it was; what stands on another comment, or is ours, is left alone."""

    def told(number: int, mark: str = "f1", user: int = OTHER) -> Signal:
        about = comment(mark)
        return reaction(scene(), about, number, "thumbsdown", user, at=POSTED, added=True, source=Source.hook)

    found, _ = reacted(scene(), comment(), [], Seen(), [told(3), told(4, "f2"), told(5, user=ME)])
    assert [(SignalKind.reaction_removed, "thumbsdown", OTHER, {"award": "3"})] == [
        (one.kind, one.emoji, one.actor_id, one.detail) for one in found
    ]


def test_what_was_applied_was_applied_before_the_merge() -> None:
    """However late somebody looks."""
    merged_at = NOW - timedelta(hours=1)
    watch = replace(scene().watch, state="merged", ended_at=merged_at)
    (late,) = look(thread(applied=(True,)), watch=watch).signals
    (ahead,) = look(thread(applied=(True,)), watch=replace(watch, ended_at=NOW + timedelta(hours=1))).signals
    assert (merged_at, NOW) == (late.at, ahead.at)


def test_ten_reactions_of_one_person_are_ten_facts() -> None:
    """The ledger keeps all; labels count people."""
    found, _ = reacted(scene(), comment(), [award(number) for number in range(1, 11)], Seen())
    assert 10 == len({one.id for one in found})
    assert {OTHER} == {one.actor_id for one in found}


def test_names_of_emoji_hold_nothing_else() -> None:
    """What the forge lists may come from a group that adds emoji of its own."""
    odd = replace(award(3), emoji="<b>party\0_parrot</b>" + "x" * 500)
    (signal,), _ = reacted(scene(), comment(), [odd], Seen())
    assert "bparty_parrotbx" == signal.emoji[:15]
    assert 100 == len(signal.emoji)


def test_deleted_accounts_have_no_actor() -> None:
    """The forge shows one ghost for all of them, which is nobody."""
    (signal,), _ = reacted(scene(), comment(), [award(3, user=0)], Seen())
    assert None is signal.actor_id
    assert not signal.actor_is_bot


@pytest.mark.parametrize(
    ("state", "kind"),
    [("merged", SignalKind.merged), ("closed", SignalKind.closed), ("opened", SignalKind.reopened)],
)
def test_the_end_is_about_the_whole_merge_request(state: str, kind: SignalKind) -> None:
    """It has no comment, but a time and somebody who did it."""
    at = None if state == "opened" else POSTED + timedelta(hours=1)
    here = scene(watch=replace(scene().watch, state=state, ended_at=at))
    (signal,) = ended(here, actor=AUTHOR)
    assert (kind, "", at or NOW) == (signal.kind, signal.fingerprint, signal.at)
    assert signal.actor_is_author
    assert [] == list(ended(scene(watch=replace(scene().watch, state="locked")), actor=None))


@pytest.mark.parametrize(
    ("at", "expected", "marked"),
    [
        (POSTED + timedelta(minutes=5), POSTED + timedelta(minutes=5), False),
        (POSTED - timedelta(seconds=20), POSTED, False),
        (POSTED - timedelta(hours=3), POSTED, True),
        (NOW + timedelta(days=400), NOW, True),
        (datetime(1970, 1, 1, tzinfo=UTC), POSTED, True),
    ],
)
def test_times_that_cannot_be_are_not_believed(at: datetime, expected: datetime, marked: bool) -> None:
    """Nobody reacts before the comment or tomorrow; that the forge said so is kept."""
    when, detail = believed(at, posted_at=POSTED, seen_at=NOW)
    assert expected == when
    assert ({CLOCK: at.isoformat()} if marked else {}) == detail


@given(st.integers(-720, 720), st.integers(0, int((NOW - POSTED).total_seconds())))
def test_a_clock_that_is_known_to_be_wrong_is_read_right(ahead_min: int, after_s: int) -> None:
    """Whatever the forge's clock shows, a reaction has the time that it had by ours."""
    ahead, at = timedelta(minutes=ahead_min), POSTED + timedelta(seconds=after_s)
    told = reaction(scene(ahead=ahead), comment(), 7, "thumbsup", AUTHOR, at=at + ahead, added=True)
    assert at == told.at
    assert CLOCK not in told.detail


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_no_clock_brings_a_signal_before_its_comment(at: datetime, seen_at: datetime) -> None:
    """Ours neither."""
    when, _ = believed(at, posted_at=POSTED, seen_at=seen_at)
    assert POSTED <= when <= max(POSTED, seen_at)


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_looks_tell_each_turn_once(turns: Sequence[bool]) -> None:
    """A thread that is resolved and opened between looks has as many signals as turns that a look could see."""
    before: Observed | None = None
    told: list[Signal] = []
    for resolved in turns:
        before = look(thread(resolved=resolved), before=before)
        told += before.signals
    seen = sum(one != other for one, other in zip(turns, [False, *turns], strict=False))
    assert seen == len(told) == len({one.id for one in told})


def test_pseudonyms_hide_accounts() -> None:
    """The same for the same key and account, and nothing of the number."""
    assert pseudonym(b"k" * 32, "a.example", 5) == pseudonym(b"k" * 32, "a.example", 5)
    others = {
        pseudonym(key, instance, actor)
        for key in (b"k" * 32, b"l" * 32)
        for instance in ("a.example", "b.example")
        for actor in (5, 6)
    }
    assert 8 == len(others)
