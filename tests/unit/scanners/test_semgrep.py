"""The Semgrep plug without the engine: commands, answers, limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.errors import CloisterError, Permanent, Transient
from bot.domain.findings import Fix, Severity
from bot.ports import Command, Completed
from bot.scanners import Source
from bot.scanners.semgrep import SemgrepScanner
from bot.scanners.semgrep_report import Parsed
from bot.scanners.semgrep_report import parse as parse_answer
from bot.scanners.semgrep_rules import Pack

PACK = Pack(Path(__file__).parents[3] / "rules" / "semgrep")
CODE = "# é\nfirst = 1; load = yaml.load(data)  # x\nlast = 2\n".encode()


def parse(data: bytes, *, engine: bool = True) -> Parsed:
    return parse_answer(data, SOURCES, PACK.by_id, engine=engine)


def match(**changes: Any) -> dict[str, Any]:
    start = CODE.index(b"yaml.load")
    usual = {
        "check_id": "python-unsafe-yaml-load",
        "path": "src/0.py",
        "start": {"line": 2, "col": 19, "offset": start},
        "end": {"line": 2, "col": 34, "offset": start + len(b"yaml.load(data)")},
        "extra": {"message": " text ", "is_ignored": False, "fix": "yaml.safe_load(data)", "unknown": 1},
    }
    return usual | changes


def error(kind: Any, path: str = "src/0.py", **more: Any) -> dict[str, Any]:
    return {"error_type": kind, "severity": "warn", "message": "", "location": {"path": path}, **more}


def answer(*results: Any, errors: Any = (), scanned: Any = ("src/0.py",)) -> bytes:
    return json.dumps(
        {"results": results, "errors": list(errors), "paths": {"scanned": list(scanned)}}
    ).encode()


SOURCES = {"src/0.py": Source("a b.py", CODE, frozenset({2}))}


class Scripted:
    """Answer commands from a function of the files' contents."""

    def __init__(self, reply: Callable[[dict[str, bytes]], Completed]) -> None:
        self.reply = reply
        self.runs: list[dict[str, bytes]] = []

    async def run(self, command: Command) -> Completed:
        sources = {name: data for name, data in command.files.items() if name.startswith("src/")}
        self.runs.append(sources)
        return self.reply(sources)


def clean(sources: dict[str, bytes]) -> Completed:
    return Completed(0, answer(scanned=sources), b"")


def test_match_becomes_finding():
    """Rule data come from our own rule, path and lines from the file, the fix covers whole lines."""
    (finding,) = parse(answer(match())).report.findings
    assert (finding.rule, finding.path, finding.line, finding.end_line) == (
        "python-unsafe-yaml-load", "a b.py", 2, 2,
    )  # fmt: skip
    assert (finding.severity, finding.category, finding.cwe) == (Severity.high, "security", ("CWE-502",))
    assert (finding.title, finding.message) == ("YAML loader runs code", "text")
    replacement = "first = 1; load = yaml.safe_load(data)  # x"
    assert finding.fix == Fix(line=2, end_line=2, replacement=replacement)


def test_ignore_comment_is_shown_not_obeyed():
    """A nosemgrep comment marks the finding and does not remove it."""
    ignored = match(extra={"message": "", "is_ignored": True})
    assert [f.suppressed for f in parse(answer(ignored)).report.findings] == [True]


def test_long_message_is_cut():
    """Code quoted in a message cannot make it endless."""
    (finding,) = parse(answer(match(extra={"message": "x" * 10_000}))).report.findings
    assert len(finding.message) == 1_000


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Timeout", "took Semgrep longer than its time limit"),
        ("Out of memory", "took Semgrep more memory than its limit"),
        (["PartialParsing", [{}]], "parsed by Semgrep only in part; it may have a syntax error"),
        ("Lexical error", "Semgrep failed on it (Lexical error)"),
    ],
)
def test_error_means_not_analysed(kind: Any, reason: str):
    """A file with an error is never clean, and its findings are kept."""
    report = parse(answer(match(), errors=[error(kind)])).report
    assert report.not_analysed == {"a b.py": reason}
    assert (report.analysed, len(report.findings)) == ((), 1)


def test_silently_skipped_file_is_noticed():
    """A file that the engine does not list as scanned is not clean."""
    assert parse(answer(scanned=[])).report.not_analysed == {"a b.py": "skipped by Semgrep"}


def test_broken_rule_is_named_and_the_rest_runs():
    """A rule that the engine refuses takes nothing else along."""
    broken = error("Rule parse error", "rules.yaml", rule_id="python-eval-dynamic", message="why")
    parsed = parse(answer(match(), errors=[broken]))
    assert parsed.refused == {"python-eval-dynamic": "Semgrep does not accept the rule: why"}
    assert (len(parsed.report.findings), parsed.report.analysed) == (1, ("a b.py",))


def test_errors_of_the_command_are_understood():
    """The command has other names for the same, and tells a rule in words only."""
    broken = {"type": "Rule parse error", "message": "Rule parse error in rule python-eval-dynamic:\n why"}
    late = {"type": "Timeout", "message": "", "path": "src/0.py"}
    parsed = parse(answer(match(), errors=[broken, late]))
    assert list(parsed.refused) == ["python-eval-dynamic"]
    assert parsed.report.not_analysed == {"a b.py": "took Semgrep longer than its time limit"}


def test_the_command_is_told_apart_from_the_engine():
    """Without the engine we mark ignored findings; what it says of them does not count."""
    code = CODE + b"load = yaml.load(data)  # nosemgrep\n"
    sources = {"src/0.py": Source("a b.py", code, frozenset())}
    results = [match(), match(start={"line": 4, "offset": 60}, end={"line": 4, "offset": 75})]
    parsed = parse_answer(answer(*results), sources, PACK.by_id, engine=False)
    assert [finding.suppressed for finding in parsed.report.findings] == [False, True]


def test_a_file_in_another_encoding_costs_only_itself():
    """The engine quotes it as it is, and then its answer is no UTF-8."""
    quoting = error("Syntax error", message="the word QUOTED is not expected")
    parsed = parse(answer(match(), errors=[quoting]).replace(b"QUOTED", b"caf\xe9"))

    assert len(parsed.report.findings) == 1
    assert parsed.report.not_analysed


def test_error_without_place_concerns_all_files():
    """When the engine itself fails, no file of the run is clean."""
    parsed = parse(answer(errors=[error("Fatal error", "")]))
    assert parsed.broke
    assert parsed.report.not_analysed == {"a b.py": "Semgrep failed (Fatal error)"}


@pytest.mark.parametrize(
    "garbage",
    [
        *[b"", b"{", b"[]", b"null", b'{"results": 1}', b"\xff\xfe"],
        *[answer({}), answer(match(path="src/9.py")), answer(match(check_id="foreign"))],
        answer(match(start={"line": "2", "offset": 0})),
    ],
)
def test_garbage_is_transient(garbage: bytes):
    """An answer that is not Semgrep's is an error, not an empty report."""
    with pytest.raises(Transient):
        parse(garbage)


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_any_json_is_an_error_of_ours(value: Any):
    """No answer makes the parser fail in a way that the caller does not expect."""
    with pytest.raises(CloisterError):
        parse(json.dumps(value).encode())


@example(1, 1, 0, len(CODE))
@example(1, 1, len(CODE), len(CODE))
@given(
    *[st.integers(1, 5) | st.integers(1, 10**6)] * 2, *[st.integers(0, len(CODE)) | st.integers(0, 10**6)] * 2
)
def test_places_are_forced_into_the_file(line: int, end_line: int, start: int, end: int):
    """Lines outside the file cannot leave the parser."""
    odd = match(start={"line": line, "offset": start}, end={"line": end_line, "offset": end})
    (finding,) = parse(answer(odd)).report.findings
    assert 1 <= finding.line <= finding.end_line <= 3
    assert finding.fix is None or 1 <= finding.fix.line <= finding.fix.end_line <= 3


async def test_only_rules_of_the_languages_are_sent():
    """A Python file is scanned with Python rules alone, under a harmless name."""
    seen: list[Command] = []

    class Spy(Scripted):
        async def run(self, command: Command) -> Completed:
            seen.append(command)
            return await super().run(command)

    await SemgrepScanner(PACK).scan([Source("x/ü.py", CODE, frozenset())], Spy(clean))
    rules = json.loads(seen[0].files["rules.yaml"])["rules"]
    assert {language for rule in rules for language in rule["languages"]} == {"python"}
    assert json.loads(seen[0].files["targets.json"]) == [
        "Targets",
        [
            [
                "CodeTarget",
                {
                    "path": {"fpath": "src/0.py", "ppath": "/x/ü.py"},
                    "analyzer": "python",
                    "products": ["sast"],
                },
            ]
        ],
    ]


@pytest.mark.parametrize(
    "failure",
    [
        Completed(-9, b"", b"", timed_out=True),
        Completed(-6, b"", b""),
        Completed(-9, b"", b"", output_cut=True),
        Completed(2, b"", b"Fatal error: exception Out of memory"),
        Completed(2, answer(errors=[error("Fatal error", "")]), b""),
    ],
)
async def test_one_bad_file_does_not_hide_the_others(failure: Completed):
    """When the engine runs out of a limit, the culprit is found and the rest is analysed."""
    runner = Scripted(lambda files: failure if b"bad" in files.values() else clean(files))
    sources = [Source(f"{n}.py", b"bad" if n == 5 else b"x = 1", frozenset()) for n in range(9)]
    report = await SemgrepScanner(PACK).scan(sources, runner)
    assert list(report.not_analysed) == ["5.py"]
    assert sorted(report.analysed) == [f"{n}.py" for n in range(9) if n != 5]
    assert len(runner.runs) < 10


async def test_unexpected_exit_is_transient():
    """An engine that cannot even start says nothing about the files."""
    with pytest.raises(Transient, match="exit code 127"):
        await SemgrepScanner(PACK).scan(
            [Source("a.py", b"x", frozenset())], Scripted(lambda _: Completed(127, b"", b""))
        )


def test_broken_pack_is_named(tmp_path: Path):
    """A rule file that is not complete stops the start with its name."""
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "mine.yaml").write_text("rules: [{id: x, languages: [python], metadata: {}}]")
    with pytest.raises(Permanent, match=r"mine\.yaml"):
        Pack(tmp_path)
    with pytest.raises(Permanent, match="no Semgrep rules"):
        Pack(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("path", "languages"),
    [
        ("a/b.py", ("python",)),
        ("b.tsx", ("typescript",)),
        ("x/Dockerfile", ("dockerfile",)),
        (".gitlab-ci.yml", ("yaml",)),
        ("README.md", ()),
        ("migrations/0001.sql", ("regex",)),
    ],
)
def test_languages_follow_names(path: str, languages: tuple[str, ...]):
    """The name of a file decides as what it is parsed."""
    assert PACK.languages_of(path) == languages
    assert SemgrepScanner(PACK).wants(path) == bool(languages)
