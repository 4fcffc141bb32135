"""Put a pack of Semgrep rules to the test: read, accepted by the engine, true on its samples, fixes that mend.

The engine runs a few times for all rules together, never once for each.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.errors import Transient
from bot.domain.findings import Finding, ScanReport
from bot.ports import Command, Runner
from bot.scanners import Source
from bot.scanners.semgrep import SemgrepScanner, _core
from bot.scanners.semgrep_rules import Pack, Problem, Rule
from bot.scanners.semgrep_samples import Promise, broken, fixed_sample, promises, samples_of


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold a sample of one rule; ``name`` is its path below the pack, which ``paths`` of rules refer to."""

    rule: Rule
    file: Path
    name: str
    content: bytes
    promise: Promise


@dataclass(frozen=True, slots=True)
class Checked:
    """Hold how many rules and samples were looked at, and what is wrong with them, by file and line."""

    rules: int
    samples: int
    problems: tuple[Problem, ...]


async def check(directory: Path, runner: Runner) -> Checked:
    """Check the rules in *directory*.

    Raises:
        Permanent: there is no rule in it, or Semgrep is not installed.
        Transient: the engine broke.
    """
    pack = await asyncio.to_thread(Pack, directory)
    refused = await refusals(pack, runner)
    problems = [*pack.problems, *refused]
    usable = pack.without({problem.rule for problem in refused})
    samples, missing = await asyncio.to_thread(_samples, usable)
    problems += missing
    report = await _scan(usable, {sample.name: sample.content for sample in samples}, runner)
    found = _by_sample(report)
    problems += [problem for sample in samples for problem in _judged(sample, found, report)]
    problems += await _fix_problems(usable, samples, found, runner)
    return Checked(
        len(pack.by_id), len(samples), tuple(sorted(set(problems), key=lambda p: (str(p.file), p.line)))
    )


async def refusals(pack: Pack, runner: Runner) -> list[Problem]:
    """Return the rules that the engine does not accept, or that have no prefilter, with the reason."""
    rules = pack.as_json(pack.languages)
    files = {"rules.json": rules, "targets.json": b'["Targets",[]]'}
    parsed = await _answer(
        runner, ("-json_nodots", "-rules", "rules.json", "-targets", "targets.json", "-j", "1"), files
    )
    refused = {
        error["rule_id"]: f"Semgrep does not accept the rule: {error['message'].strip()}"
        for error in parsed["errors"]
        if error.get("rule_id") in pack.by_id
    }
    rest = pack.without(refused)
    filters = await _answer(
        runner, ("-prefilter_of_rules", "rules.json"), {"rules.json": rest.as_json(rest.languages)}
    )
    unfiltered = {
        entry[
            "rule_id"
        ]: "the rule has no prefilter, so every file is parsed for it; add a pattern with a literal"
        for entry in filters
        if entry["filter"] == "None"
    }
    named = [(pack.by_id[rule_id], why) for rule_id, why in (refused | unfiltered).items()]
    return [Problem(rule.file, rule.line, why, rule.id) for rule, why in named]


async def _answer(runner: Runner, options: Sequence[str], files: Mapping[str, bytes]) -> Any:
    done = await runner.run(Command((_core(), *options), files, limit_s=60.0))
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise Transient(f"semgrep-core ended with exit code {done.returncode} and no answer") from error


def _samples(pack: Pack) -> tuple[list[Sample], list[Problem]]:
    samples, problems = [], []
    for rule in pack.by_id.values():
        own = []
        for file in samples_of(rule):
            content = file.read_bytes()
            promise = promises(content.decode(errors="replace")).get(rule.id)
            if promise is not None:
                own.append(Sample(rule, file, file.relative_to(rule.pack).as_posix(), content, promise))
        samples += own
        problems += [Problem(rule.file, rule.line, why, rule.id) for why in _gaps(rule, own)]
    return samples, problems


def _gaps(rule: Rule, samples: Sequence[Sample]) -> Iterator[str]:
    if not samples:
        yield f"no sample: add {rule.file.stem}.SUFFIX beside it, with comments `ruleid: {rule.id}` and `ok: {rule.id}`"
        return
    if not any(sample.promise.found for sample in samples):
        yield f"no line of its sample is marked `ruleid: {rule.id}`"
    if not any(sample.promise.quiet for sample in samples):
        yield f"no line of its sample is marked `ok: {rule.id}`"


async def _scan(pack: Pack, files: Mapping[str, bytes], runner: Runner) -> ScanReport:
    sources = [Source(name, content, frozenset()) for name, content in sorted(files.items())]
    return await SemgrepScanner(pack).scan(sources, runner)


def _by_sample(report: ScanReport) -> Mapping[tuple[str, str], list[Finding]]:
    found = defaultdict(list)
    for finding in report.findings:
        found[finding.rule, finding.path].append(finding)
    return found


def _judged(
    sample: Sample, found: Mapping[tuple[str, str], Sequence[Finding]], report: ScanReport
) -> Iterator[Problem]:
    rule = sample.rule
    if why := report.not_analysed.get(sample.name):
        yield Problem(sample.file, 1, f"the sample is not analysed: {why}", rule.id)
        return
    lines = {finding.line for finding in found.get((rule.id, sample.name), ())}
    for line, what in broken(sample.promise, lines):
        yield Problem(sample.file, line, f"{rule.id} {what}", rule.id)


async def _fix_problems(
    pack: Pack, samples: Iterable[Sample], found: Mapping[tuple[str, str], Sequence[Finding]], runner: Runner
) -> list[Problem]:
    """Apply what each rule offers to its sample, and scan that again."""
    problems: list[Problem] = []
    fixed: dict[str, tuple[Sample, bytes, int]] = {}
    for sample in samples:
        if not {"fix", "fix-regex"} & sample.rule.body.keys():
            continue
        findings = found.get((sample.rule.id, sample.name), ())
        content, applied, wrong = _fixed(sample, findings)
        problems += wrong
        # Rules may share a sample, and each is fixed on its own.
        name = f"{len(fixed)}/{sample.name}" if sample.name in fixed else sample.name
        fixed[name] = (sample, content, len(findings) - applied)
    if not fixed:
        return problems
    report = await _scan(pack, {name: content for name, (_, content, _) in fixed.items()}, runner)
    again = _by_sample(report)
    for name, (sample, _, left) in fixed.items():
        if why := report.not_analysed.get(name):
            problems.append(
                Problem(sample.file, 1, f"once fixed, the sample is not analysed: {why}", sample.rule.id)
            )
        elif len(again.get((sample.rule.id, name), ())) > left:
            line = again[sample.rule.id, name][0].line
            message = f"{sample.rule.id} still reports line {line} of what its fix leaves"
            problems.append(Problem(sample.file, line, message, sample.rule.id))
    return problems


def _fixed(sample: Sample, findings: Sequence[Finding]) -> tuple[bytes, int, list[Problem]]:
    """Return the sample with all fixes applied, how many those are, and what is wrong with them."""
    rule, problems = sample.rule, []
    lines = sample.content.decode(errors="replace").split("\n")
    applied = 0
    above = len(lines) + 1
    for finding in sorted(findings, key=lambda f: f.line, reverse=True):
        fix = finding.fix
        if fix is None or fix.end_line >= above:
            continue
        before, after = lines[fix.line - 1 : fix.end_line], fix.replacement.split("\n")
        if before == after:
            problems.append(Problem(sample.file, fix.line, f"the fix of {rule.id} changes nothing", rule.id))
        lines[fix.line - 1 : fix.end_line] = after if fix.replacement else []
        above = fix.line
        applied += 1
    if findings and not applied:
        problems.append(Problem(rule.file, rule.line, "the rule has a fix, but none is offered", rule.id))
    wanted = fixed_sample(sample.file)
    content = "\n".join(lines)
    if wanted.is_file() and wanted.read_text(encoding="utf-8") != content:
        problems.append(
            Problem(wanted, 1, f"the fixes of {rule.id} leave something else than this file", rule.id)
        )
    return content.encode(), applied, problems
