"""Look at a merge request for what people did with our comments, and at its code for what became of the lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.applying import applied_by
from bot.domain.commands import NAME, addresses_somebody, asked
from bot.domain.errors import Refused
from bot.domain.forge import ForgeCommit, ForgeDiscussion
from bot.domain.marker import Marker
from bot.domain.merge_request import MergeRequestRef
from bot.domain.observation import Observed, Reply, ended, observe, reacted, verdicts
from bot.domain.remembered import judged, marked, next_turn, offered, taken, to_judge, whose_turn
from bot.domain.run import Run
from bot.domain.scene import Scene
from bot.domain.signals import Comment, ReplyClass, Signal, SignalKind
from bot.domain.watching import REACTIONS_FROM, Seen, Watch, next_look
from bot.ports import Aftermath, Feedback, Forge, Placed, Store
from bot.reviewer.classifying import Classifier
from bot.reviewer.fates import Fates
from bot.reviewer.mending import Judgement, Mending

#: A hook that came so lately means that hooks come.
_HOOKS_COME = timedelta(days=30)
#: Comments whose reactions are asked for in one look, a request each; the others have their turn later.
_MOST_ASKED = 30


@dataclass(frozen=True, slots=True)
class Look:
    """Hold what a look has brought, and when to look again (None: never)."""

    watch: Watch
    signals: tuple[Signal, ...]
    placed: tuple[Placed, ...]
    again_at: datetime | None


@dataclass(frozen=True)
class Looker:
    """Look at merge requests; one for all of a process.

    Without *mending* nobody is asked what a merge has mended. A look asks for the reactions to *most_asked* comments.
    """

    forge: Forge
    aftermath: Aftermath
    feedback: Feedback
    store: Store
    marker: Marker
    classifier: Classifier
    fates: Fates
    mending: Mending | None = None
    most_asked: int = _MOST_ASKED

    async def look(self, watch: Watch, comments: Sequence[Comment], now: datetime) -> Look:
        """Return what happened since the last look; one request tells most of it.

        Raises:
            Transient: the forge or the store is out of reach.
            Permanent: the merge request cannot be read, or not any more.
        """
        me = await self.forge.whoami()
        state = await self.store.merge_request(watch.ref)
        run = await self.store.run(state.run_id) if state.run_id else None
        before, signals = watch, list[Signal]()
        actor: int | None = None
        # A closed one may have been opened again and merged before anybody looked.
        if state.closed != watch.over or watch.state == "closed":
            watch, actor = await self._state(watch)
        threads = await self._threads(watch.ref, me.id)
        just_ended = watch.over and watch.state != before.state
        scene = Scene(watch, me.id, now, state.head_sha, self.forge.clock_ahead, just_ended)
        if watch.state != before.state:
            signals += ended(scene, actor=actor)
        seen = observe(scene, comments, threads)
        signals += await self._named(watch, seen)
        signals += [await self._reply(scene, one, me.username) for one in seen.replies]
        reactions, seen_too = await self._reactions(scene, comments, seen)
        signals += reactions
        placed = _placed(comments, seen.threads)
        fates, watch = await self._code(
            scene, replace(watch, seen=seen_too), before, run, _offering(comments, placed)
        )
        signals += fates
        watch = replace(watch, step=watch.step + 1, failures=0)
        return Look(watch, tuple(signals), placed, next_look(watch, now))

    async def comment_of(self, ref: MergeRequestRef, note_id: int, discussion_id: str) -> Comment | None:
        """Return our comment that a note has opened, None if it has opened none.

        GitLab is asked only where there are comments that have not been seen in their threads yet.
        """
        comments = await self.feedback.comments(ref)
        known = next((one for one in comments if one.note_id == note_id), None)
        if known is not None or not discussion_id or all(one.note_id for one in comments):
            return known
        try:
            discussion = await self.forge.discussion(ref, discussion_id)
        except Refused:
            return None
        first = discussion.notes[0] if discussion.notes else None
        if first is None or (first.id, first.author_id) != (note_id, (await self.forge.whoami()).id):
            return None
        mark = self.marker.read(ref, first.body)
        found = next((one for one in comments if one.fingerprint == mark), None)
        return found and found.model_copy(update={"note_id": note_id})

    async def _state(self, watch: Watch) -> tuple[Watch, int | None]:
        """Return *watch* in the state that the forge shows, and who brought that about."""
        found = await self.forge.merge_request(watch.ref)
        if found.state not in {"opened", "merged", "closed"}:
            return watch, None
        over = found.state != "opened"
        shown = replace(
            watch,
            state=found.state,
            ended_at=found.ended_at - self.forge.clock_ahead if over and found.ended_at else None,
            target_branch=found.target_branch,
            step=0,
        )
        return shown, found.ended_by

    async def _threads(self, ref: MergeRequestRef, me: int) -> dict[str, ForgeDiscussion]:
        """Return our discussions by fingerprint; of several the oldest."""
        ours: dict[str, ForgeDiscussion] = {}
        for discussion in await self.forge.discussions(ref):
            first = discussion.notes[0] if discussion.notes else None
            if first is None or first.author_id != me:
                continue
            mark = self.marker.read(ref, first.body)
            if mark is not None and (mark not in ours or first.id < ours[mark].notes[0].id):
                ours[mark] = discussion
        return ours

    async def _named(self, watch: Watch, seen: Observed) -> list[Signal]:
        """Return the signals of *seen*, with who applied a suggestion where that is certain; it costs one request."""
        found: list[Signal] = []
        commits: list[ForgeCommit] | None = None
        for one in seen.signals:
            thread = seen.threads.get(one.fingerprint)
            was_open = not watch.seen.get(one.fingerprint, Seen()).resolved
            if one.kind is SignalKind.applied and thread is not None and was_open:
                commits = await self.aftermath.commits(watch.ref) if commits is None else commits
                who = applied_by(thread.notes[0], commits)
                found.append(
                    one.model_copy(
                        update={
                            "actor_id": who,
                            "actor_is_author": who is not None and who == watch.author_id,
                        }
                    )
                )
            else:
                found.append(one)
        return found

    async def _reply(self, scene: Scene, reply: Reply, username: str) -> Signal:
        """Return the signal of a reply; what it says is stored as one of few words."""
        note, by = reply.note, "rules:none"
        kind = ReplyClass.other
        commands = asked(note.body, {NAME, username}).commands if addresses_somebody(note.body) else ()
        if commands:
            by = "command"
        elif not note.bot:
            said = await self.classifier.classify(reply.comment, note.body)
            kind, by = said.kind, said.by
        return scene.signal(
            SignalKind.reply,
            reply.comment,
            scene.ours(note.changed_at if reply.edit else note.written_at),
            note.id,
            *([reply.edit] if reply.edit else []),
            actor=note.author_id,
            bot=note.bot,
            note_id=note.id,
            reply=kind,
            detail={"by": by},
        )

    async def _reactions(
        self, scene: Scene, comments: Sequence[Comment], seen: Observed
    ) -> tuple[list[Signal], Mapping[str, Seen]]:
        """Return what changed among reactions, where hooks do not tell of them, or for the last time."""
        after = dict(seen.seen)
        watch = scene.watch
        standing = [one for one in comments if one.fingerprint in seen.threads]
        # Those whose turn did not come at the merge have it after it: a reaction has GitLab's time.
        soon = watch.over and len(standing) > self.most_asked
        if not scene.just_ended and (
            (watch.step < REACTIONS_FROM and not soon)
            or await self.feedback.hears(watch.ref, within=_HOOKS_COME)
        ):
            return [], after
        told = await self.feedback.signals(watch.ref)
        turn = next_turn(after)
        signals: list[Signal] = []
        for comment in whose_turn(standing, after, self.most_asked):
            note = seen.threads[comment.fingerprint].notes[0].id
            placed = comment.model_copy(update={"note_id": note})
            awards = await self.aftermath.awards(watch.ref, note)
            theirs = [one for one in awards if one.user_id != scene.me]
            mark = comment.fingerprint
            found, known = reacted(scene, placed, theirs, after[mark], told)
            after[mark] = known.model_copy(update={"asked": turn})
            signals += found
        return signals, after

    async def _code(
        self, scene: Scene, watch: Watch, before: Watch, run: Run | None, comments: Sequence[Comment]
    ) -> tuple[list[Signal], Watch]:
        """Return what became of the code, and *watch* with how far it was followed."""
        signals: list[Signal] = []
        if run is None or run.revision is None:
            return signals, watch
        if run.head_sha != watch.head_sha and (run.ended or watch.over):
            signals += await self.fates.changed(scene, run, comments, watch.seen)
            watch = replace(marked(watch, signals), head_sha=run.head_sha)
            by_hand = await self.fates.by_hand(scene, run, offered(watch, comments))
            signals, watch = [*signals, *by_hand], taken(watch, by_hand)
        if watch.state == "merged" and before.state != "merged":
            signals += await self.fates.gone(scene, run, comments)
            watch = to_judge(watch, comments, run.policy)
        elif watch.state == "merged":
            tip = await self.aftermath.tip(watch.ref, watch.target_branch)
            if tip is not None:
                late = [one for one in comments if not watch.seen[one.fingerprint].changed]
                found = await self.fates.late(scene, run, late, tip)
                signals, watch = [*signals, *found], marked(watch, found)
        return await self._judged(scene, watch, run, comments, signals)

    async def _judged(
        self, scene: Scene, watch: Watch, run: Run, comments: Sequence[Comment], signals: Sequence[Signal]
    ) -> tuple[list[Signal], Watch]:
        """Return *signals* with what the model says was mended by the merge, and *watch* with what is still to ask."""
        asked = [one for one in comments if watch.seen[one.fingerprint].unjudged]
        if not asked:
            return list(signals), watch
        judgement = await self.mending.judge(asked, run) if self.mending else Judgement()
        by = self.mending.by if self.mending else ""
        told = verdicts(scene, run.head_sha, asked, judgement.verdicts, by=by)
        refuted = {one.fingerprint for one in told if one.kind is SignalKind.changed}
        # What was seen in this look has the time of the verdict, which is to stand.
        kept = [
            one for one in signals if one.kind is not SignalKind.changed or one.fingerprint not in refuted
        ]
        return [*kept, *told], marked(judged(watch, judgement.later), told)


def _offering(comments: Iterable[Comment], placed: Iterable[Placed]) -> list[Comment]:
    """Return *comments* as the ledger has them once it is told what was *placed*."""
    marks = {one.fingerprint for one in placed if one.had_suggestion}
    return [
        one.model_copy(update={"had_suggestion": True}) if one.fingerprint in marks else one
        for one in comments
    ]


def _placed(comments: Sequence[Comment], threads: Mapping[str, ForgeDiscussion]) -> tuple[Placed, ...]:
    return tuple(
        Placed(one.fingerprint, thread.id, thread.notes[0].id, bool(thread.notes[0].applied))
        for one in comments
        if one.note_id is None and (thread := threads.get(one.fingerprint)) is not None
    )
