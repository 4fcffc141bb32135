"""Start tools before their input is known, so that a run costs the tool's work and not its start-up."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import math
import os
import resource
import time
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath

import structlog

from bot.adapters.process import ProcessRunner, Tool, inside, write_files
from bot.domain.errors import Permanent
from bot.ports import Command, Completed

log = structlog.get_logger(__name__)

_KEEP = 2  # the most processes that one scan uses
_MAX_AGE_S = 1_800.0
_PAUSE_S = 5.0  # before another start of a tool that did not live to be used
_IDLE_CPU_S = 600.0  # until it is used, when the limit of the run takes its place
_POLL_S = 0.002


class Prepared:
    """A tool that has started and waits for its input at a FIFO; it serves one run."""

    def __init__(self, tool: Tool, waits_for: str) -> None:
        self._tool = tool
        self._waits_for = waits_for

    @property
    def alive(self) -> bool:
        """Say whether it can still serve."""
        return self._tool.alive

    async def ended(self) -> None:
        """Wait until it has ended."""
        await self._tool.ended()

    async def run(self, files: Mapping[str, bytes], limit_s: float) -> Completed | None:
        """Hand over *files* and return what the tool makes of them; None if it ended without taking them.

        Raises:
            Permanent: a file would leave the private directory.
        """
        deadline = time.monotonic() + limit_s
        inputs = {inside(name): content for name, content in files.items() if name != self._waits_for}
        await asyncio.to_thread(write_files, self._tool.home, inputs)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + limit_s):
                if not await self._hand_over(files[self._waits_for], limit_s):
                    return None
        return await self._tool.finish(max(0.0, deadline - time.monotonic()))

    async def _hand_over(self, content: bytes, limit_s: float) -> bool:
        """Fill the FIFO, and put a file with the same content in its place should the tool look again."""
        place = self._tool.home / self._waits_for
        while (descriptor := _open_if_awaited(place)) is None:
            if not self._tool.alive:
                return False
            await asyncio.sleep(_POLL_S)
        _limit_processor_time(self._tool.pid, limit_s)
        fifo = os.fdopen(descriptor, "wb", buffering=0)
        try:
            await asyncio.to_thread(_replace, place, content)
            transport, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, fifo)
        except BaseException:
            fifo.close()
            raise
        # Writes what the pipe takes; the rest follows as the tool reads, and is dropped when it dies.
        transport.write(content)
        transport.close()
        return True

    async def discard(self) -> None:
        """Kill the tool and remove its directory."""
        await self._tool.discard()


def _open_if_awaited(fifo: Path) -> int | None:
    """Return a descriptor to write to, or None while nobody has opened *fifo* for reading."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None


def _replace(fifo: Path, content: bytes) -> None:
    written = fifo.with_name(f"{fifo.name}.written")
    write_files(fifo.parent, {PurePosixPath(written.name): content})
    written.rename(fifo)


def _limit_processor_time(pid: int, limit_s: float) -> None:
    """Let the tool use *limit_s* of processor time from now on; an isolated one is the child of *pid*."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    with contextlib.suppress(OSError, ValueError):
        for process in (pid, *map(int, children.read_text().split())):
            ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
            used_s = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
            limit = math.ceil(used_s + limit_s) + 1
            resource.prlimit(process, resource.RLIMIT_CPU, (limit, limit))


class AheadRunner:
    """Implement ``bot.ports.Runner``: for a command with ``waits_for`` a tool is mostly there already.

    After the first such command *keep* processes with the same program, arguments and limits wait for the
    next ones. A process that dies, or waits for longer than *max_age_s*, is replaced. Where tools cannot be
    tied to our life none is started ahead, since a killed Cloister would leave it waiting for ever.

    Args:
        runner: starts the tools.
        keep: how many wait; with 0 each is started when it is needed, and handed its input the same way.
        max_age_s: how long one may wait.
    """

    def __init__(self, runner: ProcessRunner, *, keep: int = _KEEP, max_age_s: float = _MAX_AGE_S) -> None:
        self._runner = runner
        self._keep = keep
        self._max_age_s = max_age_s
        self._shelves: dict[tuple[object, ...], _Shelf] = {}
        self._closed = False

    async def run(self, command: Command) -> Completed:
        """Run *command* as the port describes."""
        if not command.waits_for or not (await self._runner.wrapper()).tie:
            return await self._runner.run(command)
        shelf = self._shelf(command)
        tool = shelf.take() or await prepare(self._runner, shelf.kind)
        try:
            done = await tool.run(command.files, command.limit_s)
        finally:
            if not self._closed:
                shelf.fill(self._keep)
            await asyncio.shield(tool.discard())
        if done is not None:
            return done
        log.warning("runner.tool_died_before_use", program=command.argv[0])
        return await self._runner.run(command)

    def _shelf(self, command: Command) -> _Shelf:
        kind = replace(command, files={}, limit_s=0.0)
        key = tuple(getattr(kind, one.name) for one in fields(kind) if one.name != "files")
        return self._shelves.setdefault(key, _Shelf(self._runner, kind, self._max_age_s))

    async def close(self) -> None:
        """End everything that waits."""
        self._closed = True
        await asyncio.gather(*(shelf.close() for shelf in self._shelves.values()))


async def prepare(runner: ProcessRunner, command: Command) -> Prepared:
    """Start *command*, which then waits for its input."""
    tool = await runner.start(command, fifo=command.waits_for, limit_s=_IDLE_CPU_S)
    return Prepared(tool, command.waits_for)


class _Shelf:
    """Keep tools of one kind."""

    def __init__(self, runner: ProcessRunner, kind: Command, max_age_s: float) -> None:
        self._runner = runner
        self.kind = kind
        self._max_age_s = max_age_s
        self._waiting: dict[Prepared, asyncio.Task[None]] = {}
        self._keepers: set[asyncio.Task[None]] = set()

    def take(self) -> Prepared | None:
        """Return one that waits, which is the caller's from now on."""
        for tool, keeper in list(self._waiting.items()):
            if tool.alive:
                del self._waiting[tool]
                keeper.cancel()
                return tool
        return None

    def fill(self, keep: int) -> None:
        """See to it that *keep* wait soon."""
        for _ in range(keep - len(self._keepers)):
            keeper = asyncio.create_task(self._keep_one(), name="tools started ahead")
            self._keepers.add(keeper)
            keeper.add_done_callback(self._keepers.discard)

    async def _keep_one(self) -> None:
        """Have one wait, and another one when that has died or is too old."""
        keeper = asyncio.current_task()
        assert keeper is not None
        while True:
            try:
                tool = await prepare(self._runner, self.kind)
            except (Permanent, OSError) as error:
                log.warning("runner.not_started_ahead", program=self.kind.argv[0], problem=str(error))
                return
            self._waiting[tool] = keeper
            died = False
            try:
                async with asyncio.timeout(self._max_age_s):
                    await tool.ended()
                    died = True
            except TimeoutError:
                pass
            finally:
                if self._waiting.pop(tool, None):  # else somebody took it
                    await asyncio.shield(tool.discard())
            if died:
                log.warning("runner.waiting_tool_died", program=self.kind.argv[0])
                await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """End those that wait."""
        keepers = list(self._keepers)
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
