"""Deliveries come in any order, several times, in the same second: what is reviewed in the end is what is true."""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.clock import SystemClock
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.domain.errors import Obsolete
from bot.domain.events import Action, FetchRequested, MergeRequestChanged, Record, Stage
from bot.domain.forge import ForgeMergeRequest
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import RunState
from bot.ports import Transaction
from bot.runtime.consumer import Work
from consumers.intake import intake

START = datetime(2026, 1, 1, tzinfo=UTC)


class Overheard(PostgresStore):
    """A store that remembers which events it was given."""

    def __init__(self, pool: Any) -> None:
        super().__init__(pool, announce=lambda _: None)
        self.emitted: deque[Record] = deque()

    @asynccontextmanager
    async def commit(self, group: str, parent: Record) -> AsyncIterator[Transaction]:
        async with super().commit(group, parent) as transaction:
            yield transaction
        self.emitted.extend(transaction.emitted)  # type: ignore[attr-defined]


class Silent:
    """Telemetry that goes nowhere."""

    def count(self, *_: object, **__: object) -> None:
        pass


@dataclass
class Life:
    """A merge request's life, as hooks tell it and as the forge shows it in the end."""

    ref: MergeRequestRef
    head: str | None = None
    state: str = "opened"
    seconds: int = 0
    hooks: list[MergeRequestChanged] = field(default_factory=list)

    def act(self, name: str, *, later_s: int, timed: bool) -> None:
        """Let something happen, *later_s* after what was before."""
        self.seconds += later_s
        if name in {"open", "push"}:
            self.head = f"{len(self.hooks):040x}"
        self.state = {"close": "closed", "merge": "merged"}.get(name, "opened")
        self.hooks.append(
            MergeRequestChanged(
                ref=self.ref,
                action=Action.changed if self.state == "opened" else Action.closed,
                head_sha=self.head,
                updated_at=START + timedelta(seconds=self.seconds) if timed else None,
                source="hook",
            )
        )

    async def merge_request(self, ref: MergeRequestRef) -> ForgeMergeRequest:
        """Return what the forge shows in the end, when all deliveries are still on their way."""
        return ForgeMergeRequest(
            ref,
            "title",
            "",
            self.state,
            False,
            self.head,
            None,
            "main",
            "feature",
            7,
            "https://gitlab.example",
        )


def lives(count: int) -> Iterator[tuple[random.Random, Life]]:
    """Yield lives of merge requests, some in one second, some without any time."""
    for seed in range(count):
        chance = random.Random(seed)
        life = Life(MergeRequestRef(instance="gitlab.example", project_id=7, iid=seed + 1))
        timed = chance.random() < 0.8
        life.act("open", later_s=0, timed=timed)
        for _ in range(chance.randint(0, 5)):
            steps = ["reopen"] if life.state == "closed" else ["push", "push", "close"]
            life.act(chance.choice(steps), later_s=chance.randint(0, 1), timed=timed)
        if life.state == "opened" and chance.random() < 0.3:
            life.act("merge", later_s=chance.randint(0, 1), timed=timed)
        yield chance, life


async def hand_out(store: Overheard, life: Life, hooks: list[MergeRequestChanged]) -> None:
    """Hand out *hooks*, and what follows from them until the fetch knows that its head is the newest."""
    store.emitted.extend(Record.of(hook, id=uuid.uuid4()) for hook in hooks)
    while store.emitted:
        record = store.emitted.popleft()
        event, work = record.event(), Work(Stage(record.stage), record, store)
        try:
            if isinstance(event, FetchRequested):
                run, found = await work.run(event.run_id), await life.merge_request(event.ref)
                if found.state != "opened" or found.head_sha != run.head_sha:
                    await work.follow(run, found)
            elif isinstance(event, MergeRequestChanged):
                ports = {"forge": life, "approvals": life, "clock": SystemClock(), "telemetry": Silent()}
                ports |= {"debounce": timedelta(), "verdicts": PostgresVerdicts(store._pool)}
                ports |= {"announcing": None, "instance_url": "https://gitlab.example"}
                await intake.handle(event, work=work, **ports)
        except Obsolete:
            continue


async def test_the_newest_head_is_under_review_and_nothing_else(pool: Any) -> None:
    """Whatever the order, with deliveries that come twice: an open merge request has a run, a closed one none."""
    store = Overheard(pool)
    for chance, life in lives(300):
        repeated = chance.sample(life.hooks, chance.randint(0, len(life.hooks)))
        hooks = life.hooks + repeated
        chance.shuffle(hooks)
        await hand_out(store, life, hooks)
        told = [(hook.action.value, hook.head_sha, hook.updated_at) for hook in hooks]
        state = await store.merge_request(life.ref)
        assert state.run_id is not None or life.state != "opened", told
        run = await store.run(state.run_id) if state.run_id else None
        if life.state == "opened":
            assert run is not None
            assert (life.head, life.head, False) == (state.head_sha, run.head_sha, state.closed), told
            assert run.state is RunState.started, told
        else:
            assert state.closed, told
            assert run is None or run.state is RunState.superseded, told
