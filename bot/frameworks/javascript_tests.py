"""What Jest and Vitest have in common: almost everything but their command line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import relpath

from bot.domain.unit_tests import Outcome, State
from bot.frameworks import Project
from bot.frameworks.layout import common_folder, folders_above, free, numbered, stem, word
from bot.frameworks.results import jest_json, over_limit
from bot.ports import Trial, Tried

SUFFIXES = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
_SETTINGS = ("js", "mjs", "cjs", "ts", "mts", "cts", "json")
_TEST = re.compile(r"(?:\.(?P<kind>test|spec)|(?:^|/)__tests__/[^/]*)\.[cm]?[jt]sx?$")
_CALLS = re.compile(r"^\s*(?:test|it)(?:\.\w+)*\s*\(", re.MULTILINE)


@dataclass
class JavaScriptTests:
    """Tests as calls of ``test``, which report as Jest does.

    Args:
        name: for people.
        package: its name on npm, and that of its command.
        options: of the command; the path follows.
        globals_from: how a test comes by ``test``, ``describe`` and ``expect``, as a sentence.
    """

    name: str
    package: str
    options: tuple[str, ...]
    globals_from: str
    suffixes: tuple[str, ...] = SUFFIXES
    manifests: tuple[str, ...] = ("package.json",)

    def weight(self, project: Project, source: str, neighbours: Mapping[str, str]) -> int:
        """Trust neighbouring tests most, then the nearest manifests."""
        return 4 * votes(neighbours, self.package) + 2 * uses(project, source, self.package)

    def is_test(self, path: str) -> bool:
        """Say whether *path* is a file of tests."""
        return is_test(path)

    def home(self, project: Project, source: str) -> str:
        """Return where the framework is set up."""
        return home(project, source, self.package)

    def place(self, project: Project, source: str, function: str) -> str:
        """Return where a new test goes."""
        return place(project, source, function)

    def advice(self, source: str, path: str) -> str:
        """Return how a test looks."""
        return (
            f"Write `test('...', () => {{...}})` for {self.name}. {self.globals_from}"
            f" Import the code from `{import_of(source, path)}`."
        )

    def objection(self, path: str, code: str) -> str:  # noqa: ARG002 - others need it
        """Require a test."""
        return "" if _CALLS.search(code) else "it calls neither `test` nor `it`"

    def trial(self, path: str, code: str) -> Trial:  # noqa: ARG002 - others need it
        """Run one file."""
        return Trial((self.package, *self.options, path), limit_s=120.0)

    def outcome(self, tried: Tried) -> Outcome:
        """Read the report."""
        if not tried.report and f"{self.package}: No such file".encode() in tried.stderr:
            return Outcome(State.absent, detail=f"{self.name} is not installed in the sandbox")
        return over_limit(tried) or jest_json(tried)


def is_test(path: str) -> bool:
    """Say whether *path* is a file of tests."""
    return _TEST.search(path) is not None and "node_modules/" not in path


def place(project: Project, source: str, function: str) -> str:
    """Return a new path beside the others: in their directory, with their middle name."""
    tests = [path for path in project.paths if is_test(path)]
    kinds = Counter(match["kind"] for path in tests if (match := _TEST.search(path)) and match["kind"])
    kind = kinds.most_common(1)[0][0] if kinds else "test"
    home, _, name = source.rpartition("/")
    suffix = name.rpartition(".")[2]
    folder = _folder(project, tests, f"{home}/" if home else "", source)
    base = stem(source)
    stems = numbered(base, f"{base}_{word(function)}")
    chosen = free(stems, lambda one: f"{folder}{one}.{kind}.{suffix}" in project.paths)
    return f"{folder}{chosen}.{kind}.{suffix}"


def _folder(project: Project, tests: list[str], home: str, source: str) -> str:
    beside = sum(_has_source(project, path) for path in tests)
    nested = sum("/__tests__/" in f"/{path}" for path in tests)
    if nested > len(tests) / 2:
        return f"{home}__tests__/"
    return home if not tests or beside >= len(tests) / 2 else common_folder(tests, source)


def _has_source(project: Project, test: str) -> bool:
    folder, _, name = test.rpartition("/")
    base = f"{folder}/" if folder else ""
    return any(f"{base}{name.partition('.')[0]}{suffix}" in project.paths for suffix in SUFFIXES)


def uses(project: Project, source: str, package: str) -> bool:
    """Say whether a manifest above *source* depends on *package*, or a script of it calls that."""
    return any(_used_in(folder, project, package) for folder in folders_above(source))


def home(project: Project, source: str, package: str) -> str:
    """Return the nearest directory above *source* that has settings of *package*, or a manifest that uses it."""
    for folder in folders_above(source):
        settings = (f"{folder}{package}.config.{suffix}" for suffix in _SETTINGS)
        if any(path in project.paths for path in settings) or _used_in(folder, project, package):
            return folder
    return ""


def _used_in(folder: str, project: Project, package: str) -> bool:
    return _mentions(project.texts.get(f"{folder}package.json", "{}"), package)


def _mentions(text: str, package: str) -> bool:
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(manifest, dict):
        return False
    sections = [manifest.get(name) for name in ("dependencies", "devDependencies", "peerDependencies")]
    scripts = manifest.get("scripts")
    called = [str(line) for line in scripts.values()] if isinstance(scripts, dict) else []
    return any(isinstance(one, dict) and package in one for one in sections) or any(
        package in re.split(r"[\s;&|]+", line) for line in called
    )


def votes(neighbours: Mapping[str, str], package: str) -> int:
    """Return how many neighbouring tests import *package*."""
    pattern = re.compile(rf"""["'](?:@{package}/\w+|{package})["']""")
    return sum(bool(pattern.search(text)) for path, text in neighbours.items() if is_test(path))


def import_of(source: str, path: str) -> str:
    """Return how a test at *path* names *source* when it imports it."""
    base = re.sub(r"\.[cm]?[jt]sx?$", "", source)
    relative = relpath(base, path.rpartition("/")[0] or ".")
    return relative if relative.startswith(".") else f"./{relative}"
