"""When somebody writes a comment that asks for something, do what they may ask for, and answer once where they asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.domain.commands import Verb
from bot.domain.conversation import (
    Scene,
    Turn,
    answer,
    failed_text,
    told_text,
    turns,
    unknown_text,
    worth_answering,
)
from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.events import (
    Action,
    CommandTaken,
    CommentPosted,
    FeedbackExpected,
    MergeRequestChanged,
    Stage,
    TestsRequested,
    WaiverRequested,
)
from bot.domain.forge import ForgeMergeRequest
from bot.domain.markdown import code_span, one_line
from bot.domain.marker import Marker
from bot.domain.question import Question
from bot.domain.records import AnsweredComment, Declined
from bot.domain.replay import original_of
from bot.domain.waivers import Waiver
from bot.domain.watching import Why
from bot.domain.wording import Wording, wording
from bot.ports import Clock, Forge, People, Store, Telemetry, Transaction, WaiverBook, Workspaces
from bot.reviewer.answering import Answering
from bot.reviewer.asking import Ledger
from bot.reviewer.hearing import Comment, Known, heard, known, scene, with_waivers
from bot.reviewer.replying import heading, say, settle, was_said
from bot.reviewer.waiving import decide_anew, requested, take, written_down
from bot.runtime.consumer import Work, consumer

log = structlog.get_logger()

_HOUR = timedelta(hours=1)
#: A model that is away for longer than these tries is told of, rather than waited for.
_TRIES = 2
#: What changes the summary or the verdict.
_SHOWN = frozenset({Verb.pause, Verb.resume, Verb.ignore, Verb.resolve, Verb.waive, Verb.unwaive})


@consumer(Stage.converse)
async def converse(
    event: CommentPosted | WaiverRequested,
    *,
    forge: Forge,
    people: People,
    store: Store,
    workspaces: Workspaces,
    waivers: WaiverBook,
    marker: Marker,
    fingerprint_key: bytes,
    instance_url: str,
    answering: Answering | None,
    redact: Callable[[str], str],
    clock: Clock,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Act on one comment, or on what was asked for on a page."""
    if isinstance(event, WaiverRequested):
        what = await known(event, store)
        steps, docket = await requested(
            event,
            what.run,
            forge=forge,
            people=people,
            store=store,
            workspaces=workspaces,
            book=waivers,
            key=fingerprint_key,
            redact=redact,
            id=original_of(work.record),
            now=clock.now(),
        )
        async with work.commit() as transaction:
            await take(transaction, event.ref, steps, docket.waivers, clock.now())
            await decide_anew(transaction, event.ref)
            await written_down(transaction, steps)
        return
    comment = await heard(event, forge, store, redact)
    if not comment.asked:
        async with work.commit() as transaction:
            transaction.emit(FeedbackExpected(ref=event.ref, why=Why.replied))
        return
    member = await people.member(event.ref.project_id, comment.note.author_id)
    if member.bot:
        raise Obsolete("a bot wrote it, and bots are not answered")
    found = await forge.merge_request(event.ref)
    what = await known(event, store)
    words = wording(what.policy.review.language)
    answered = await store.answered_since(event.ref, clock.now() - _HOUR)
    worth = worth_answering(comment.asked, answered=answered, policy=what.policy.conversation)
    if worth is False:
        raise Obsolete("too many comments have asked for something lately")
    ledger = Ledger(what.run.id if what.run else work.record.id)
    taken, declined, fingerprint, book = list[Turn](), None, None, list[Waiver]()
    parts = [words.talk.too_many.format(limit=what.policy.conversation.per_hour)]
    if worth:
        seen = await scene(
            comment,
            found,
            member,
            what,
            store,
            people,
            workspaces,
            marker,
            key=fingerprint_key,
            model=answering is not None and what.policy.review.model,
        )
        seen = await with_waivers(
            seen,
            comment,
            found,
            what,
            store,
            workspaces,
            waivers,
            key=fingerprint_key,
            redact=redact,
            event=work.record.id,
            now=clock.now(),
        )
        book = list(seen.docket.waivers) if seen.docket else []
        fingerprint = seen.fingerprint
        declined = _declined(seen, comment, days=what.policy.comments.declined_days, now=clock.now())
        taken = turns(comment.asked.commands, seen, words.talk)
        taken = [await _told(turn, seen, comment, what, words, answering, ledger, work) for turn in taken]
        parts = [unknown_text(comment.asked.unknown, words.talk)]
    async with store.exclusive(event.ref) as still_held:
        taken = await settle(comment, taken, words.talk, forge)
        if not await was_said(comment, marker, forge):
            body = answer(
                [*(turn.text for turn in taken), *parts],
                marker=marker.of_answer(event.ref, event.note_id),
                heading=heading(comment, found, instance_url, words.talk),
            )
            await still_held()
            await say(comment, body, forge)
        async with work.commit() as transaction:
            await _keep(comment, taken, found, declined, fingerprint, transaction)
            steps = [step for turn in taken for step in turn.steps]
            await take(transaction, event.ref, steps, book, clock.now())
            await written_down(transaction, steps)
    for turn in taken:
        telemetry.count("cloister_commands", command=turn.command.verb.value, done=str(turn.act).lower())


async def _told(
    turn: Turn,
    seen: Scene,
    comment: Comment,
    what: Known,
    words: Wording,
    answering: Answering | None,
    ledger: Ledger,
    work: Work,
) -> Turn:
    """Return *turn* with what the model says, where only that can answer it.

    Raises:
        Transient: the model may be back soon.
    """
    verb = turn.command.verb
    if not turn.act or verb not in {Verb.explain, Verb.fix} or not (answering and seen.finding and seen.run):
        return turn
    fix = verb is Verb.fix
    if fix and seen.run.head_sha != seen.head_sha:
        return replace(turn, text=words.talk.no_code.format(command=code_span(verb.value)), act=False)
    place = comment.discussion.notes[0].place
    question = Question(
        seen.finding,
        words=turn.command.words,
        fix=fix,
        language=what.policy.review.language,
        anchor=place.line if place and place.head_sha == seen.head_sha else None,
    )
    try:
        told = await answering.ask(question, seen.run, ledger=ledger)
    except (Transient, Permanent) as error:
        if isinstance(error, Transient) and work.failures < _TRIES:
            raise
        return replace(turn, text=failed_text(verb, str(error), words.talk), act=False)
    if told is None:
        return replace(turn, text=words.talk.no_code.format(command=code_span(verb.value)), act=False)
    return replace(turn, text=told_text(told, fix=fix, head_sha=seen.head_sha, words=words))


def _declined(seen: Scene, comment: Comment, *, days: int, now: datetime) -> Declined | None:
    """Return what is to be remembered if the finding is ignored."""
    if seen.fingerprint is None or not days:
        return None
    reason = next((one.words for one in comment.asked.commands if one.verb is Verb.ignore), "")
    return Declined(
        fingerprint=seen.fingerprint,
        rule=seen.finding.rule if seen.finding else "",
        iid=comment.event.ref.iid,
        until=now + timedelta(days=days),
        reason=one_line(reason),
        user_id=comment.note.author_id,
    )


async def _keep(
    comment: Comment,
    taken: Iterable[Turn],
    found: ForgeMergeRequest,
    declined: Declined | None,
    fingerprint: str | None,
    transaction: Transaction,
) -> None:
    """Store what the commands change, and start what they ask for."""
    ref, acted = comment.event.ref, [turn.command for turn in taken if turn.act]
    verbs = {command.verb for command in acted}
    known = (*(command.verb.value for command in comment.asked.commands),)
    await transaction.add_answered(ref, AnsweredComment(comment.note.id, comment.note.author_id, known))
    if Verb.ignore in verbs and declined is not None:
        await transaction.decline(ref, [declined])
    if Verb.ignore in verbs and fingerprint is not None:
        transaction.emit(
            CommandTaken(
                ref=ref,
                command=Verb.ignore.value,
                fingerprint=fingerprint,
                note_id=comment.note.id,
                actor_id=comment.note.author_id,
            )
        )
    state = await transaction.merge_request(ref)
    if verbs & {Verb.pause, Verb.resume}:
        # Whoever writes both means the last.
        last = [command.verb for command in acted if command.verb in {Verb.pause, Verb.resume}][-1]
        state = replace(state, paused=last is Verb.pause)
        await transaction.save_merge_request(state)
    if Verb.review in verbs or (Verb.resume in verbs and not state.paused):
        transaction.emit(
            MergeRequestChanged(
                ref=ref,
                action=Action.changed,
                head_sha=found.head_sha,
                again=Verb.review in verbs,
                source="comment",
            )
        )
    if Verb.test in verbs and state.run_id:
        transaction.emit(
            TestsRequested(
                ref=ref,
                run_id=state.run_id,
                discussion_id=comment.discussion.id if comment.resolvable else "",
                note_id=comment.note.id,
                commit=any(command.commits for command in acted if command.verb is Verb.test),
            )
        )
    if verbs & _SHOWN and state.run_id:
        run, due = (await transaction.run(state.run_id)).show_again()
        await transaction.save_run(run)
        for one in due:
            transaction.emit(one.event, delay=one.delay)
