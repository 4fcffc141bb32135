"""How a scan is divided, what happens when Semgrep runs out of limits, and which way of running it is chosen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Transient
from bot.ports import Command, Completed
from bot.scanners import Source
from bot.scanners.semgrep import SemgrepScanner
from bot.scanners.semgrep_batches import split
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_ways import AHEAD, CORE, EXPERIMENTAL, PLAIN, Input, ways

PACK = Pack(Path(__file__).parents[3] / "rules")


def one(number: int, size: int = 10, rules: int = 1) -> Input:
    source = Source(f"{number}.py", b"x" * size, frozenset())
    return Input(number, source, ("python",), frozenset(map(str, range(rules))))


def answer(names: list[str], results: list[object] = [], errors: list[object] = []) -> bytes:  # noqa: B006
    return json.dumps({"results": results, "errors": errors, "paths": {"scanned": names}}).encode()


class Scripted:
    """Answer commands from a function of their files."""

    def __init__(self, reply: Callable[[Command], Completed], takes_s: float = 0.0) -> None:
        self.reply = reply
        self.takes_s = takes_s
        self.commands: list[Command] = []

    async def run(self, command: Command) -> Completed:
        self.commands.append(command)
        await asyncio.sleep(min(self.takes_s, command.limit_s))
        return self.reply(command)


def names_of(command: Command) -> list[str]:
    return [name for name in command.files if name.startswith("src/")]


def clean(command: Command) -> Completed:
    return Completed(0, answer(names_of(command)), b"")


@given(st.lists(st.tuples(st.integers(1, 100_000), st.integers(1, 30)), min_size=1, max_size=130))
def test_batches_hold_every_file_once(sizes: list[tuple[int, int]]):
    """Nothing is lost or doubled, no batch is too large, and none is empty."""
    inputs = [one(number, size, rules) for number, (size, rules) in enumerate(sizes)]
    batches = list(split(inputs))
    assert sorted(i.number for batch in batches for i in batch) == list(range(len(inputs)))
    assert all(0 < len(batch) <= 50 for batch in batches)
    assert batches == list(split(inputs))


def test_little_work_is_one_process_and_much_are_two():
    """Weight is size times rules; the heaviest files go apart."""
    assert [len(batch) for batch in split([one(0), one(1)])] == [2]
    heavy = [one(0, 90_000, 9), one(1, 80_000, 9), one(2, 10_000, 9)]
    assert [[i.number for i in batch] for batch in split(heavy)] == [[0], [1, 2]]
    assert list(split([])) == []


async def test_order_does_not_depend_on_who_is_first():
    """Files are listed as they were given, however they were divided."""
    sources = [Source(f"{n}.py", b"eval(x)\n" * 10_000, frozenset()) for n in (3, 1, 2)]
    report = await SemgrepScanner(PACK).scan(sources, Scripted(clean))
    assert report.analysed == ("3.py", "1.py", "2.py")


async def test_the_total_time_is_bounded():
    """When every file stalls the engine, the scan ends in its budget and says what it did not come to."""
    stalled = Scripted(lambda _: Completed(-9, b"", b"", timed_out=True), takes_s=0.2)
    sources = [Source(f"{n}.py", b"eval(x)\n", frozenset()) for n in range(20)]
    report = await SemgrepScanner(PACK, budget_s=0.5).scan(sources, stalled)
    # Alone, after all together, each file would have had its own try.
    assert len(stalled.commands) < len(sources)
    assert list(report.not_analysed) == [source.path for source in sources]
    assert "Semgrep ran out of time before it came to it" in report.not_analysed.values()


def test_an_unknown_version_is_run_with_public_options_only():
    """Options of the engine are not documented and may mean something else tomorrow."""
    assert ways("1.182.0") == (AHEAD, CORE, EXPERIMENTAL, PLAIN)
    assert ways("9.0.0") == (EXPERIMENTAL, PLAIN)


def sings(command: Command) -> Completed:
    """Answer the canary as the engine does."""
    (name,) = names_of(command)
    lines = [
        {
            "check_id": "cloister-canary",
            "path": name,
            "start": {"line": line, "offset": 0},
            "end": {"line": line, "offset": 1},
            "extra": {"message": f"Found {line}.", "is_ignored": line == 2},
        }
        for line in (1, 2)
    ]
    refused = {"error_type": "Rule parse error", "rule_id": "python-eval-dynamic", "message": "too odd"}
    return Completed(0, answer([name], lines, [refused]), b"")


@pytest.mark.parametrize(
    ("works", "chosen"),
    [
        (lambda command: bool(command.waits_for), "its engine, started ahead"),
        (lambda command: "-rules" in command.argv, "its engine"),
        (lambda command: "--experimental" in command.argv, "semgrep scan --experimental"),
        (lambda command: "scan" in command.argv and "--experimental" not in command.argv, "semgrep scan"),
    ],
)
async def test_the_first_way_that_finds_the_canary_is_used(works: Callable[[Command], bool], chosen: str):
    """A way that dies, says nothing or finds nothing is not used, and the log says so."""

    def reply(command: Command) -> Completed:
        if "-prefilter_of_rules" in command.argv:
            return Completed(0, b"[]", b"")
        silent = Completed(0, answer(names_of(command)), b"")
        return sings(command) if works(command) else silent

    scanner = SemgrepScanner(PACK, ways=[AHEAD, CORE, EXPERIMENTAL, PLAIN])
    with structlog.testing.capture_logs() as logs:
        how = await scanner.prepare(Scripted(reply))
        await scanner.prepare(Scripted(reply))
    assert chosen in how
    assert [entry["event"] for entry in logs].count("rules.broken") == 1
    (broken,) = (entry for entry in logs if entry["event"] == "rules.broken")
    assert broken["problem"].endswith("eval-dynamic.yaml:2: Semgrep does not accept the rule: too odd")


@pytest.mark.parametrize(
    "broken",
    [
        Completed(127, b"", b"not found"),
        Completed(-9, b"", b"", timed_out=True),
        Completed(0, b"garbage", b""),
        Completed(0, answer(["src/0.py"]), b""),
    ],
)
async def test_no_way_left_is_told(broken: Completed):
    """When nothing works the message says what was tried."""
    with pytest.raises(Transient, match=r"Semgrep does not work here; its engine: .*; semgrep scan: "):
        await SemgrepScanner(PACK, ways=[CORE, PLAIN]).prepare(Scripted(lambda _: broken))


async def test_refused_rules_are_not_sent_again():
    """What the engine does not accept stays out of later scans."""

    def reply(command: Command) -> Completed:
        if "-prefilter_of_rules" in command.argv:
            return Completed(0, b"[]", b"")
        return sings(command) if b"cloister-canary" in command.files["rules.yaml"] else clean(command)

    runner = Scripted(reply)
    scanner = SemgrepScanner(PACK)
    await scanner.prepare(runner)
    await scanner.scan([Source("a.py", b"eval(x)\n", frozenset())], runner)
    assert b'"python-eval-dynamic"' not in runner.commands[-1].files["rules.yaml"]
