"""Fixes of rules on their samples."""

from __future__ import annotations

from pathlib import Path

from bot.domain.findings import Finding, Fix, ScanReport, Severity
from bot.scanners.rule_fixes import Fixed, apply, remaining
from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_samples import Sample, samples_of


def sample(tmp_path: Path, code: str) -> Sample:
    (tmp_path / "a.yaml").write_text(
        "rules: [{id: x, languages: [python], severity: INFO, message: m, pattern: f(), fix: g()}]"
    )
    (tmp_path / "a.py").write_text(f"# ruleid: x\n{code}")
    (found,) = samples_of(Pack(tmp_path).by_id["x"])
    return found


def found(line: int, end_line: int, replacement: str | None) -> Finding:
    fix = None if replacement is None else Fix(line=line, end_line=end_line, replacement=replacement)
    return Finding(
        scanner="semgrep", rule="x", category="c", severity=Severity.low, path="a.py", line=line,
        end_line=end_line, title="t", message="m", fix=fix,
    )  # fmt: skip


def fixed(tmp_path: Path, code: str, *findings: Finding) -> Fixed:
    (one,) = apply([(sample(tmp_path, code), findings)])
    return one


def test_fixes_apply_from_the_end(tmp_path: Path):
    """Lines come and go without moving the others' places; of two on a line the second waits."""
    one = fixed(
        tmp_path, "a\nb\nc\nd\n", found(2, 3, "A"), found(4, 4, ""), found(5, 5, "D\nE"), found(5, 5, "F")
    )
    assert (one.content, one.left, one.problems) == (b"# ruleid: x\nA\nD\nE\n", 1, ())


def test_useless_fixes(tmp_path: Path):
    """A fix that changes nothing, or where the code stands, or that is a pattern is named, and a rule without one."""
    problems = [
        *fixed(tmp_path, "  a\n", found(2, 2, "  a")).problems,
        *fixed(tmp_path, "  a\n", found(2, 2, "b")).problems,
        *fixed(tmp_path, "  a\n", found(2, 2, None)).problems,
        *fixed(tmp_path, "a(1)\n", found(2, 2, "b(...)")).problems,
    ]
    assert [problem.message for problem in problems] == [
        "the fix of x changes nothing",
        "the fix of x changes the indentation",
        "the rule has a fix, but none is offered",
        "the fix of x writes an ellipsis, which means something in patterns only; name what it stands for: $...ARGS",
    ]


def test_what_the_fixes_leave(tmp_path: Path):
    """As many findings may remain as had no fix."""
    one = fixed(tmp_path, "a\nb\n", found(2, 2, "A"), found(3, 3, None))
    remain = found(3, 3, None)
    assert list(remaining(one, ScanReport(scanner="semgrep", findings=(remain,)))) == []
    (problem,) = remaining(one, ScanReport(scanner="semgrep", findings=(remain, found(2, 2, None))))
    assert "still reports what its fix leaves" in problem.message
