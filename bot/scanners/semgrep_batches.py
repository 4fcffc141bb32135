"""Run Semgrep on the files of one scan: in few processes, within a total time, whatever single files do to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.domain.errors import Transient
from bot.domain.findings import ScanReport
from bot.domain.together import together
from bot.ports import Completed, Runner
from bot.scanners.semgrep_report import Parsed, merge, parse
from bot.scanners.semgrep_ways import FATAL, Input, RuleFile, Way

_PROCESSES = 2  # at a time
_FILES = 50  # the most in a process, so that one that is killed does not take too many along
_WORTH_SPLITTING = 300_000  # of weight: below, a second process costs more than it saves
_PARTS = 4  # of a batch that ran out of a limit; halves would find a bad file among 50 only after 6 limits
_LONGEST_S = 60.0

Refused = Callable[[Mapping[str, str]], None]


class Batches:
    """Scan files in one way.

    A batch on which Semgrep runs out of a limit, or dies, is scanned again in smaller ones until the culprits
    stand alone; the others keep their findings. When *budget_s* is used up, what is left was not analysed.

    Args:
        way: how Semgrep is run.
        rules: those that the files may name.
        runner: runs it.
        budget_s: for all of it.
        refused: told which rules Semgrep did not accept.
    """

    def __init__(
        self, way: Way, rules: RuleFile, runner: Runner, *, budget_s: float, refused: Refused
    ) -> None:
        self._way = way
        self._rules = rules
        self._runner = runner
        self._refused = refused
        self._end = time.monotonic() + budget_s
        self._turn = asyncio.Semaphore(_PROCESSES)

    async def scan(self, inputs: Sequence[Input]) -> ScanReport:
        """Scan *inputs*.

        Raises:
            Transient: Semgrep cannot be run, or says nothing that can be understood.
        """
        return await self._all(list(split(inputs)), inputs)

    async def _all(self, batches: Sequence[Sequence[Input]], inputs: Sequence[Input]) -> ScanReport:
        reports = await together(*(self._run(batch) for batch in batches))
        return merge(reports, [one.source.path for one in inputs])

    async def _run(self, inputs: Sequence[Input]) -> ScanReport:
        async with self._turn:
            left_s = self._end - time.monotonic()
            if left_s <= 0:
                return _left_out(inputs, "Semgrep ran out of time before it came to it")
            command = self._way.command(inputs, self._rules, min(left_s, self._limit_s(inputs)))
            completed = await self._runner.run(command)
        problem = overrun(completed)
        if not problem:
            parsed = await asyncio.to_thread(self._parse, completed, inputs)
            self._refused(parsed.refused)
            problem = parsed.broke or ("Semgrep failed" if self._failed(completed) else "")
            if not problem or len(inputs) == 1:
                return parsed.report
        if len(inputs) == 1:
            return _left_out(inputs, problem)
        size = -(-len(inputs) // _PARTS)
        return await self._all([inputs[n : n + size] for n in range(0, len(inputs), size)], inputs)

    def _parse(self, completed: Completed, inputs: Sequence[Input]) -> Parsed:
        if completed.returncode not in (0, FATAL):
            raise Transient(f"{self._way.name}: Semgrep ended with exit code {completed.returncode}")
        names = self._way.names(inputs)
        return parse(completed.stdout, names, self._rules.by_id, engine=self._way.engine)

    def _failed(self, completed: Completed) -> bool:
        # The command uses the same code for a rule that it left out.
        return self._way.engine and completed.returncode == FATAL

    def _limit_s(self, inputs: Sequence[Input]) -> float:
        megabytes = sum(len(one.source.content) for one in inputs) / 1_000_000
        return self._way.start_s + min(_LONGEST_S, 10 + len(inputs) / 2 + 5 * megabytes)


def split(inputs: Sequence[Input]) -> Iterator[list[Input]]:
    """Yield the batches: one for little work, more of about the same weight for much."""
    total = sum(one.weight for one in inputs)
    count = max(-(-len(inputs) // _FILES), _PROCESSES if total > _WORTH_SPLITTING else 1)
    batches: list[list[Input]] = [[] for _ in range(min(count, len(inputs)))]
    weights = [0] * len(batches)
    for one in sorted(inputs, key=lambda one: (-one.weight, one.number)):
        open_ones = [n for n in range(len(batches)) if len(batches[n]) < _FILES]
        lightest = min(open_ones, key=lambda n: (weights[n], n))
        batches[lightest].append(one)
        weights[lightest] += one.weight
    for batch in batches:
        yield sorted(batch, key=lambda one: one.number)


def overrun(completed: Completed) -> str:
    """Return why Semgrep was stopped or died on its input, or nothing when it ended by itself."""
    if completed.timed_out:
        return "took Semgrep longer than its time limit"
    if completed.output_cut:
        return "made Semgrep report more than can be read"
    if completed.returncode < 0 or completed.returncode > 128 or b"ut of memory" in completed.stderr:
        return "made Semgrep crash or run out of memory"
    return ""


def _left_out(inputs: Sequence[Input], why: str) -> ScanReport:
    return ScanReport(scanner="semgrep", not_analysed={one.source.path: why for one in inputs})
