"""A stage that does nothing, on the real log and the real store."""

from __future__ import annotations

import asyncio
import time

from bot.adapters.clock import SystemClock
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.postgres import connect_pool
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.telemetry import OpenTelemetry
from bot.domain.events import MergeRequestChanged, Stage
from bot.ports import EventLog
from bot.runtime.consumer import Work, consumer
from bot.runtime.loop import ConsumeLoop
from tests.bench.bare import records

EVENTS = 5_000
_BATCH = 500
_CONNECTIONS = 40


async def handled(log: EventLog | None, database_url: str, concurrency: int) -> float:
    """Return events a second from the first to the last of ``EVENTS``, all of other merge requests.

    Each costs what any stage costs: the start is counted, and a transaction marks the event as handled. Without a
    *log* it is that of the database.
    """
    pool = await connect_pool(database_url, size=_CONNECTIONS)
    async with PostgresLog(pool) as own, asyncio.TaskGroup() as group:
        log = log or own
        events = records(EVENTS)
        for start in range(0, EVENTS, _BATCH):
            await log.append(events[start : start + _BATCH])
        stop = asyncio.Event()
        done = 0
        began = 0.0

        @consumer(Stage.intake)
        async def nothing(event: MergeRequestChanged, *, work: Work) -> None:
            nonlocal began, done
            began = began or time.perf_counter()
            async with work.commit():
                done += 1
            if done == EVENTS:
                stop.set()

        with OpenTelemetry() as telemetry:
            loop = ConsumeLoop(
                nothing.bind({}),
                event_log=log,
                store=PostgresStore(pool, trace_context=telemetry.trace_context),
                telemetry=telemetry,
                clock=SystemClock(),
                concurrency=concurrency,
            )
            running = group.create_task(loop.run(stop))
            await stop.wait()
            elapsed_s = time.perf_counter() - began
            await running
    await pool.close()
    return EVENTS / elapsed_s
