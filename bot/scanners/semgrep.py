"""Find known bug and vulnerability patterns with Semgrep and Cloister's own rules.

The engine is run directly where its version is known: no Python start-up, no ``.semgrepignore``, no ``git``
calls, no network, explicit files only. A self-test at start decides (``bot.scanners.semgrep_canary``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.domain.errors import Transient
from bot.domain.findings import ScanReport
from bot.ports import Runner
from bot.scanners import Setup, Source
from bot.scanners.line_ends import LineEnds
from bot.scanners.semgrep_batches import Batches
from bot.scanners.semgrep_canary import sing
from bot.scanners.semgrep_installed import version
from bot.scanners.semgrep_prefilter import Prefilter
from bot.scanners.semgrep_report import merge
from bot.scanners.semgrep_rules import Pack, Problem
from bot.scanners.semgrep_ways import Input, RuleFile, Way, prefilter_dump, ways

log = structlog.get_logger(__name__)

_MAX_FILE_BYTES = 1_000_000  # the engine has no cap of its own and parses far beyond its time limit
_BUDGET_S = 120.0  # for one scan, whatever its files do
_BOM = b"\xef\xbb\xbf"  # the engine finds nothing in the first statement behind one


@dataclass(frozen=True, slots=True)
class _Engine:
    """Hold how files are scanned; replaced as a whole, so that a scan that runs keeps what it began with."""

    way: Way
    rules: RuleFile
    prefilter: Prefilter | None = None


class SemgrepScanner:
    """Implement ``bot.scanners.Scanner``.

    Args:
        pack: the rules.
        ways: how to run Semgrep, in order of preference; by default what suits the version that is installed.
        budget_s: the most that one scan may take.
    """

    name = "semgrep"
    everywhere = False
    history = False

    def __init__(self, pack: Pack, *, ways: Sequence[Way] = (), budget_s: float = _BUDGET_S) -> None:
        self._pack = pack
        self._ways = tuple(ways)
        self._budget_s = budget_s
        self._rules_of = {
            language: frozenset(rule.id for rule in pack.by_id.values() if language in rule.languages)
            for language in pack.languages
        }
        self._chosen: Way | None = None
        self._named: set[str] = set()
        self._engine: _Engine | None = None

    @property
    def rules(self) -> frozenset[str]:
        """Return the ids of all rules."""
        return frozenset(self._pack.by_id)

    @property
    def problems(self) -> list[str]:
        """Return what is wrong with rules that were left out."""
        return [str(problem) for problem in self._pack.problems]

    def wants(self, path: str) -> bool:
        """Say whether any rule looks at files of that name."""
        return bool(self._pack.languages_of(path))

    async def checked(self, runner: Runner) -> SemgrepScanner:
        """Return the scanner in the fastest way that works here, without the rules that Semgrep does not accept.

        Where no way works it is as it was, and its scans will fail.
        """
        try:
            way, refused = await self._choose(runner)
        except Transient as error:
            log.warning("scanner.not_ready", scanner=self.name, problem=str(error))
            return self
        scanner = SemgrepScanner(self._pack.without(self._problems(refused)), budget_s=self._budget_s)
        scanner._ways, scanner._chosen = (way,), way
        return scanner

    async def prepare(self, runner: Runner) -> str:
        """Choose the fastest way that works here, read the prefilters, and say so in words.

        Without it the first way is used, and all rules are sent, which suits a single scan.

        Raises:
            Transient: no way works.
            Permanent: Semgrep is not installed.
        """
        way, refused = (self._chosen, {}) if self._chosen else await self._choose(runner)
        self._report(refused)
        rules = RuleFile(rule for rule in self._pack.by_id.values() if rule.id not in refused)
        prefilter = await self._prefilter(rules, runner) if way.engine else None
        self._engine = _Engine(way, rules, prefilter)
        return f"Semgrep {version()}: {way.name}, {len(rules.by_id)} rules"

    async def _choose(self, runner: Runner) -> tuple[Way, Mapping[str, str]]:
        """Return the fastest way that works here, and the rules that are refused, each with the reason."""
        problems = []
        for way in self._ways or ways(version()):
            try:
                return way, await sing(way, RuleFile(self._pack.by_id.values()), runner)
            except Transient as error:
                problems.append(f"{way.name}: {error}")
                log.warning("semgrep.way_refused", way=way.name, problem=str(error))
        raise Transient(f"Semgrep does not work here; {'; '.join(problems)}")

    async def _prefilter(self, rules: RuleFile, runner: Runner) -> Prefilter | None:
        try:
            done = await runner.run(prefilter_dump(rules))
            return await asyncio.to_thread(Prefilter, done.stdout)
        except Transient as error:
            log.warning("semgrep.no_prefilter", problem=str(error))
            return None

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        """Scan *sources*; a file on which Semgrep runs out of its limits does not hide the others."""
        engine = self._engine or self._unprepared()
        unfit = {s.path: why for s in sources if (why := self._unfit(s))}
        fit = [s for s in sources if s.path not in unfit]
        inputs, ends = await asyncio.to_thread(self._inputs, fit, engine)
        batches = Batches(engine.way, engine.rules, runner, budget_s=self._budget_s, refused=self._report)
        scanned = await batches.scan(inputs)
        placed = tuple(ends[one.path].as_git_counts(one) for one in scanned.findings)
        scanned = scanned.model_copy(update={"findings": placed})
        sent = {one.source.path for one in inputs}
        clean = tuple(s.path for s in fit if s.path not in sent)
        settled = ScanReport(scanner=self.name, analysed=clean, not_analysed=unfit)
        return merge([settled, scanned], [s.path for s in sources])

    def _unprepared(self) -> _Engine:
        way = (self._ways or ways(version()))[0]
        self._engine = _Engine(way, RuleFile(self._pack.by_id.values()))
        return self._engine

    def _unfit(self, source: Source) -> str:
        if len(source.content) > _MAX_FILE_BYTES:
            return f"larger than {_MAX_FILE_BYTES // 1_000_000} MB"
        if b"\0" in source.content[:8_000]:
            return "binary"
        return "" if self.wants(source.name) else "no Semgrep rule looks at such files"

    def _inputs(
        self, sources: Iterable[Source], engine: _Engine
    ) -> tuple[list[Input], Mapping[str, LineEnds]]:
        """Return what is to be sent: files that a rule may have something to say about, with those rules."""
        inputs, ends = [], {}
        for number, source in enumerate(sources):
            languages = self._pack.languages_of(source.name, source.content)
            ends[source.path] = LineEnds.of(source.content.removeprefix(_BOM), languages)
            content = ends[source.path].content
            rules = frozenset[str]().union(*(self._rules_of[language] for language in languages))
            rules &= engine.rules.by_id.keys()
            if engine.prefilter is not None:
                rules = engine.prefilter.candidates(content, rules)
            languages = tuple(one for one in languages if not rules.isdisjoint(self._rules_of[one]))
            if content and rules:
                inputs.append(Input(number, replace(source, content=content), languages, rules))
        return inputs, ends

    def _report(self, refused: Mapping[str, str]) -> None:
        """Name each rule that Semgrep refuses once."""
        new = {rule: why for rule, why in refused.items() if rule not in self._named}
        self._named.update(new)
        for problem in self._problems(new):
            log.warning(
                "rules.broken", problem=str(problem), remedy="the rule is left out; the others are used"
            )

    def _problems(self, refused: Mapping[str, str]) -> list[Problem]:
        rules = [(self._pack.by_id[name], why) for name, why in refused.items() if name in self._pack.by_id]
        return [Problem(rule.file, rule.line, why, rule.id) for rule, why in rules]


def plug(setup: Setup) -> SemgrepScanner:
    """Return the scanner with the shipped rules and those of the packs."""
    return SemgrepScanner(Pack(setup.rules, *setup.packs))
