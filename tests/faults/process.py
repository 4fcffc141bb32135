"""Run ``cloister`` as usual, but for steps at which it kills itself when a test has asked for that.

``python -m tests.faults.process DIRECTORY ARGUMENT...``: a file ``DIRECTORY/<step>`` is such a request. It holds a
merge request's key, ``*`` for any, and which passing of the step is meant, 0 for every one; whoever gets there takes
the file, unless it says 0, and dies.
Nothing in the product knows of this: the wrapping happens here, in a process that exists for the test alone.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import structlog

from bot import wiring
from bot.adapters import clock, forge_gitlab_api, kafka_subscription, log_records, transaction_postgres
from bot.adapters.feedback_postgres import PostgresFeedback
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.git_mirror import GitMirror
from bot.adapters.log_kafka import KafkaLog
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.model_chat import ChatModel
from bot.adapters.store_postgres import PostgresStore
from bot.cli import main
from bot.domain import retry
from bot.domain.events import Record
from bot.reviewer.verification import Verification
from bot.runtime.relay import Relay
from bot.runtime.spool import Spool
from bot.scanners.semgrep import SemgrepScanner
from tests.faults.steps import ANSWERS

#: Set: how many seconds of silence make a member of a Kafka group pass for dead, instead of the usual number.
SESSION_VARIABLE = "FAULT_SESSION_S"
#: Set: how often work that waits for the operator looks whether it can go on, instead of the usual seconds.
BLOCKED_VARIABLE = "FAULT_BLOCKED_S"
#: Set: by how many seconds the clock of this process is wrong.
CLOCK_VARIABLE = "FAULT_CLOCK_S"
#: Set: a file for the longest time, in seconds, that the event loop was kept busy by one thing.
LOOP_VARIABLE = "FAULT_LOOP"
#: The product's own background task that moves retries.
_MOVER = "retries"

Keys = Sequence[str]


class Traps:
    """Find out whether this process is to die here."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._passings: Counter[str] = Counter()

    def passed(self, step: str, keys: Keys) -> None:
        """Die if a test has asked for it."""
        request = self._directory / step
        try:
            key, _, passing = request.read_text().partition(" ")
        except FileNotFoundError:
            return
        if key != "*" and key not in keys:
            return
        self._passings[step] += 1
        if int(passing) and self._passings[step] == int(passing):
            # Taken by rename: of two processes that get here at once, one dies.
            request.rename(self._directory / f"{step}.sprung")
        elif int(passing):
            return
        os.kill(os.getpid(), signal.SIGKILL)


def _bound() -> tuple[str, Keys]:
    """Return the stage and the merge request that the running handler is about."""
    bound = structlog.contextvars.get_contextvars()
    return str(bound.get("stage", "")), (str(bound.get("merge_request", "")),)


Place = Callable[..., tuple[str, Keys] | None]


def _handler(name: str) -> Place:
    """Name a step of whichever stage runs."""

    def place(*_: Any) -> tuple[str, Keys]:
        stage, keys = _bound()
        return f"{stage}.{name}", keys

    return place


def _noted(*_: Any) -> tuple[str, Keys]:
    """Name what a plain comment is: the summary, or what we say to somebody."""
    stage, keys = _bound()
    return f"{stage}.{'said' if stage == ANSWERS else 'summarised'}", keys


def _received(name: str) -> Place:
    """Name a step of the receiver; handlers that append go another way."""

    def place(_: Any, records: Sequence[Record]) -> tuple[str, Keys] | None:
        return None if _bound()[0] else (f"web.{name}", [record.key for record in records])

    return place


def _retried(_: Any, records: Sequence[Record]) -> tuple[str, Keys] | None:
    """Name what a handler or the mover of retries has appended."""
    keys = [record.key for record in records]
    task = asyncio.current_task()
    if task is not None and task.get_name() == _MOVER:
        return "retry.moved", keys
    return ("retry.sent", keys) if _bound()[0] else None


def _shipped(_: Any, records: Sequence[Record]) -> tuple[str, Keys]:
    return "relay.shipped", [record.key for record in records]


def wrap(
    traps: Traps, owner: type, method: str, *, before: Place | None = None, after: Place | None = None
) -> None:
    """Make *method* pass a step before it begins, after it has ended, or both."""
    original = getattr(owner, method)

    @functools.wraps(original)
    async def call(*arguments: Any, **keywords: Any) -> Any:
        if before and (place := before(*arguments)):
            traps.passed(*place)
        result = await original(*arguments, **keywords)
        if after and (place := after(*arguments)):
            traps.passed(*place)
        return result

    setattr(owner, method, call)


def wrap_transactions(traps: Traps) -> None:
    """Make the transaction that ends a delivery pass three steps, and the lock on a merge request one."""
    commit, exclusive = PostgresStore.commit, PostgresStore.exclusive

    @asynccontextmanager
    async def stepwise(store: PostgresStore, group: str, parent: Record) -> AsyncIterator[Any]:
        traps.passed(f"{group}.worked", [parent.key])
        async with commit(store, group, parent) as transaction:
            yield transaction
            traps.passed(f"{group}.written", [parent.key])
        traps.passed(f"{group}.committed", [parent.key])

    @asynccontextmanager
    async def locked(store: PostgresStore, ref: Any) -> AsyncIterator[Any]:
        async with exclusive(store, ref) as held:
            traps.passed(f"{_bound()[0]}.locked", [ref.key])
            yield held

    PostgresStore.commit = stepwise  # type: ignore[method-assign,assignment]
    PostgresStore.exclusive = locked  # type: ignore[method-assign,assignment]


def wrap_all(traps: Traps) -> None:
    """Put every step where it belongs."""
    for sink in (Spool, PostgresLog):
        wrap(traps, sink, "append", before=_received("received"), after=_received("appended"))
    for log in (KafkaLog, PostgresLog):
        wrap(traps, log, "append", after=_retried)
    wrap(traps, PostgresStore, "start", before=_handler("delivered"), after=_handler("started"))
    wrap(traps, PostgresStore, "mark_posting", after=_handler("marked"))
    wrap_transactions(traps)
    wrap(traps, GitMirror, "fetch", after=_handler("fetched"))
    wrap(traps, SemgrepScanner, "scan", after=_handler("scanned"))
    wrap(traps, ChatModel, "answer", after=_handler("answered"))
    wrap(traps, Verification, "judge", after=_handler("judged"))
    wrap(traps, GitLabForge, "create_note", after=_noted)
    wrap(traps, PostgresFeedback, "expect", after=_handler("expected"))
    for method, name in {
        "create_draft": "drafted",
        "publish_drafts": "published",
        "edit_note": "summarised",
        "set_status": "status_set",
    }.items():
        wrap(traps, GitLabForge, method, after=_handler(name))
    wrap(traps, Relay, "_append", after=_shipped)


def shift_clock(seconds: float) -> None:
    """Make the clock of this process wrong; monotonic time is as it was."""
    offset = timedelta(seconds=seconds)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            """Return the wrong time."""
            return datetime.now(tz) + offset

    real = time.time
    time.time = lambda: real() + seconds
    for module in (clock, transaction_postgres, log_records, forge_gitlab_api):
        if hasattr(module, "datetime"):
            module.datetime = Wrong


def tell_tasks_when_asked() -> None:
    """Print what every task waits for on SIGUSR1, which a test sends to a process that does not end."""
    consume = wiring.run_consumers

    def tell() -> None:
        for task in asyncio.all_tasks():
            task.print_stack(file=sys.stderr)
        sys.stderr.flush()

    async def telling(*arguments: Any, **keywords: Any) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)
        await consume(*arguments, **keywords)

    wiring.run_consumers = telling


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def watch_loop(report: Path) -> None:
    """Measure for how long one callback at a time keeps the event loop of the consumers busy.

    Time counts only as far as the thread had the processor: other processes must not pass for blocks.
    """
    consume = wiring.run_consumers

    async def watch() -> None:
        longest = 0.0
        while True:
            wall, used = time.monotonic(), time.thread_time()
            await asyncio.sleep(0.02)
            busy = min(time.monotonic() - wall, time.thread_time() - used)
            if busy > longest:
                longest = busy
                _write(report, f"{longest:.3f}")

    async def watched(*arguments: Any, **keywords: Any) -> None:
        watching = asyncio.create_task(watch())
        try:
            await consume(*arguments, **keywords)
        finally:
            watching.cancel()

    wiring.run_consumers = watched


def run(directory: str, *arguments: str) -> None:
    """Wrap everything and run the command."""
    wrap_all(Traps(Path(directory)))
    if session := os.environ.get(SESSION_VARIABLE):
        kafka_subscription.SESSION_TIMEOUT_S = float(session)
        kafka_subscription.HEARTBEAT_S = float(session) / 6
    if blocked := os.environ.get(BLOCKED_VARIABLE):
        retry.BLOCKED_S = float(blocked)
    if wrong := os.environ.get(CLOCK_VARIABLE):
        shift_clock(float(wrong))
    tell_tasks_when_asked()
    if report := os.environ.get(LOOP_VARIABLE):
        watch_loop(Path(report))
    sys.argv = ["cloister", *arguments]
    main()


if __name__ == "__main__":
    run(*sys.argv[1:])
