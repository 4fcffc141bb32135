"""Which event is missing, judged by what the forge lists and what we know."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.events import Action, MergeRequestChanged, delivery_id
from bot.domain.facts import Facts
from bot.domain.forge import UpdatedMergeRequest

SOURCE = "reconciler"

OPENED = "opened"
_CLOSED = frozenset({"closed", "merged"})
#: A merge is under way; how it ends is another update.
_MERGING = "locked"


@dataclass(frozen=True, slots=True)
class Known:
    """Hold what we know of a merge request from its events; ``updated_at`` is the forge's time of the newest.

    ``unmerged``: when people's feedback was looked for last, it was closed without a merge. ``facts`` are those by
    which the gate has decided about the head, unknown while no review has read them.
    """

    head_sha: str | None
    closed: bool
    updated_at: datetime | None
    unmerged: bool = False
    facts: Facts = field(default_factory=Facts)

    def retargeted(self, listed: UpdatedMergeRequest) -> bool:
        """Say whether the head was judged by the policy of another branch than that of *listed*."""
        decided = self.facts.target_branch
        return None not in {decided, listed.target_branch} and decided != listed.target_branch

    def redecided(self, listed: UpdatedMergeRequest) -> bool:
        """Say whether rules that ask for labels or drafts were asked about others than those of *listed*."""
        labels, draft = self.facts.labels, self.facts.draft
        relabelled = None not in (labels, listed.labels) and {*(labels or ())} != {*(listed.labels or ())}
        return relabelled or draft not in {None, listed.draft}


def unusable(listed: UpdatedMergeRequest) -> str:
    """Return why nothing can be told from *listed*, nothing if something can."""
    if listed.state == OPENED:
        return "" if listed.head_sha else "it has no head"
    return "" if listed.state in _CLOSED or listed.state == _MERGING else "its state is not known"


def missed(listed: UpdatedMergeRequest, known: Known | None) -> MergeRequestChanged | None:
    """Return the event that would have brought *listed* about, None if what we know is the same, or newer.

    Edits do not count but for what rules of a gate may ask for: a new target branch, whose policy nobody has read,
    other labels, and whether it is a draft.
    """
    if unusable(listed) or listed.state == _MERGING:
        return None
    if known is not None and known.updated_at is not None and listed.updated_at < known.updated_at:
        return None
    again = redecide = False
    if listed.state in _CLOSED:
        # It may have been opened again and merged meanwhile.
        merged = listed.state == "merged" and known is not None and known.unmerged
        action, differs = Action.closed, known is not None and (merged or not known.closed)
    else:
        action = Action.changed
        again = known is not None and known.retargeted(listed)
        redecide = known is not None and known.redecided(listed)
        differs = known is None or known.closed or known.head_sha != listed.head_sha or again or redecide
    if not differs:
        return None
    return MergeRequestChanged(
        ref=listed.ref,
        action=action,
        head_sha=listed.head_sha,
        updated_at=_comparable(listed.updated_at, known),
        draft=listed.draft,
        again=again,
        redecide=redecide,
        source=SOURCE,
    )


def missed_id(event: MergeRequestChanged, known: Known | None) -> uuid.UUID:
    """Return the id of *event*: the same for all who compare, as long as nothing more is known.

    A merge request may be reopened at the same head again and again. What was known before tells one time from
    the next, the time that the forge shows does not: any comment moves it.
    """
    before = (
        (known.closed, known.head_sha, known.updated_at and known.updated_at.timestamp()) if known else ()
    )
    if known is not None and event.again:
        return delivery_id(SOURCE, f"{event.key}:{event.head_sha}:{before}:{known.facts.target_branch}")
    if known is not None and event.redecide:
        facts = known.facts
        return delivery_id(SOURCE, f"{event.key}:{event.head_sha}:{before}:{facts.labels}:{facts.draft}")
    return delivery_id(SOURCE, f"{event.key}:{event.action}:{event.head_sha}:{before}")


def _comparable(moment: datetime, known: Known | None) -> datetime:
    """Return *moment* in whole seconds, as hooks tell it: one of the same second must not look older."""
    second = moment.replace(microsecond=0)
    return max(second, known.updated_at) if known and known.updated_at else second
