"""A pool of servers: who is asked, who is asked instead, and who is left alone."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bot.adapters.model_errors import Unfit
from bot.adapters.model_pool import Pool
from bot.domain.errors import Permanent, Transient
from bot.domain.said import Useless


@dataclass
class Server:
    """Stand for a model server that answers with its name, or fails."""

    name: str
    error: Exception | None = None
    calls: int = 0
    busy: int = 0
    most: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self) -> str:
        self.calls += 1
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await self.go.wait()
        finally:
            self.busy -= 1
        if self.error:
            raise self.error
        return self.name


def server(name: str, error: Exception | None = None) -> Server:
    """Return a server that answers at once."""
    made = Server(name, error)
    made.go.set()
    return made


async def ask(member: Server) -> str:
    """Ask one server."""
    return await member.ask()


async def test_the_least_busy_is_asked():
    """By the share of its places that is taken; of equals the first."""
    small, large = Server("small"), Server("large")
    pool = Pool([(small, 1), (large, 4)])
    tasks = [asyncio.create_task(pool.run(ask)) for _ in range(5)]
    await asyncio.sleep(0)

    assert (small.busy, large.busy) == (1, 4)
    small.go.set()
    large.go.set()
    assert sorted(await asyncio.gather(*tasks)) == ["large"] * 4 + ["small"]


async def test_no_server_gets_more_than_its_places():
    """What comes beyond waits for whichever is free first."""
    one, two = Server("one"), Server("two")
    pool = Pool([(one, 1), (two, 2)])
    tasks = [asyncio.create_task(pool.run(ask)) for _ in range(12)]
    await asyncio.sleep(0)
    two.go.set()
    for _ in range(50):
        await asyncio.sleep(0)
    one.go.set()
    answers = await asyncio.gather(*tasks)

    assert (one.most, two.most) == (1, 2)
    assert answers.count("two") == 11


@pytest.mark.parametrize("error", [Transient("away"), Unfit("no such model")])
async def test_another_server_stands_in(error: Exception):
    """Nobody notices a server that is away, or lacks the model."""
    pool = Pool([(server("bad", error), 1), (server("good"), 1)])

    assert await pool.run(ask) == "good"


@pytest.mark.parametrize("error", [Useless("it repeats itself"), Permanent("the prompt does not fit")])
async def test_what_is_the_requests_or_the_models_fault_is_not_repeated_elsewhere(error: Exception):
    """Another server has the same model."""
    good = server("good")
    pool = Pool([(server("bad", error), 1), (good, 1)])

    with pytest.raises(type(error), match=str(error)):
        await pool.run(ask)
    assert good.calls == 0


async def test_there_is_one_more_try_and_no_third():
    """When two are away, the third is left to those who come next."""
    third = server("third")
    pool = Pool([(server("one", Transient("a")), 1), (server("two", Transient("b")), 1), (third, 1)])

    with pytest.raises(Transient, match="a; b"):
        await pool.run(ask)
    assert third.calls == 0
    assert await pool.run(ask) == "third"


async def test_a_failed_server_is_left_alone_for_a_while_then_tried_once():
    """It does not get every second request, and at its return not all at once."""
    now = 0.0
    bad, good = server("bad", Transient("away")), server("good")
    pool = Pool([(bad, 4), (good, 4)], monotonic=lambda: now)
    for _ in range(5):
        await pool.run(ask)
    assert bad.calls == 1

    now = 31.0
    bad.error = None
    bad.go.clear()
    good.go.clear()
    tasks = [asyncio.create_task(pool.run(ask)) for _ in range(4)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert (bad.busy, good.busy) == (1, 3)
    bad.go.set()
    good.go.set()
    await asyncio.gather(*tasks)
    bad.go.clear()
    good.go.clear()
    tasks = [asyncio.create_task(pool.run(ask)) for _ in range(8)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert (bad.busy, good.busy) == (4, 4)
    bad.go.set()
    good.go.set()
    await asyncio.gather(*tasks)


async def test_when_all_are_away_the_shortest_wait_counts():
    """Whoever asks again does so when the first may be back."""
    pool = Pool(
        [
            (server("one", Transient("a", retry_after_s=30)), 1),
            (server("two", Transient("b", retry_after_s=5)), 1),
        ]
    )

    with pytest.raises(Transient) as away:
        await pool.run(ask)
    assert away.value.retry_after_s == 5


async def test_when_none_can_be_used_it_is_permanent_and_all_are_named():
    """Waiting would not help."""
    pool = Pool([(server("one", Unfit("no model at one")), 1), (server("two", Unfit("too old: two")), 1)])

    with pytest.raises(Permanent, match="no model at one; too old: two"):
        await pool.run(ask)


async def test_a_broken_off_call_frees_its_place():
    """A superseded review leaves nothing behind."""
    one = Server("one")
    pool = Pool([(one, 1)])
    task = asyncio.create_task(pool.run(ask))
    waiting = asyncio.create_task(pool.run(ask))
    await asyncio.sleep(0)
    task.cancel()
    one.go.set()

    assert await asyncio.wait_for(waiting, 150) == "one"


def test_an_empty_pool_names_the_setting():
    """There is nobody to ask."""
    with pytest.raises(Permanent, match="CLOISTER_MODEL_URL"):
        Pool([])
