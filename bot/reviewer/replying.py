"""Saying the answer to a comment where it was asked, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.domain.commands import Verb
from bot.domain.conversation import Turn, answered_in
from bot.domain.errors import Refused
from bot.domain.forge import ForgeMergeRequest
from bot.domain.marker import Marker
from bot.domain.summary import project_url
from bot.domain.wording import Talk
from bot.ports import Forge
from bot.reviewer.hearing import Comment

log = structlog.get_logger()


async def settle(comment: Comment, taken: Sequence[Turn], talk: Talk, forge: Forge) -> list[Turn]:
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


async def was_said(comment: Comment, marker: Marker, forge: Forge) -> bool:
    """Say whether our answer stands there already, as after a crash."""
    ref = comment.event.ref
    if comment.resolvable:
        discussions = [await forge.discussion(ref, comment.discussion.id)]
    else:
        discussions = await forge.discussions(ref)
    return answered_in(
        discussions, comment.note.id, me=comment.me, read=lambda body: marker.answers(ref, body)
    )


def heading(comment: Comment, found: ForgeMergeRequest, instance_url: str, talk: Talk) -> str:
    """Return what ties an answer to a plain comment, which it cannot stand below."""
    project = project_url(instance_url, found.web_url)
    if comment.resolvable or not project:
        return ""
    url = f"{project}/-/merge_requests/{found.ref.iid}#note_{comment.note.id}"
    return talk.on_comment.format(url=url)


async def say(comment: Comment, body: str, forge: Forge) -> None:
    """Answer in the thread; a plain comment gets a plain comment, since a reply would make it a thread to resolve."""
    try:
        if comment.resolvable:
            await forge.reply(comment.event.ref, comment.discussion.id, body)
        else:
            await forge.create_note(comment.event.ref, body)
    except Refused as error:
        log.warning("comment.not_answered", error=str(error))
