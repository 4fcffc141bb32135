"""Settings -> what keeps noise down: mutes, precedents, and who keeps them up."""

from __future__ import annotations

from typing import Any

from bot.adapters.labels_postgres import PostgresLabels
from bot.adapters.mutes_postgres import PostgresMutes
from bot.adapters.precedents_postgres import PostgresPrecedents
from bot.ports import Clock, Embeddings, Telemetry
from bot.reviewer.quieting import Quieting
from bot.runtime.noise_keeper import NoiseKeeper


def quieting_of(pool: Any, instance: str, embeddings: Embeddings | None) -> Quieting:
    """Return what decides which findings are withheld."""
    return Quieting(PostgresMutes(pool, instance), PostgresPrecedents(pool, instance), embeddings)


def noise_keeper(
    pool: Any, instance: str, embeddings: Embeddings | None, *, clock: Clock, telemetry: Telemetry
) -> NoiseKeeper:
    """Return what keeps labels, mutes and vectors up."""
    return NoiseKeeper(
        labels=PostgresLabels(pool),
        mutes=PostgresMutes(pool, instance),
        precedents=PostgresPrecedents(pool, instance),
        embeddings=embeddings,
        clock=clock,
        telemetry=telemetry,
        instance=instance,
    )
