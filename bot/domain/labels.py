"""What people's signals say about a comment: a pure function with a version, so that it can be corrected later.

The first row of this table that fits gives the label:

| Label | When |
|---|---|
| censored | a bot wrote the merge request; it is still open; it was closed without a merge |
| unknown, contradictory | somebody rejects and somebody else approves; or somebody rejects what was applied or mended |
| rejected-strong | somebody rejects |
| accepted-strong | the suggestion was applied; a judge says that a change mends it; the lines changed and it was gone at the merge; the lines changed and somebody approves |
| accepted-weak | the lines changed and nobody has judged that; it was gone at the merge; somebody approves |
| censored | no push followed the comment, or only rebases did: there was no chance to act on it |
| unknown | anything else, such as silence, a thread that was resolved, a question, a waiver |

To reject is a thumb down, a reply that says wrong or won't fix, or the command ``ignore``. To approve is a thumb up or a
reply that agrees. A person counts once, by what stands of theirs and came last, be it a reaction, a reply as it reads
now, or applying the suggestion. Bots' reactions, replies and commands do not count. Without an account nobody can be told from others,
so all such count as one person. A judgement of a change stands until the next one.

What happens after the merge does not count: the label is frozen then. Code that changes within 30 days after it is told
apart, as late.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.domain.signals import AWARD, CLOCKS_DIFFER, Comment, ReplyClass, Signal, SignalKind

#: Counts up with every change of what a label may become; older labels stay beside newer ones.
LABEL_VERSION: Final = 1

#: Lines that change so soon after the merge were perhaps mended after all.
LATE: Final = timedelta(days=30)

_UP, _DOWN = "thumbsup", "thumbsdown"
#: Other names of the same in GitLab; tones of skin follow after an underscore.
_ALIASES: Final = {"+1": _UP, "-1": _DOWN}
_REJECTING: Final = frozenset({ReplyClass.wrong, ReplyClass.wont_fix})
_SAID: Final = frozenset({SignalKind.reply, SignalKind.ignored})
_REACTIONS: Final = frozenset({SignalKind.reaction_added, SignalKind.reaction_removed})
_NOTE: Final = "note"
_NOTES: Final = frozenset({SignalKind.reply, SignalKind.deleted})
_TAKEN_BACK: Final = frozenset({SignalKind.reaction_removed, SignalKind.deleted})


class Label(enum.StrEnum):
    """What became of a comment."""

    accepted_strong = "accepted_strong"
    accepted_weak = "accepted_weak"
    rejected_strong = "rejected_strong"
    unknown = "unknown"
    censored = "censored"

    @property
    def accepted(self) -> bool:
        """Say whether it was acted on or approved."""
        return self in {Label.accepted_strong, Label.accepted_weak}

    @property
    def counts(self) -> bool:
        """Say whether it belongs into the denominator of a share."""
        return self is not Label.censored


class Censored(enum.StrEnum):
    """Why a comment says nothing about acceptance."""

    bot_author = "bot_author"
    open = "open"
    closed = "closed"
    no_push = "no_push"
    only_rebases = "only_rebases"


@dataclass(frozen=True, slots=True)
class Push:
    """Hold that a merge request got a new head; ``rebase``: it changed nothing of the request's own rows."""

    at: datetime
    head_sha: str
    rebase: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """Hold the label of a comment, and why it has it.

    Args:
        label: see the table of this module.
        reasons: ids of the signals that decided, in their order.
        censored_why: set with ``censored`` only.
        contradictory: the signals say both; such a comment is ``unknown`` and no material to learn from.
        frozen_at: when the merge froze it, None while it may still change.
        late_at: when its lines changed after the merge although it was not accepted.
    """

    label: Label
    reasons: tuple[uuid.UUID, ...] = ()
    censored_why: Censored | None = None
    contradictory: bool = False
    frozen_at: datetime | None = None
    late_at: datetime | None = None

    @property
    def frozen(self) -> bool:
        """Say whether nothing that is still to happen can change it."""
        return self.frozen_at is not None


def label(comment: Comment, signals: Iterable[Signal], pushes: Iterable[Push] | None = None) -> Labelled:
    """Return the label of *comment*, whatever the order of *signals* and however often one is told.

    Args:
        comment: the comment.
        signals: of its merge request; those about other comments are ignored.
        pushes: heads of the merge request in its whole life, None where they are not known: then none is missed.
    """
    told = _of(comment, signals)
    end, merged_at = _end(told)
    if comment.author_is_bot:
        return Labelled(Label.censored, censored_why=Censored.bot_author, frozen_at=merged_at)
    if merged_at is None:
        if end is None:
            return Labelled(Label.censored, censored_why=Censored.open)
        return Labelled(Label.censored, (end.id,), Censored.closed)
    within = [one for one in told if one.kind is SignalKind.gone or one.at <= merged_at + CLOCKS_DIFFER]
    decided = _decided(_people(within), _code(within))
    if decided.label is Label.unknown and not decided.contradictory:
        why = _no_chance(comment, pushes, merged_at)
        decided = Labelled(Label.censored, censored_why=why) if why else decided
    late_at = None if decided.label.accepted else _late(told, merged_at)
    return replace(decided, frozen_at=merged_at, late_at=late_at)


def _of(comment: Comment, signals: Iterable[Signal]) -> list[Signal]:
    """Return what is about *comment* or its whole merge request, each once, in the one order that counts."""
    ref, about = comment.ref, {"", comment.fingerprint}
    # Whoever reads many has one name for each merge request; to compare two takes longer than all the rest.
    told = {one.id: one for one in signals if (one.ref is ref or one.ref == ref) and one.fingerprint in about}
    return sorted(told.values(), key=lambda one: (one.at, one.seen_at, one.id))


def _end(told: Sequence[Signal]) -> tuple[Signal | None, datetime | None]:
    """Return the close that holds, if any, and the time of the merge; nothing follows a merge."""
    merges = [one for one in told if one.kind is SignalKind.merged]
    if merges:
        return merges[0], merges[0].at
    ends = [one for one in told if one.kind in {SignalKind.closed, SignalKind.reopened}]
    return (ends[-1] if ends and ends[-1].kind is SignalKind.closed else None), None


@dataclass(frozen=True, slots=True)
class _People:
    """Hold the statements that approve and that reject, one for each person."""

    approving: tuple[Signal, ...]
    rejecting: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class _Code:
    """Hold the signals that prove that the finding was mended, and those that only make it likely."""

    mended: tuple[Signal, ...] = ()
    changed: tuple[Signal, ...] = ()


def _decided(people: _People, code: _Code) -> Labelled:
    approving, rejecting = people.approving, people.rejecting
    if rejecting and (approving or code.mended):
        return Labelled(Label.unknown, _ids(approving, rejecting, code.mended), contradictory=True)
    if rejecting:
        return Labelled(Label.rejected_strong, _ids(rejecting))
    if code.mended:
        return Labelled(Label.accepted_strong, _ids(code.mended))
    lines = any(one.kind is SignalKind.changed for one in code.changed)
    if approving and lines:
        return Labelled(Label.accepted_strong, _ids(approving, code.changed))
    if approving or code.changed:
        return Labelled(Label.accepted_weak, _ids(approving, code.changed))
    return Labelled(Label.unknown)


def _people(told: Sequence[Signal]) -> _People:
    """Return what each person says in the end: of what they have not taken back, the last."""
    standing: dict[tuple[object, ...], tuple[Signal, bool]] = {}
    for one in told:
        if one.actor_is_bot:
            continue
        key = _statement(one)
        approves = _approves(one)
        # What is said again moves to the end; a reply that was edited says only what it says now.
        if approves is not None or one.kind in _TAKEN_BACK or key[0] == _NOTE:
            standing.pop(key, None)
        if approves is not None:
            standing[key] = one, approves
    last = {one.actor_id: (one, approves) for one, approves in standing.values()}
    # Applying is proof by itself, see `_code`; here it only ends an earlier refusal by the same person.
    words = [(one, approves) for one, approves in last.values() if one.kind is not SignalKind.applied]
    return _People(
        tuple(one for one, approves in words if approves),
        tuple(one for one, approves in words if not approves),
    )


def _statement(one: Signal) -> tuple[object, ...]:
    """Return what a statement and its end have in common: the forge's number, since an end may name nobody."""
    if one.kind in _REACTIONS:
        award = one.detail.get(AWARD)
        return ("award", award) if award else ("emoji", one.actor_id, one.emoji)
    if one.kind in _NOTES and one.note_id is not None:
        return _NOTE, one.note_id
    return one.kind.value, one.actor_id


def _approves(one: Signal) -> bool | None:
    """Say whether somebody approves or rejects by *one*; None for neither."""
    match one.kind:
        case SignalKind.reaction_added:
            name = _ALIASES.get(one.emoji, one.emoji.partition("_tone")[0])
            return {_UP: True, _DOWN: False}.get(name)
        case SignalKind.reply:
            return True if one.reply is ReplyClass.agrees else False if one.reply in _REJECTING else None
        case SignalKind.ignored:
            return False
        case SignalKind.applied:
            # Nobody is named who could have changed their mind.
            return None if one.actor_id is None else True
    return None


def _code(told: Sequence[Signal]) -> _Code:
    applied = [one for one in told if one.kind is SignalKind.applied]
    gone = [one for one in told if one.kind is SignalKind.gone]
    judged, unjudged = None, []
    for one in told:
        if one.kind is SignalKind.changed:
            if one.judged is None:
                unjudged.append(one)
            else:
                # What was changed before has been looked at with it.
                judged, unjudged = one, []
    if applied or (judged and judged.judged):
        mended = [*applied, *([judged] if judged and judged.judged else [])]
    else:
        # At the merge it is judged for the last time.
        changes = unjudged or [one for one in [judged] if one]
        mended = [*changes, *gone] if changes and gone else []
    return _Code(tuple(mended), (*unjudged, *gone))


def _no_chance(comment: Comment, pushes: Iterable[Push] | None, merged_at: datetime) -> Censored | None:
    """Return why nobody could act on *comment* in the code, None if somebody could."""
    if pushes is None:
        return None
    later = [
        push
        for push in pushes
        if comment.posted_at < push.at <= merged_at + CLOCKS_DIFFER and push.head_sha != comment.head_sha
    ]
    if not later:
        return Censored.no_push
    return Censored.only_rebases if all(push.rebase for push in later) else None


def _late(told: Sequence[Signal], merged_at: datetime) -> datetime | None:
    after = [
        one.at
        for one in told
        if one.kind is SignalKind.changed
        and one.judged is not False
        and merged_at + CLOCKS_DIFFER < one.at <= merged_at + LATE
    ]
    return min(after, default=None)


def _ids(*groups: Sequence[Signal]) -> tuple[uuid.UUID, ...]:
    """Return the ids of all, in the order of what happened."""
    told = sorted((one for group in groups for one in group), key=lambda one: (one.at, one.seen_at, one.id))
    return tuple(one.id for one in told)
