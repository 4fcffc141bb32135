"""Put a pack of Semgrep rules to the test: read, accepted by the engine, true on its samples, fixes that mend.

The engine runs a few times for all rules together, never once for each.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.domain.findings import Finding, ScanReport
from bot.ports import Runner
from bot.scanners import Source, rule_fixes
from bot.scanners.semgrep import SemgrepScanner
from bot.scanners.semgrep_files import line_of
from bot.scanners.semgrep_lint import house_rules, lint
from bot.scanners.semgrep_refusals import refused, unfiltered, unparsable
from bot.scanners.semgrep_rules import Pack, Problem, Rule
from bot.scanners.semgrep_samples import Sample, broken, samples_of


@dataclass(frozen=True, slots=True)
class Checked:
    """Hold how many rules and samples were looked at, and what is wrong with them, by file and line."""

    rules: int = 0
    samples: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        """Say whether there are no problems but warnings."""
        return all(problem.warning for problem in self.problems)

    def __add__(self, other: Checked) -> Checked:
        problems = {*self.problems, *other.problems}
        in_order = sorted(problems, key=lambda problem: (str(problem.file), problem.line, problem.message))
        return Checked(self.rules + other.rules, self.samples + other.samples, tuple(in_order))


async def check(directory: Path, runner: Runner, *, strict: bool = False) -> Checked:
    """Check the Semgrep rules in *directory*; *strict* asks of them what the shipped rules must be like.

    Raises:
        Permanent: there is no rule in it, or Semgrep is not installed.
        Transient: the engine broke.
    """
    pack = await asyncio.to_thread(Pack, directory)
    usable = pack.without(await refused(pack, runner))
    problems = [*usable.problems, *await unfiltered(usable, runner)]
    problems += await asyncio.to_thread(_linted, pack.by_id.values(), strict=strict)
    samples = await asyncio.to_thread(_samples, usable)
    problems += [problem for rule in usable.by_id.values() for problem in _gaps(rule, samples[rule.id])]
    every = [sample for own in samples.values() for sample in own]
    problems += await _tried(usable, every, runner)
    if strict:
        problems = [replace(problem, warning=False) for problem in problems]
    return Checked() + Checked(len(pack.by_id), len(every), tuple(problems))


def _linted(rules: Iterable[Rule], *, strict: bool) -> list[Problem]:
    return [
        Problem(rule.file, line_of(rule, remark.path), f"{rule.id}: {remark.message}", rule.id, remark.style)
        for rule in rules
        for remark in (*lint(rule), *(house_rules(rule) if strict else ()))
    ]


def _samples(pack: Pack) -> dict[str, list[Sample]]:
    return {rule.id: samples_of(rule) for rule in pack.by_id.values()}


def _gaps(rule: Rule, samples: Sequence[Sample]) -> Iterator[Problem]:
    if not samples:
        why = f"no sample: add {rule.file.stem}.SUFFIX beside it, with comments `ruleid: {rule.id}` and `ok: {rule.id}`"
        yield Problem(rule.file, rule.line, why, rule.id)
        return
    for mark, lines in (("ruleid", "found"), ("ok", "quiet")):
        if not any(getattr(sample.promise, lines) for sample in samples):
            why = f"no line of its sample is marked `{mark}: {rule.id}`"
            yield Problem(rule.file, rule.line, why, rule.id, warning=mark == "ok")


async def _tried(pack: Pack, samples: Sequence[Sample], runner: Runner) -> list[Problem]:
    """Scan the samples, and once more as the fixes leave them."""
    report = await _scan(pack, {sample.name: sample.content for sample in samples}, runner)
    found: Mapping[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        found[finding.rule, finding.path].append(finding)
    judged = [(sample, found[sample.rule.id, sample.name]) for sample in samples]
    problems = [problem for sample, own in judged for problem in _judged(sample, own, report)]
    fixed = rule_fixes.apply(judged)
    contents = {one.name: one.content for one in fixed}
    again = await _scan(pack, contents, runner)
    # The scan does not read files in which no rule's words stand, as after a good fix.
    torn = await unparsable(pack, contents, runner)
    for one in fixed:
        problems += [*one.problems, *rule_fixes.remaining(one, again, torn=one.name in torn)]
    return problems


def _judged(sample: Sample, found: Sequence[Finding], report: ScanReport) -> Iterator[Problem]:
    rule = sample.rule
    if why := report.not_analysed.get(sample.name):
        yield Problem(sample.file, 1, f"the sample is not analysed: {why}", rule.id)
        return
    for line, what in broken(sample.promise, {finding.line for finding in found}):
        yield Problem(sample.file, line, f"{rule.id} {what}", rule.id)


async def _scan(pack: Pack, files: Mapping[str, bytes], runner: Runner) -> ScanReport:
    sources = [Source(name, content, frozenset()) for name, content in sorted(files.items())]
    if not sources:
        return ScanReport(scanner="semgrep")
    return await SemgrepScanner(pack).scan(sources, runner)
