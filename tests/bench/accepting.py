"""How fast webhooks are accepted, beside what the bare driver appends: the same for every log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.bench.figures import Figure, percentile
from tests.bench.product import Product
from tests.bench.webhooks import Load, send

CONNECTIONS = 16
#: What a large installation sends at its worst, and what we want to take.
_RATES = (500, 1200)
_SECONDS = 5.0
_ALONE = 500
#: So many that a webhook at a fixed rate seldom waits for a free one.
_PACED_CONNECTIONS = 64


async def accepting(
    log: str,
    product: Product,
    example: bytes,
    bare: Callable[[], Awaitable[float]],
    done: Callable[[], Awaitable[None]],
) -> list[Figure]:
    """Measure webhooks: one by one, at fixed rates, and as many as go in.

    *bare* is the rate of the driver; *done* waits until the product has worked off what was sent.
    """
    url = product.webhook_url
    # The first ones find connections that are not open yet.
    await send(url, example, connections=CONNECTIONS, seconds=0.5)
    alone = await send(url, example, connections=1, count=_ALONE)
    figures = latency(f"{log}: webhook alone", alone, goal_ms=20)
    for rate in _RATES:
        await done()
        paced = await send(url, example, connections=_PACED_CONNECTIONS, rate=rate, seconds=_SECONDS)
        figures += [
            Figure(
                f"{log}: accepted of {rate:,}/s", paced.per_second, "1/s", note=f"{paced.refused} refused"
            ),
            *latency(f"{log}: webhook at {rate:,}/s", paced, goal_ms=100),
        ]
    await done()
    baseline = await bare()
    before = product.cpu_s()
    many = await send(url, example, connections=CONNECTIONS, seconds=_SECONDS)
    return [
        *figures,
        Figure(
            f"{log}: webhooks accepted",
            many.per_second,
            "1/s",
            goal=1200,
            more_is_better=True,
            baseline=baseline,
            note=f"{CONNECTIONS} connections; ratio to as many bare appends at a time; {many.refused} refused",
        ),
        *latency(f"{log}: webhook, {CONNECTIONS} at a time", many, goal_ms=100),
        Figure(
            f"{log}: processor time of a webhook",
            (product.cpu_s() - before) / len(many.accepted_s) * 1000,
            "ms",
            note=f"Cloister; {many.cpu_s / len(many.accepted_s) * 1000:.2f} ms more went into sending it",
        ),
    ]


def latency(name: str, load: Load, goal_ms: float | None = None) -> list[Figure]:
    """Return the median and the slowest hundredth."""
    size = f"{len(load.accepted_s)} webhooks"
    return [
        Figure(f"{name}, p50", percentile(load.accepted_s, 0.5) * 1000, "ms", note=size),
        Figure(f"{name}, p99", percentile(load.accepted_s, 0.99) * 1000, "ms", goal=goal_ms, note=size),
    ]
