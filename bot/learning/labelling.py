"""Derive labels: those of comments to which something happened, and all of them anew."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.domain.labels import LABEL_VERSION, Labelled, label
from bot.ports import Begun, History, Labels, Place

#: Comments at a time, with all signals of their merge requests.
BATCH: Final = 500
#: Notes of what happened at a time. A merge request has some tens of comments.
DUE: Final = 100


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Hold how many comments were labelled, how many of these labels are new or other than before.

    ``resumed`` is where an earlier rebuild had broken off, None if this one began at the start. ``passed_over`` are
    older comments, whose signals are gone: they keep the labels that they have.
    """

    labelled: int = 0
    changed: int = 0
    resumed: Place | None = None
    passed_over: int = 0


async def label_due(labels: Labels, *, limit: int = DUE) -> int:
    """Label anew the comments of merge requests to which something happened; return how many notes of it are done.

    Of processes that do so at the same time one does it, and the others return 0.

    Raises:
        Transient: the database is out of reach; what was due still is.
    """
    async with labels.turn(wait=False) as turn:
        if turn is None:
            return 0
        due = await labels.due(limit=limit)
        if due.notes:
            found = await asyncio.to_thread(_labelled, due.histories)
            await turn.keep(LABEL_VERSION, found, done=due.notes)
        return len(due.notes)


async def rebuild(
    labels: Labels,
    *,
    since: datetime | None = None,
    restart: bool = False,
    batch: int = BATCH,
    told: Callable[[Rebuilt], None] = lambda _: None,
) -> Rebuilt:
    """Label all comments that were posted at *since* or later by the newest version of the function.

    A rebuild that broke off goes on where it was if it began at the same *since*. Doing it twice changes nothing.

    Args:
        labels: where comments, signals and labels are.
        since: leaves older comments as they are labelled.
        restart: begin at the start although an earlier one broke off.
        batch: comments at a time.
        told: hears how far it is, after every batch.

    Raises:
        Transient: the database is out of reach.
    """
    earlier = None if restart else await labels.begun(LABEL_VERSION)
    place = earlier.place if earlier is not None and earlier.since == since else None
    done = Rebuilt(resumed=place, passed_over=await labels.without_signals(since=since))
    while True:
        async with labels.turn(wait=True) as turn:
            assert turn is not None, "it was waited for"
            histories = await labels.histories(limit=batch, since=since, after=place)
            if not histories:
                await turn.finish(LABEL_VERSION)
                return done
            place = Place.of(histories[-1].comment)
            found = _labelled(histories)
            changed = await turn.keep(LABEL_VERSION, found, begun=Begun(since, place))
        done = replace(done, labelled=done.labelled + len(found), changed=done.changed + changed)
        told(done)


def _labelled(histories: Iterable[History]) -> Mapping[uuid.UUID, Labelled]:
    return {one.comment.id: label(one.comment, one.signals, one.pushes) for one in histories}
