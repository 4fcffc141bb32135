"""The real engine on what breaks it: the culprit is named, and everything else is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner
from bot.scanners import Source
from bot.scanners.semgrep import SemgrepScanner
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_ways import AHEAD, CORE, EXPERIMENTAL, Way

RULE = """\
rules:
  - id: {id}
    languages: [python]
    severity: ERROR
    message: Do not do this, since it is only here for a test of the rules.
    {pattern}
"""
WAYS = pytest.mark.parametrize("way", [AHEAD, CORE, EXPERIMENTAL], ids=lambda way: way.name)


def runner() -> AheadRunner:
    return AheadRunner(ProcessRunner(), keep=0)


@WAYS
@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "as it is"])
async def test_a_rule_that_the_engine_refuses_takes_no_other_along(tmp_path: Path, way: Way, prepared: bool):
    """It is named once, with its file and line; the others find what they find."""
    (tmp_path / "good.yaml").write_text(RULE.format(id="good", pattern="pattern: f(1)"))
    (tmp_path / "bad.yaml").write_text(RULE.format(id="bad", pattern='pattern: "f( = )("'))
    scanner = SemgrepScanner(Pack(tmp_path), ways=[way])
    with structlog.testing.capture_logs() as logs:
        if prepared:
            await scanner.prepare(runner())
        for _ in range(2):
            report = await scanner.scan([Source("a.py", b"f(1)\n", frozenset())], runner())
    assert [(finding.rule, finding.line) for finding in report.findings] == [("good", 1)]
    assert report.analysed == ("a.py",)
    broken = [entry for entry in logs if entry["event"] == "rules.broken"]
    assert len(broken) == 1
    assert broken[0]["problem"].startswith(f"{tmp_path / 'bad.yaml'}:2: Semgrep does not accept the rule: ")
    assert "Invalid pattern" in broken[0]["problem"]


@WAYS
async def test_a_file_that_stalls_the_engine_hides_nothing(way: Way):
    """It is reported as not analysed, and the findings of its neighbours are kept."""
    stalling = b"eval(x);\n" + b"a=>" * 20_000 + b"1\n"
    sources = [
        Source("stalling.js", stalling, frozenset()),
        Source("small.py", b"import subprocess\nsubprocess.run(f'ls {x}', shell=True)\n", frozenset()),
    ]
    scanner = SemgrepScanner(Pack(Path(__file__).parents[2] / "rules"), ways=[way])
    report = await scanner.scan(sources, runner())
    assert list(report.not_analysed) == ["stalling.js"]
    assert report.analysed == ("small.py",)
    assert {finding.path for finding in report.findings} >= {"small.py"}


@WAYS
async def test_a_byte_that_is_no_text_hides_nothing(way: Way):
    """Nor does it move a finding; the engine's parser of Python gives such a file up and does not say so."""
    code = b"import subprocess\nsubprocess.run(f'ls {x}', shell=True)\n"
    sources = [
        Source("latin.py", b"# coding: latin-1\n# caf\xe9\n" + code, frozenset()),
        Source("name.py", b"# coding: latin-1\ncaf\xe9 = '\xff'\n" + code, frozenset()),
    ]
    scanner = SemgrepScanner(Pack(Path(__file__).parents[2] / "rules"), ways=[way])
    report = await scanner.scan(sources, runner())
    assert {"latin.py": 4, "name.py": 4} == {one.path: one.line for one in report.findings}
    assert not report.not_analysed


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.py", "x = 1\n# nothing\reval(x)\ry = 2\neval(x)\n", [2, 3]),
        ("a.py", "# nothing\r\nx = 1\r\neval(x)\r\n", [3]),
        ("a.py", "# 1\r# 2\r# 3\reval(x)", [1]),
        ("a.cs", "// nothing\u2028eval(x);// nothing\x85eval(x);\neval(x);\n", [1, 1, 2]),
    ],
    ids=["lone CR", "CRLF", "nothing but CR", "C#"],
)
async def test_code_behind_a_line_end_that_git_does_not_know_is_found(
    tmp_path: Path, name: str, content: str, found: list[int]
):
    """In the line that git counts, since comments stand there."""
    rule = RULE.format(id="no-eval", pattern="pattern: eval($X)").replace("[python]", "[python, csharp]")
    (tmp_path / "eval.yaml").write_text(rule)
    scanner = SemgrepScanner(Pack(tmp_path))
    report = await scanner.scan([Source(name, content.encode(), frozenset())], runner())
    assert found == [finding.line for finding in report.findings]
    assert not report.not_analysed
