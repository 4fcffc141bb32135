"""Lock files and manifests -> packages, one reader per format; pure, and safe for hostile files."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

from bot.scanners.lockfiles import (
    cargo,
    go,
    gradle,
    maven,
    npm,
    other_locks,
    pnpm,
    pyproject,
    python_locks,
    requirements,
    yarn,
)
from bot.scanners.lockfiles.package import MOST_PACKAGES, Package, Unreadable

Parse = Callable[[str], list[Package]]

_READERS: tuple[tuple[str, Parse], ...] = (
    ("package-lock.json", npm.parse_lock),
    ("npm-shrinkwrap.json", npm.parse_lock),
    ("package.json", npm.parse_manifest),
    ("yarn.lock", yarn.parse),
    ("pnpm-lock.yaml", pnpm.parse),
    ("poetry.lock", python_locks.parse_toml),
    ("uv.lock", python_locks.parse_toml),
    ("pdm.lock", python_locks.parse_toml),
    ("pylock.toml", python_locks.parse_toml),
    ("pylock.*.toml", python_locks.parse_toml),
    ("Pipfile.lock", python_locks.parse_pipfile_lock),
    ("pyproject.toml", pyproject.parse),
    ("*requirements*.txt", requirements.parse),
    ("*requirements*.in", requirements.parse),
    ("*constraints*.txt", requirements.parse),
    ("pom.xml", maven.parse),
    ("gradle.lockfile", gradle.parse_lock),
    ("buildscript-gradle.lockfile", gradle.parse_lock),
    ("build.gradle", gradle.parse_build),
    ("build.gradle.kts", gradle.parse_build),
    ("go.mod", go.parse),
    ("Cargo.lock", cargo.parse_lock),
    ("Cargo.toml", cargo.parse_manifest),
    ("Gemfile.lock", other_locks.parse_gemfile_lock),
    ("gems.locked", other_locks.parse_gemfile_lock),
    ("composer.lock", other_locks.parse_composer_lock),
    ("packages.lock.json", other_locks.parse_nuget_lock),
)
_FOLDERS = (("requirements", "*.txt", requirements.parse), ("requirements", "*.in", requirements.parse))

#: Copies of other people's projects: what is in force stands in the files of the project itself.
_VENDORED = frozenset({"node_modules", "bower_components", "vendor", "third_party", ".yarn"})


def reader_of(path: str) -> Parse | None:
    """Return what reads files of that name, None if nothing does."""
    *folders, name = path.split("/")
    if _VENDORED.intersection(folders):
        return None
    found = next((read for glob, read in _READERS if fnmatchcase(name, glob)), None)
    if found is None and folders:
        return next((r for f, glob, r in _FOLDERS if folders[-1] == f and fnmatchcase(name, glob)), None)
    return found


def packages_of(path: str, text: str) -> list[Package]:
    """Return the packages that the file *path* names.

    Raises:
        Unreadable: nothing reads such files, or it is not what its name says.
    """
    read = reader_of(path)
    if read is None:
        raise Unreadable("not a lock file or manifest that is known")
    found = read(text)
    if len(found) > MOST_PACKAGES:
        raise Unreadable(f"it names more than {MOST_PACKAGES} packages")
    return found
