"""The measurements, each a coroutine that returns figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from tests.bench.accepting import CONNECTIONS, accepting, latency
from tests.bench.bare import inserts
from tests.bench.figures import Figure, median
from tests.bench.product import Product, listening
from tests.bench.webhooks import sending
from tests.bench.workload import CHANGED_LINES, FILES
from tests.gitlab import GitLab

#: How long anything may take before the measurement is given up.
_LIMIT_S = 60.0
_POLL_S = 0.02
_STARTS = 3
_REPEATS = 5
_BURST = 10
#: Merge requests of one measurement and those of the next have different names.
_APART = 10_000
_BARE_S = 3.0
#: Until memory is measured again.
_REVIEWS = 50

#: When each event was stored, taken up and done, in the order of the flow.
_STAGES = """
SELECT e.stage, e.body->>'scanner' AS scanner, e.appended_at, i.started_at, i.done_at
FROM event e JOIN inbox i ON i.event_id = e.id AND i.consumer_group = e.stage
WHERE e.key LIKE '%:' || $1 AND i.done_at IS NOT NULL ORDER BY e.appended_at
"""

_FINISHED = """
SELECT count(*) = cardinality($1::int[]) FROM merge_request m JOIN review_run r ON r.id = m.run_id
WHERE m.iid = ANY($1) AND r.state IN ('finished', 'failed')
"""

_CAUGHT_UP = """
SELECT NOT EXISTS (SELECT FROM event e WHERE NOT EXISTS
    (SELECT FROM inbox i WHERE i.consumer_group = e.stage AND i.event_id = e.id AND i.done_at IS NOT NULL))
"""


async def starts(gitlab: GitLab, ollama: ScriptedOllama, data_dir: Path) -> list[Figure]:
    """Measure from exec to an answering ``/readyz``: in an empty directory, and again."""
    with Product(gitlab, ollama, data_dir) as product:
        first_s = product.ready_after_s
    again: list[float] = []
    for _ in range(_STARTS):
        with Product(gitlab, ollama, data_dir) as product:
            again.append(product.ready_after_s)
    return [
        Figure("first start", first_s, "s", note="empty data directory: initdb and migrations included"),
        Figure("start", median(again), "s", goal=2, note=f"exec to /readyz, median of {_STARTS}"),
    ]


async def killed(gitlab: GitLab, ollama: ScriptedOllama, data_dir: Path) -> list[Figure]:
    """Measure from kill -9 in the middle of reviews until all are published by another process."""
    with Product(gitlab, ollama, data_dir) as victim, listening(victim):
        session = Session(victim, await asyncpg.connect(victim.database_url), first=_APART)
        opened = [await asyncio.to_thread(session.open) for _ in range(_BURST)]
        await session.published(opened[:1])
        began = time.perf_counter()
        victim.kill()
        with Product(gitlab, ollama, data_dir) as successor:
            ready_s = time.perf_counter() - began
            await Session(successor, await asyncpg.connect(successor.database_url)).published(opened)
            seconds = time.perf_counter() - began
    note = f"kill -9 among {_BURST} reviews, started again at once"
    return [
        Figure("embedded: killed, ready again", ready_s, "s", note=note),
        Figure("embedded: killed, all published", seconds, "s", note=note),
    ]


class Session:
    """Measure one running Cloister."""

    def __init__(self, product: Product, database: Any, *, first: int = 0) -> None:
        self._product = product
        self._database = database
        self._variant = first

    async def idle(self) -> list[Figure]:
        """Measure memory before any review."""
        await asyncio.sleep(5)
        before = self._product.cpu_s()
        await asyncio.sleep(5)
        cpu = (self._product.cpu_s() - before) / 5 * 100
        return [
            Figure("idle memory", self._product.memory_mb(), "MB", goal=150, note="resident, Postgres apart"),
            Figure("idle processor", cpu, "% of a core"),
        ]

    async def alone(self) -> list[Figure]:
        """Measure single reviews: the first, which clones, and the median of more."""
        first_s, merge_request = await self._review()
        server, model = self._product.gitlab.server, self._product.ollama
        calls = server.count(path_regex=r"^/api/v4/")
        asked = len(model.requests)
        timed = [await self._review() for _ in range(_REPEATS)]
        api_calls = (server.count(path_regex=r"^/api/v4/") - calls) / _REPEATS
        characters = sum(_characters(request) for request in model.requests[asked:]) / _REPEATS
        seconds, (_, merge_request) = median([s for s, _ in timed]), min(timed, key=lambda one: one[0])
        threads = sum(1 for notes in merge_request.discussions.values() if notes[0].position is not None)
        size = f"{CHANGED_LINES} lines in {FILES} files, {threads} threads"
        return [
            Figure("first review", first_s, "s", note="clones the project"),
            Figure("webhook to published", seconds, "s", goal=2, note=f"median of {_REPEATS}; {size}"),
            *await self._stages(merge_request),
            Figure("GitLab API calls", api_calls, "calls", goal=12, note="each review, git apart"),
            Figure("prompt", characters, "characters", goal=40_000, note="each review, all parts"),
        ]

    async def burst(self) -> list[Figure]:
        """Measure many merge requests opened at once, then again with webhooks timed beside them."""
        seconds = await self._reviews(_BURST)
        example = await self._example()
        reviewing = asyncio.create_task(self._reviews(_BURST))
        async with sending(self._product.webhook_url, example, connections=1, rate=25) as beside:
            await reviewing
            load = await beside.outcome(stop=True)
        return [
            Figure(f"{_BURST} reviews at once", seconds, "s", goal=10),
            *latency("webhook during reviews", load, goal_ms=50),
        ]

    async def webhooks(self) -> list[Figure]:
        """Measure webhooks alone: one by one, at fixed rates, then as many as go in, beside bare inserts."""

        async def bare() -> float:
            return await inserts(self._product.database_url, CONNECTIONS, _BARE_S)

        async def done() -> None:
            await self._until(_CAUGHT_UP)

        return await accepting("embedded", self._product, await self._example(), bare, done)

    async def grown(self) -> list[Figure]:
        """Measure memory after many reviews."""
        while self._variant < _REVIEWS:
            await self._reviews(min(_BURST, _REVIEWS - self._variant))
        return [Figure(f"memory after {self._variant} reviews", self._product.memory_mb(), "MB")]

    async def _review(self) -> tuple[float, MergeRequest]:
        began = time.perf_counter()
        merge_request = await asyncio.to_thread(self.open)
        await self.published([merge_request])
        return time.perf_counter() - began, merge_request

    async def _reviews(self, count: int) -> float:
        began = time.perf_counter()
        opened = [await asyncio.to_thread(self.open) for _ in range(count)]
        await self.published(opened)
        return time.perf_counter() - began

    def open(self) -> MergeRequest:
        """Open the next merge request."""
        self._variant += 1
        return self._product.open_merge_request(self._variant)

    async def published(self, merge_requests: Sequence[MergeRequest]) -> None:
        """Wait until the reviews of *merge_requests* have ended."""
        iids = [one.iid for one in merge_requests]
        await self._until(_FINISHED, iids)

    async def _until(self, query: str, *arguments: Any) -> None:
        """Wait until *query* says yes."""
        async with asyncio.timeout(_LIMIT_S):
            while not await self._database.fetchval(query, *arguments):
                await asyncio.sleep(_POLL_S)

    async def _stages(self, merge_request: MergeRequest) -> list[Figure]:
        """Return where the time of one review went; scans and the model run beside each other."""
        rows = await self._database.fetch(_STAGES, f"{merge_request.project.id}:{merge_request.iid}")
        began = rows[0]["appended_at"]
        return [
            Figure(
                f"  {row['stage']}{' ' + row['scanner'] if row['scanner'] else ''}",
                _ms(row["done_at"] - row["started_at"]),
                "ms",
                note=f"taken up at {_ms(row['started_at'] - began):.0f}, {_ms(row['started_at'] - row['appended_at']):.1f} after it was stored",
            )
            for row in rows
        ]

    async def _example(self) -> bytes:
        """Return a webhook as GitLab sends it."""
        if self._variant == 0:
            await self._review()
        deliveries = self._product.gitlab.server.deliveries
        return next(d.body for d in deliveries if d.payload["object_kind"] == "merge_request")


@asynccontextmanager
async def session(gitlab: GitLab, ollama: ScriptedOllama, data_dir: Path) -> AsyncIterator[Session]:
    """Run a Cloister to measure."""
    with Product(gitlab, ollama, data_dir) as product, listening(product):
        database = await asyncpg.connect(product.database_url)
        try:
            yield Session(product, database)
        finally:
            await database.close()


def _ms(duration: timedelta) -> float:
    return duration.total_seconds() * 1000


def _characters(request: Mapping[str, Any]) -> int:
    return sum(len(message["content"]) for message in request["messages"])
