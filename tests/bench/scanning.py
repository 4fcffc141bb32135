"""The scan stage's Semgrep part: our ways against the plain command, on the same files and rules."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner
from bot.ports import Command, Runner
from bot.resources import resource
from bot.scanners import Source
from bot.scanners.semgrep import SemgrepScanner
from bot.scanners.semgrep_installed import command
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_ways import AHEAD, CORE
from tests.bench.figures import Figure

_LIBRARY = Path(asyncio.__file__).parent.parent
_MODULES = (
    *("cmd", "code", "codecs", "copy", "csv", "filecmp", "fileinput", "gettext", "glob", "gzip"),
    *("heapq", "netrc", "pprint", "random", "sched", "shelve", "shlex", "tempfile", "trace", "uuid"),
)
_REPEAT = 9
_PLAIN_REPEAT = 3


async def scanning() -> list[Figure]:
    """Return the figures of a merge request with one small file, and of one with 20 modules of the library."""
    pack = Pack(resource("rules"))
    small = [_source(resource("rules") / "semgrep" / "python" / "sql-injection.py")]
    large = [_source(file) for name in _MODULES if (file := _LIBRARY / f"{name}.py").is_file()]
    runner = AheadRunner(ProcessRunner())
    prefiltered = SemgrepScanner(pack, ways=[AHEAD])
    await prefiltered.prepare(runner)
    figures = [await _isolation(runner)]
    for sources, what, goal in ((small, "1 file", 0.1), (large, f"{len(large)} files", None)):
        plain_s = await asyncio.to_thread(plain, pack, sources)
        size = f"{sum(len(source.content) for source in sources) / 1000:.0f} kB, {len(pack.by_id)} rules"
        for name, scanner in {
            "engine, cold": SemgrepScanner(pack, ways=[CORE]),
            "started ahead": SemgrepScanner(pack, ways=[AHEAD]),
            "started ahead, prefiltered": prefiltered,
        }.items():
            value = await _median(scanner, sources, runner)
            wanted = goal if scanner is prefiltered else None
            figures.append(
                Figure(f"Semgrep, {what}, {name}", value, "s", wanted, baseline=plain_s, note=size)
            )
    figures.append(Figure("memory of a waiting process, its own", _waiting_mb(), "MB", 50))
    await runner.close()
    return figures


async def _isolation(runner: Runner) -> Figure:
    """Return what all protection of a tool costs together."""
    times = []
    for _ in range(_REPEAT):
        began = time.perf_counter()
        await runner.run(Command(argv=("/bin/true",)))
        times.append(time.perf_counter() - began)
    return Figure("a tool that does nothing, isolated", statistics.median(times) * 1000, "ms", 500)


def _source(file: Path) -> Source:
    return Source(file.name, file.read_bytes(), frozenset())


async def _median(scanner: SemgrepScanner, sources: Sequence[Source], runner: Runner) -> float:
    times = []
    for _ in range(_REPEAT):
        await asyncio.sleep(1.0)  # in which what was used is replaced
        began = time.perf_counter()
        await scanner.scan(sources, runner)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def plain(pack: Pack, sources: Sequence[Source]) -> float:
    """Return how long the plain command takes, with what makes it quickest and no network."""
    with tempfile.TemporaryDirectory(prefix="cloister-bench-") as directory:
        base = Path(directory)
        (base / "rules.json").write_bytes(pack.as_json(pack.languages))
        for source in sources:
            (base / source.path).write_bytes(source.content)
        words = (command(), "scan", "--json", "--quiet", "--metrics=off", "--disable-version-check")
        argv = (*words, "--config=rules.json", *(source.path for source in sources))
        times = []
        for _ in range(_PLAIN_REPEAT):
            began = time.perf_counter()
            subprocess.run(argv, cwd=base, capture_output=True, check=True)
            times.append(time.perf_counter() - began)
        return statistics.median(times)


def _waiting_mb() -> float:
    """Return the memory that a process which waits shares with nobody."""
    engines = [
        child
        for child in psutil.Process().children(recursive=True)
        if child.name() == "semgrep-core" and child.status() == psutil.STATUS_SLEEPING
    ]
    # What is clean in it belongs to the program's file and is there once for all.
    return statistics.median(
        sum(area.private_dirty for area in engine.memory_maps()) / 1e6 for engine in engines
    )
