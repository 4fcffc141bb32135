"""Answer a comment: find out who asks for what, decide what is done, say so once, and keep it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
from bot.domain.events import CommentPosted, WaiverRequested
from bot.domain.forge import ForgeMember, ForgeMergeRequest
from bot.domain.markdown import code_span, one_line
from bot.domain.marker import Marker
from bot.domain.question import Question
from bot.domain.records import Declined
from bot.domain.waivers import WaiverStep
from bot.domain.wording import Wording, wording
from bot.ports import Clock, Forge, People, StillHeld, Store, WaiverBook, Workspaces
from bot.reviewer.answering import Answering
from bot.reviewer.asking import Ledger
from bot.reviewer.hearing import Comment, Known, heard, known, scene, with_waivers
from bot.reviewer.replying import heading, say, settle, was_said
from bot.reviewer.waiving import requested

_HOUR = timedelta(hours=1)
#: A model that is away for longer than these tries is told of, rather than waited for.
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold what a comment comes to.

    Args:
        comment: the comment.
        found: its merge request.
        words: how to speak on it.
        turns: what becomes of each command.
        also: what is said besides.
        fingerprint: of the finding that the comment's thread is about, if it is ours.
        declined: what is to be remembered if that is ignored.
    """

    comment: Comment
    found: ForgeMergeRequest
    words: Wording
    turns: Sequence[Turn] = ()
    also: str = ""
    fingerprint: str | None = None
    declined: Declined | None = None

    @property
    def steps(self) -> list[WaiverStep]:
        """Return the steps of waivers that the commands take."""
        return [step for turn in self.turns for step in turn.steps]


@dataclass(frozen=True, slots=True)
class Conversing:
    """Hear, decide and answer on any merge request."""

    forge: Forge
    people: People
    store: Store
    workspaces: Workspaces
    waivers: WaiverBook
    marker: Marker
    fingerprint_key: bytes
    instance_url: str
    answering: Answering | None
    redact: Callable[[str], str]
    clock: Clock

    async def grant(self, event: WaiverRequested, event_id: uuid.UUID) -> Sequence[WaiverStep]:
        """Return the steps that come of what was asked for on a page.

        Raises:
            Obsolete: nothing comes of it; the message says why.
        """
        return await requested(
            event,
            (await known(event, self.store)).run,
            forge=self.forge,
            people=self.people,
            store=self.store,
            workspaces=self.workspaces,
            book=self.waivers,
            key=self.fingerprint_key,
            redact=self.redact,
            id=event_id,
            now=self.clock.now(),
        )

    async def hear(self, event: CommentPosted) -> Comment:
        """Return the comment as it stands there now; see `bot.reviewer.hearing.heard`."""
        return await heard(event, self.forge, self.store, self.redact)

    async def consider(self, comment: Comment, *, event: uuid.UUID, failures: int) -> Reply:
        """Return what *comment* comes to; *failures* is how often that broke off before.

        Raises:
            Obsolete: it is not answered.
            Transient: the model may be back soon.
        """
        ref = comment.event.ref
        member = await self.people.member(ref.project_id, comment.note.author_id)
        if member.bot:
            raise Obsolete("a bot wrote it, and bots are not answered")
        found = await self.forge.merge_request(ref)
        what = await known(comment.event, self.store)
        words = wording(what.policy.review.language)
        answered = await self.store.answered_since(ref, self.clock.now() - _HOUR)
        worth = worth_answering(comment.asked, answered=answered, policy=what.policy.conversation)
        if worth is False:
            raise Obsolete("too many comments have asked for something lately")
        if not worth:
            limit = what.policy.conversation.per_hour
            return Reply(comment, found, words, also=words.talk.too_many.format(limit=limit))
        seen = await self._scene(comment, found, member, what, event)
        ledger = Ledger(what.run.id if what.run else event)
        taken = turns(comment.asked.commands, seen, words.talk)
        days = what.policy.comments.declined_days
        return Reply(
            comment,
            found,
            words,
            [await self._told(turn, seen, comment, what, ledger, failures) for turn in taken],
            also=unknown_text(comment.asked.unknown, words.talk),
            fingerprint=seen.fingerprint,
            declined=_declined(seen, comment, days=days, now=self.clock.now()),
        )

    async def answer(self, reply: Reply, still_held: StillHeld) -> Reply:
        """Say *reply* unless it was said before, and return what was done."""
        comment, talk = reply.comment, reply.words.talk
        reply = replace(reply, turns=await settle(comment, reply.turns, talk, self.forge))
        if not await was_said(comment, self.marker, self.forge):
            body = answer(
                [*(turn.text for turn in reply.turns), reply.also],
                marker=self.marker.of_answer(comment.event.ref, comment.note.id),
                heading=heading(comment, reply.found, self.instance_url, talk),
            )
            await still_held()
            await say(comment, body, self.forge)
        return reply

    async def _scene(
        self,
        comment: Comment,
        found: ForgeMergeRequest,
        member: ForgeMember,
        what: Known,
        event: uuid.UUID,
    ) -> Scene:
        seen = await scene(
            comment,
            found,
            member,
            what,
            self.store,
            self.people,
            self.workspaces,
            self.marker,
            key=self.fingerprint_key,
            model=self.answering is not None and what.policy.review.model,
        )
        return await with_waivers(
            seen,
            comment,
            found,
            what,
            self.store,
            self.people,
            self.workspaces,
            self.waivers,
            key=self.fingerprint_key,
            redact=self.redact,
            event=event,
            now=self.clock.now(),
        )

    async def _told(
        self, turn: Turn, seen: Scene, comment: Comment, what: Known, ledger: Ledger, failures: int
    ) -> Turn:
        """Return *turn* with what the model says, where only that can answer it."""
        verb, words = turn.command.verb, wording(what.policy.review.language)
        asks = turn.act and verb in {Verb.explain, Verb.fix}
        if not asks or not (self.answering and seen.finding and seen.run):
            return turn
        fix = verb is Verb.fix
        no_code = replace(turn, text=words.talk.no_code.format(command=code_span(verb.value)), act=False)
        if fix and seen.run.head_sha != seen.head_sha:
            return no_code
        place = comment.discussion.notes[0].place
        question = Question(
            seen.finding,
            words=turn.command.words,
            fix=fix,
            language=what.policy.review.language,
            anchor=place.line if place and place.head_sha == seen.head_sha else None,
        )
        try:
            told = await self.answering.ask(question, seen.run, ledger=ledger)
        except (Transient, Permanent) as error:
            if isinstance(error, Transient) and failures < _TRIES:
                raise
            return replace(turn, text=failed_text(verb, str(error), words.talk), act=False)
        if told is None:
            return no_code
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
