"""What every scanner plug must guarantee, whatever a merge request contains."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

import pytest

from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner
from bot.domain.findings import ScanReport
from bot.ports import Command, Completed
from bot.scanners import Scanner, Setup, Source, load
from bot.scanners.semgrep import SemgrepScanner
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_ways import AHEAD, CORE, EXPERIMENTAL, PLAIN
from tests.advisories import imported, until

ADVISORIES = Path(tempfile.mkdtemp(prefix="cloister-advisories-"))
atexit.register(shutil.rmtree, ADVISORIES)
imported(ADVISORIES, until("A-1", "PyPI", "cat", "2"))
RULES = Path(__file__).parents[2] / "rules"
SCANNERS = load(Setup(rules=RULES, key=b"key of the tests", advisories=ADVISORIES))
# Whatever way of running Semgrep is left on a machine must keep the same promises.
WAYS = {
    f"Semgrep by {way.name}": SemgrepScanner(Pack(RULES), ways=[way])
    for way in (AHEAD, CORE, EXPERIMENTAL, PLAIN)
}
# One file that every scanner has something to say about.
BAIT = b"import subprocess\nsubprocess.run(f'ls {x}', shell=True)\nkey = 'AKIA" + b"2QX7LM4TR5VWZ3KD'\n"

#: What a scanner has something to say about, where that is not the program above.
BAITS = {"dependencies": (b"# as in requirements\ncat==1.0\n", "requirements.txt")}

HOSTILE = {
    "empty": (b"", "a.py"),
    "only a newline": (b"\n", "a.py"),
    "binary": (b"\x7fELF\0\0\0" + bytes(range(256)), "a.py"),
    "invalid UTF-8": (b"# \xff\xfe\xfa\n" + BAIT, "a.py"),
    "no final newline": (BAIT.rstrip(b"\n"), "a.py"),
    "carriage returns": (BAIT.replace(b"\n", b"\r\n"), "a.py"),
    "byte order mark": (b"\xef\xbb\xbf" + BAIT, "a.py"),
    "huge line": (b"x = '" + b"a" * 900_000 + b"'\n" + BAIT, "a.py"),
    "too large": (b"#" * 6_000_000, "a.py"),
    "deep nesting": (b"x = " + b"(" * 20_000 + b"\n", "a.py"),
    "syntax error": (b"def f(:\n  {{{\n" + BAIT, "a.py"),
    "spaces and quotes": (BAIT, 'a dir/it\'s "quoted" $(id);.py'),
    "unicode": (BAIT, "größe/ファイル\u202e.py"),
    "newline in the name": (BAIT, "a\nb.py"),
    "leading dash": (BAIT, "-rf.py"),
    "climbing": (BAIT, "../../etc/passwd.py"),
    "absolute": (BAIT, "/etc/passwd.py"),
    "unknown kind": (BAIT, "data.unknown"),
    "javascript": (b"eval(x)\n", "a.js"),
    "yaml": (b"a: [1,\n", "a.yml"),
    "script without a suffix": (b"#!/usr/bin/env python3\n" + BAIT, "run"),
}


PREPARED: set[str] = set()


@pytest.fixture(params=[*SCANNERS, *WAYS])
async def scanner(request: pytest.FixtureRequest) -> Scanner:
    scanner = {**SCANNERS, **WAYS}[request.param]
    if isinstance(scanner, SemgrepScanner) and request.param in WAYS and request.param not in PREPARED:
        await scanner.prepare(AheadRunner(ProcessRunner(), keep=0))
        PREPARED.add(request.param)
    return scanner


def hostile(scanner: Scanner) -> dict[str, tuple[bytes, str]]:
    """Return the hostile files with the bait of *scanner* in them."""
    bait, name = BAITS.get(scanner.name, (BAIT, "a.py"))
    return {kind: (_baited(content, bait), _named(path, name)) for kind, (content, path) in HOSTILE.items()}


def _baited(content: bytes, bait: bytes) -> bytes:
    """Return *content* with *bait* in place of the program, whatever its line endings."""
    for end in (b"\n", b"\r\n"):
        content = content.replace(BAIT.strip().replace(b"\n", end), bait.strip().replace(b"\n", end))
    return content


def _named(path: str, name: str) -> str:
    """Return *path* with the kind of file that *name* is."""
    if name == "a.py" or not path.endswith(".py"):
        return path
    return f"{path.removesuffix('.py')}/{name}"


def source(content: bytes, path: str) -> Source:
    return Source(path, content, frozenset(range(1, content.count(b"\n") + 2)))


async def scan(scanner: Scanner, *sources: Source) -> ScanReport:
    return await scanner.scan(sources, AheadRunner(ProcessRunner(), keep=0))


def test_registry_is_complete():
    """All detectors are found, each under its own name."""
    assert {name: plug.name for name, plug in SCANNERS.items()} == {
        "dependencies": "dependencies",
        "secrets": "secrets",
        "semgrep": "semgrep",
    }


async def test_nothing_to_scan(scanner: Scanner):
    """No files give an empty report."""
    assert await scan(scanner) == ScanReport(scanner=scanner.name)


async def test_hostile_files_together(scanner: Scanner):
    """Every file is accounted for exactly once, and findings stay inside their files."""
    sources = [
        source(content, f"{number}/{path}")
        for number, (content, path) in enumerate(hostile(scanner).values())
    ]
    report = await scan(scanner, *sources)
    assert sorted([*report.analysed, *report.not_analysed]) == sorted(s.path for s in sources)
    assert all(report.not_analysed.values())
    lines = {s.path: s.content.count(b"\n") + 1 for s in sources}
    assert report.findings
    for finding in report.findings:
        assert finding.scanner == scanner.name
        assert 1 <= finding.line <= finding.end_line <= lines[finding.path]


@pytest.mark.parametrize(
    "kind",
    [
        *("spaces and quotes", "unicode", "newline in the name", "climbing", "absolute"),
        "script without a suffix",
    ],
)
async def test_path_is_reported_as_given(scanner: Scanner, kind: str):
    """Odd paths come back letter by letter."""
    content, path = hostile(scanner)[kind]
    if not scanner.wants(path):
        pytest.skip("no scanner is given what it does not want")
    report = await scan(scanner, source(content, path))
    assert {finding.path for finding in report.findings} == {path}
    assert report.analysed == (path,)


@pytest.mark.parametrize("kind", ["invalid UTF-8", "no final newline", "carriage returns", "byte order mark"])
async def test_encoding_hides_nothing(scanner: Scanner, kind: str):
    """The bait is found however it is encoded."""
    assert (await scan(scanner, source(*hostile(scanner)[kind]))).findings


async def test_text_without_a_suffix_is_clean(scanner: Scanner):
    """A file that is no script by its first line is looked at, and nothing is left open."""
    if not scanner.wants("LICENSE"):
        pytest.skip("no scanner is given what it does not want")
    report = await scan(scanner, source(b"Permission is hereby granted (to anybody\n", "LICENSE"))
    assert (report.findings, report.analysed, report.not_analysed) == ((), ("LICENSE",), {})


async def test_scan_is_deterministic(scanner: Scanner):
    """The same files give the same report."""
    bait, name = BAITS.get(scanner.name, (BAIT, "a.py"))
    sources = [source(bait, f"{number}/{name}") for number in range(3)]
    assert await scan(scanner, *sources) == await scan(scanner, *sources)


async def test_binary_and_large_are_not_clean(scanner: Scanner):
    """What is not looked at has a reason."""
    binary, path = hostile(scanner)["binary"]
    large = source(b"#" * 11_000_000, f"large/{path}")
    report = await scan(scanner, source(binary, path), large)
    assert report.analysed == ()
    assert "binary" in report.not_analysed[path]
    assert "larger than" in report.not_analysed[large.path]


class Recorder:
    """Run commands for real and remember them."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    async def run(self, command: Command) -> Completed:
        self.commands.append(command)
        return await ProcessRunner().run(command)


async def test_names_from_the_merge_request_stay_out_of_the_command(scanner: Scanner):
    """Hostile names reach neither the command line nor the file system."""
    recorder = Recorder()
    await scanner.scan([source(BAIT, path) for _, path in HOSTILE.values()], recorder)
    for command in recorder.commands:
        words = [*command.argv, *command.files]
        assert all(word.isascii() and word.isprintable() and ".." not in word for word in words)
        assert not any("passwd" in word or "quoted" in word for word in words)
