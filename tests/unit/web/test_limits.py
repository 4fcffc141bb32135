"""How often somebody may ask."""

import pytest
from fastapi import Request

from bot.web.limits import Allowance, Buckets, Turnstile
from bot.web.problems import Problem


class Watch:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    """Return a clock that stands still."""
    return Watch()


def test_a_bucket_empties_and_fills_again(watch: Watch):
    """As many at once as the burst; then at the rate, and never more than the burst after a pause."""
    buckets = Buckets(watch, Allowance(burst=3, per_s=2.0))

    assert [buckets.take("lea") for _ in range(4)] == [0, 0, 0, 0.5]
    watch.now += 0.5
    assert [buckets.take("lea"), buckets.take("lea")] == [0, 0.5]
    watch.now += 1_000
    assert [buckets.take("lea") for _ in range(4)] == [0, 0, 0, 0.5]


def test_each_has_a_bucket(watch: Watch):
    """Nobody is held up by others."""
    buckets = Buckets(watch, Allowance(burst=1, per_s=1.0))

    assert [buckets.take(who) for who in ("lea", "lea", "rob")] == [0, 1, 0]


def test_asking_too_early_costs_nothing(watch: Watch):
    """Whoever keeps on asking is let in when the time has come."""
    buckets = Buckets(watch, Allowance(burst=1, per_s=1.0))
    buckets.take("lea")
    for _ in range(10):
        watch.now += 0.0625
        assert buckets.take("lea") > 0
    watch.now = 101.0

    assert buckets.take("lea") == 0


def test_memory_is_bounded(watch: Watch):
    """Whoever asked longest ago is forgotten first."""
    buckets = Buckets(watch, Allowance(burst=1, per_s=0.001), most=2)
    for who in ("lea", "rob", "ada"):
        buckets.take(who)

    assert buckets.take("rob") > 0
    assert buckets.take("lea") == 0


@pytest.mark.parametrize("status", [401, 403])
async def test_whoever_is_refused_is_held_up_too(watch: Watch, status: int):
    """Be it for being nobody, or for asking what they may not: each costs a look into the database."""

    class Refusing:
        async def guard(self, request: Request) -> None:
            raise Problem(status, "refused", "no")

    free, counted = Buckets(watch, Allowance(1, 1.0)), Buckets(watch, Allowance(1, 1.0))
    turnstile = Turnstile(Refusing(), free, counted)  # type: ignore[arg-type]
    scope = {"type": "http", "path": "/api/v1/about", "headers": [], "client": ("192.0.2.1", 1)}
    refused = []
    for _ in range(2):
        with pytest.raises(Problem) as raised:
            await turnstile.guard(Request(scope))
        refused.append(raised.value.status)

    assert refused == [status, 429]
