"""The last look at a merge request that was closed or merged: what people declined on it counts in the project."""

from __future__ import annotations

from datetime import datetime

from bot.domain.declining import declined_now
from bot.domain.diff import Diff
from bot.domain.marker import Marker
from bot.domain.ours import deleted, ours
from bot.domain.publication import decide
from bot.domain.records import Declined
from bot.domain.run import Run
from bot.ports import Forge, Store


async def declined_at_the_end(
    run: Run, *, forge: Forge, store: Store, marker: Marker, now: datetime
) -> list[Declined]:
    """Return what of the findings of *run*, the last one, people have declined since they were published.

    Whoever merges right after resolving the last thread brings the code into the target branch, where the next
    merge request meets it.
    """
    known = await store.threads(run.ref)
    me = (await forge.whoami()).id
    mine = ours(await forge.discussions(run.ref), run.ref, me=me, marker=marker, known=known)
    gone = deleted(mine, known)
    publication = decide(
        run,
        await store.findings(run.id),
        mine.threads,
        Diff(()),
        standing=lambda _: True,
        deleted=gone,
    )
    return declined_now(run, publication, deleted=gone, now=now)
