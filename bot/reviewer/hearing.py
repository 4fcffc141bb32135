"""What a comment asks, and all that decides about it, as the forge and the store say it now."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.commands import NAME, READ_CHARS, Asked, Verb, asked
from bot.domain.conversation import Scene
from bot.domain.errors import Obsolete, Permanent, Refused
from bot.domain.events import CommentPosted, MergeRequestEvent
from bot.domain.findings import Finding
from bot.domain.forge import ForgeDiscussion, ForgeMember, ForgeMergeRequest, ForgeNote
from bot.domain.marker import Marker
from bot.domain.policy import Policy
from bot.domain.records import MergeRequestState
from bot.domain.run import Run
from bot.domain.waivers import Source
from bot.domain.waivers_standing import terms
from bot.domain.waiving import Occasion
from bot.ports import Forge, People, Store, WaiverBook, Workspaces
from bot.reviewer.threads import finding_of
from bot.reviewer.waiving import docket_of, has_a_hand, is_about


@dataclass(frozen=True, slots=True)
class Comment:
    """Hold a comment that asks us for something, and where it stands."""

    event: CommentPosted
    note: ForgeNote
    discussion: ForgeDiscussion
    asked: Asked
    me: int

    @property
    def resolvable(self) -> bool:
        """Say whether it stands in a thread, rather than by itself."""
        return self.discussion.notes[0].resolvable


@dataclass(frozen=True, slots=True)
class Known:
    """Hold what the store knows of a merge request: its state, and its newest run."""

    state: MergeRequestState
    run: Run | None

    @property
    def policy(self) -> Policy:
        """Return the policy of the target branch, as the newest run read it."""
        return self.run.policy if self.run else Policy()

    def reviewed(self, found: ForgeMergeRequest) -> bool:
        """Say whether the newest run is about *found* as it is now."""
        return is_about(self.run, found)


async def heard(event: CommentPosted, forge: Forge, store: Store, redact: Callable[[str], str]) -> Comment:
    """Return the comment as the forge shows it now; it may turn out to ask nothing of us.

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
    return Comment(event, note, discussion, wanted, me.id)


def _wanted(body: str, username: str, redact: Callable[[str], str]) -> Asked:
    # A reason or a question may hold a secret, and goes further than this comment.
    return asked(redact(body[:READ_CHARS]), {NAME, username})


async def known(event: MergeRequestEvent, store: Store) -> Known:
    """Return what the store knows of the merge request."""
    state = await store.merge_request(event.ref)
    return Known(state, await store.run(state.run_id) if state.run_id else None)


async def scene(
    comment: Comment,
    found: ForgeMergeRequest,
    member: ForgeMember,
    what: Known,
    store: Store,
    people: People,
    workspaces: Workspaces,
    marker: Marker,
    *,
    key: bytes,
    model: bool,
) -> Scene:
    """Return what decides about the commands; *key* is the secret of fingerprints."""
    first = comment.discussion.notes[0]
    fingerprint = marker.read(found.ref, first.body) if first.author_id == comment.me else None
    commits = any(command.commits for command in comment.asked.commands)
    finding, run = (
        await _finding(fingerprint, found, what, store, workspaces, key) if fingerprint else (None, None)
    )
    return Scene(
        member=member,
        participant=member.user.id in found.participants,
        policy=what.policy.conversation,
        state=found.state,
        head_sha=found.head_sha or "",
        paused=what.state.paused,
        model=model,
        tests=what.policy.review.unit_tests != "off",
        reviewed=what.reviewed(found),
        may_push=commits and await people.may_push(found, member.user.id),
        fingerprint=fingerprint,
        finding=finding,
        run=run,
        resolved=first.resolved,
        edited=comment.note.edited,
        waivers=terms(what.policy),
    )


async def with_waivers(
    seen: Scene,
    comment: Comment,
    found: ForgeMergeRequest,
    what: Known,
    store: Store,
    people: People,
    workspaces: Workspaces,
    book: WaiverBook,
    *,
    key: bytes,
    redact: Callable[[str], str],
    event: uuid.UUID,
    now: datetime,
) -> Scene:
    """Return *seen* with what decides about waivers, if a command is about them."""
    if not {Verb.waive, Verb.unwaive} & {command.verb for command in comment.asked.commands}:
        return seen
    docket = await docket_of(
        found,
        what.run,
        store,
        workspaces,
        book,
        key=key,
        own=seen.fingerprint or "",
        redact=redact,
        now=now,
    )
    occasion = Occasion(
        event=event,
        ref=found.ref,
        branch=found.target_branch,
        member=seen.member,
        participant=seen.participant,
        author=await has_a_hand(found, what.run, seen.member.user.id, people),
        unsure=what.run is not None and bool(what.run.pushes.untold),
        at=now,
        source=Source.comment,
        note_id=comment.note.id,
        discussion_id=comment.discussion.id,
    )
    return replace(seen, docket=docket, occasion=occasion)


async def _finding(
    fingerprint: str, found: ForgeMergeRequest, what: Known, store: Store, workspaces: Workspaces, key: bytes
) -> tuple[Finding | None, Run | None]:
    """Return what a thread is about: as the newest run found it, or else the one that raised it; and that run."""
    record = (await store.threads(found.ref)).get(fingerprint)
    newest = what.run.id if what.run else None
    for run_id in dict.fromkeys([newest, record.run_id if record else None]):
        if run_id is None:
            continue
        try:
            run = await store.run(run_id)
        except Permanent:  # retention removed it
            continue
        finding = await finding_of(fingerprint, run, store=store, workspaces=workspaces, key=key)
        if finding is not None:
            return finding, run
    return None, None
