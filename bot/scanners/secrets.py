"""Find secrets that a merge request adds, and take secrets out of text that leaves the core.

Runs inside the process: no tool, no command line, nothing that a repository could configure.
"""

from __future__ import annotations

import asyncio
import bisect
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate, count
from pathlib import Path
from typing import NamedTuple

from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Finding, ScanReport
from bot.ports import Runner
from bot.scanners import Setup, Source
from bot.scanners.encodings import as_utf8
from bot.scanners.secret_detector import Detector, Hit
from bot.scanners.secret_kingfisher import Kingfisher
from bot.scanners.secret_rules import SecretRule, add_packs, load_rules

_MAX_FILE_BYTES = 5_000_000
_MAX_FINDINGS = 100  # per file; a flood of fake tokens must cost neither time nor attention
_CONTEXT_LINES = 5  # a key id and its key may stand as far apart
_MADE_UP = re.compile(
    r"(?i)(?:^|/)(?:tests?|specs?|__tests__|testdata|fixtures?|examples?|samples?|mocks?|docs?)/|[._-](?:test|spec)\.\w+$"
    r"|(?:^|/)test_[^/]*$|\.(?:md|rst|adoc)$"
)


class SecretScanner:
    """Implement ``bot.scanners.Scanner``; only secrets on added lines are reported."""

    name = "secrets"
    everywhere = True
    history = True
    #: Of files that git shows no lines of; others are read from their diffs.
    max_bytes = 20_000_000

    def __init__(self, detector: Detector, problems: Sequence[str] = ()) -> None:
        self._detector = detector
        self._problems = tuple(problems)

    @property
    def redactor(self) -> Redactor:
        """Return a redactor with the same rules."""
        return Redactor(self._detector)

    @property
    def rules(self) -> frozenset[str]:
        """Return the ids of all rules."""
        return frozenset(rule.settings.id for rule in self._detector.rules)

    @property
    def guessing(self) -> frozenset[str]:
        """Return the ids of rules that go by the words around a value, not by its own form."""
        return frozenset(rule.settings.id for rule in self._detector.rules if rule.settings.generic)

    @property
    def every_rule(self) -> tuple[SecretRule, ...]:
        """Return all rules."""
        return tuple(self._detector.rules)

    @property
    def impaired(self) -> str:
        """Return what keeps a part of it from working, empty if nothing does."""
        return self._detector.second.problem if self._detector.second else ""

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with rules that were left out."""
        return self._problems

    async def checked(self, runner: Runner) -> SecretScanner:  # noqa: ARG002
        """Return itself: its rules were compiled as they were loaded."""
        return self

    def wants(self, path: str) -> bool:  # noqa: ARG002 - secrets turn up in any file
        """Say yes: a secret can be in any file."""
        return True

    def warm(self) -> None:
        """Compile the rules now (about a second) instead of during the first scan."""
        self._detector.warm()

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:  # noqa: ARG002
        """Scan the lines that *sources* add, in a thread; *runner* is not needed."""
        return await asyncio.to_thread(self._scan, sources)

    def _scan(self, sources: Sequence[Source]) -> ScanReport:
        findings: list[Finding] = []
        not_analysed = {}
        for source in sources:
            content = as_utf8(source.content)
            if reason := _unfit(content):
                not_analysed[source.path] = reason
                continue
            excerpt, numbers = _excerpt(source, content)
            found = self._detector.find(excerpt, path=source.name, most=_MAX_FINDINGS)
            findings += _findings(source, excerpt, numbers, found.hits)
            if found.unchecked is not None:
                not_analysed[source.path] = _incomplete(len(found.hits))
        return ScanReport(
            scanner=self.name,
            findings=tuple(sorted(findings, key=lambda f: (f.path, f.line, f.rule))),
            analysed=tuple(source.path for source in sources if source.path not in not_analysed),
            not_analysed=not_analysed,
        )


def _unfit(content: bytes) -> str:
    if len(content) > _MAX_FILE_BYTES:
        return f"larger than {_MAX_FILE_BYTES // 1_000_000} MB"
    return "binary" if b"\0" in content[:8_000] else ""


def _incomplete(count: int) -> str:
    if count >= _MAX_FINDINGS:
        return f"more than {_MAX_FINDINGS} secrets; only the first are listed"
    return "too much of it looks like secrets; it was checked in part"


def _excerpt(source: Source, content: bytes) -> tuple[bytes, list[int]]:
    """Return the added lines with some context, and the numbers of the lines returned."""
    lines = content.split(b"\n")
    near = {n for line in source.added for n in range(line - _CONTEXT_LINES, line + _CONTEXT_LINES + 1)}
    shown = [pair for pair in zip(source.numbers or count(1), lines, strict=False) if pair[0] in near]
    return b"\n".join(line for _, line in shown), [number for number, _ in shown]


def _findings(source: Source, excerpt: bytes, numbers: list[int], hits: Sequence[Hit]) -> list[Finding]:
    starts = list(accumulate((len(line) + 1 for line in excerpt.split(b"\n")), initial=0))
    findings = []
    for hit in hits:
        first, last = (bisect.bisect_right(starts, offset) - 1 for offset in (hit.start, hit.end - 1))
        added = [number for number in numbers[first : last + 1] if number in source.added]
        if added:
            findings.append(_finding(source, added[0], added[-1], hit))
    return findings


def _sure(path: str, hit: Hit) -> Confidence:
    """Return how sure a hit is: tests and documents are full of made-up passwords."""
    return Confidence.low if hit.rule.settings.generic and _MADE_UP.search(path) else hit.confidence


def _finding(source: Source, line: int, end_line: int, hit: Hit) -> Finding:
    settings = hit.rule.settings
    shown = f"starts with {hit.shown}, " if hit.shown else ""
    return Finding(
        scanner="secrets",
        rule=settings.id,
        category="secret",
        severity=hit.severity,
        confidence=_sure(source.name, hit),
        subject=hit.subject,
        path=source.path,
        line=line,
        end_line=end_line,
        title=f"{settings.title[0].upper()}{settings.title[1:]} committed",
        message=(
            f"This looks like a secret ({shown}mark {hit.mark}). Everybody with access to the repository can "
            "read it, and later commits do not remove it from the history. Revoke it where it was issued, make "
            "a new one, and keep that in a masked CI/CD variable or a secret store."
        ),
        cwe=("CWE-798",),
        references=(
            *filter(None, [settings.revoke]),
            "https://docs.gitlab.com/ci/variables/#mask-a-cicd-variable",
        ),
    )


class Redacted(NamedTuple):
    """Hold text without its secrets, and how many were taken out."""

    text: str
    replaced: int


class Redactor:
    """Take secrets out of text before it goes into a prompt, a log or a terminal.

    Call it before lines are numbered or otherwise decorated; the signs of a diff do no harm.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def redact(self, text: str, *, examples: bool = False) -> Redacted:
        """Replace every secret by ``[secret:<rule>:<mark>]``; the number of lines stays the same.

        With *examples* those are replaced, too, that only stand for secrets, as in documents. Text with more to look at than there is time for is masked from there to its end.
        """
        data = text.encode("utf-8", "surrogatepass")
        hits, unchecked = self._detector.find(data, examples=examples)
        end = len(data) if unchecked is None else unchecked
        parts, done = [], 0
        for hit in hits:
            if hit.end <= end:
                parts += [data[done : hit.start], _stand_in(_label(hit), data[hit.start : hit.end])]
                done = hit.end
        parts.append(data[done:end])
        if unchecked is not None:
            parts.append(_stand_in(b"[secret:unchecked]", data[max(done, end) :]))
        return Redacted(b"".join(parts).decode("utf-8", "surrogatepass"), len(hits))


def _label(hit: Hit) -> bytes:
    return f"[secret:{hit.rule.settings.id}:{hit.mark}]".encode()


def _stand_in(label: bytes, secret: bytes) -> bytes:
    """Return what is shown instead; further lines of the secret stay as empty lines with their diff sign."""
    _, *rest = secret.split(b"\n")
    return b"\n".join((label, *(line[:1] if line[:1] in b"+- " else b"" for line in rest)))


@cache
def _shipped(rules: Path, key: bytes, kingfisher: Path | None) -> Detector:
    second = Kingfisher(kingfisher, key) if kingfisher else None
    return Detector(load_rules(rules / "secrets"), key, second)


def redactor(setup: Setup) -> Redactor:
    """Return a redactor with the shipped rules; it shares them, compiled, with the scanner of the same *setup*."""
    return Redactor(_shipped(setup.rules, setup.key, setup.kingfisher))


def redactor_of(scanners: Mapping[str, object]) -> Redactor:
    """Return a redactor with the rules of the scanner for secrets among *scanners*."""
    scanner = scanners[SecretScanner.name]
    assert isinstance(scanner, SecretScanner)
    return scanner.redactor


def plug(setup: Setup) -> SecretScanner:
    """Return the scanner with the rules below ``secrets/`` of the shipped rules and of the packs."""
    shipped = _shipped(setup.rules, setup.key, setup.kingfisher)
    if not setup.packs:
        return SecretScanner(shipped)
    rules, problems = add_packs(shipped.rules, [pack / "secrets" for pack in setup.packs])
    known, usable = set(shipped.rules), []
    for rule in rules:
        try:
            if rule not in known:
                Detector((rule,), setup.key).warm()
            usable.append(rule)
        except Permanent as error:
            problems.append(str(error))
    added = len(usable) > len(shipped.rules)
    return SecretScanner(Detector(usable, setup.key, shipped.second) if added else shipped, problems)
