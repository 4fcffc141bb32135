"""What becomes of findings that people here did not want to hear the like of: they are listed, and counted.

Nothing that blocks, that is critical or a secret, or that already has a thread is ever withheld, whoever asks for it.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.domain.clip import deduplicate
from bot.domain.findings import Finding
from bot.domain.quiet import exempt
from bot.domain.sameness import same


class Cause(enum.StrEnum):
    """Why a finding is withheld."""

    auto_mute = "auto_mute"
    manual_mute = "manual_mute"
    veto = "veto"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Name a comment that people rejected, and how like it a finding is, from 0 to 1."""

    comment: uuid.UUID
    likeness: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Hold why a finding is not said, in a sentence too; ``mute`` is what mutes it, ``neighbours`` what vetoes it."""

    cause: Cause
    explanation: str
    mute: uuid.UUID | None = None
    neighbours: tuple[Neighbour, ...] = ()


@dataclass(frozen=True, slots=True)
class Withheld:
    """Hold a finding that did not become a comment, and why."""

    finding: Finding
    silence: Silence


#: By fingerprint.
Silences = Mapping[str, Silence]
NO_SILENCES: Silences = MappingProxyType({})


def parted(
    relevant: Iterable[Finding],
    aloud: Iterable[Finding],
    silences: Silences,
    *,
    blocking: Collection[str],
    known: Collection[str],
) -> tuple[list[Finding], tuple[Withheld, ...]]:
    """Return those of *relevant* that are said, and those that are withheld, with what says the same in their place.

    Args:
        relevant: what would be said, or listed as too mild.
        aloud: the same before what says the same was taken together.
        silences: what is asked to be withheld.
        blocking: fingerprints of what blocks.
        known: fingerprints of what was said or declined before, which goes its own way.
    """

    def spared(one: Finding) -> bool:
        return exempt(one) or one.fingerprint in blocking or one.fingerprint in known

    said: list[Finding] = []
    withheld: list[Withheld] = []
    for one in relevant:
        silence = silences.get(one.fingerprint)
        if silence is None or spared(one):
            said.append(one)
        else:
            withheld.append(Withheld(one, silence))
    shown = {one.fingerprint for one in (*said, *(quiet.finding for quiet in withheld))}
    behind = [
        one
        for one in aloud
        if one.fingerprint not in shown
        and spared(one)
        and any(same(quiet.finding, one) for quiet in withheld)
        and not any(same(other, one) for other in said)
    ]
    return [*said, *deduplicate(behind)], tuple(withheld)
