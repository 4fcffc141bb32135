"""What happened to our comments since the last look: what the forge shows now against what was seen then.

Pure and repeat-safe: the same look yields the same signals with the same ids.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.forge import ForgeAward, ForgeDiscussion, ForgeNote
from bot.domain.mended import Verdict
from bot.domain.merge_request import Sha
from bot.domain.scene import Scene
from bot.domain.signals import AWARD, Comment, Signal, SignalKind, Source
from bot.domain.watching import Seen

#: No emoji has such a character in its name, whatever a forge says.
_UNNAMED = re.compile(r"[^0-9A-Za-z_+-]")
_MOST_CHARS = 100


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold a reply that nobody has classified yet, or not as it reads now; ``edit`` tells edits apart."""

    comment: Comment
    note: ForgeNote
    edit: str = ""


@dataclass(frozen=True)
class Observed:
    """Hold what a look has brought; ``threads`` are our discussions by fingerprint."""

    signals: tuple[Signal, ...] = ()
    replies: tuple[Reply, ...] = ()
    seen: Mapping[str, Seen] = field(default_factory=dict)
    threads: Mapping[str, ForgeDiscussion] = field(default_factory=dict)


def observe(scene: Scene, comments: Sequence[Comment], threads: Mapping[str, ForgeDiscussion]) -> Observed:
    """Return what happened.

    Args:
        scene: what is known.
        comments: all of ours on the merge request.
        threads: by fingerprint, the discussions that are verifiably ours.
    """
    signals: list[Signal] = []
    replies: list[Reply] = []
    seen = dict(scene.watch.seen)
    for comment in comments:
        before = seen.get(comment.fingerprint, Seen())
        thread = threads.get(comment.fingerprint)
        if thread is None:
            found, after = _missing(scene, comment, before)
        else:
            found, after, written = _standing(scene, comment, before, thread)
            replies += written
        signals += found
        seen[comment.fingerprint] = after
    return Observed(tuple(signals), tuple(replies), seen, threads)


def reacted(
    scene: Scene,
    comment: Comment,
    awards: Iterable[ForgeAward],
    before: Seen,
    told: Iterable[Signal] = (),
) -> tuple[list[Signal], Seen]:
    """Return what changed among the reactions to the note of *comment*, and what was seen of it.

    *told* are signals that are in the ledger: a hook may have told of a reaction, and none of its end.
    """
    there = {award.id: award for award in awards}
    known = {
        int(one.detail[AWARD]): one
        for one in told
        if one.kind is SignalKind.reaction_added
        and one.fingerprint == comment.fingerprint
        and one.actor_id != scene.me
        and AWARD in one.detail
    }
    signals = [
        reaction(scene, comment, award.id, award.emoji, award.user_id, at=award.at, added=True, bot=award.bot)
        for award in there.values()
    ]
    for award in sorted({*before.awards, *known} - there.keys()):
        one = known.get(award)
        emoji, actor, bot = (one.emoji, one.actor_id, one.actor_is_bot) if one else ("", None, False)
        signals.append(reaction(scene, comment, award, emoji, actor, at=None, added=False, bot=bot))
    return signals, before.model_copy(update={"awards": tuple(sorted(there))})


def reaction(
    scene: Scene,
    comment: Comment,
    award: int,
    emoji: str,
    actor: int | None,
    *,
    at: datetime | None,
    added: bool,
    bot: bool = False,
    source: Source = Source.poll,
) -> Signal:
    """Return the signal of one reaction, which its number tells from all others: hooks and looks tell of it alike."""
    return scene.signal(
        SignalKind.reaction_added if added else SignalKind.reaction_removed,
        comment,
        scene.ours(at) if added or at else scene.gone_by,
        award,
        source=source,
        actor=actor,
        bot=bot,
        note_id=comment.note_id,
        emoji=_UNNAMED.sub("", emoji)[:_MOST_CHARS],
        detail={AWARD: str(award)},
    )


def ended(scene: Scene, *, actor: int | None) -> Iterator[Signal]:
    """Yield that the merge request was merged, closed or opened again, as its state says."""
    watch = scene.watch
    kind = {
        "merged": SignalKind.merged,
        "closed": SignalKind.closed,
        "opened": SignalKind.reopened,
    }.get(watch.state)
    if kind is not None:
        at = watch.ended_at
        yield scene.signal(kind, None, at, at.isoformat() if at else scene.now.isoformat(), actor=actor)


def verdicts(
    scene: Scene, head_sha: Sha, comments: Iterable[Comment], proven: Mapping[str, Verdict], *, by: str
) -> list[Signal]:
    """Return what was proven, after the merge, of the code that was merged.

    Args:
        scene: what is known.
        head_sha: the last head.
        comments: those that were asked about.
        proven: by fingerprint.
        by: who says so.
    """
    signals = []
    for comment in comments:
        verdict = proven.get(comment.fingerprint)
        if verdict is not None:
            signals.append(
                scene.signal(
                    SignalKind.gone if verdict.mended else SignalKind.changed,
                    comment,
                    scene.pushed_by,
                    *([] if verdict.mended else ["judged"]),
                    source=Source.model,
                    judged=verdict.mended,
                    detail={"head": head_sha, "by": by, "line": str(verdict.line)},
                )
            )
    return signals


def _missing(scene: Scene, comment: Comment, before: Seen) -> tuple[list[Signal], Seen]:
    """Say that a thread which once stood there does not; one that was never seen may never have been visible."""
    if comment.note_id is None or before.deleted:
        return [], before
    gone = scene.signal(
        SignalKind.deleted,
        comment,
        scene.gone_by,
        comment.note_id,
        note_id=comment.note_id,
        detail={"what": "comment"},
    )
    return [gone], before.model_copy(update={"deleted": True})


def _standing(
    scene: Scene, comment: Comment, before: Seen, thread: ForgeDiscussion
) -> tuple[list[Signal], Seen, list[Reply]]:
    first = thread.notes[0]
    comment = comment.model_copy(update={"note_id": first.id})
    said = [one for one in thread.notes[1:] if one.author_id != scene.me and not one.system]
    after = before.model_copy(
        update={
            "replies": tuple(one.id for one in said),
            "texts": tuple(_text(one) for one in said),
            "resolved": first.resolved,
            "turns": before.turns + (first.resolved != before.resolved),
            "applied": before.applied or any(first.applied),
            "deleted": False,
        }
    )
    signals = [*_turned(scene, comment, first, before, after), *_applied(scene, comment, first, before)]
    signals += [
        scene.signal(SignalKind.deleted, comment, scene.gone_by, note, note_id=note, detail={"what": "reply"})
        for note in before.replies
        if note not in after.replies
    ]
    return signals, after, [*_written(comment, said, before)]


def _written(comment: Comment, said: Iterable[ForgeNote], before: Seen) -> Iterator[Reply]:
    """Yield which replies are new, or read differently now."""
    known = dict(zip(before.replies, before.texts, strict=False))
    for one in said:
        if one.id not in before.replies:
            yield Reply(comment, one)
        elif known.get(one.id, _text(one)) != _text(one):
            at = one.changed_at.isoformat() if one.changed_at else ""
            yield Reply(comment, one, edit=f"{_text(one)} {at}")


def _text(note: ForgeNote) -> str:
    """Return what tells one text of a note from another, and nothing of what it says."""
    return hashlib.blake2b(f"{note.id} {note.body}".encode(errors="replace"), digest_size=4).hexdigest()


def _turned(scene: Scene, comment: Comment, first: ForgeNote, before: Seen, after: Seen) -> Iterator[Signal]:
    if first.resolved == before.resolved:
        return
    kind = SignalKind.resolved if first.resolved else SignalKind.unresolved
    yield scene.signal(
        kind,
        comment,
        scene.ours(first.resolved_at) if first.resolved else None,
        after.turns,
        actor=first.resolved_by if first.resolved else None,
        bot=first.resolved and first.resolver_bot,
        note_id=first.id,
    )


def _applied(scene: Scene, comment: Comment, first: ForgeNote, before: Seen) -> Iterator[Signal]:
    if before.applied or not any(first.applied):
        return
    yield scene.signal(
        SignalKind.applied,
        comment,
        scene.pushed_by,
        note_id=first.id,
        detail={"of": str(len(first.applied)), "applied": str(sum(first.applied))},
    )
