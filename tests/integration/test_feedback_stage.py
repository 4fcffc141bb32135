"""The stage that keeps what people do with comments, on a real database, real git, and a GitLab that misbehaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from bot.adapters.reconciliation_postgres import PostgresReconciliations
from bot.domain.errors import Obsolete
from bot.domain.events import CommandTaken, FeedbackDue, FeedbackExpected, ReactionChanged
from bot.domain.labels import Label, label
from bot.domain.run import Outcome
from bot.domain.signals import ReplyClass, SignalKind, Source
from bot.domain.watching import REACTIONS_FROM, Why
from tests.feedback import CODE, MARK, MARKER, OURS, Scene, also_commented, commented, finding, text


async def test_a_look_is_one_request(scene: Scene) -> None:
    """Nothing has happened, and nothing else is asked for."""
    await scene.forge.whoami()
    before = scene.forge.calls
    assert [] == await scene.look()
    assert 1 == scene.forge.calls - before
    (comment,) = await scene.ledger.comments(scene.ref)
    assert (scene.note.discussion_id, scene.note.id, True) == (
        comment.discussion_id,
        comment.note_id,
        comment.had_suggestion,
    )


async def test_an_applied_suggestion_is_seen(scene: Scene) -> None:
    """As applied, resolved by whoever clicked, and as a change that ends the finding."""
    (suggestion,) = scene.note.suggestions
    await scene.look()
    scene.gitlab.server.apply_suggestion(suggestion.id, user=scene.gitlab.developer)
    await scene.ran()
    assert [SignalKind.applied, SignalKind.changed, SignalKind.resolved] == await scene.look()
    (changed,) = await scene.signals(SignalKind.changed)
    (resolved,) = await scene.signals(SignalKind.resolved)
    (applied,) = await scene.signals(SignalKind.applied)
    assert changed.judged is True
    assert scene.gitlab.developer.id == resolved.actor_id == applied.actor_id
    assert applied.actor_is_author
    assert [] == await scene.look()


async def test_who_applied_a_suggestion_is_named_only_if_certain(scene: Scene) -> None:
    """A script applied it, which resolves nothing, and somebody else resolved the thread."""
    (suggestion,) = scene.note.suggestions
    await scene.look()
    server, reviewer = scene.gitlab.server, scene.gitlab.server.create_user("reviewer")
    server.add_member(scene.gitlab.project, reviewer, 30)
    where = server.instance.suggestions.find(suggestion.id)
    assert where is not None
    server.instance.suggestions.apply(scene.gitlab.developer, [where])
    server.resolve(scene.opened, scene.note.discussion_id, user=reviewer)
    await scene.ran()
    await scene.look()
    (applied,) = await scene.signals(SignalKind.applied)
    assert (None, False) == (applied.actor_id, applied.actor_is_author)


async def test_a_reply_counts_as_it_reads_now(scene: Scene) -> None:
    """Whoever resolves the thread meanwhile; told twice it is one."""
    server, thread = scene.gitlab.server, scene.note.discussion_id
    note = server.reply(scene.opened, thread, "false positive", user=scene.gitlab.developer)
    await scene.look()
    server.edit_note(scene.opened, note, "fixed")
    server.resolve(scene.opened, thread)
    assert SignalKind.reply in await scene.look()
    assert [] == await scene.look()
    (comment,) = await scene.ledger.comments(scene.ref)
    said = await scene.signals(SignalKind.reply)
    assert [ReplyClass.wrong, ReplyClass.agrees] == [
        one.reply for one in sorted(said, key=lambda one: one.at)
    ]
    server.merge(scene.opened)
    await scene.shut()
    await scene.look()
    assert Label.accepted_weak is label(comment, await scene.signals()).label


async def test_what_was_taken_back_before_the_merge_does_not_count(scene: Scene) -> None:
    """Though the forge was out of reach then, so that we look long after; what is taken back later stands."""
    server, opened = scene.gitlab.server, scene.opened
    note = server.reply(opened, scene.note.discussion_id, "false positive", user=scene.gitlab.developer)
    other = server.create_user("other")
    award = server.react(opened, scene.note, "thumbsdown", user=other)
    lasting = server.react(opened, scene.note, "thumbsup", user=scene.gitlab.developer)
    for _ in range(REACTIONS_FROM + 1):
        await scene.look(later=timedelta(days=1))
    server.delete_note(opened, note)
    server.revoke_reaction(opened, scene.note, award)
    server.merge(opened)
    await scene.shut()
    await scene.look(later=timedelta(hours=3))
    (comment,) = await scene.ledger.comments(scene.ref)
    assert Label.accepted_weak is label(comment, await scene.signals()).label
    server.revoke_reaction(opened, scene.note, lasting)
    await scene.look(later=timedelta(days=2))
    assert Label.accepted_weak is label(comment, await scene.signals()).label


async def test_replies_are_one_word(scene: Scene, pool: Any) -> None:
    """Of bots, of us, and of what asks us for something, it is not said what they say."""
    server, thread = scene.gitlab.server, scene.note.discussion_id
    bot = server.create_user("project_7_bot_abc", bot=True)
    said = {
        "This is a false positive, s3cret-value.": ReplyClass.wrong,
        "@cloister ignore it is wrong": ReplyClass.other,
        "已修复": ReplyClass.agrees,
        "<img src=x onerror=alert(1)>": ReplyClass.other,
    }
    written = {
        server.reply(scene.opened, thread, one, user=scene.gitlab.developer).id: kind
        for one, kind in said.items()
    }
    written[server.reply(scene.opened, thread, "won't fix", user=bot).id] = ReplyClass.other
    server.reply(scene.opened, thread, "fixed", user=scene.gitlab.bot)
    await scene.look()
    replies = await scene.signals(SignalKind.reply)
    assert written == {one.note_id: one.reply for one in replies}
    assert [False] * 4 + [True] == [one.actor_is_bot for one in replies]
    rows = await pool.fetch("SELECT * FROM signal")
    assert not any(word in str(rows) for word in ("false positive", "secret", "img", "修复"))


async def test_a_command_is_a_signal(scene: Scene) -> None:
    """Told twice it is one; of an unknown comment, or an unknown command, nothing is kept."""
    event = CommandTaken(ref=scene.ref, command="ignore", fingerprint=MARK, note_id=99, actor_id=5)
    await scene.handle(event)
    await scene.handle(event)
    await scene.handle(event.model_copy(update={"command": "waive"}))
    assert [SignalKind.ignored, SignalKind.waived] == sorted(one.kind for one in await scene.signals())
    for odd in ({"fingerprint": "0" * 32}, {"command": "help"}):
        with pytest.raises(Obsolete):
            await scene.handle(event.model_copy(update=odd))


def reacted(scene: Scene, **changes: Any) -> ReactionChanged:
    """Return the event of a reaction to our comment."""
    event = ReactionChanged(
        ref=scene.ref,
        award_id=77,
        note_id=scene.note.id,
        discussion_id=scene.note.discussion_id,
        actor_id=scene.gitlab.developer.id,
        emoji="thumbsdown",
        added=True,
        at=datetime.now(UTC),
    )
    return event.model_copy(update=changes)


async def test_what_comes_after_its_signals_went_is_too_late(scene: Scene, pool: Any) -> None:
    """A reaction, a command or a look, years later: counted, and without an error or a trace."""
    command = CommandTaken(ref=scene.ref, command="ignore", fingerprint=MARK, note_id=99, actor_id=5)
    kept = "UPDATE signals_kept SET since = date_trunc('month', now() + interval '40 days', 'UTC')"
    with structlog.testing.capture_logs() as logs:
        await pool.execute(kept)
        await scene.handle(reacted(scene))
        await scene.handle(command)
    assert ["too late"] * 2 == [one["reason"] for one in logs if one["event"] == "signal.dropped"]
    assert b'cloister_signals_dropped_total{reason="too late"} 2.0' in scene.telemetry.exposition()
    with pytest.raises(Obsolete, match="of which signals are kept"):
        await scene.handle(FeedbackDue(ref=scene.ref))
    assert [] == await scene.signals()


async def test_reactions_come_in_any_order(scene: Scene) -> None:
    """Taken back before it was given, and each told twice; the comment was not seen in its thread yet."""
    for added in (False, True, False, True):
        await scene.handle(reacted(scene, added=added))
    assert [SignalKind.reaction_added, SignalKind.reaction_removed] == sorted(
        one.kind for one in await scene.signals()
    )
    assert {Source.hook} == {one.source for one in await scene.signals()}
    assert {"77"} == {one.detail["award"] for one in await scene.signals()}


async def test_reactions_and_commands_are_about_the_head_of_then(scene: Scene) -> None:
    """Nobody has looked yet, and then again nobody since the last push."""
    heads = [scene.opened.head_sha]
    await scene.handle(reacted(scene))
    scene.gitlab.server.push(scene.opened, {"other.py": "x = 1\n"})
    heads.append((await scene.ran(finding())).head_sha)
    await scene.handle(
        CommandTaken(ref=scene.ref, command="ignore", fingerprint=MARK, note_id=99, actor_id=5)
    )
    assert heads == [one.head_sha for one in sorted(await scene.signals(), key=lambda one: one.seen_at)]


async def test_reactions_that_are_not_to_our_comments_are_dropped(scene: Scene) -> None:
    """To comments of others, to answers of ours, to what is gone, by ourselves, and on unknown merge requests."""
    server = scene.gitlab.server
    other = server.comment(
        scene.opened, f"A copy.\n\n{MARKER.of(scene.ref, MARK)}", user=scene.gitlab.developer
    )
    answer = server.reply(scene.opened, scene.note.discussion_id, "Sure.", user=scene.gitlab.bot)
    with structlog.testing.capture_logs() as logs:
        for note in (other, answer):
            await scene.handle(reacted(scene, note_id=note.id, discussion_id=note.discussion_id))
        await scene.handle(reacted(scene, note_id=123456, discussion_id="0" * 40))
        await scene.handle(reacted(scene, actor_id=scene.gitlab.bot.id))
        await scene.handle(reacted(scene, ref=scene.ref.model_copy(update={"iid": 99})))
    assert [] == await scene.signals()
    assert ["unknown comment"] * 3 + ["our own", "unknown comment"] == [
        one["reason"] for one in logs if one["event"] == "signal.dropped"
    ]


async def test_reactions_are_asked_for_where_no_hook_tells(scene: Scene) -> None:
    """Once the merge request is quiet; what hooks have told already is not told again, whatever GitLab's clock says."""
    server = scene.gitlab.server
    given = server.react(scene.opened, scene.note, "thumbsup", user=scene.gitlab.developer)
    server.react(scene.opened, scene.note, "eyes", user=scene.gitlab.bot)
    given.created_at = datetime(2040, 1, 1, tzinfo=UTC)
    assert [[], [], [], [SignalKind.reaction_added]] == [await scene.look() for _ in range(4)]
    (signal,) = await scene.signals()
    assert (Source.poll, scene.gitlab.developer.id) == (signal.source, signal.actor_id)
    assert {"clock": "2040-01-01T00:00:00+00:00", "award": str(given.id)} == signal.detail
    server.revoke_reaction(scene.opened, scene.note, given)
    assert [SignalKind.reaction_removed] == await scene.look()
    await scene.handle(reacted(scene, award_id=given.id))
    assert [] == await scene.signals(SignalKind.reply)
    assert 2 == len(await scene.signals())
    before = scene.forge.calls
    await scene.look()
    assert 1 == scene.forge.calls - before


async def test_reactions_to_all_comments_are_asked_for_in_turn(scene: Scene) -> None:
    """One at a time here: of two comments each is asked about in the end."""
    other = await also_commented(scene)
    scene.looker = replace(scene.looker, most_asked=1)
    for note in (scene.note, other):
        scene.gitlab.server.react(scene.opened, note, "thumbsup", user=scene.gitlab.developer)
    assert [[], [], []] == [await scene.look() for _ in range(3)]
    assert [[SignalKind.reaction_added]] * 2 == [await scene.look() for _ in range(2)]
    assert 2 == len({one.fingerprint for one in await scene.signals()})
    before = scene.forge.calls
    await scene.look()
    assert 2 == scene.forge.calls - before


async def test_what_deleted_accounts_did_has_no_actor(scene: Scene) -> None:
    """GitLab gives it to a ghost, who stands for all of them."""
    server, person = scene.gitlab.server, scene.gitlab.server.create_user("leaver")
    server.add_member(scene.gitlab.project, person, 30)
    server.react(scene.opened, scene.note, "thumbsdown", user=person)
    server.reply(scene.opened, scene.note.discussion_id, "This is wrong.", user=person)
    server.resolve(scene.opened, scene.note.discussion_id, user=person)
    server.delete_user(person)
    await scene.shut()
    server.close_merge_request(scene.opened)
    gone = [SignalKind.reaction_added, SignalKind.reply, SignalKind.resolved]
    assert [SignalKind.closed, *gone] == await scene.look()
    found = {one.kind: (one.actor_id, one.actor_is_bot) for one in await scene.signals()}
    assert {(None, False)} == {found[kind] for kind in gone}
    assert (scene.gitlab.developer.id, False) == found[SignalKind.closed]


@pytest.mark.parametrize("hours", [-5, 5])
async def test_clocks_that_are_hours_apart_change_nothing(scene: Scene, hours: int) -> None:
    """The forge says what time it is there, so everything has the time at which it happened by our clock."""
    server, state = scene.gitlab.server, scene.gitlab.server.instance.state
    state.ahead, state.last_moment = timedelta(hours=hours), datetime(2000, 1, 1, tzinfo=UTC)
    server.reply(scene.opened, scene.note.discussion_id, "This is wrong.", user=scene.gitlab.developer)
    server.resolve(scene.opened, scene.note.discussion_id, user=scene.gitlab.developer)
    await scene.look(later=timedelta(minutes=10))
    given = server.react(scene.opened, scene.note, "thumbsdown", user=scene.gitlab.developer)
    await scene.handle(reacted(scene, award_id=given.id, at=given.created_at))
    server.merge(scene.opened, user=scene.gitlab.developer)
    await scene.shut()
    await scene.look(later=timedelta(minutes=10))
    found = {one.kind: one for one in await scene.signals()}
    assert {"reaction_added", "reply", "resolved", "merged"} <= {kind.value for kind in found}
    for one in found.values():
        assert "clock" not in one.detail
        assert abs(one.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_merge_request_is_closed_opened_and_merged(scene: Scene, pool: Any) -> None:
    """Each is told once, by what the forge shows; a closed one is not looked at again."""
    server = scene.gitlab.server
    server.close_merge_request(scene.opened)
    await scene.shut()
    assert [SignalKind.closed] == await scene.look()
    assert await scene.again_at(pool) is None
    server.reopen(scene.opened)
    await scene.shut(closed=False)
    await scene.handle(FeedbackExpected(ref=scene.ref, why=Why.reopened))
    assert await scene.again_at(pool) is not None
    assert [SignalKind.reopened] == await scene.look()
    server.merge(scene.opened, user=scene.gitlab.developer)
    await scene.shut()
    assert [SignalKind.merged] == await scene.look()
    assert [] == await scene.look()
    assert await scene.again_at(pool) is not None


async def test_a_merge_right_after_it_was_opened_again_is_seen(scene: Scene, pool: Any) -> None:
    """Nobody has looked while it was open: it is over as it was, but not closed."""
    server = scene.gitlab.server
    server.close_merge_request(scene.opened)
    await scene.shut()
    assert [SignalKind.closed] == await scene.look()
    assert [] == await scene.look()
    reconciliations = PostgresReconciliations(pool)
    assert (await reconciliations.known([scene.ref]))[scene.ref].unmerged
    server.reopen(scene.opened)
    server.reply(scene.opened, scene.note.discussion_id, "This is wrong.", user=scene.gitlab.developer)
    server.merge(scene.opened, user=scene.gitlab.developer)
    assert [SignalKind.merged, SignalKind.reply] == await scene.look()
    assert [] == await scene.look()
    assert not (await reconciliations.known([scene.ref]))[scene.ref].unmerged
    assert await scene.again_at(pool) is not None


@pytest.mark.parametrize(
    ("lines", "judged"),
    [
        ([*OURS[:9], "query = safe(name)\n", *OURS[10:]], True),
        ([*OURS[:9], *OURS[11:]], True),
    ],
)
async def test_a_push_that_changes_the_lines_is_seen(scene: Scene, lines: list[str], judged: bool) -> None:
    """With the head; the scan of that head says that the finding is gone."""
    await scene.look()
    head = scene.gitlab.server.push(scene.opened, text(lines))
    await scene.ran()
    assert [SignalKind.changed] == await scene.look()
    (signal,) = await scene.signals()
    assert (head, judged, Source.git) == (signal.detail["head"], signal.judged, signal.source)
    scene.gitlab.server.push(scene.opened, text([*lines[:9], "again\n", *lines[10:]]))
    await scene.ran()
    assert [] == await scene.look()


async def test_a_change_that_mends_nothing_is_told_apart(scene: Scene) -> None:
    """The scanner still finds it; where it could not look, nobody knows."""
    await scene.look()
    scene.gitlab.server.push(scene.opened, text([*OURS[:9], "query = make(name + 'x')\n", *OURS[10:]]))
    await scene.ran(finding())
    assert [SignalKind.changed] == await scene.look()
    assert [False] == [one.judged for one in await scene.signals()]


async def test_a_push_that_mends_it_after_all_is_seen(scene: Scene) -> None:
    """One that mended nothing came before; each is told once, and neither is late after the merge."""
    server = scene.gitlab.server
    for words in ("make(name + 'x')", "make(name + 'y')"):
        server.push(scene.opened, text([*OURS[:9], f"query = {words}\n", *OURS[10:]]))
        await scene.ran(finding())
        await scene.look()
    assert [False] == [one.judged for one in await scene.signals()]
    mended = server.push(scene.opened, text([*OURS[:9], "query = safe(name)\n", *OURS[10:]]))
    await scene.ran()
    assert [SignalKind.changed] == await scene.look()
    assert {mended: True}.items() <= {one.detail["head"]: one.judged for one in await scene.signals()}.items()
    server.merge(scene.opened)
    await scene.shut()
    await scene.look()
    assert [] == await scene.look(later=timedelta(days=1))


async def test_a_later_push_that_is_judged_counts(scene: Scene) -> None:
    """Nobody could judge the first one; the third one undoes what the second has mended."""
    # Within the minute by which clocks may differ, however slow the machine: the merge has GitLab's time.
    soon = timedelta(seconds=1)
    server, mended = scene.gitlab.server, [*OURS[:9], "query = safe(name)\n", *OURS[10:]]
    server.push(scene.opened, text([*OURS[:9], "query = make(name + 'x')\n", *OURS[10:]]))
    await scene.ran(outcome=Outcome.failed)
    assert [SignalKind.changed] == await scene.look(later=soon)
    server.push(scene.opened, text(mended))
    await scene.ran()
    assert [SignalKind.changed] == await scene.look(later=soon)
    server.push(scene.opened, text([*mended, "# more\n"]))
    await scene.ran()
    assert [] == await scene.look(later=soon)
    server.push(scene.opened, text(OURS))
    await scene.ran(finding())
    assert [SignalKind.changed] == await scene.look(later=soon)
    assert [None, True, False] == [one.judged for one in await scene.signals(SignalKind.changed)]
    server.merge(scene.opened)
    await scene.shut()
    await scene.look(later=soon)
    (comment,) = await scene.ledger.comments(scene.ref)
    assert Label.unknown is label(comment, await scene.signals()).label


async def test_what_is_seen_long_after_the_merge_is_no_later_change(scene: Scene) -> None:
    """The hook of the merge was lost: the lines had changed by then all the same."""
    scene.gitlab.server.push(scene.opened, text([*OURS[:9], "query = safe(name)\n", *OURS[10:]]))
    await scene.ran()
    scene.gitlab.server.merge(scene.opened)
    await scene.shut()
    assert SignalKind.changed in await scene.look(later=timedelta(hours=5))
    (changed,), (merged,) = (
        await scene.signals(SignalKind.changed),
        await scene.signals(SignalKind.merged),
    )
    assert merged.at == changed.at


async def test_a_scan_that_failed_judges_nothing(scene: Scene) -> None:
    """That it found nothing proves nothing."""
    scene.gitlab.server.push(scene.opened, text([*OURS[:9], *OURS[11:]]))
    await scene.ran(outcome=Outcome.failed)
    assert [SignalKind.changed] == await scene.look()
    assert [None] == [one.judged for one in await scene.signals()]


async def test_the_silence_of_the_model_judges_nothing(bare: Scene) -> None:
    """It does not repeat itself; nor does it at the merge, where nobody asks it."""
    await commented(bare, "model")
    bare.gitlab.server.push(bare.opened, text([*OURS[:9], "query = safe(name)\n", *OURS[10:]]))
    await bare.ran(step="review")
    assert [SignalKind.changed] == await bare.look()
    assert [None] == [one.judged for one in await bare.signals()]
    bare.gitlab.server.merge(bare.opened)
    await bare.shut()
    assert [SignalKind.merged] == await bare.look()


async def test_the_same_code_that_a_rebase_brings_is_no_move(scene: Scene) -> None:
    """Common code stands in many files; others wrote it there."""
    server = scene.gitlab.server
    await scene.look()
    server.commit(scene.gitlab.project, "main", {"theirs.py": "".join(OURS[9:11])})
    server.rebase(scene.opened)
    await scene.ran(finding())
    assert [] == await scene.look()
    server.push(scene.opened, text(CODE))
    await scene.ran()
    assert [SignalKind.changed] == await scene.look()


async def test_pushes_that_leave_the_lines_alone_say_nothing(scene: Scene) -> None:
    """A rebase onto changed code, a forced push, a rename, lines put above, another indentation."""
    server = scene.gitlab.server
    await scene.look()
    server.commit(scene.gitlab.project, "main", {"README.md": "# Changed\n", "new.py": "x = 1\n"})
    server.rebase(scene.opened)
    await scene.ran(finding())
    assert [] == await scene.look()
    server.force_push(scene.opened, text(["import os\n", "import re\n", *OURS]))
    await scene.ran(finding(line=12, end_line=13))
    assert [] == await scene.look()
    server.push(scene.opened, {"app.py": None, "other.py": "".join(["import os\n", *OURS])})
    await scene.ran(finding(path="other.py"))
    assert [] == await scene.look()
    indented = [*OURS[:9], *(f"    {line}" for line in OURS[9:11]), *OURS[11:]]
    server.push(scene.opened, {"other.py": "".join(indented)})
    await scene.ran(finding(path="other.py"))
    assert [] == await scene.look()
    server.push(scene.opened, {"other.py": "".join(OURS[:5])})
    await scene.ran()
    assert [SignalKind.changed] == await scene.look()


async def test_what_stands_at_the_merge_is_not_gone(scene: Scene) -> None:
    """And what a scan did not see any more is, though its lines have not changed."""
    await scene.look()
    scene.gitlab.server.merge(scene.opened)
    await scene.shut()
    assert [SignalKind.merged] == await scene.look()


async def test_what_the_last_scan_did_not_find_is_gone(scene: Scene) -> None:
    """Though its lines stand: a guard above them can mend them."""
    scene.gitlab.server.push(scene.opened, text(["guard()\n", *OURS]))
    await scene.ran()
    scene.gitlab.server.merge(scene.opened)
    await scene.shut()
    assert [SignalKind.gone, SignalKind.merged] == await scene.look()
    (gone,) = await scene.signals(SignalKind.gone)
    assert (Source.rescan, True) == (gone.source, gone.judged)


async def test_the_target_branch_is_compared_after_the_merge(scene: Scene, pool: Any) -> None:
    """A later commit that changes the same lines is a late change, once."""
    server = scene.gitlab.server
    server.merge(scene.opened)
    await scene.shut()
    assert [SignalKind.merged] == await scene.look()
    server.commit(scene.gitlab.project, "main", {"README.md": "# Else\n"})
    assert [] == await scene.look(later=timedelta(days=1))
    tip = server.commit(scene.gitlab.project, "main", text([*OURS[:9], "query = safe(name)\n", *OURS[10:]]))
    assert [SignalKind.changed] == await scene.look(later=timedelta(days=3))
    (late,) = await scene.signals(SignalKind.changed)
    assert {"late": "true", "head": tip, "how": "changed"} == late.detail
    assert [] == await scene.look(later=timedelta(days=10))
    await scene.look(later=timedelta(days=30))
    assert await scene.again_at(pool) is None


async def test_a_deleted_comment_is_told_once(scene: Scene) -> None:
    """Somebody with the right to do so has removed it."""
    await scene.look()
    scene.gitlab.server.delete_note(scene.opened, scene.note)
    assert [SignalKind.deleted] == await scene.look()
    assert [] == await scene.look()


@pytest.mark.parametrize("status", [301, 403, 404])
async def test_what_cannot_be_read_is_asked_for_ever_more_rarely(
    scene: Scene, pool: Any, status: int
) -> None:
    """A merge request that was deleted, moved, or taken from our sight; in the end it is given up, and said so."""
    scene.gitlab.server.faults.add("GET", "discussions", status=status, times=None)
    waits = []
    with structlog.testing.capture_logs() as logs:
        while True:
            assert [] == await scene.look()
            at = await scene.again_at(pool)
            if at is None:
                break
            waits.append(at - scene.clock.now())
    assert 8 == len(waits)
    assert waits == sorted(waits)
    assert ["feedback.out_of_reach"] * 8 + ["feedback.given_up"] == [one["event"] for one in logs]


async def test_a_deleted_merge_request_leaves_its_signals(scene: Scene) -> None:
    """What was kept before stays."""
    scene.gitlab.server.reply(scene.opened, scene.note.discussion_id, "Done.", user=scene.gitlab.developer)
    await scene.look()
    scene.gitlab.server.delete_merge_request(scene.opened)
    assert [] == await scene.look()
    assert [SignalKind.reply] == [one.kind for one in await scene.signals()]


async def test_a_throttle_is_obeyed(scene: Scene, pool: Any) -> None:
    """GitLab says how long to wait; the next look is not before that, and all is well then."""
    scene.gitlab.server.faults.add("GET", "discussions", status=429, retry_after=900)
    await scene.look()
    at = await scene.again_at(pool)
    assert at is not None
    assert at - scene.clock.now() >= timedelta(seconds=900)
    scene.gitlab.server.resolve(scene.opened, scene.note.discussion_id, user=scene.gitlab.developer)
    assert [SignalKind.resolved] == await scene.look()


async def test_nothing_is_looked_for_where_nothing_was_said(bare: Scene) -> None:
    """A merge request without comments of ours is not watched, whatever happens to it."""
    await bare.handle(FeedbackExpected(ref=bare.ref, why=Why.pushed))
    with pytest.raises(Obsolete):
        await bare.handle(FeedbackDue(ref=bare.ref))
    assert await bare.ledger.watch(bare.ref) is None
