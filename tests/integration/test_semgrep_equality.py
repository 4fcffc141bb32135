"""Whatever way Semgrep is run in, and whatever is not sent to it: the findings are those of the plain command."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner
from bot.ports import Command, Completed
from bot.scanners import Source
from bot.scanners.semgrep import SemgrepScanner
from bot.scanners.semgrep_installed import command
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_ways import AHEAD, CORE, EXPERIMENTAL, PLAIN, Way

# All samples go through the plain command, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(900)

RULES = Path(__file__).parents[2] / "rules"
PACK = Pack(RULES)
IGNORING = b"""\
x = eval(a)  # nosemgrep
# nosemgrep
x = eval(a)
x = eval(a)  # nosemgrep: python-eval-dynamic
x = eval(a)  # nosemgrep: another-rule
x = eval(a)  # NOSEM: another-rule, python-eval-dynamic because of it
x = eval(a)  # about nosemgrep
x = 'nosemgrep'
x = eval(a)
"""


class Match(NamedTuple):
    """What must be equal."""

    rule: str
    path: str
    start: tuple[int, int, int]
    end: tuple[int, int, int]
    message: str
    fix: str | None


def samples() -> list[Source]:
    """Return every sample of every rule, each under a name that no other tool knows as anything else."""
    files = sorted(file for file in (RULES / "semgrep").rglob("*") if file.is_file())
    sources = [
        Source(str(file.relative_to(RULES / "semgrep")), file.read_bytes(), frozenset()) for file in files
    ]
    return [*sources, Source("python/ignoring.py", IGNORING, frozenset())]


SAMPLES = [source for source in samples() if PACK.languages_of(source.path, source.content)]


def matches(answer: dict[str, Any], paths: dict[str, str]) -> set[Match]:
    """Return what an answer says; *paths* maps the names that the tool saw to ours."""

    def place(point: dict[str, int]) -> tuple[int, int, int]:
        return point["line"], point["col"], point["offset"]

    return {
        Match(
            one["check_id"],
            paths[one["path"]],
            place(one["start"]),
            place(one["end"]),
            one["extra"]["message"],
            one["extra"].get("fix"),
        )
        for one in answer["results"]
    }


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[Match], set[Match]]:
    """Return what the plain command finds, and what of that it finds only without comments to ignore it."""
    base = tmp_path_factory.mktemp("plain")
    rules = base / "rules.json"
    rules.write_bytes(PACK.as_json(PACK.languages))
    code = base / "code"
    for source in SAMPLES:
        place = code / source.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(source.content)
    (code / ".semgrepignore").write_text("")
    paths = {source.path: source.path for source in SAMPLES}

    def run(names: Iterable[str], *options: str) -> set[Match]:
        words = (command(), "scan", "--json", "--quiet", "--metrics=off", "--disable-version-check")
        more = ("--no-rewrite-rule-ids", f"--config={rules}", *options, *names)
        done = subprocess.run([*words, *more], cwd=code, capture_output=True, check=True)
        answer = json.loads(done.stdout)
        assert answer["errors"] == []
        return matches(answer, paths)

    everything = run(paths, "--disable-nosem")
    # In files that do not say it nothing can be ignored.
    asking = {source.path for source in SAMPLES if b"nosem" in source.content.lower()}
    shown = run(sorted(asking))
    return everything, {one for one in everything if one.path in asking} - shown


class Recorder:
    """Run commands ahead and keep what they print."""

    def __init__(self) -> None:
        self.runner = AheadRunner(ProcessRunner(), keep=0)
        self.answers: list[dict[str, Any]] = []

    async def run(self, command: Command) -> Completed:
        # What is asked is what is found, however long a busy machine takes.
        done = await self.runner.run(replace(command, limit_s=10 * command.limit_s))
        if "targets.json" in command.files or "scan" in command.argv:
            self.answers.append(json.loads(done.stdout))
        return done

    def matches(self, sources: list[Source]) -> set[Match]:
        found: set[Match] = set()
        for answer in self.answers:
            names = {one["path"] for one in answer["results"]}
            found |= matches(answer, {name: sources[number_in(name)].path for name in names})
        return found


def number_in(name: str) -> int:
    (number,) = re.findall(r"src/(\d+)", name)
    return int(number)


def meant(found: Iterable[Match]) -> set[Match]:
    """Leave out what a rule finds in files that it is not for; those ways leave that to us."""
    from bot.scanners.semgrep_paths import applies

    return {one for one in found if applies(PACK.by_id[one.rule].body, one.path)}


#: What they are compared with is the plain command as it is.
WAYS = [
    (way, prepared)
    for way in (AHEAD, CORE, EXPERIMENTAL, PLAIN)
    for prepared in (False, True)
    if way is not PLAIN or prepared
]


@pytest.mark.parametrize(
    ("way", "prepared"),
    WAYS,
    ids=[f"{way.name}, {'prepared' if prepared else 'as it is'}" for way, prepared in WAYS],
)
async def test_findings_are_those_of_the_plain_command(
    way: Way, prepared: bool, plain: tuple[set[Match], set[Match]]
):
    """Rule, file, place to the byte, message, fix and whether a comment asks to ignore it."""
    recorder = Recorder()
    scanner = SemgrepScanner(PACK, ways=[way], budget_s=800)
    if prepared:
        await scanner.prepare(recorder)
        recorder.answers.clear()
    report = await scanner.scan(SAMPLES, recorder)
    assert report.not_analysed == {}
    assert len(recorder.answers) > 1
    everything, ignored = plain
    found = recorder.matches(SAMPLES)
    assert (found if way.engine else meant(found)) == everything != set()
    lines = {(one.rule, one.path, one.start[0], one.end[0]) for one in ignored}
    reported = {
        (finding.rule, finding.path, finding.line, finding.end_line)
        for finding in report.findings
        if finding.suppressed
    }
    assert reported == lines != set()
    assert {(one.rule, one.path) for one in everything} == {(one.rule, one.path) for one in report.findings}


async def test_files_without_a_candidate_start_no_process():
    """What cannot match is clean without anybody asking the engine."""
    recorder = Recorder()
    scanner = SemgrepScanner(PACK)
    await scanner.prepare(recorder)
    recorder.answers.clear()
    sources = [Source("a.txt.py", b"value = 1\n", frozenset())]
    report = await scanner.scan(sources, recorder)
    assert (report.analysed, recorder.answers) == (("a.txt.py",), [])
