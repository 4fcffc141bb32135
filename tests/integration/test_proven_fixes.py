"""Only fixes that hold are offered, judged by the real scanners, grammars and Python."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from bot.adapters.process import ProcessRunner
from bot.domain.errors import Transient
from bot.domain.findings import Confidence, Finding, Fix, ScanReport, Severity
from bot.domain.fingerprint import lines_of, stamp
from bot.domain.policy import Policy, Rules
from bot.domain.suggestion import Refusal
from bot.ports import Runner
from bot.reviewer.rescan import ADDS
from bot.reviewer.verification import Verification
from bot.scanners import Scanner, Setup, Source, load
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_samples import samples_of

RULES = Path(__file__).parents[2] / "rules"
RUNNER = ProcessRunner()
TOKEN = f"glpat-{'q7Zt4LwX9bNc2RfK8vYd'}"
LOAD = "import yaml\n\n\ndef read(text):\n    return yaml.load(text)\n"
SHELL = 'import subprocess\n\n\ndef run(name):\n    subprocess.run(f"ls {name}", shell=True)\n'
ALL = ("applies", "parses", "clean:secrets", "clean:semgrep")


@cache
def scanners() -> dict[str, Scanner]:
    """Return the scanners, compiled once."""
    return load(Setup(rules=RULES, key=b"key of the tests"))


def verification(**changes: object) -> Verification:
    """Return what checks fixes, with all scanners unless *changes* say otherwise."""
    usual = {
        "scanners": list(scanners().values()), "runner": RUNNER, "policy": Policy(),
        "redact": lambda text: text.replace(TOKEN, "[masked]"),
    }  # fmt: skip
    return Verification(**(usual | changes))  # type: ignore[arg-type]


def told(line: int, replacement: str, *, end_line: int = 0, path: str = "a.py", **changes: object) -> Finding:
    """Return what a model says about a line, with a fix."""
    base = {
        "scanner": "model", "rule": "correctness", "category": "correctness", "severity": Severity.medium,
        "confidence": Confidence.high, "path": path, "line": line, "end_line": end_line or line, "title": "t",
        "message": "m", "fix": Fix(line=line, end_line=end_line or line, replacement=replacement),
        "fingerprint": f"{path}:{line}:{replacement}",
    }  # fmt: skip
    return Finding.model_validate(base | changes)


async def scanned(code: str, path: str = "a.py") -> list[Finding]:
    """Return what Semgrep says about *code*."""
    report = await scanners()["semgrep"].scan([Source(path, code.encode(), frozenset())], RUNNER)
    return stamp(report.findings, {path: lines_of(code.encode())}, key=b"k")


async def verdict(code: str, finding: Finding, others: Sequence[Finding] = ()) -> Fix:
    """Return what becomes of the fix of *finding* in *code*."""
    judged = await verification().judge([finding, *others], {finding.path: code.encode()})
    assert judged[0].fix is not None
    return judged[0].fix


async def test_the_fix_of_a_rule_is_proven() -> None:
    """It applies, parses, ends what Semgrep said and adds nothing."""
    (finding,) = (one for one in await scanned(LOAD) if one.fix)
    fix = await verdict(LOAD, finding)
    assert fix.verified == ("applies", "parses", "gone:semgrep", "clean:secrets", "clean:semgrep")
    assert "safe_load" in fix.replacement


async def test_the_fix_of_a_model_is_proven_as_far_as_can_be() -> None:
    """Nobody can tell whether what the model meant is gone, so nobody says so."""
    fix = await verdict("def total(a):\n    return a[len(a)]\n", told(2, "    return a[len(a) - 1]"))
    assert fix.verified == ALL


@pytest.mark.parametrize(
    ("path", "code", "finding"),
    [
        ("a.py", "def f():\n    g(1)\n", told(2, "    g(1")),
        ("a.py", "def f():\n    g(1)\n", told(2, "    if x:")),
        ("a.py", "for x in y:\n    g(x)\n", told(1, "for x in y")),
        ("a.py", "def f():\n    g(1)\n    h()\n", told(2, "    g(1)\n      i()")),
        ("a.py", "class A:\n    x = 1\n\n\ny = 2\n", told(5, "return 2")),
        ("a.js", "function f() {\n  g(1);\n}\n", told(2, "  if (x) {", path="a.js")),
        ("a.go", "package a\n\nfunc f() {\n\tg(1)\n}\n", told(4, "\tg(1))", path="a.go")),
        ("A.java", "class A {\n  int f() {\n    return 1;\n  }\n}\n", told(3, "    return 1", path="A.java")),
        ("a.tsx", "const a = (\n  <b>{x}</b>\n);\n", told(2, "  <i>{x}</b>", path="a.tsx")),
        ("a.json", '{\n  "a": 1,\n  "b": 2\n}\n', told(2, '  "a": 1', path="a.json")),
        ("a.yaml", "a:\n  - b\n  - c\n", told(2, "  - [b", path="a.yaml")),
    ],
)
async def test_a_fix_that_breaks_the_file_is_refused(path: str, code: str, finding: Finding) -> None:
    """Whatever the language, and although editors would forgive it."""
    assert finding.path == path
    fix = await verdict(code, finding)
    assert fix.verified == ()
    assert fix.refusal == (Refusal.brackets if path == "a.tsx" else Refusal.breaks)


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        (
            "class A:\n    def a(self):\n        return 1\n\n    def b(self):\n        return 2\n",
            told(5, "", end_line=6),
        ),
        ("def f(a):\n    return a\n", told(1, "def g(a):")),
        ("package a\n\nfunc g() {}\n\nfunc f() {\n\tg()\n}\n", told(3, "", path="a.go")),
        ("export class A {}\nexport class B {}\n", told(2, "export class C {}", path="a.ts")),
    ],
)
async def test_a_fix_that_takes_a_definition_away_is_refused(code: str, finding: Finding) -> None:
    """Other code may use it, here or in files that nobody looks at."""
    assert (await verdict(code, finding)).refusal == Refusal.removes


async def test_tabs_for_spaces_are_shown_and_not_offered() -> None:
    """Nor spaces for tabs; both together are fine where the file has them so."""
    assert (
        await verdict("def f(a):\n    return a\n", told(2, "\treturn a[0]"))
    ).refusal == Refusal.indentation
    assert (
        await verdict("def f(a):\n\treturn a\n", told(2, "    return a[0]"))
    ).refusal == Refusal.indentation
    code = "f(1,\n\t  g(2),\n\t  h(3))\n"
    assert (await verdict(code, told(2, "\t  g(4),", path="a.js"))).verified


async def test_what_a_function_has_for_itself_may_go() -> None:
    """Nobody else can use what is defined in it."""
    code = "def f(a):\n    def g():\n        return a\n    return g()\n"
    assert (await verdict(code, told(2, "    return a", end_line=4))).verified == ALL


async def test_old_errors_are_not_blamed_on_the_fix() -> None:
    """A file for another release of Python, or with a mistake elsewhere, may be mended in its other parts."""
    fix = await verdict('print "old"\n\n\ndef f(a):\n    return a[len(a)]\n', told(5, "    return a[-1]"))
    assert "parses" in fix.verified
    fix = await verdict("x = = 1\ny = (1,\n", told(1, "x = 1"))
    assert "parses" in fix.verified


async def test_a_file_without_grammar_is_not_said_to_parse() -> None:
    """What was checked is said, and that it was not parsed."""
    assert "unparsed" in (await verdict("a = 1\nb = 2\n", told(1, "a = 3", path="a.unknown"))).verified
    assert (await verdict("f(1)\n", told(1, "f(1", path="a.unknown"))).refusal == Refusal.brackets
    assert (await verdict("f(1)\n", told(1, "import x from 'y'", path="a.unknown"))).refusal in {
        Refusal.imports,
        Refusal.brackets,
    }


async def test_a_fix_that_keeps_the_finding_is_refused() -> None:
    """A model explains a finding and mends something else, or nothing."""
    findings = [one.model_copy(update={"fix": None}) for one in await scanned(LOAD)]
    (static,) = findings
    worded = told(5, "    return yaml.load(text or '')", explains=static.fingerprint, cwe=static.cwe)
    fix = await verdict(LOAD, worded, findings)
    assert (fix.verified, fix.refusal) == ((), Refusal.stays)
    mended = told(5, "    return yaml.safe_load(text)", explains=static.fingerprint, cwe=static.cwe)
    assert "gone:semgrep" in (await verdict(LOAD, mended, findings)).verified


async def test_what_was_not_found_again_is_not_said_to_be_gone() -> None:
    """A finding that the scanner does not repeat in a copy of the file proves nothing by its absence."""
    ghost = told(2, "    return 2", scanner="semgrep", rule="no-such-rule")
    assert (await verdict("def f():\n    return 1\n", ghost)).refusal == Refusal.unconfirmed


async def test_a_fix_that_adds_a_finding_is_refused() -> None:
    """The rule is named."""
    code = 'import subprocess\n\n\ndef run(name):\n    subprocess.run(["ls", name])\n'
    fix = await verdict(code, told(5, '    subprocess.run(f"ls {name}", shell=True)'))
    assert fix.verified == ()
    assert fix.refusal.startswith(ADDS[:31])
    assert "shell" in fix.refusal or "command" in fix.refusal


async def test_a_fix_that_moves_a_finding_is_refused() -> None:
    """One of a rule gone and another one come elsewhere is no better."""
    code = f"{SHELL}\n\ndef other():\n    pass\n"
    fix = await verdict(code, told(9, '    subprocess.run(f"ls {name}", shell=True)'))
    assert fix.refusal.startswith(ADDS[:31])


async def test_a_fix_with_a_secret_is_refused_and_masked() -> None:
    """What the model made up may be real, and must not be in a comment."""
    fix = await verdict("def f():\n    return login(None)\n", told(2, f'    return login("{TOKEN}")'))
    assert fix.refusal.startswith(ADDS[:31])
    assert TOKEN not in fix.replacement


async def test_other_findings_of_the_file_may_stay() -> None:
    """A fix is not responsible for what it does not touch, wherever that moves."""
    code = f"{LOAD}\n\n{SHELL}"
    (finding,) = (one for one in await scanned(code) if one.fix)
    longer = finding.model_copy(
        update={
            "fix": Fix(
                line=5, end_line=5, replacement="    text = str(text)\n    return yaml.safe_load(text)"
            )
        }
    )
    assert "gone:semgrep" in (await verdict(code, longer)).verified


async def test_overlapping_fixes_are_judged_alone() -> None:
    """Two ways to mend the same line are both right; a wrong one beside them spoils neither."""
    code = "def f(a):\n    return a[len(a)]\n"
    ways = [told(2, text) for text in ("    return a[-1]", "    return a[len(a) - 1]", "    return a[len(a)")]
    judged = await verification().judge(ways, {"a.py": code.encode()})
    assert [bool(one.fix and one.fix.verified) for one in judged] == [True, True, False]


async def test_rules_about_paths_hold_for_the_copies(tmp_path: Path) -> None:
    """A rule for one directory is asked about files in it although the copies stand elsewhere."""
    (tmp_path / "semgrep").mkdir()
    (tmp_path / "semgrep" / "r.yaml").write_text(
        "rules: [{id: r, languages: [python], severity: ERROR, message: m, pattern: bad(...), fix: good(),"
        " paths: {include: [/src/*.py]}}]"
    )
    semgrep = load(Setup(rules=RULES, key=b"k", packs=(tmp_path,)))["semgrep"]
    code = b"bad(1)\n"
    report = await semgrep.scan([Source("src/a.py", code, frozenset())], RUNNER)
    assert [one.rule for one in report.findings] == ["r"]
    (judged,) = await verification(scanners=[semgrep]).judge(report.findings, {"src/a.py": code})
    assert judged.fix is not None
    assert "gone:semgrep" in judged.fix.verified
    (worse,) = await verification(scanners=[semgrep]).judge(
        [told(1, "bad(2), bad(3)", path="src/a.py")], {"src/a.py": code}
    )
    assert worse.fix is not None
    assert worse.fix.refusal == ADDS.format(rule="r")


async def test_what_cannot_be_checked_is_refused() -> None:
    """A file that is not there, lines that are not, and more fixes than are checked."""
    missing = told(1, "x", path="gone.py")
    beyond = told(9, "x = 1")
    many = [told(1, f"x = {number}", severity=Severity.info) for number in range(45)]
    judged = await verification(scanners=[]).judge([missing, beyond, *many], {"a.py": b"x = 0\n"})
    reasons = [one.fix.refusal for one in judged if one.fix]
    assert reasons[:2] == [Refusal.unreadable, Refusal.outside_file]
    assert reasons.count(Refusal.too_many) == 7


class Odd:
    """A scanner that fails, sleeps or cannot look, as told."""

    name, everywhere, history = "odd", False, False

    def __init__(self, error: Exception | None = None, *, sleep_s: float = 0.0) -> None:
        self.error, self.sleep_s = error, sleep_s

    def wants(self, path: str) -> bool:
        return True

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        await asyncio.sleep(self.sleep_s)
        if self.error:
            raise self.error
        return ScanReport(scanner=self.name, not_analysed={one.path: "no" for one in sources})


async def test_a_scanner_that_cannot_look_proves_nothing() -> None:
    """Not analysed is not clean; slow is not clean; broken is for the caller to try again."""
    findings, heads = [told(1, "x = 1")], {"a.py": b"x = 0\n"}
    (blind,) = await verification(scanners=[Odd()]).judge(findings, heads)
    (slow,) = await verification(scanners=[Odd(sleep_s=9)], limit_s=0.5).judge(findings, heads)
    assert [one.fix and one.fix.refusal for one in (blind, slow)] == [Refusal.unscanned, Refusal.too_slow]
    with pytest.raises(Transient):
        await verification(scanners=[Odd(Transient("broken"))]).judge(findings, heads)


async def test_what_was_checked_before_stays_as_it_is() -> None:
    """A verdict is given once; findings without a fix, and their order, are left alone."""
    done = told(1, "(").model_copy(
        update={"fix": Fix(line=1, end_line=1, replacement="(", verified=("applies",))}
    )
    bare = done.model_copy(update={"fix": None})
    assert [bare, done] == await verification().judge([bare, done], {"a.py": b"x\n"})


async def test_every_fix_of_a_shipped_rule_is_proven_on_its_samples() -> None:
    """What the rules offer may be offered to people."""
    pack = Pack(RULES)
    fixing = [rule for rule in pack.by_id.values() if {"fix", "fix-regex"} & rule.body.keys()]
    sources = {
        f"{rule.id}/{sample.name}": (rule.id, sample.content)
        for rule in fixing
        for sample in samples_of(rule)
    }
    report = await scanners()["semgrep"].scan(
        [Source(name, content, frozenset()) for name, (_, content) in sources.items()], RUNNER
    )
    found = [one for one in report.findings if sources[one.path][0] == one.rule]
    assert {one.rule for one in found} == {rule.id for rule in fixing}
    heads = {name: content for name, (_, content) in sources.items()}
    policy = Policy(rules=Rules(enable=tuple(pack.by_id)))
    judged: list[Finding] = []
    for start in range(0, len(found), 40):
        judged += await verification(policy=policy, limit_s=300.0).judge(found[start : start + 40], heads)
    assert [
        (one.rule, one.line, one.fix and one.fix.refusal)
        for one in judged
        if not (one.fix and one.fix.verified)
    ] == []
