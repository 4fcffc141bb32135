"""Scanner plugs: one file each, found by the registry.

A plug module has a function ``plug(setup: Setup) -> Scanner``. Adding a scanner touches one file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import structlog

from bot.domain.diff import Diff
from bot.domain.errors import CloisterError
from bot.domain.findings import Finding, ScanReport
from bot.domain.fingerprint import lines_of
from bot.domain.policy import Policy, left_out
from bot.domain.sparse_lines import SparseLines
from bot.ports import Runner

log = structlog.get_logger(__name__)

#: Files above this are not read for scanners that do not ask for more.
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """Hold one file of the head and the lines (1-based) that the merge request adds or changes.

    ``numbers`` has the line number of each line in ``content`` where that is an excerpt, and is None where it is
    the whole file. All numbers are those of the file. ``stands_for`` is set where the file is a variant of another
    one: findings are reported under ``path``, and whatever depends on names goes by the name of the other.
    """

    path: str
    content: bytes
    added: frozenset[int]
    numbers: tuple[int, ...] | None = None
    stands_for: str = ""

    @property
    def name(self) -> str:
        """Return the path that rules with conditions on paths see."""
        return self.stands_for or self.path

    @property
    def lines(self) -> Sequence[str]:
        """Return the lines of the file, empty where an excerpt does not have them."""
        if self.numbers is None:
            return lines_of(self.content)
        texts = self.content.decode(errors="replace").split("\n")
        return SparseLines(zip(self.numbers, texts, strict=False))


@dataclass(frozen=True, slots=True)
class Setup:
    """Hold what plugs need to be built.

    ``rules`` is the directory of the shipped rules; ``key`` the secret for HMACs of what must not be stored;
    ``packs`` are directories with rules of the organisation, laid out like ``rules``;
    ``advisories`` is the directory with the imported advisories about packages, if there is one; ``kingfisher``
    that in which the second detector of secrets keeps its compiled rules, None leaves it out.
    """

    rules: Path
    key: bytes
    packs: tuple[Path, ...] = ()
    advisories: Path | None = None
    kingfisher: Path | None = None


class Scanner(Protocol):
    """Look at files and report findings on any of their lines; the caller clips them to the change."""

    @property
    def name(self) -> str:
        """Return the stable name, part of every fingerprint."""

    @property
    def everywhere(self) -> bool:
        """Say whether it also looks at files that nobody wrote by hand (``bot.domain.exclusions.EXCLUSIONS``)."""

    @property
    def history(self) -> bool:
        """Say whether it looks at every commit of the branch; it then gets excerpts, the lines that a diff shows."""

    def wants(self, path: str) -> bool:
        """Say whether this scanner can look at a file of that name."""

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        """Scan *sources*; a file that could not be analysed is in ``not_analysed``, never silently clean.

        Raises:
            Transient: the tool broke in a way that another try may mend.
            Permanent: the tool is missing or its rules are broken; the message names them.
        """


@runtime_checkable
class Ruled(Protocol):
    """A scanner that knows all its rules before it has found anything."""

    @property
    def rules(self) -> frozenset[str]:
        """Return the ids."""


@runtime_checkable
class Extensible(Protocol):
    """A scanner to which an organisation adds rules, of which some may be broken."""

    @property
    def problems(self) -> Sequence[str]:
        """Return what is wrong with rules that were left out, each with its place."""

    async def checked(self, runner: Runner) -> Scanner:
        """Return the scanner without the rules that its tool does not accept; they count as problems then.

        Raises:
            Transient: the tool broke.
            Permanent: it is not installed.
        """


def known_rules(scanners: Iterable[Scanner]) -> frozenset[str]:
    """Return the ids of the rules of all *scanners* that know theirs."""
    return frozenset().union(*(scanner.rules for scanner in scanners if isinstance(scanner, Ruled)))


@runtime_checkable
class Equipped(Protocol):
    """What a scanner has besides that needs something from the operator, and is of no use without it."""

    def absent(self) -> str:
        """Return what is missing and how to get it, empty when all is there."""


def absent(scanner: Scanner) -> str:
    """Return why *scanner* has nothing to work with here; that is no failure, but must be told."""
    return scanner.absent() if isinstance(scanner, Equipped) else ""


@runtime_checkable
class Folding(Protocol):
    """What a scanner has besides that says several things which people want to hear as one."""

    def fold(self, found: Iterable[Finding]) -> list[Finding]:
        """Join findings of this scanner, all of them on lines that the merge request adds and new."""


def folded(scanner: Scanner, found: Sequence[Finding]) -> Sequence[Finding]:
    """Return the findings of *scanner* as people are to hear them."""
    return scanner.fold(found) if isinstance(scanner, Folding) else found


def max_bytes(scanner: Scanner) -> int:
    """Return how large a file may be to be handed to *scanner*."""
    return int(getattr(scanner, "max_bytes", MAX_BYTES))


@runtime_checkable
class Preparing(Protocol):
    """A scanner that is better or faster once it knows where it runs; it also works without."""

    async def prepare(self, runner: Runner) -> str:
        """Get ready, and say in a few words how files will be scanned.

        Raises:
            Transient: that cannot be found out now.
            Permanent: it cannot scan here; the message says why.
        """


async def prepare(scanners: Iterable[Scanner], runner: Runner) -> None:
    """Let *scanners* get ready, and log how it went; one that does not will say so when it scans."""
    for scanner in scanners:
        if isinstance(scanner, Preparing):
            try:
                log.info("scanner.ready", scanner=scanner.name, how=await scanner.prepare(runner))
            except CloisterError as error:
                log.warning("scanner.not_ready", scanner=scanner.name, problem=str(error))


def wanted(scanner: Scanner, diff: Diff, policy: Policy) -> list[str]:
    """Return the files of *diff* that *scanner* is to look at."""
    skipped = left_out(diff, policy, everywhere=scanner.everywhere)
    return [
        file.new_path
        for file in diff.files
        if file.added_lines and file.new_path not in skipped and scanner.wants(file.new_path)
    ]


def unseen(scanner: Scanner, diff: Diff, policy: Policy) -> list[str]:
    """Return the files of *diff* that *scanner* would look at, did git show their lines: one NUL in a script hides them.

    For a scanner that looks everywhere, any picture would be one.
    """
    if scanner.everywhere:
        return []
    skipped = left_out(diff, policy)
    return [
        file.new_path
        for file in diff.files
        if file.binary and file.regular and file.new_path not in skipped and scanner.wants(file.new_path)
    ]


def scheduled(
    scanners: Mapping[str, Scanner], diff: Diff, policy: Policy
) -> tuple[list[str], dict[str, str]]:
    """Return the names of those of *scanners* that have something to look at, and why others cannot."""
    # The commits of a branch may hold what its diff does not show.
    asked = {
        name: absent(scanner)
        for name, scanner in scanners.items()
        if scanner.history or wanted(scanner, diff, policy) or unseen(scanner, diff, policy)
    }
    return [name for name, why in asked.items() if not why], {n: why for n, why in asked.items() if why}


def load(setup: Setup) -> dict[str, Scanner]:
    """Return every scanner by name; a plug that fails to load is fatal and named."""
    scanners = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        plug = getattr(importlib.import_module(f"{__name__}.{module.name}"), "plug", None)
        if plug is not None:
            scanner: Scanner = plug(setup)
            scanners[scanner.name] = scanner
    return scanners
