"""Keep what the commands of a comment change, and start what they ask for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.commands import Command, Verb
from bot.domain.events import Action, CommandTaken, MergeRequestChanged, TestsRequested
from bot.domain.records import AnsweredComment, MergeRequestState
from bot.ports import Transaction
from bot.reviewer.conversing import Reply
from bot.reviewer.redeciding import show_again
from bot.reviewer.waiving import take, written_down

#: What changes the summary or the verdict.
_SHOWN = frozenset({Verb.pause, Verb.resume, Verb.ignore, Verb.resolve, Verb.waive, Verb.unwaive})


async def keep(transaction: Transaction, reply: Reply, now: datetime) -> None:
    """Write down that a comment was answered, and do what *reply* says is done."""
    comment, ref = reply.comment, reply.comment.event.ref
    acted = [turn.command for turn in reply.turns if turn.act]
    verbs = frozenset(command.verb for command in acted)
    asked = (*(command.verb.value for command in comment.asked.commands),)
    await transaction.add_answered(ref, AnsweredComment(comment.note.id, comment.note.author_id, asked))
    if Verb.ignore in verbs:
        await _ignore(transaction, reply)
    state = await _pause(transaction, await transaction.merge_request(ref), acted)
    _start(transaction, reply, acted, state)
    if verbs & _SHOWN and state.run_id:
        await show_again(transaction, state.run_id)
    await take(transaction, ref, reply.steps, now)
    await written_down(transaction, reply.steps)


async def _ignore(transaction: Transaction, reply: Reply) -> None:
    comment, ref = reply.comment, reply.comment.event.ref
    if reply.declined is not None:
        await transaction.decline(ref, [reply.declined])
    if reply.fingerprint is not None:
        transaction.emit(
            CommandTaken(
                ref=ref,
                command=Verb.ignore.value,
                fingerprint=reply.fingerprint,
                note_id=comment.note.id,
                actor_id=comment.note.author_id,
            )
        )


async def _pause(
    transaction: Transaction, state: MergeRequestState, acted: Sequence[Command]
) -> MergeRequestState:
    """Pause or resume the merge request, and return its state; whoever writes both means the last."""
    said = [command.verb for command in acted if command.verb in {Verb.pause, Verb.resume}]
    if said:
        state = replace(state, paused=said[-1] is Verb.pause)
        await transaction.save_merge_request(state)
    return state


def _start(
    transaction: Transaction, reply: Reply, acted: Collection[Command], state: MergeRequestState
) -> None:
    """Have a review or tests made."""
    comment, verbs = reply.comment, {command.verb for command in acted}
    if Verb.review in verbs or (Verb.resume in verbs and not state.paused):
        transaction.emit(
            MergeRequestChanged(
                ref=comment.event.ref,
                action=Action.changed,
                head_sha=reply.found.head_sha,
                again=Verb.review in verbs,
                source="comment",
            )
        )
    if Verb.test in verbs and state.run_id:
        transaction.emit(
            TestsRequested(
                ref=comment.event.ref,
                run_id=state.run_id,
                discussion_id=comment.discussion.id if comment.resolvable else "",
                note_id=comment.note.id,
                commit=any(command.commits for command in acted if command.verb is Verb.test),
            )
        )
