"""Files made to stall, blow up or mislead scanners: each is accounted for in bounded time, and hides no other."""

from __future__ import annotations

import contextlib
import sys
import tracemalloc
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bot.adapters.git_objects import read_blobs
from bot.adapters.git_process import Git
from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner
from bot.domain.errors import Transient
from bot.ports import Command
from bot.scanners import Scanner, Setup, Source, load
from bot.scanners.semgrep import SemgrepScanner
from bot.scanners.semgrep_needs import python_needs
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_ways import CORE, Input, RuleFile

RULES = Path(__file__).parents[2] / "rules"
SCANNERS = load(Setup(rules=RULES, key=b"key of the tests"))
BAIT = b"import subprocess\nsubprocess.run(f'ls {x}', shell=True)\nkey = 'AKIA" + b"2QX7LM4TR5VWZ3KD'\n"
DEEP = 50_000
LONG = 60_000

ANCHORS = b"a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)
)
NESTED = {
    "parens.py": b"(" * DEEP,
    "parens.js": b"(" * DEEP,
    "parens.ts": b"let x = " + b"(" * DEEP,
    "parens.go": b"package a\nvar x = " + b"(" * DEEP,
    "Parens.java": b"class A { int x = " + b"(" * DEEP,
    "parens.c": b"int x = " + b"(" * DEEP,
    "parens.cs": b"class A { int x = " + b"(" * DEEP,
    "parens.kt": b"val x = " + b"(" * DEEP,
    "parens.php": b"<?php $x = " + b"(" * DEEP,
    "parens.rb": b"x = " + b"(" * DEEP,
    "parens.sh": b"$(" * (DEEP // 2),
    "parens.sql": b"select " + b"(" * DEEP,
    "brackets.tf": b"x = " + b"[" * DEEP,
    "brackets.json": b"[" * DEEP,
    "brackets.yml": b"[" * DEEP,
    "dashes.yml": b"- " * DEEP + b"x\n",
    "deep.yml": b"".join(b" " * n + b"a:\n" for n in range(1300)),
    "tags.html": b"<div>" * DEEP,
    "Dockerfile": b"RUN " + b"a \\\n" * 20_000,
}
LARGE = {
    "bomb.yml": ANCHORS,
    ".gitlab-ci.yml": ANCHORS,
    "line.py": b"x = '" + b"a" * 5_000_000 + b"'\n",
    "almost.js": b"x = '" + b"a" * 990_000 + b"'\n",
    "archive.py": b"PK\x03\x04" + bytes(100) + zlib.compress(bytes(10_000_000)),
    "archive.txt": b"\x1f\x8b\x08\0" + zlib.compress(bytes(10_000_000)),
}
STALLING = {
    "arrows.js": b"eval(x);\n" + b"a=>" * 20_000 + b"1\n",
    "sum.py": b"x = " + b"a + " * LONG + b"1\n",
    "brackets.py": b"[" * 200_000,
}
SUFFIXES = (
    ".py",
    ".js",
    ".ts",
    ".go",
    ".java",
    ".c",
    ".cpp",
    ".cs",
    ".php",
    ".rb",
    ".kt",
    ".sh",
    ".sql",
    ".tf",
    ".yml",
)
FODDER = {
    "letters": b"a" * LONG,
    "blanks": b" " * LONG + b"x",
    "tabs": b"\t \t " * (LONG // 4),
    "lines": b"\n" * LONG,
    "quotes": b'"' * LONG,
    "apostrophes": b"'" * LONG,
    "backslashes": b"\\" * LONG,
    "assignments": b"a=" * (LONG // 2),
    "comments": b"/*" * (LONG // 2),
    "hashes": b"#" * LONG,
    "placeholders": b"${" * (LONG // 2),
    "addresses": b"a@b." * (LONG // 4),
    "urls": b"http://" * (LONG // 7),
    "base64": b"QUJD" * (LONG // 4),
    "query": b'"SELECT ' + b"a " * LONG + b'" + ',
    "list": b"a, " * (LONG // 3),
}
KINDS: dict[str, Mapping[str, bytes]] = {
    "deep nesting": NESTED,
    "large": LARGE,
    "stalling": STALLING,
    "food for regular expressions": {f"{n}{s}": c for s in SUFFIXES for n, c in FODDER.items()},
}


@pytest.fixture(params=["secrets", "semgrep"])
def scanner(request: pytest.FixtureRequest) -> Scanner:
    return SCANNERS[request.param]


def source(path: str, content: bytes) -> Source:
    return Source(path, content, frozenset(range(1, content.count(b"\n") + 2)))


@pytest.mark.parametrize("kind", KINDS)
async def test_hostile_content_is_accounted_for(scanner: Scanner, kind: str):
    """Each file is analysed or named with a reason, the others are looked at, and it ends."""
    files = {**KINDS[kind], "bait.py": BAIT}
    report = await scanner.scan([source(*one) for one in files.items()], AheadRunner(ProcessRunner(), keep=0))
    assert {*report.analysed} | {*report.not_analysed} == {*files}
    assert all(report.not_analysed.values())
    # What is no program at all may be refused, but not for the time that it took.
    spent = {path for path, why in report.not_analysed.items() if "limit" in why or "crash" in why}
    assert spent <= STALLING.keys()
    assert "bait.py" in {finding.path for finding in report.findings}


async def test_a_huge_file_is_never_in_memory(tmp_path: Path):
    """A file of 100 MB is known by its size; what it holds stays in the repository."""
    git = Git(forge_url="https://gitlab.example")
    await git.run("init", "-q", "--bare", "--template=", at=tmp_path)
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(100_000_000)
    blob = (await git.run("hash-object", "-w", str(tmp_path / "huge"), at=tmp_path)).stdout.strip()
    tree = (await git.run("mktree", at=tmp_path, stdin=b"100644 blob %s\thuge\n" % blob)).stdout.strip()
    tracemalloc.start()
    blobs = await read_blobs(git, tmp_path, tree.decode(), ["huge"], 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (blobs["huge"].size, blobs["huge"].content) == (100_000_000, None)
    assert peak < 3_000_000


class Broken:
    """Run a program in the engine's place, which finds what the engine would and then fails in some way."""

    name = "broken"
    engine = True
    start_s = 0.0

    def __init__(self, program: str, limit_s: float = 20.0) -> None:
        self._program = program
        self._limit_s = limit_s

    def names(self, inputs: Sequence[Input]) -> Mapping[str, Source]:
        return CORE.names(inputs)

    def command(self, inputs: Sequence[Input], rules: RuleFile, limit_s: float) -> Command:
        code = f"import os, sys, time\nname = {next(iter(self.names(inputs)))!r}\n{self._program}"
        return Command((sys.executable, "-ISc", code), limit_s=self._limit_s, reads=python_needs())


FAILURES = {
    "crashes": "import ctypes; ctypes.string_at(0)",
    "is killed": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
    "fails": "sys.exit(1)",
    "fails quietly": "sys.exit(2)",
    "says nothing": "pass",
    "prints garbage": "os.write(1, bytes(range(256)))",
    "prints half of it": 'print(\'{"results": [{"check_id": "pyt\')',
    "prints a list": "print('[]')",
    "prints wrong types": 'print(\'{"results": {"a": 1}, "errors": 7, "paths": null}\')',
    "prints wrong lines": (
        'print(\'{"results": [{"check_id": "a", "path": 7, "start": {"line": -1, "offset": "x"}}], "errors": [],'
        ' "paths": {"scanned": []}}\')'
    ),
    "prints deep nesting": "print('[' * 100_000)",
    "prints huge numbers": 'print(\'{"results": [], "errors": [], "paths": {"scanned": [%s]}}\' % ("9" * 5000))',
    "knows nothing of the file": 'print(\'{"results": [], "errors": [], "paths": {"scanned": []}}\')',
    "knows another file": 'print(\'{"results": [], "errors": [], "paths": {"scanned": ["/etc/passwd"]}}\')',
    "never ends": "time.sleep(60)",
    "floods": "while True: os.write(1, b'x' * 100_000)",
    "floods errors": "while True: os.write(2, b'x' * 100_000)",
}


@pytest.mark.parametrize("how", FAILURES)
async def test_a_scanner_that_fails_is_never_clean(how: str):
    """Either the files are named as not analysed, or the scan as a whole fails; no file passes for clean."""
    limit_s = 2.0 if how == "never ends" else 20.0
    broken = SemgrepScanner(Pack(RULES), ways=[Broken(FAILURES[how], limit_s)])
    with contextlib.suppress(Transient):
        report = await broken.scan([source("a.py", b"eval(x)\n")], ProcessRunner())
        assert report.findings == ()
        assert report.analysed == ()
        assert list(report.not_analysed) == ["a.py"]
        assert report.not_analysed["a.py"]
