"""The ways to run Semgrep, fastest first: each turns files and rules into a command.

The engine is told everything and touches nothing else. The ways with public options only are for versions
whose engine we do not know; they see harmless names, so what the engine decides by name is decided by us.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import ClassVar, Protocol

from bot.ports import Command
from bot.scanners import Source
from bot.scanners.languages import LANGUAGES
from bot.scanners.semgrep_files import Rule
from bot.scanners.semgrep_installed import command, core
from bot.scanners.semgrep_needs import engine_needs, python_needs
from bot.scanners.semgrep_paths import plain_path

#: Versions whose engine was tested with the options below.
KNOWN_VERSIONS = frozenset({"1.182.0"})
FATAL = 2  # the exit code that comes with an answer which names the error

_RULE_LIMIT_S = 5  # of the wall clock, and parsing counts
_FAILED_RULES = 3  # after so many rules that take too long a file is given up
_MEMORY_MB = 1_500
_SCRATCH_BYTES = 50_000_000  # pieces of files that rules look into, settings, and what is sent once more
_RULES = "rules.yaml"
_TEXT = frozenset({"generic", "regex"})  # rules for any file
#: What JSON may hold as it is and YAML may not.
_UNPRINTABLE = {
    code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)
}


#: How Python shows bytes that are not UTF-8.
_NOT_UTF8 = dict.fromkeys(range(0xDC80, 0xDD00), "_")


@dataclass(frozen=True, slots=True)
class Input:
    """Hold one file and what is to be looked for: ``rules`` by id, in the languages that they are about."""

    number: int
    source: Source
    languages: tuple[str, ...]
    rules: frozenset[str]

    @property
    def weight(self) -> int:
        """Return what it costs, more or less."""
        return len(self.source.content) * (3 + len(self.rules))


class Way(Protocol):
    """Run Semgrep in one way."""

    @property
    def name(self) -> str:
        """Return words for people."""

    @property
    def engine(self) -> bool:
        """Say whether this runs the engine itself, which marks ignored findings and knows real names."""

    @property
    def start_s(self) -> float:
        """Return how long its start may take."""

    def names(self, inputs: Sequence[Input]) -> Mapping[str, Source]:
        """Return the names under which the tool sees the files."""

    def command(self, inputs: Sequence[Input], rules: RuleFile, limit_s: float) -> Command:
        """Return what to run."""


class RuleFile:
    """Write files with rules of a pack; each rule is written once and kept."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.by_id = {rule.id: rule for rule in rules}
        self._written: dict[tuple[str, bool], bytes] = {}

    def content(self, ids: Collection[str], *, paths: bool) -> bytes:
        """Return a file with the rules *ids*, in the order of the pack, with or without their ``paths``."""
        return b'{"rules":[%s]}' % b",".join(
            self._body(rule, paths) for name, rule in self.by_id.items() if name in ids
        )

    def _body(self, rule: Rule, paths: bool) -> bytes:
        key = (rule.id, paths)
        if key not in self._written:
            body = {name: value for name, value in rule.body.items() if paths or name != "paths"}
            # Without spaces, but as YAML: the engine reads a FIFO only if it does not take it for JSON.
            text = json.dumps(body, ensure_ascii=False, default=str)
            self._written[key] = text.translate(_UNPRINTABLE).encode("utf-8", "backslashreplace")
        return self._written[key]


@dataclass(frozen=True)
class Core:
    """Run the engine, if possible in a process that was started ahead.

    What a process is started with must suit every scan. That is nothing: it waits for its rules, before it
    knows any. The prefilter then gives it the few that matter, which it reads in 0.4 ms each. A process that
    has read the whole pack and waits for its targets is no faster, grows with the pack, and looks for the words
    of all rules in all files, which costs more than reading the few (see docs/performance.md).
    """

    ahead: bool

    engine: ClassVar[bool] = True
    start_s: ClassVar[float] = 0.0

    @property
    def name(self) -> str:
        """Return words for people."""
        return "its engine, started ahead" if self.ahead else "its engine"

    def names(self, inputs: Sequence[Input]) -> Mapping[str, Source]:
        """Return one name a file."""
        return {_name(one): one.source for one in inputs}

    def command(self, inputs: Sequence[Input], rules: RuleFile, limit_s: float) -> Command:
        """Return what to run."""
        options = (
            "-json_nodots", "-rules", _RULES, "-targets", "targets.json", "-j", "1", "-fast",
            "-timeout", str(_RULE_LIMIT_S), "-timeout_threshold", str(_FAILED_RULES), "-max_memory", str(_MEMORY_MB),
        )  # fmt: skip
        targets = [
            _target(_name(one), one.source.name, language) for one in inputs for language in one.languages
        ]
        files = {
            _RULES: rules.content(frozenset().union(*(one.rules for one in inputs)), paths=True),
            "targets.json": json.dumps(["Targets", targets]).encode(),
            **{_name(one): _utf8(one.source.content) for one in inputs},
        }
        waits_for = _RULES if self.ahead else ""
        return replace(engine_command(options, files, limit_s), waits_for=waits_for)


@dataclass(frozen=True)
class Public:
    """Run ``semgrep scan`` with options that are documented, but for one that hides ``.semgrepignore``.

    ``experimental`` means the program that the engine is when called by another name; it needs no Python and
    little time. Otherwise the command that everybody uses runs, which takes seconds to start.
    """

    experimental: bool

    engine: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Return words for people."""
        return "semgrep scan --experimental" if self.experimental else "semgrep scan"

    @property
    def start_s(self) -> float:
        """Return how long its start may take."""
        return 2.0 if self.experimental else 30.0

    def names(self, inputs: Sequence[Input]) -> Mapping[str, Source]:
        """Return a name for each language of a file, since the tool goes by suffixes."""
        return {name: one.source for one in inputs for name in _suffixed(one)}

    def command(self, inputs: Sequence[Input], rules: RuleFile, limit_s: float) -> Command:
        """Return what to run."""
        named = self.names(inputs)
        argv = (
            *(_started(core(), "osemgrep") if self.experimental else _started(command(), "semgrep")),
            *(("--experimental",) if self.experimental else ()),
            "--json", "--quiet", "--metrics=off", "--disable-version-check", "--disable-nosem",
            "--no-git-ignore", "--x-ignore-semgrepignore-files", "--no-rewrite-rule-ids", "--max-target-bytes=0",
            f"--timeout={_RULE_LIMIT_S}", f"--timeout-threshold={_FAILED_RULES}", f"--max-memory={_MEMORY_MB}",
            "--jobs=1", f"--config={_RULES}", *named,
        )  # fmt: skip
        files = {
            _RULES: rules.content(frozenset().union(*(one.rules for one in inputs)), paths=False),
            **{name: _utf8(source.content) for name, source in named.items()},
        }
        reads = (*engine_needs(core()), *python_needs())
        return Command(argv, files, limit_s=limit_s, reads=reads, forks=True, scratch_bytes=_SCRATCH_BYTES)


AHEAD, CORE, EXPERIMENTAL, PLAIN = Core(True), Core(False), Public(True), Public(False)


def ways(version: str) -> tuple[Way, ...]:
    """Return the ways to try with that version of Semgrep, fastest first."""
    public = (EXPERIMENTAL, PLAIN)
    return (AHEAD, CORE, *public) if version in KNOWN_VERSIONS else public


def prefilter_dump(rules: RuleFile) -> Command:
    """Return the command that prints the engine's prefilters of *rules*."""
    files = {_RULES: rules.content(rules.by_id, paths=True)}
    return engine_command(("-prefilter_of_rules", _RULES), files, 60.0)


def engine_command(options: Sequence[str], files: Mapping[str, bytes], limit_s: float) -> Command:
    """Return the command that runs the engine, which starts one more program."""
    return Command(
        (core(), *options),
        files,
        limit_s=limit_s,
        reads=engine_needs(core()),
        forks=True,
        scratch_bytes=_SCRATCH_BYTES,
    )


def _target(name: str, path: str, language: str) -> list[object]:
    # Rules may be limited to paths; the engine dies on one that climbs.
    place = {"fpath": name, "ppath": f"/{plain_path(path)}"}
    return ["CodeTarget", {"path": place, "analyzer": language, "products": ["sast"]}]


def _utf8(content: bytes) -> bytes:
    """Return *content* with an underscore for each byte that is not UTF-8; for some languages one hides all the rest.

    Of all ASCII it is what breaks the least: names, texts and comments stay what they are, and in place.
    """
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode(errors="surrogateescape").translate(_NOT_UTF8).encode()
    return content


def _name(one: Input) -> str:
    """Return a harmless name; of the suffix only JSX and TypeScript's dialects depend."""
    suffix = PurePosixPath(one.source.name).suffix
    harmless = suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) < 12
    return f"src/{one.number}{suffix if harmless else ''}"


def _suffixed(one: Input) -> list[str]:
    spoken = [language for language in one.languages if language not in _TEXT]
    if not spoken:
        return [f"src/{one.number}.txt"]
    tsx = one.source.name.endswith(".tsx")
    return [
        f"src/{one.number}{'.tsx' if tsx and language == 'typescript' else _suffix(language)}"
        for language in spoken
    ]


def _suffix(language: str) -> str:
    return next(pattern[1:] for pattern in LANGUAGES[language] if pattern.startswith("*."))


def _started(program: str, name: str) -> tuple[str, ...]:
    """Return the words that start *program* under the name *name*, which makes the engine a command.

    The command wants ``uname`` in its path, and looks for a repository, of which there is none.
    """
    start = (
        "import os, sys; os.putenv('PATH', os.defpath); os.putenv('GIT_DIR', '/nonexistent');"
        " os.execv(sys.argv[1], sys.argv[2:])"
    )
    return (sys.executable, "-IS", "-c", start, program, name, "scan")
