"""Put the parts together: settings -> adapters -> consumers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from typing import Any

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.forge_gitlab_updates import GitLabUpdates
from bot.adapters.labels_postgres import PostgresLabels
from bot.adapters.log_kafka import KafkaLog
from bot.adapters.model_chat import Deadlines
from bot.adapters.reconciliation_postgres import PostgresReconciliations
from bot.adapters.retention_postgres import prune_regularly
from bot.adapters.rollups_postgres import roll_up
from bot.domain.events import Stage
from bot.runtime.consumer import Consumer
from bot.runtime.feedback_poller import FeedbackPoller
from bot.runtime.loop import ConsumeLoop
from bot.runtime.reckoner import Reckoner
from bot.runtime.reconciler import Reconciler
from bot.runtime.relay import GROUP, Relay
from bot.wiring_base import Base, base, kafka_connection, telemetry_of
from bot.wiring_noise import noise_keeper
from bot.wiring_ports import beside, ports_of
from consumers.collect import collect
from consumers.converse import converse
from consumers.feedback import feedback
from consumers.fetch import fetch
from consumers.intake import intake
from consumers.publish import publish
from consumers.report import report
from consumers.review import review
from consumers.scan import scan
from consumers.tests import tests
from consumers.verify import verify

__all__ = [
    "CONSUMERS",
    "CONSUMER_CONNECTIONS",
    "RECEIVER_CONNECTIONS",
    "Base",
    "base",
    "kafka_connection",
    "reconciler",
    "run_consumers",
    "telemetry_of",
]

CONSUMERS: dict[Stage, Consumer] = {
    one.stage: one
    for one in (intake, fetch, scan, report, review, collect, verify, publish, converse, tests, feedback)
}

#: Connections of the consumers: each stage holds one for its partitions, and one waits to be woken up.
CONSUMER_CONNECTIONS = 24
#: Connections of the receiver: one waits, one appends, the rest answer whether the database is there.
RECEIVER_CONNECTIONS = 4


async def run_consumers(
    base: Base, stages: Collection[Stage], stop: asyncio.Event, *, deadlines: Deadlines | None = None
) -> None:
    """Run the consumers of *stages* until *stop* is set; *deadlines* bound the model's answers."""
    async with AsyncExitStack() as stack:
        kafka = base.log if isinstance(base.log, KafkaLog) else None
        pruning = prune_regularly(
            base.pool,
            base.telemetry,
            shipped_by=GROUP if kafka else None,
            days=base.settings.feedback_days,
            review_days=base.settings.review_days,
        )
        beside(stack, pruning, name="retention")
        reckoner = Reckoner(PostgresLabels(base.pool), lambda batch: roll_up(base.pool, batch=batch))
        beside(stack, reckoner.run(), name="labels and counts")
        scanning = not {Stage.scan, Stage.verify}.isdisjoint(stages)
        ports = await ports_of(base, stack, deadlines, scanning=scanning)
        if Stage.intake in stages and base.settings.reconcile != "off":
            beside(stack, reconciler(base, ports["forge"].api).run(), name="reconciler")
        if Stage.feedback in stages and base.settings.feedback_per_minute:
            beside(stack, _feedback_poller(base, ports).run(), name="feedback")
        if Stage.feedback in stages:
            keeper = noise_keeper(
                base.pool, base.instance, ports["embeddings"], clock=base.clock, telemetry=base.telemetry
            )
            beside(stack, keeper.run(), name="noise")
        suspects = asyncio.Lock()
        loops = [
            ConsumeLoop(
                CONSUMERS[stage].bind(ports),
                event_log=base.log,
                store=base.store,
                telemetry=base.telemetry,
                clock=base.clock,
                concurrency=base.settings.concurrency,
                suspects=suspects,
            )
            for stage in stages
        ]
        async with asyncio.TaskGroup() as group:
            # The first use compiles the rules for most of a second: now and in a thread, not in this loop later.
            group.create_task(asyncio.to_thread(ports["redact"], "warm up"), name="warm up")
            for loop in loops:
                group.create_task(loop.run(stop))
            if kafka is not None:
                group.create_task(kafka.move_retries(stop), name="retries")
                relay = Relay(base.outbox, kafka, base.store, base.telemetry)
                group.create_task(relay.run(stop), name="relay")


def reconciler(base: Base, api: GitLabApi) -> Reconciler:
    """Return what finds merge requests whose event never came, by asking GitLab through *api*."""
    return Reconciler(
        forge=GitLabUpdates(api, base.instance),
        reconciliations=PostgresReconciliations(base.pool),
        sink=base.outbox,
        telemetry=base.telemetry,
        clock=base.clock,
        instance=base.instance,
        members=base.settings.reconcile == "member",
    )


def _feedback_poller(base: Base, ports: Mapping[str, Any]) -> FeedbackPoller:
    return FeedbackPoller(
        feedback=ports["feedback"],
        sink=base.outbox,
        telemetry=base.telemetry,
        per_minute=base.settings.feedback_per_minute,
    )
