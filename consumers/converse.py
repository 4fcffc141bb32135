"""When somebody writes a comment that asks for something, do what they may ask for, and answer once where they asked."""

from __future__ import annotations

from bot.domain.events import CommentPosted, FeedbackExpected, Stage, WaiverRequested
from bot.domain.replay import original_of
from bot.domain.watching import Why
from bot.ports import Clock, Store, Telemetry
from bot.reviewer.conversing import Conversing
from bot.reviewer.obeying import keep
from bot.reviewer.redeciding import decide_anew
from bot.reviewer.waiving import take, written_down
from bot.runtime.consumer import Work, consumer


@consumer(Stage.converse)
async def converse(
    event: CommentPosted | WaiverRequested,
    *,
    conversing: Conversing,
    store: Store,
    clock: Clock,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Act on one comment, or on what was asked for on a page."""
    if isinstance(event, WaiverRequested):
        steps = await conversing.grant(event, original_of(work.record))
        async with work.commit() as transaction:
            await take(transaction, event.ref, steps, clock.now())
            await decide_anew(transaction, event.ref)
            await written_down(transaction, steps)
        return
    comment = await conversing.hear(event)
    if not comment.asked:
        async with work.commit() as transaction:
            transaction.emit(FeedbackExpected(ref=event.ref, why=Why.replied))
        return
    reply = await conversing.consider(comment, event=work.record.id, failures=work.failures)
    async with store.exclusive(event.ref) as still_held:
        reply = await conversing.answer(reply, still_held)
        async with work.commit() as transaction:
            await keep(transaction, reply, clock.now())
    for turn in reply.turns:
        telemetry.count("cloister_commands", command=turn.command.verb.value, done=str(turn.act).lower())
