"""Derive the labels of all comments anew, in batches."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.domain.labels import LABEL_VERSION, Labelled, label
from bot.domain.merge_request import MergeRequestRef
from bot.ports import Begun, Labels, Place

#: Comments at a time, with all signals of their merge requests.
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Hold how many comments were labelled, how many of these labels are new or other than before.

    ``resumed`` is where an earlier rebuild had broken off, None if this one began at the start.
    """

    labelled: int = 0
    changed: int = 0
    resumed: Place | None = None


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
    done = Rebuilt(resumed=place)
    while True:
        histories = await labels.histories(limit=batch, since=since, after=place)
        if not histories:
            await labels.finish(LABEL_VERSION)
            return done
        place = Place.of(histories[-1].comment)
        found = {one.comment.id: label(one.comment, one.signals, one.pushes) for one in histories}
        changed = await labels.keep(LABEL_VERSION, found, begun=Begun(since, place))
        done = Rebuilt(done.labelled + len(found), done.changed + changed, done.resumed)
        told(done)


async def relabel(labels: Labels, *, since: datetime, batch: int = BATCH) -> frozenset[MergeRequestRef]:
    """Label anew what something was seen of since then; return the merge requests whose labels are new or changed.

    Raises:
        Transient: the database is out of reach.
    """
    stirred = await labels.stirred(since)
    changed: set[MergeRequestRef] = set()
    for start in range(0, len(stirred), batch):
        refs = stirred[start : start + batch]
        found: dict[uuid.UUID, Labelled] = {}
        for one in await labels.histories_of(refs):
            found[one.comment.id] = label(one.comment, one.signals, one.pushes)
        if await labels.keep(LABEL_VERSION, found):
            changed.update(refs)
    return frozenset(changed)
