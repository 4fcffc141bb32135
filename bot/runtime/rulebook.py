"""The scanners with the newest rules: made anew when the rules of the organisation change, without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import structlog

from bot.domain.errors import CloisterError, Permanent
from bot.ports import RuleCopy, RuleSource, Runner
from bot.runtime.regularly import regularly
from bot.scanners import Extensible, Scanner, known_rules, prepare

log = structlog.get_logger()

Build = Callable[[tuple[Path, ...]], Mapping[str, Scanner]]

#: How long a source may take; at the start, only one of which there is no copy holds up anything.
_LIMIT_S = 30.0


class Rulebook(Mapping[str, Scanner]):
    """Map the names of scanners to scanners, all of them of one set of rules.

    A scan that has begun goes on with the scanner that it has. Rules that cannot be used are logged and left out; a
    source that is out of reach is used as it was last, and left out if it never was within reach.

    Args:
        build: makes scanners of the shipped rules and those in some directories.
        sources: where the organisation keeps rules; a later one cannot replace a rule of an earlier one.
        runner: runs the scanners' tools.
    """

    def __init__(self, build: Build, sources: Sequence[RuleSource], runner: Runner) -> None:
        self._build = build
        self._sources = sources
        self._runner = runner
        self._scanners: Mapping[str, Scanner] = {}
        self._prepared: Mapping[str, Scanner] = {}
        self._versions: tuple[str, ...] | None = None
        #: What is wrong with sources and with their copies, by name, as of the last look.
        self._out_of_reach: dict[str, str] = {}
        self._unusable: dict[str, str] = {}

    def __getitem__(self, name: str) -> Scanner:
        return self._scanners[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scanners)

    def __len__(self) -> int:
        return len(self._scanners)

    @property
    def problems(self) -> list[str]:
        """Return what is wrong with rules and their sources."""
        sources = [f"{name}: {why}" for name, why in (self._out_of_reach | self._unusable).items()]
        return [*sources, *_problems(self._scanners)]

    async def open(self) -> None:
        """Build the scanners from the copies at hand; ask only sources of which there is none.

        Raises:
            Permanent: the shipped rules or a tool are broken.
        """
        await self._use([copy for source in self._sources if (copy := await self._at_hand(source))])

    async def refresh(self) -> None:
        """Bring the copies up to date, and build new scanners if rules have changed."""
        copies = [copy for source in self._sources if (copy := await self._newest(source))]
        if self._versions != tuple(copy.version for copy in copies):
            await self._use(copies)

    async def keep_fresh(self, *, every_s: float, scanning: bool = False) -> None:
        """Refresh now and then again every so often, until cancelled; with *scanning* get scanners ready first."""

        async def renew() -> None:
            if scanning:
                await self._prepare()
            await self.refresh()
            if scanning:
                await self._prepare()

        remedy = "the rules before stay in use"
        await regularly(renew, every_s=every_s, failed="rules.not_refreshed", remedy=remedy)

    async def _prepare(self) -> None:
        """Get the scanners ready unless they are."""
        scanners = self._scanners
        if scanners is not self._prepared:
            await prepare(scanners.values(), self._runner)
            self._prepared = scanners

    async def _at_hand(self, source: RuleSource) -> RuleCopy | None:
        return await source.last() or await self._newest(source)

    async def _newest(self, source: RuleSource) -> RuleCopy | None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                copy = await source.refresh()
        except (CloisterError, TimeoutError) as error:
            why = str(error) or f"no answer within {_LIMIT_S:.0f} s"
            kept = await source.last()
            self._miss(source, why, kept)
            return kept
        if self._out_of_reach.pop(source.name, None):
            log.info("rules.source_back", source=source.name)
        return copy

    def _miss(self, source: RuleSource, why: str, copy: RuleCopy | None) -> None:
        if self._out_of_reach.get(source.name) != why:
            remedy = (
                "its last copy stays in use" if copy else "reviews go on without its rules until it is there"
            )
            log.warning("rules.source_out_of_reach", source=source.name, error=why, remedy=remedy)
        self._out_of_reach[source.name] = why

    async def _use(self, copies: Sequence[RuleCopy]) -> None:
        self._unusable = {}
        scanners = await self._built([copy.directory for copy in copies])
        checked = {name: await self._checked(scanner) for name, scanner in scanners.items()}
        self._scanners = checked
        self._versions = tuple(copy.version for copy in copies)
        problems = _problems(checked)
        for problem in problems:
            log.warning("rules.broken", problem=problem, remedy="the rule is left out; the others are used")
        rules = known_rules(checked.values())
        log.info(
            "rules.loaded", rules=len(rules), broken=len(problems), versions=[v[:12] for v in self._versions]
        )

    async def _built(self, directories: Sequence[Path]) -> Mapping[str, Scanner]:
        """Build with all *directories*, or without those that cannot be loaded at all."""
        try:
            return await asyncio.to_thread(self._build, tuple(directories))
        except Permanent:
            if not directories:
                raise
        usable: list[Path] = []
        for directory in directories:
            try:
                await asyncio.to_thread(self._build, (*usable, directory))
            except Permanent as error:
                log.warning("rules.pack_left_out", directory=str(directory), error=str(error))
                self._unusable[str(directory)] = str(error)
            else:
                usable.append(directory)
        return await asyncio.to_thread(self._build, tuple(usable))

    async def _checked(self, scanner: Scanner) -> Scanner:
        return await scanner.checked(self._runner) if isinstance(scanner, Extensible) else scanner


def _problems(scanners: Mapping[str, Scanner]) -> list[str]:
    return [problem for one in scanners.values() if isinstance(one, Extensible) for problem in one.problems]
