"""Samples of rules: what their comments promise, and whether a report keeps it.

The comment stands on the line before, as the Semgrep community writes it: ``ruleid: x`` where the rule x
must report, ``ok: x`` where it must not, ``todoruleid`` and ``todook`` where it does not do so yet.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.scanners.semgrep_files import Rule

_COMMENT = re.compile(
    r"(?<!\w)(?<!\w-)(?P<mark>ruleid|ok|todoruleid|todook)[ \t]*:[ \t]*"
    r"(?P<ids>[A-Za-z0-9](?:[\w.-]*\w)?(?:[ \t]*,[ \t]*[A-Za-z0-9](?:[\w.-]*\w)?)*)"
)


@dataclass(frozen=True, slots=True)
class Promise:
    """Hold the lines of a sample (1-based) that one rule must, must not, or may report."""

    found: frozenset[int] = frozenset()
    quiet: frozenset[int] = frozenset()
    open: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold a sample of one rule; ``name`` is its path below the pack, which ``paths`` of rules refer to."""

    rule: Rule
    file: Path
    name: str
    content: bytes
    promise: Promise


def samples_of(rule: Rule) -> list[Sample]:
    """Return the samples of *rule*: files named like its own in which comments name it; there may be none."""
    samples = []
    for file in _beside(rule):
        content = file.read_bytes()
        promise = promises(content.decode(errors="replace")).get(rule.id)
        if promise is not None:
            samples.append(Sample(rule, file, file.relative_to(rule.pack).as_posix(), content, promise))
    return samples


def _beside(rule: Rule) -> list[Path]:
    stem = re.escape(rule.file.stem)
    name = re.compile(rf"{stem}(?:\.test)?\.(?!fixed\.)[^/]+")
    return sorted(
        file
        for file in rule.file.parent.iterdir()
        if file != rule.file and name.fullmatch(file.name) and file.is_file()
    )


def fixed_sample(sample: Path) -> Path:
    """Return where the sample may stand as it is once all fixes are applied."""
    stem, _, suffix = sample.name.partition(".")
    return sample.with_name(f"{stem}.fixed.{suffix}")


def promises(sample: str) -> Mapping[str, Promise]:
    """Return what the comments of *sample* promise, by rule."""
    lines = sample.split("\n")
    marked: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, line in enumerate(lines, 1):
        for comment in _COMMENT.finditer(line):
            about = number + 1
            while about <= len(lines) and _COMMENT.search(lines[about - 1]):
                about += 1
            for rule in re.split(r"\s*,\s*", comment["ids"]):
                marked[rule][comment["mark"]].add(about)
    return {
        rule: Promise(
            frozenset(by["ruleid"]), frozenset(by["ok"]), frozenset(by["todoruleid"] | by["todook"])
        )
        for rule, by in marked.items()
    }


def broken(promise: Promise, found: Collection[int]) -> Iterator[tuple[int, str]]:
    """Yield the lines where a rule that reports the lines *found* does not keep its *promise*."""
    for line in sorted({*promise.found, *found} - promise.open):
        if line not in found:
            yield line, "is not reported, although the comment before it says `ruleid`"
        elif line in promise.quiet:
            yield line, "is reported, although the comment before it says `ok`"
        elif line not in promise.found:
            yield line, "is reported, and no comment before it says `ruleid`"
