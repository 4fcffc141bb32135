"""Do the tools on this machine work: git and the scanners."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence

from bot.adapters.git_version import OLDEST_GIT, REMEDY
from bot.cli.checks import Check, fail, ok, skipped, version_of, warn
from bot.ports import Command, Runner
from bot.scanners import Preparing, Scanner, Source, absent, known_rules

#: Anything valid will do: what counts is that the scanner could read it.
CANARIES = (
    Source("canary.py", b"import os\n\nprint(os.name)\n", frozenset({1, 2, 3})),
    Source("requirements.txt", b"canary==1.0\n", frozenset({1})),
)

Which = Callable[[str], str | None]


async def git(runner: Runner, which: Which = shutil.which) -> list[Check]:
    """Judge git."""
    path = which("git")
    if path is None:
        return [fail("git", "it is not in PATH", REMEDY)]
    done = await runner.run(Command((path, "--version"), limit_s=4))
    words = done.stdout.decode(errors="replace").split()
    try:
        version = version_of(words[2])
    except (IndexError, ValueError):
        return [fail("git", f"{path} does not run", "install git again")]
    if version[:2] < OLDEST_GIT:
        return [fail("git", f"version {words[2]}", REMEDY)]
    return [ok("git", f"version {words[2]}")]


async def scanner(plug: Scanner, runner: Runner) -> list[Check]:
    """Judge a scanner by letting it get ready and scan a tiny program."""
    name = f"scanner {plug.name}"
    if reason := absent(plug):
        return [skipped(name, reason)]
    how = await plug.prepare(runner) if isinstance(plug, Preparing) else "it scans"
    canary = next((canary for canary in CANARIES if plug.wants(canary.path)), CANARIES[0])
    report = await plug.scan([canary], runner)
    if canary.path in report.analysed:
        if impaired := getattr(plug, "impaired", ""):
            remedy = "install Cloister again, or unset CLOISTER_KINGFISHER"
            return [warn(name, f"it scans, but {impaired}", remedy)]
        return [ok(name, how)]
    reason = report.not_analysed.get(canary.path, "it did not look at a tiny program")
    return [fail(name, reason, "install Cloister again, with its dependencies")]


def rules(scanners: Mapping[str, Scanner], problems: Sequence[str]) -> Check:
    """Judge the rules of all scanners by what is wrong with any of them."""
    count = f"{len(known_rules(scanners.values()))} rules"
    if not problems:
        return ok("rules", count)
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    remedy = "correct the rule, or CLOISTER_RULES_DIRS; `cloister rules test DIR` names everything"
    return warn("rules", f"{count}; left out: {problems[0]}{more}", remedy)
