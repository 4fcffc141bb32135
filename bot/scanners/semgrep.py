"""Find known bug and vulnerability patterns with Semgrep's engine and Cloister's own rules.

``semgrep-core`` is run directly: no Python start-up, no ``.semgrepignore``, no ``git`` calls, no
network, explicit files only. Its command line is undocumented, so the version is pinned and the contract
tests run the real engine.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import metadata
from pathlib import PurePosixPath

from bot.domain.errors import Permanent, Transient
from bot.domain.findings import ScanReport
from bot.ports import Command, Completed, Runner
from bot.scanners import Setup, Source
from bot.scanners.semgrep_report import merge, parse
from bot.scanners.semgrep_rules import Pack

_MAX_FILE_BYTES = 1_000_000  # the engine has no cap of its own and parses far beyond its time limit
_MAX_FILES = 200  # per run, so that one run stays short
_RULE_LIMIT_S = 2
_FATAL = 2  # the exit code that comes with an answer which names the error
_BOM = b"\xef\xbb\xbf"  # the engine finds nothing in the first statement behind one
_MEMORY_MB = 1_500
_OPTIONS = (
    "-json_nodots", "-rules", "rules.json", "-targets", "targets.json", "-j", "1", "-fast",
    "-timeout", str(_RULE_LIMIT_S), "-timeout_threshold", "3", "-max_memory", str(_MEMORY_MB),
)  # fmt: skip


class SemgrepScanner:
    """Implement ``bot.scanners.Scanner``."""

    name = "semgrep"
    everywhere = False
    history = False

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    @property
    def rules(self) -> frozenset[str]:
        """Return the ids of all rules."""
        return frozenset(self._pack.by_id)

    @property
    def problems(self) -> list[str]:
        """Return what is wrong with rules that were left out."""
        return [str(problem) for problem in self._pack.problems]

    async def checked(self, runner: Runner) -> SemgrepScanner:
        """Return the scanner without the rules that the engine does not accept."""
        from bot.scanners.semgrep_refusals import refused

        return SemgrepScanner(self._pack.without(await refused(self._pack, runner)))

    def wants(self, path: str) -> bool:
        """Say whether any rule looks at files of that name."""
        return bool(self._pack.languages_of(path))

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        """Scan *sources*; a file on which Semgrep runs out of its limits does not hide the others."""
        unfit = {s.path: why for s in sources if (why := self._unfit(s))}
        # A file without a suffix may turn out to be no script, and then no rule has anything to say about it.
        empty = tuple(
            s.path
            for s in sources
            if s.path not in unfit and not (s.content and self._pack.languages_of(s.path, s.content))
        )
        left = {*unfit, *empty}
        fit = [replace(s, content=s.content.removeprefix(_BOM)) for s in sources if s.path not in left]
        batches = [fit[first : first + _MAX_FILES] for first in range(0, len(fit), _MAX_FILES)]
        reports = [await self._run(batch, runner) for batch in batches]
        return merge([ScanReport(scanner=self.name, analysed=empty, not_analysed=unfit), *reports])

    def _unfit(self, source: Source) -> str:
        if len(source.content) > _MAX_FILE_BYTES:
            return f"larger than {_MAX_FILE_BYTES // 1_000_000} MB"
        if b"\0" in source.content[:8_000]:
            return "binary"
        return "" if self.wants(source.path) else "no Semgrep rule looks at such files"

    async def _run(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        named = {f"src/{number}{_suffix(s.path)}": s for number, s in enumerate(sources)}
        completed = await runner.run(self._command(named))
        problem = _overrun(completed)
        if not problem and completed.returncode not in (0, _FATAL):
            raise Transient(f"semgrep-core ended with exit code {completed.returncode}")
        if not problem:
            report = await asyncio.to_thread(parse, completed.stdout, named, self._pack)
            if completed.returncode != _FATAL or len(sources) == 1:
                return report
        if len(sources) == 1:
            return ScanReport(scanner=self.name, not_analysed={sources[0].path: problem})
        half = len(sources) // 2
        return merge([await self._run(part, runner) for part in (sources[:half], sources[half:])])

    def _command(self, named: Mapping[str, Source]) -> Command:
        languages = {
            name: self._pack.languages_of(source.path, source.content) for name, source in named.items()
        }
        targets = [
            _target(name, named[name].path, language)
            for name, analysed_as in languages.items()
            for language in analysed_as
        ]
        files = {
            "rules.json": self._pack.as_json(language for names in languages.values() for language in names),
            "targets.json": json.dumps(["Targets", targets]).encode(),
            **{name: source.content for name, source in named.items()},
        }
        return Command((_core(), *_OPTIONS), files, limit_s=min(15.0 + 3 * len(named), 90.0))


def _target(name: str, path: str, language: str) -> list[object]:
    # Rules may be limited to paths; the engine dies on one that climbs.
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    place = {"fpath": name, "ppath": "/" + "/".join(parts)}
    return ["CodeTarget", {"path": place, "analyzer": language, "products": ["sast"]}]


def _suffix(path: str) -> str:
    """Return a harmless extension; only JSX and TypeScript's dialects depend on it."""
    suffix = PurePosixPath(path).suffix
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) < 12 else ""


def _overrun(completed: Completed) -> str:
    """Return why the engine was stopped or died on its input, or nothing when it ended by itself."""
    if completed.timed_out:
        return "took Semgrep longer than its time limit"
    if completed.output_cut:
        return "made Semgrep report more than can be read"
    if completed.returncode < 0 or completed.returncode > 128 or b"ut of memory" in completed.stderr:
        return "made Semgrep crash or run out of memory"
    return ""


@cache
def _core() -> str:
    try:
        return str(metadata.distribution("semgrep").locate_file("semgrep/bin/semgrep-core"))
    except metadata.PackageNotFoundError as error:
        raise Permanent("Semgrep is not installed; run: pip install semgrep") from error


def plug(setup: Setup) -> SemgrepScanner:
    """Return the scanner with the shipped rules and those of the packs."""
    return SemgrepScanner(Pack(setup.rules, *setup.packs))
