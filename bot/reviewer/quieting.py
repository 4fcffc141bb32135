"""Ask what people thought of comments like those that are about to be posted, and withhold what they rejected."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import structlog

from bot.domain.errors import CloisterError
from bot.domain.findings import MODEL, Finding
from bot.domain.likeness import NEAR, jaccard, shingles
from bot.domain.policy import Noise
from bot.domain.publication import Publication
from bot.domain.quiet.muting import Board
from bot.domain.quiet.veto import CLOSE, ENOUGH, Likeness, Past, Ruling, rule, text_of
from bot.domain.quiet.withholding import Cause, Neighbour, Silence, Silences
from bot.domain.run import Run
from bot.ports import Embeddings, Mutes, Precedent, Precedents

log = structlog.get_logger()

#: What people thought longer ago does not count.
REMEMBERED: Final = timedelta(days=365)
#: Posting waits for vectors, and words do nearly as well.
_VECTORS_S: Final = 10.0
#: Enough to tell what a comment is about, and less than any model's window.
MOST_CHARS: Final = 1_000
_WORDLESS: Final = Likeness(frozenset())
_NO_COSINES: Mapping[uuid.UUID, float] = MappingProxyType({})


class Quieting:
    """Decide which findings of a publication are withheld.

    Args:
        mutes: which rules and categories are muted.
        precedents: comments that people accepted or rejected.
        embeddings: makes vectors; without it, or when it fails, comments are compared by their words.
    """

    def __init__(self, mutes: Mutes, precedents: Precedents, embeddings: Embeddings | None) -> None:
        self._mutes = mutes
        self._precedents = precedents
        self._embeddings = embeddings

    async def settle(
        self, run: Run, decide: Callable[[Silences], Publication], now: datetime, *, project: str = ""
    ) -> Publication:
        """Return what *decide* makes of all silences; what comes up only since another is silent is asked about too.

        *project* is the path as of now, which tells the groups whose mutes count.

        Raises:
            Transient: the store is out of reach.
        """
        policy, project_id = run.policy.noise, run.ref.project_id
        silences: dict[str, Silence] = {}
        asked: set[str] = set()
        publication = decide(silences)
        board = await self._mutes.board(project_id, policy, now, path=project) if publication.fresh else None
        while board and (new := [one for one in publication.fresh if one.fingerprint not in asked]):
            asked |= {one.fingerprint for one in new}
            found = await self._silences(new, board, policy, project_id, now)
            if not found:
                break
            silences |= found
            publication = decide(silences)
        return publication

    async def _silences(
        self, findings: Sequence[Finding], board: Board, policy: Noise, project_id: int, now: datetime
    ) -> dict[str, Silence]:
        silences: dict[str, Silence] = {}
        for one in findings:
            mute = board.mute_of(one)
            if mute is not None:
                cause = Cause.auto_mute if mute.automatic else Cause.manual_mute
                silences[one.fingerprint] = Silence(cause, mute.explanation, mute.id)
        # The words of scanners are always the same: whether their rules are wanted is for mutes to say.
        heard = [
            one
            for one in findings
            if one.scanner == MODEL and one.fingerprint not in silences and not board.wants(one)
        ]
        if policy.veto and heard:
            silences |= await self._vetoes(heard, project_id, now)
        return silences

    async def _vetoes(
        self, findings: Sequence[Finding], project_id: int, now: datetime
    ) -> dict[str, Silence]:
        past = await self._precedents.past(project_id, now - REMEMBERED)
        if sum(not one.accepted for one in past) < ENOUGH:
            return {}
        model, vectors = await self._vectors(findings)
        known = [one.comment for one in past]
        cosines = [
            await self._precedents.cosines(known, vector, model) if vector else _NO_COSINES
            for vector in vectors
        ]
        return await asyncio.to_thread(_vetoed, findings, past, cosines)

    async def _vectors(self, findings: Sequence[Finding]) -> tuple[str, Sequence[tuple[float, ...]]]:
        """Return the identity of the model and its vectors, empty ones where it makes none."""
        nothing: list[tuple[float, ...]] = [()] * len(findings)
        if self._embeddings is None:
            return "", nothing
        try:
            async with asyncio.timeout(_VECTORS_S):
                model = await self._embeddings.identity()
                return model, await self._embeddings.embed([clipped(_text(one)) for one in findings])
        except (CloisterError, TimeoutError) as error:
            log.warning("noise.without_vectors", error=str(error) or "no answer in time")
            return "", nothing


def clipped(text: str) -> str:
    """Return as much of *text* as vectors are made of."""
    return text[:MOST_CHARS]


def _text(finding: Finding) -> str:
    return text_of(finding.category, finding.title, finding.message)


def _vetoed(
    findings: Sequence[Finding],
    past: Sequence[Precedent],
    cosines: Sequence[Mapping[uuid.UUID, float]],
) -> dict[str, Silence]:
    """Return why *findings* are vetoed; *cosines* are those to *past* comments, of each finding."""
    # Words are only counted where a vector is missing: of thousands of comments that takes seconds.
    wordy = [one for one in past if not all(one.comment in near for near in cosines)]
    words = {one.comment: Likeness(shingles(one.text)) for one in wordy}
    silences: dict[str, Silence] = {}
    for finding, near in zip(findings, cosines, strict=True):
        silence = _silence(finding, past, near, words)
        if silence is not None:
            silences[finding.fingerprint] = silence
    return silences


def _silence(
    finding: Finding,
    past: Sequence[Precedent],
    cosines: Mapping[uuid.UUID, float],
    words: Mapping[uuid.UUID, Likeness],
) -> Silence | None:
    own = Likeness.of(finding)
    near: list[Past] = []
    measured: dict[uuid.UUID, float] = {}
    for one in past:
        cosine, said = cosines.get(one.comment), words.get(one.comment, _WORDLESS)
        likeness, close = (jaccard(own.words, said.words), NEAR) if cosine is None else (cosine, CLOSE)
        if likeness >= close:
            measured[one.comment] = likeness
            near.append(Past(one.comment, one.merge_request, one.accepted, one.people, said))
    verdict = rule(finding, own, near, like=lambda *_: True)
    if verdict.ruling is not Ruling.vetoed:
        return None
    neighbours = tuple(Neighbour(comment, measured[comment]) for comment in verdict.neighbours)
    return Silence(Cause.veto, verdict.explanation, neighbours=neighbours)
