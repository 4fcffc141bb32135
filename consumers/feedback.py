"""When people do something with our comments, or it is time to look whether they did, keep it as signals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.domain.errors import CloisterError, Obsolete, Permanent, Transient
from bot.domain.events import CommandTaken, FeedbackDue, FeedbackExpected, ReactionChanged, Stage
from bot.domain.observation import reaction
from bot.domain.scene import Scene
from bot.domain.signals import Comment, Signal, SignalKind, Source
from bot.domain.watching import SOON, Watch, after_failure
from bot.ports import Clock, Feedback, Telemetry
from bot.reviewer.looking import Looker
from bot.runtime.consumer import Work, consumer

log = structlog.get_logger()

#: Commands that say something about a comment.
_COMMANDS = {"ignore": SignalKind.ignored, "waive": SignalKind.waived}


@consumer(Stage.feedback)
async def feedback(
    event: ReactionChanged | FeedbackExpected | FeedbackDue | CommandTaken,
    *,
    feedback: Feedback,
    looker: Looker,
    clock: Clock,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Keep what one event tells, or looks for."""
    match event:
        case ReactionChanged():
            new = await _reacted(event, feedback, looker, clock, telemetry)
        case CommandTaken():
            new = await _commanded(event, feedback, looker, clock, telemetry)
        case FeedbackDue():
            new = await _looked(event, feedback, looker, clock, telemetry)
        case FeedbackExpected():
            await feedback.expect(event.ref, within=SOON[event.why])
            new = []
    # Signals are kept before the event is done: kept twice they are one.
    async with work.commit():
        pass
    for signal in new:
        telemetry.count("cloister_signals", kind=signal.kind.value, source=signal.source.value)


async def _reacted(
    event: ReactionChanged, feedback: Feedback, looker: Looker, clock: Clock, telemetry: Telemetry
) -> list[Signal]:
    await feedback.hear(event.ref)
    watch = await feedback.watch(event.ref)
    comment = await looker.comment_of(event.ref, event.note_id, event.discussion_id) if watch else None
    if watch is None or comment is None:
        _drop("unknown comment", telemetry)
        return []
    if comment.posted_at < await feedback.kept_since():
        _drop("too late", telemetry)
        return []
    scene = await _scene(watch, looker, clock.now())
    if event.actor_id == scene.me:
        _drop("our own", telemetry)
        return []
    at = event.at if event.added else None
    found = reaction(
        scene,
        comment,
        event.award_id,
        event.emoji,
        event.actor_id,
        at=at,
        added=event.added,
        bot=event.actor_is_bot,
        source=Source.hook,
    )
    return await feedback.add([found])


async def _commanded(
    event: CommandTaken, feedback: Feedback, looker: Looker, clock: Clock, telemetry: Telemetry
) -> list[Signal]:
    kind = _COMMANDS.get(event.command)
    watch = await feedback.watch(event.ref)
    if kind is None or watch is None:
        raise Obsolete("the command says nothing about a comment of ours")
    comment = _of(await feedback.comments(event.ref), event.fingerprint)
    if comment is None:
        raise Obsolete("the command is about no comment of ours")
    if comment.posted_at < await feedback.kept_since():
        _drop("too late", telemetry)
        return []
    scene = await _scene(watch, looker, clock.now())
    key = event.note_id or scene.now.isoformat()
    return await feedback.add(
        [
            scene.signal(
                kind,
                comment,
                None,
                key,
                source=Source.command,
                actor=event.actor_id,
                note_id=event.note_id,
            )
        ]
    )


async def _looked(
    event: FeedbackDue, feedback: Feedback, looker: Looker, clock: Clock, telemetry: Telemetry
) -> list[Signal]:
    watch, since = await feedback.watch(event.ref), await feedback.kept_since()
    comments = await feedback.comments(event.ref) if watch else []
    comments = [one for one in comments if one.posted_at >= since]
    if watch is None or not comments:
        raise Obsolete("there is no comment of ours any more of which signals are kept")
    try:
        look = await looker.look(watch, comments, clock.now())
    except CloisterError as error:
        telemetry.count("cloister_feedback_looks", result="failed")
        await _failed(watch, error, feedback, clock.now())
        return []
    telemetry.count("cloister_feedback_looks", result="done")
    return await feedback.looked(look.watch, again_at=look.again_at, signals=look.signals, placed=look.placed)


async def _failed(watch: Watch, error: CloisterError, feedback: Feedback, now: datetime) -> None:
    """Wait before the next try, longer each time: what cannot be read must not be asked for all day."""
    refused = isinstance(error, Permanent)
    asked_s = error.retry_after_s if isinstance(error, Transient) else None
    watch = replace(watch, failures=watch.failures + 1)
    again = after_failure(watch, now, refused=refused, asked=timedelta(seconds=asked_s or 0))
    if again is None:
        log.warning("feedback.given_up", error=str(error), failures=watch.failures)
    else:
        wait_s = round((again - now).total_seconds())
        log.warning("feedback.out_of_reach", error=str(error), wait_s=wait_s)
    await feedback.looked(watch, again_at=again)


async def _scene(watch: Watch, looker: Looker, now: datetime) -> Scene:
    # How far lines were followed may be heads behind, and nowhere yet.
    state = await looker.store.merge_request(watch.ref)
    me = await looker.forge.whoami()
    return Scene(watch, me.id, now, state.head_sha, looker.forge.clock_ahead)


def _of(comments: list[Comment], fingerprint: str) -> Comment | None:
    return next((one for one in comments if one.fingerprint == fingerprint), None)


def _drop(reason: str, telemetry: Telemetry) -> None:
    log.debug("signal.dropped", reason=reason)
    telemetry.count("cloister_signals_dropped", reason=reason)
