"""What pytest and unittest have in common: the files, where they stand, and how they reach the code."""

from __future__ import annotations

import re

from bot.frameworks import Project
from bot.frameworks.layout import common_folder, folders_above, free, holder, numbered, stem, word
from bot.ports import CHECKOUT

SUFFIXES = (".py",)
MANIFESTS = (
    *("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "noxfile.py", "conftest.py"),
    *("requirements.txt", "requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt", "Pipfile"),
)
ENVIRONMENT = {"PYTHONPATH": f".:src:lib:{CHECKOUT}", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
#: Those that make a directory a project of its own, with whatever tests it may get.
_PACKAGING = ("pyproject.toml", "setup.py", "setup.cfg")
_TEST = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests)\.py$")


def is_test(path: str) -> bool:
    """Say whether *path* is a file of tests."""
    return _TEST.search(path) is not None


def home(project: Project, source: str) -> str:
    """Return the nearest directory above *source* whose manifest holds for tests too, else for *source* alone."""
    holders = {holder(project.paths, path, MANIFESTS) for path in project.paths if is_test(path)}
    chain = folders_above(source)
    able = [one for one in chain if one in holders]
    return able[0] if able else holder(project.paths, source, _PACKAGING)


def place(project: Project, source: str, function: str) -> str:
    """Return a new path; the name is one that no other test has, since pytest minds that in some layouts."""
    tests = [path for path in project.paths if is_test(path)]
    taken = {path.rpartition("/")[2] for path in tests}
    folder = common_folder(tests, source) or "tests/"
    base = f"test_{stem(source)}"
    name = free(numbered(base, f"{base}_{word(function)}"), lambda one: f"{one}.py" in taken)
    return f"{folder}{name}.py"


def module_of(project_paths: frozenset[str], source: str) -> str:
    """Return the dotted name by which *source* is imported."""
    path = source.removesuffix(".py").removesuffix("/__init__")
    for root in ("src/", "lib/"):
        if path.startswith(root) and f"{root}__init__.py" not in project_paths:
            path = path.removeprefix(root)
    return path.replace("/", ".")


def advice(source: str) -> str:
    """Return how the code is imported."""
    return f"Import the code as `{module_of(frozenset(), source)}`."
