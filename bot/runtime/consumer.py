"""How a stage is declared: a coroutine with its event first and its ports by keyword."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.domain.errors import Obsolete, Transient
from bot.domain.events import Action, MergeRequestChanged, Record, Stage, StepFinished
from bot.domain.findings import Finding
from bot.domain.forge import ForgeMergeRequest
from bot.domain.run import Run, Step
from bot.ports import Store, Transaction

#: How often running work looks whether a newer head has made it pointless.
WATCH_S = 1.0


@dataclass(frozen=True, slots=True)
class Work:
    """Hold one delivery in the hands of a consumer."""

    stage: Stage
    record: Record
    store: Store
    failures: int = 0

    async def run(self, run_id: uuid.UUID) -> Run:
        """Return the run that the event is about.

        Raises:
            Obsolete: it has ended.
        """
        run = await self.store.run(run_id)
        if run.ended:
            raise Obsolete(f"the review run is {run.state}")
        return run

    def commit(self) -> AbstractAsyncContextManager[Transaction]:
        """Open the one transaction that ends this delivery: rows, inbox mark and emitted events."""
        return self.store.commit(self.stage.value, self.record)

    async def follow(self, run: Run, found: ForgeMergeRequest) -> None:
        """End this delivery by acting on what the forge shows, since the event about that is late, or lost.

        Raises:
            Transient: the merge request is being merged, which may fail.
        """
        if found.state == "locked":
            raise Transient("the merge request is being merged")
        opened = found.state == "opened"
        # The policy of another target branch is not known yet, though the head is.
        retargeted = run.facts.target_branch not in {None, found.target_branch}
        shown = MergeRequestChanged(
            ref=run.ref,
            action=Action.changed if opened else Action.closed,
            head_sha=found.head_sha,
            again=not opened or retargeted,
            draft=found.draft,
            redecide=run.left_out and not found.draft,
            source="forge",
        )
        async with self.commit() as transaction:
            transaction.emit(shown)

    async def finish_step(
        self, run_id: uuid.UUID, name: str, step: Step, findings: Sequence[Finding] = ()
    ) -> None:
        """End this delivery by storing how a step of a run ended, and saying so."""
        async with self.commit() as transaction:
            run = await transaction.run(run_id)
            if run.ended:
                return
            await transaction.replace_findings(run.id, name, findings)
            await transaction.save_run(run.finish_step(name, step))
            transaction.emit(StepFinished(ref=run.ref, run_id=run.id, step=name))

    @asynccontextmanager
    async def while_current(self, run: Run, *, every_s: float = WATCH_S) -> AsyncIterator[None]:
        """Cancel the body once *run* is not wanted any more, which is asked every so many seconds.

        Raises:
            Obsolete: a newer head won, or the merge request was closed.
        """
        obsolete = False
        body = asyncio.current_task()

        async def watch() -> None:
            nonlocal obsolete
            while not obsolete:
                await asyncio.sleep(every_s)
                with suppress(Transient):  # a store that is away says nothing; it is asked again
                    obsolete = not await self.store.is_current(run)
            if body is not None:
                body.cancel()

        if not await self.store.is_current(run):
            raise Obsolete("a newer head won, or the merge request was closed")
        watcher = asyncio.create_task(watch())
        try:
            yield
        except asyncio.CancelledError:
            if obsolete and body is not None and body.uncancel() == 0:
                raise Obsolete("a newer head won, or the merge request was closed") from None
            raise
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)


Handler = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Consumer:
    """Pair a stage with its handler and with what to do when an event is given up.

    ``exhausted`` is called like the handler, with the reason as keyword ``problem``; it tells the run, so that
    people see what is missing instead of waiting for it.
    """

    stage: Stage
    handle: Handler
    exhausted: Handler | None = None

    def bind(self, ports: Mapping[str, Any]) -> Consumer:
        """Return this consumer with its ports filled in by parameter name.

        Raises:
            TypeError: a port is missing.
        """
        return Consumer(
            self.stage, _bind(self.handle, ports), self.exhausted and _bind(self.exhausted, ports)
        )


def consumer(stage: Stage, *, exhausted: Handler | None = None) -> Callable[[Handler], Consumer]:
    """Declare a coroutine as the consumer of *stage*."""
    return lambda handle: Consumer(stage, handle, exhausted)


def _bind(handler: Handler, ports: Mapping[str, Any]) -> Handler:
    wanted = {
        name
        for name, parameter in inspect.signature(handler).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in {"work", "problem"}
    }
    missing = wanted - set(ports)
    if missing:
        raise TypeError(f"{handler.__name__} wants ports that nobody provides: {', '.join(sorted(missing))}")
    return partial(handler, **{name: ports[name] for name in wanted})
