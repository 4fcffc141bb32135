"""What pytest and unittest have in common: the files, where they stand, and how they reach the code."""

from __future__ import annotations

import re

from bot.frameworks import Project, folders_above
from bot.frameworks.layout import common_folder, free, numbered, stem, word

SUFFIXES = (".py",)
MANIFESTS = (
    *("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "noxfile.py", "conftest.py"),
    *("requirements.txt", "requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt", "Pipfile"),
)
ENVIRONMENT = {"PYTHONPATH": ".:src:lib", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
_TEST = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests)\.py$")


def is_test(path: str) -> bool:
    """Say whether *path* is a file of tests."""
    return _TEST.search(path) is not None


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


def roots(source: str) -> list[str]:
    """Return the directories above *source*, for whoever looks for settings there."""
    return folders_above(source)
