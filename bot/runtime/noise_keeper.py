"""Keep labels, mutes and vectors up with what people do: regularly, in one process of all."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.domain.errors import CloisterError
from bot.domain.policy import Noise
from bot.domain.quiet.groups import LEAST_PROJECTS, Standing, pooled, strictest
from bot.domain.quiet.muting import (
    MEASURED,
    Mute,
    Outcome,
    Subject,
    count_begins,
    decide,
    group_team,
    mutable,
    subjects_of,
    team_of,
)
from bot.learning.labelling import DUE, label_due
from bot.ports import Clock, Embeddings, Fared, Labels, Mutes, Precedents, Telemetry
from bot.reviewer.quieting import REMEMBERED, clipped
from bot.runtime.regularly import regularly

log = structlog.get_logger()

#: Time between two passes of an installation.
EVERY: Final = timedelta(seconds=30)
#: Above the time that a pass takes, so that only a dead process is followed by another.
LEASE: Final = timedelta(minutes=10)
#: Labels come into sight when their transaction ends: what is newer than this is looked at once more.
OVERLAP: Final = timedelta(minutes=10)
#: How often a process looks whether a pass is due.
POLL_S: Final = 2.0
#: Texts at a time, and in one pass: the model has reviews to do, too.
_BATCH: Final = 64
_MOST_TEXTS: Final = 1_024


class NoiseKeeper:
    """Make the passes: label what is new, mute what these labels call noise, and make the vectors that are missing.

    A pass may be broken off anywhere, or be made twice: the next one finds the rest.

    Args:
        labels: of comments.
        mutes: where mutes are kept.
        precedents: where vectors are kept.
        embeddings: makes vectors, None for none.
        clock: the time.
        telemetry: counts mutes.
        instance: whose projects are looked at.
    """

    def __init__(
        self,
        *,
        labels: Labels,
        mutes: Mutes,
        precedents: Precedents,
        embeddings: Embeddings | None,
        clock: Clock,
        telemetry: Telemetry,
        instance: str,
    ) -> None:
        self._labels = labels
        self._mutes = mutes
        self._precedents = precedents
        self._embeddings = embeddings
        self._clock = clock
        self._telemetry = telemetry
        self._instance = instance
        #: The model whose vectors are all there, so that nobody looks for missing ones in vain.
        self._complete = ""

    async def run(self, *, poll_s: float = POLL_S) -> None:
        """Make the passes that are due until cancelled."""
        await regularly(self.take_turn, every_s=poll_s, failed="noise.not_measured")

    async def take_turn(self) -> bool:
        """Make one pass if one is due, and say whether it was.

        Raises:
            Transient: the store is out of reach.
        """
        seen_until = await self._mutes.claim(lease=LEASE)
        if seen_until is None:
            return False
        now = self._clock.now()
        while await label_due(self._labels) == DUE:
            pass
        # Whoever labelled them, and however long ago that happened which they are about.
        relabelled = await self._labels.relabelled(seen_until)
        projects = sorted({ref.project_id for ref in relabelled if ref.instance == self._instance})
        for project_id in projects:
            await self._measure(project_id, now)
        for group in sorted(await self._mutes.groups(projects)):
            await self._measure_group(group, now)
        if relabelled:
            self._complete = ""
        await self._index(now)
        await self._mutes.move(max(seen_until, now - OVERLAP), pause=EVERY)
        return True

    async def _measure(self, project_id: int, now: datetime) -> None:
        """Mute what the figures of a project call noise."""
        policy = (await self._mutes.policies([project_id]))[project_id]
        if not policy.auto_mute:
            return
        team = team_of(project_id)
        standing = await self._mutes.standing(team, now)
        fared = await self._mutes.fared(project_id, now - MEASURED)
        for mute in await self._begin(await asyncio.to_thread(_new, team, fared, standing, policy, now)):
            log.info("noise.muted", project=project_id, subject=str(mute.subject), until=mute.until)

    async def _measure_group(self, group: str, now: datetime) -> None:
        """Mute what the figures of a group call noise where no project has enough of them."""
        fared = await self._mutes.fared_in(group, now - MEASURED)
        projects = {one.project_id for one in fared}
        if len(projects) < LEAST_PROJECTS:
            return
        policies = await self._mutes.policies(projects)
        policy = strictest(list(policies.values()))
        if policy is None:
            return
        fared = [one for one in fared if policies[one.project_id].auto_mute]
        team = group_team(group)
        standing = await self._mutes.standing(team, now)
        for mute in await self._begin(await asyncio.to_thread(_pooled, team, fared, standing, policy, now)):
            log.info("noise.muted_for_group", group=group, subject=str(mute.subject), until=mute.until)

    async def _begin(self, new: Sequence[Mute]) -> Sequence[Mute]:
        begun = await self._mutes.begin(new) if new else ()
        for mute in begun:
            self._telemetry.count("cloister_mutes", scope=mute.subject.scope.value)
        return begun

    async def _index(self, now: datetime) -> None:
        """Make vectors of comments that have none of the current model; without them words are compared."""
        if self._embeddings is None:
            return
        try:
            model = await self._embeddings.identity()
            for _ in range(0, _MOST_TEXTS, _BATCH):
                if model == self._complete:
                    return
                texts = await self._precedents.missing(model, now - REMEMBERED, limit=_BATCH)
                vectors = await self._embeddings.embed([clipped(one.text) for one in texts])
                await self._precedents.keep(texts, vectors, model)
                self._complete = model if len(texts) < _BATCH else ""
        except CloisterError as error:
            log.warning("noise.not_indexed", error=str(error))


def _new(
    team: str,
    fared: Iterable[Fared],
    standing: Mapping[Subject, Standing],
    policy: Noise,
    now: datetime,
) -> Sequence[Mute]:
    """Return the mutes that begin now."""
    outcomes: defaultdict[Subject, list[Outcome]] = defaultdict(list)
    for one in fared:
        for subject in subjects_of(team, one.scanner, one.rule, one.category):
            outcomes[subject].append(one.outcome)
    return _begun(outcomes, standing, policy, now)


def _pooled(
    team: str,
    fared: Iterable[Fared],
    standing: Mapping[Subject, Standing],
    policy: Noise,
    now: datetime,
) -> Sequence[Mute]:
    """Return the mutes of a group that begin now."""
    outcomes: defaultdict[Subject, defaultdict[int, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for one in fared:
        for subject in subjects_of(team, one.scanner, one.rule, one.category):
            outcomes[subject][one.project_id].append(one.outcome)
    together = {}
    for subject, of in outcomes.items():
        known = standing.get(subject, Standing())
        since = count_begins(known.last, known.override, now)
        together[subject] = pooled(of, since, policy.wanted)
    return _begun(together, standing, policy, now)


def _begun(
    outcomes: Mapping[Subject, Sequence[Outcome]],
    standing: Mapping[Subject, Standing],
    policy: Noise,
    now: datetime,
) -> Sequence[Mute]:
    found = []
    for subject, of in outcomes.items():
        known = standing.get(subject, Standing())
        mute = decide(
            subject,
            of,
            now=now,
            last=known.last,
            override=known.override,
            threshold=policy.wanted,
            lasts=policy.lasts,
        )
        if mute is not None and mute.automatic and mute != known.last and mutable(subject):
            found.append(mute)
    return found
