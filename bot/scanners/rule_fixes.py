"""Whether the fixes that rules offer mend their samples: applied, and scanned again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from bot.domain.findings import Finding, ScanReport
from bot.scanners.semgrep_files import Problem
from bot.scanners.semgrep_samples import Sample, fixed_sample


@dataclass(frozen=True, slots=True)
class Fixed:
    """Hold a sample with all fixes of its rule applied, and how many findings had none."""

    sample: Sample
    name: str
    content: bytes
    left: int
    problems: tuple[Problem, ...]


def apply(samples: Sequence[tuple[Sample, Sequence[Finding]]]) -> list[Fixed]:
    """Return what the fixes make of the samples of rules that have one; each under a name of its own."""
    fixed: list[Fixed] = []
    names: set[str] = set()
    for sample, findings in samples:
        if {"fix", "fix-regex"} & sample.rule.body.keys():
            # Rules may share a sample, and each is fixed on its own.
            name = f"{len(fixed)}/{sample.name}" if sample.name in names else sample.name
            names.add(name)
            fixed.append(_fixed(sample, name, findings))
    return fixed


def remaining(fixed: Fixed, report: ScanReport, *, torn: bool = False) -> Iterator[Problem]:
    """Yield what *report*, of the fixed samples, says against the fixes; a *torn* one cannot be parsed."""
    sample = fixed.sample
    if why := "it does not parse" if torn else report.not_analysed.get(fixed.name):
        message = f"what the fixes of {sample.rule.id} leave is not analysed: {why}"
        yield Problem(sample.file, 1, message, sample.rule.id)
        return
    again = [f for f in report.findings if f.path == fixed.name and f.rule == sample.rule.id]
    if len(again) > fixed.left:
        code = fixed.content.decode(errors="replace").split("\n")[again[0].line - 1].strip()
        message = f"{sample.rule.id} still reports what its fix leaves: {code:.120}"
        yield Problem(sample.file, again[0].line, message, sample.rule.id)


def _fixed(sample: Sample, name: str, findings: Sequence[Finding]) -> Fixed:
    rule = sample.rule
    lines = sample.content.decode(errors="replace").split("\n")
    problems: list[Problem] = []
    applied, above = 0, len(lines) + 1
    for finding in sorted(findings, key=lambda found: found.line, reverse=True):
        fix = finding.fix
        if fix is None or fix.end_line >= above:
            continue
        before, after = lines[fix.line - 1 : fix.end_line], fix.replacement.split("\n")
        if why := _useless(before, after):
            problems.append(Problem(sample.file, fix.line, f"the fix of {rule.id} {why}", rule.id))
        lines[fix.line - 1 : fix.end_line] = after if fix.replacement else []
        applied, above = applied + 1, fix.line
    if findings and not applied:
        problems.append(Problem(rule.file, rule.line, "the rule has a fix, but none is offered", rule.id))
    problems += _unlike(lines, sample)
    return Fixed(sample, name, "\n".join(lines).encode(), len(findings) - applied, tuple(problems))


def _useless(before: Sequence[str], after: Sequence[str]) -> str:
    if before == after:
        return "changes nothing"
    if sum(line.count("...") for line in after) > sum(line.count("...") for line in before):
        return "writes an ellipsis, which means something in patterns only; name what it stands for: $...ARGS"
    indented = (line[: len(line) - len(line.lstrip())] for line in (before[0], after[0]))
    return "changes the indentation" if after[0].strip() and len(set(indented)) > 1 else ""


def _unlike(lines: Sequence[str], sample: Sample) -> Iterator[Problem]:
    """Yield where the fixed sample is not as the file that stands for it, if there is one."""
    wanted = fixed_sample(sample.file)
    if not wanted.is_file():
        return
    pairs = zip_longest(lines, wanted.read_text(encoding="utf-8", errors="replace").split("\n"))
    for number, (line, expected) in enumerate(pairs, 1):
        if line != expected:
            message = f"the fixes of {sample.rule.id} leave {line or 'nothing'!r:.120} here"
            yield Problem(wanted, number, message, sample.rule.id)
            return
