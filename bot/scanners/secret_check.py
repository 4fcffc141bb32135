"""Put secret rules to the test: each finds what its templates make, and nothing in its clean ones."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import Permanent
from bot.ports import Runner
from bot.scanners import Setup, Source, secrets
from bot.scanners.rule_check import Checked
from bot.scanners.secret_rules import SecretRule
from bot.scanners.secret_samples import fill
from bot.scanners.semgrep_files import Problem

_FILLED = 10  # of each template: one that works by chance fails at least once
_STATED_ID = re.compile(r"""id\s*=\s*["']([a-z0-9-]+)["']""")
_PLACE = re.compile(r"(/.*?\.toml):?(\d+)?:? (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Trial:
    """Hold one text made from a template, and whether a secret is to be found in it."""

    rule: SecretRule
    template: str
    text: str
    secret: bool


async def check_secrets(directory: Path, shipped: Path, runner: Runner) -> Checked:
    """Check the secret rules below *directory*, a pack, beside those of the *shipped* one."""
    texts = {
        file: file.read_text(errors="replace") for file in sorted((directory / "secrets").glob("*.toml"))
    }
    if not texts:
        return Checked()
    packs = () if directory == shipped else (directory,)
    try:
        # The shipped ones come along: rules go together in pairs.
        scanner = secrets.plug(Setup(rules=shipped, packs=packs, key=b"of no consequence"))
    except Permanent as error:
        return Checked(problems=(_located(str(error), directory),))
    places = {rule: place for file, text in texts.items() for rule, place in _places(file, text)}
    rules = [rule for rule in scanner.every_rule if rule.settings.id in places]
    if packs:
        # An id that is taken names a shipped rule.
        rules = [rule for rule in rules if rule.settings.id not in secrets.plug(Setup(shipped, b"")).rules]
    trials = [trial for rule in rules for trial in _trials(rule)]
    sources = [_source(number, trial) for number, trial in enumerate(trials)]
    report = await scanner.scan(sources, runner)
    found = {finding.path for finding in report.findings}
    problems = {
        Problem(*places[trial.rule.settings.id], why, trial.rule.settings.id)
        for trial, source in zip(trials, sources, strict=True)
        if (why := _wrong(trial, found=source.path in found))
    }
    problems |= {_located(problem, directory) for problem in scanner.problems}
    return Checked() + Checked(len(rules), len(trials) // _FILLED, tuple(problems))


def _trials(rule: SecretRule) -> Iterator[_Trial]:
    settings = rule.settings
    dice = random.Random(settings.id)  # noqa: S311 - the same samples in every run
    for templates, secret in ((settings.samples, True), (settings.clean, False)):
        for template in templates:
            for _ in range(_FILLED):
                yield _Trial(rule, template, fill(template, dice), secret)


def _source(number: int, trial: _Trial) -> Source:
    """Return the text as a file of a name for which the rule holds."""
    name = (trial.rule.settings.paths or ("config.txt",))[0].replace("*", "x").strip("/")
    content = f"before\n{trial.text}\nafter\n"
    return Source(f"{number}/{name}", content.encode(), frozenset(range(1, content.count("\n") + 1)))


def _wrong(trial: _Trial, *, found: bool) -> str:
    rule = trial.rule.settings.id
    if not trial.secret:
        return f"{rule}: the clean sample {trial.template!r} is reported" if found else ""
    if not found:
        return f"{rule}: the sample {trial.template!r} is not found"
    if not trial.rule.pattern.search(trial.text.encode()):
        return f"{rule}: the sample {trial.template!r} is found by another rule only"
    return ""


def _places(file: Path, text: str) -> Iterator[tuple[str, tuple[Path, int]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if stated := _STATED_ID.match(line):
            yield stated[1], (file, number)


def _located(problem: str, directory: Path) -> Problem:
    """Return what the loader says as a problem, at the place that it names."""
    place = _PLACE.match(problem)
    return Problem(Path(place[1]), int(place[2] or 1), place[3]) if place else Problem(directory, 1, problem)
