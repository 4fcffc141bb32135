"""Test frameworks: how to tell that a project uses one, where a new test belongs, how it is run and what came of it.

One plug in a file each. Everything they read was written by others: manifests and tests by whoever opened the merge
request, results by the code that was tested. So a result can be faked by the test itself, and is told as what it is.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.unit_tests import Outcome
from bot.frameworks.layout import folders_above
from bot.ports import Trial, Tried


@dataclass(frozen=True, slots=True)
class Project:
    """Hold what is known of a project: all its files, and the text of manifests and of tests near the code."""

    paths: frozenset[str]
    texts: Mapping[str, str] = field(default_factory=dict)

    def manifests(self, source: str, names: Sequence[str]) -> str:
        """Return the text of the files called *names* in the directory of *source* and those above, nearest first."""
        wanted = (f"{folder}{name}" for folder in folders_above(source) for name in names)
        return "\n".join(self.texts[path] for path in wanted if path in self.texts)

    def below(self, home: str) -> Project:
        """Return what of it lies in the directory *home*, with paths from there."""
        size = len(home)
        paths = frozenset(path[size:] for path in self.paths if path.startswith(home))
        return Project(
            paths, {path[size:]: text for path, text in self.texts.items() if path.startswith(home)}
        )


class Framework(Protocol):
    """A test framework.

    A repository may hold several projects. What follows ``home`` gets paths from that directory on.
    """

    name: str
    #: Suffixes of the files that it tests, with their dots.
    suffixes: tuple[str, ...]
    #: Names of the files that tell whether a project uses it.
    manifests: tuple[str, ...]

    def weight(self, project: Project, source: str, neighbours: Mapping[str, str]) -> int:
        """Return how sure it is that *source* is tested with this one, 0 when it is not; *neighbours* are tests."""

    def is_test(self, path: str) -> bool:
        """Say whether *path* is a file of tests."""

    def home(self, project: Project, source: str) -> str:
        """Return the directory that tests of *source* are run in, with a slash at its end; empty for the root."""

    def place(self, project: Project, source: str, function: str) -> str:
        """Return the path, not taken yet, of a new test of *function* in *source*."""

    def advice(self, source: str, path: str) -> str:
        """Return what a test at *path* must look like to be found and to reach *source*."""

    def objection(self, path: str, code: str) -> str:
        """Return why *code* would not be run as a test at *path*, empty if it would."""

    def trial(self, path: str, code: str) -> Trial:
        """Return how that one file is run, in its home."""

    def outcome(self, tried: Tried) -> Outcome:
        """Return what the run says."""


def load() -> tuple[Framework, ...]:
    """Return every framework; a plug that fails to load is fatal and named."""
    modules = sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name)
    plugs = (
        getattr(importlib.import_module(f"{__name__}.{module.name}"), "plug", None) for module in modules
    )
    return tuple(plug() for plug in plugs if plug is not None)


def chosen(
    frameworks: Iterable[Framework], project: Project, source: str, neighbours: Mapping[str, str]
) -> Framework | None:
    """Return the framework that *source* is tested with, None if no one is sure; the first of equals."""
    able = [one for one in frameworks if source.endswith(one.suffixes)]
    weighed = [(one.weight(project, source, neighbours), one) for one in able]
    best = max(weighed, key=lambda pair: pair[0], default=(0, None))
    return best[1] if best[0] > 0 else None
