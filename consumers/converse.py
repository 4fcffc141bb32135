"""When somebody writes a comment that asks for something, do what they may ask for, and answer once where they asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.domain.commands import NAME, READ_CHARS, Asked, Verb, asked
from bot.domain.conversation import (
    Scene,
    Turn,
    answer,
    answered_in,
    turns,
    unknown_text,
    worth_answering,
)
from bot.domain.errors import Obsolete, Refused
from bot.domain.events import Action, CommentPosted, MergeRequestChanged, Stage
from bot.domain.findings import Finding
from bot.domain.forge import ForgeDiscussion, ForgeMember, ForgeMergeRequest, ForgeNote
from bot.domain.markdown import one_line
from bot.domain.marker import Marker
from bot.domain.policy import Policy
from bot.domain.records import AnsweredComment, Declined, MergeRequestState
from bot.domain.run import Run
from bot.domain.summary import project_url
from bot.domain.wording import Talk, wording
from bot.ports import Clock, Forge, People, Store, Telemetry, Transaction
from bot.runtime.consumer import Work, consumer

log = structlog.get_logger()

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Comment:
    """Hold a comment that asks us for something, and where it stands."""

    event: CommentPosted
    note: ForgeNote
    discussion: ForgeDiscussion
    asked: Asked
    me: int


@consumer(Stage.converse)
async def converse(
    event: CommentPosted,
    *,
    forge: Forge,
    people: People,
    store: Store,
    marker: Marker,
    instance_url: str,
    redact: Callable[[str], str],
    clock: Clock,
    telemetry: Telemetry,
    work: Work,
) -> None:
    """Act on one comment."""
    comment = await _comment(event, forge, store, redact)
    member = await people.member(event.ref.project_id, comment.note.author_id)
    if member.bot:
        raise Obsolete("a bot wrote it, and bots are not answered")
    found = await forge.merge_request(event.ref)
    state = await store.merge_request(event.ref)
    run = await store.run(state.run_id) if state.run_id else None
    policy = run.policy if run else Policy()
    talk = wording(policy.review.language).talk
    answered = await store.answered_since(event.ref, clock.now() - _HOUR)
    worth = worth_answering(comment.asked, answered=answered, policy=policy.conversation)
    if worth is False:
        raise Obsolete("too many comments have asked for something lately")
    if worth is None:
        taken, declined, parts = [], None, [talk.too_many.format(limit=policy.conversation.per_hour)]
    else:
        scene = await _scene(comment, found, member, state, run, policy, store, people, marker)
        declined = _declined(scene, comment, clock.now() + timedelta(days=policy.comments.declined_days))
        taken = turns(comment.asked.commands, scene, talk)
        parts = [unknown_text(comment.asked.unknown, talk)]
    async with store.exclusive(event.ref) as still_held:
        taken = await _settle(comment, taken, talk, forge)
        if not await _answered(comment, marker, forge):
            body = answer(
                [*(turn.text for turn in taken), *parts],
                marker=marker.of_answer(event.ref, event.note_id),
                heading=_heading(comment, found, instance_url, talk),
            )
            await still_held()
            await _say(comment, body, forge)
        async with work.commit() as transaction:
            await _keep(comment, taken, found, declined, transaction)
    for turn in taken:
        telemetry.count("cloister_commands", command=turn.command.verb.value, done=str(turn.act).lower())


async def _comment(
    event: CommentPosted, forge: Forge, store: Store, redact: Callable[[str], str]
) -> _Comment:
    """Return the comment as the forge shows it now.

    Raises:
        Obsolete: it is gone, asks nothing of us, was acted on before, or is not one that we answer.
    """
    if await store.was_answered(event.ref, event.note_id):
        raise Obsolete("the comment was acted on before")
    me = await forge.whoami()
    try:
        discussion = await forge.discussion(event.ref, event.discussion_id)
    except Refused as error:
        raise Obsolete(f"the comment cannot be read any more: {error}") from None
    note = next((one for one in discussion.notes if one.id == event.note_id), None)
    if note is None:
        raise Obsolete("the comment was deleted")
    if note.system or note.internal or note.author_id == me.id:
        raise Obsolete("such comments are not answered: our own, internal ones, and those of GitLab")
    wanted = await asyncio.to_thread(_wanted, note.body, me.username, redact)
    if not wanted:
        raise Obsolete("the comment asks nothing of us")
    return _Comment(event, note, discussion, wanted, me.id)


def _wanted(body: str, username: str, redact: Callable[[str], str]) -> Asked:
    # A reason or a question may hold a secret, and goes further than this comment.
    return asked(redact(body[:READ_CHARS]), {NAME, username})


async def _scene(
    comment: _Comment,
    found: ForgeMergeRequest,
    member: ForgeMember,
    state: MergeRequestState,
    run: Run | None,
    policy: Policy,
    store: Store,
    people: People,
    marker: Marker,
) -> Scene:
    """Return what decides about the commands."""
    first = comment.discussion.notes[0]
    ours = first.author_id == comment.me
    fingerprint = marker.read(found.ref, first.body) if ours else None
    commits = any(command.commits for command in comment.asked.commands)
    return Scene(
        member=member,
        participant=member.user.id in found.participants,
        policy=policy.conversation,
        state=found.state,
        head_sha=found.head_sha or "",
        paused=state.paused,
        model=False,
        tests=False,
        may_push=commits and await people.may_push(found, member.user.id),
        fingerprint=fingerprint,
        finding=await _finding(fingerprint, found, run, store) if fingerprint else None,
        resolved=first.resolved,
    )


def _declined(scene: Scene, comment: _Comment, until: datetime) -> Declined | None:
    """Return what is to be remembered if the finding is ignored."""
    if scene.fingerprint is None:
        return None
    reason = next((one.words for one in comment.asked.commands if one.verb is Verb.ignore), "")
    return Declined(
        fingerprint=scene.fingerprint,
        rule=scene.finding.rule if scene.finding else "",
        iid=comment.event.ref.iid,
        until=until,
        reason=one_line(reason),
        user_id=comment.note.author_id,
    )


async def _finding(
    fingerprint: str, found: ForgeMergeRequest, run: Run | None, store: Store
) -> Finding | None:
    """Return what a thread is about: as the newest run found it, or else the one that raised it."""
    record = (await store.threads(found.ref)).get(fingerprint)
    for run_id in dict.fromkeys([run.id if run else None, record.run_id if record else None]):
        steps = await store.findings(run_id) if run_id else {}
        for finding in (one for step in steps.values() for one in step):
            if finding.fingerprint == fingerprint:
                return finding
    return None


async def _settle(comment: _Comment, taken: Sequence[Turn], talk: Talk, forge: Forge) -> list[Turn]:
    """Resolve the thread if a command asks for it, and say so where GitLab does not let us."""
    settling = [turn for turn in taken if turn.act and turn.command.verb in {Verb.resolve, Verb.ignore}]
    if not settling:
        return list(taken)
    try:
        await forge.resolve(comment.event.ref, comment.discussion.id)
    except Refused as error:
        log.warning("thread.not_settled", error=str(error))
        return [
            replace(
                turn,
                text=talk.not_resolved
                if turn.command.verb is Verb.resolve
                else f"{turn.text} {talk.not_resolved}",
            )
            if turn in settling
            else turn
            for turn in taken
        ]
    return list(taken)


async def _answered(comment: _Comment, marker: Marker, forge: Forge) -> bool:
    """Say whether our answer stands there already, as after a crash."""
    ref = comment.event.ref
    if comment.discussion.notes[0].resolvable:
        discussions = [await forge.discussion(ref, comment.discussion.id)]
    else:
        discussions = await forge.discussions(ref)
    return answered_in(
        discussions, comment.note.id, me=comment.me, read=lambda body: marker.answers(ref, body)
    )


def _heading(comment: _Comment, found: ForgeMergeRequest, instance_url: str, talk: Talk) -> str:
    """Return what ties an answer to a plain comment, which it cannot stand below."""
    project = project_url(instance_url, found.web_url)
    if comment.discussion.notes[0].resolvable or not project:
        return ""
    url = f"{project}/-/merge_requests/{found.ref.iid}#note_{comment.note.id}"
    return talk.on_comment.format(url=url)


async def _say(comment: _Comment, body: str, forge: Forge) -> None:
    """Answer in the thread; a plain comment gets a plain comment, since a reply would make it a thread to resolve."""
    try:
        if comment.discussion.notes[0].resolvable:
            await forge.reply(comment.event.ref, comment.discussion.id, body)
        else:
            await forge.create_note(comment.event.ref, body)
    except Refused as error:
        log.warning("comment.not_answered", error=str(error))


async def _keep(
    comment: _Comment,
    taken: Iterable[Turn],
    found: ForgeMergeRequest,
    declined: Declined | None,
    transaction: Transaction,
) -> None:
    """Store what the commands change, and start what they ask for."""
    ref, acted = comment.event.ref, [turn.command for turn in taken if turn.act]
    verbs = {command.verb for command in acted}
    known = (*(command.verb.value for command in comment.asked.commands),)
    await transaction.add_answered(ref, AnsweredComment(comment.note.id, comment.note.author_id, known))
    if Verb.ignore in verbs and declined is not None:
        await transaction.decline(ref, [declined])
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
    if verbs & {Verb.pause, Verb.resume, Verb.ignore, Verb.resolve} and state.run_id:
        run, due = (await transaction.run(state.run_id)).show_again()
        await transaction.save_run(run)
        for one in due:
            transaction.emit(one.event, delay=one.delay)
