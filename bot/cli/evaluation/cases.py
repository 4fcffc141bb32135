"""Cases on disk. They may come from strangers: nothing outside their directory is read, and nothing is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from bot.domain.errors import Permanent
from bot.domain.evaluation.case import Case, History, read_case

CASE_FILE = "case.toml"
BASE, HEAD, PATCH = "base", "head", "change.patch"

_MAX_CASES = 5_000
_MAX_CASE_BYTES = 256_000
_MAX_FILE_BYTES = 5_000_000
_MAX_TREE_BYTES = 100_000_000
_MAX_FILES = 10_000
_MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class CaseDirectory:
    """Hold one case.

    ``base`` and ``head`` are the files by path; instead of ``head`` there may be a ``patch`` to ``base``, or instead
    of all of them a ``repository``.
    """

    name: str
    case: Case
    base: Mapping[str, bytes] = field(default_factory=dict)
    head: Mapping[str, bytes] | None = None
    patch: bytes | None = None
    repository: Path | None = None


def find(root: Path, *, only: str = "*", repositories: Path | None = None) -> list[CaseDirectory]:
    """Return the cases in the directories below *root*, or the one that *root* is, by name.

    Args:
        root: holds cases.
        only: glob of names.
        repositories: where repositories may lie that cases name, besides *root*.

    Raises:
        Permanent: there is no case, or some are broken; the message has a line for each of those.
    """
    if not root.is_dir():
        raise Permanent(f"{root} is not a directory; name one that holds cases")
    places = [root] if (root / CASE_FILE).is_file() else list(_below(root))
    chosen = [place for place in places if fnmatchcase(place.name, only)]
    if not chosen:
        raise Permanent(
            f"no case in {root}: none of its directories holds a {CASE_FILE} and matches {only!r}"
        )
    if len(chosen) > _MAX_CASES:
        raise Permanent(f"{root} holds more than {_MAX_CASES} cases; choose some with --only")
    cases, problems = [], []
    for place in chosen:
        try:
            cases.append(_read(place, [root, repositories] if repositories else [root]))
        except Permanent as error:
            problems.append(f"{place.name}: {error}")
    if problems:
        raise Permanent("\n".join(problems))
    return cases


def strays(root: Path) -> list[str]:
    """Return the directories below *root* that look like cases and lack their file."""
    if not root.is_dir() or (root / CASE_FILE).is_file():
        return []
    directories = [entry for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    return sorted(
        entry.name
        for entry in directories
        if not os.path.lexists(Path(entry.path) / CASE_FILE)
        and any(os.path.lexists(Path(entry.path) / part) for part in (BASE, HEAD, PATCH))
    )


def _below(root: Path) -> Iterator[Path]:
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False) and os.path.lexists(Path(entry.path) / CASE_FILE):
            yield Path(entry.path)


def _read(place: Path, roots: list[Path]) -> CaseDirectory:
    try:
        case = read_case(_content(place / CASE_FILE, _MAX_CASE_BYTES))
    except Permanent as error:
        raise Permanent(f"{CASE_FILE}: {error}") from error
    forms = [name for name in (HEAD, PATCH) if os.path.lexists(place / name)]
    if len(forms) + (case.git is not None) != 1:
        raise Permanent(f"say what changed in exactly one way: a {HEAD} directory, a {PATCH}, or [git]")
    if case.git is not None:
        return CaseDirectory(place.name, case, repository=_repository(place, case.git, roots))
    base = _tree(place / BASE) if os.path.lexists(place / BASE) else {}
    if forms == [PATCH]:
        return CaseDirectory(place.name, case, base, patch=_content(place / PATCH, _MAX_FILE_BYTES))
    return CaseDirectory(place.name, case, base, head=_tree(place / HEAD))


def _repository(place: Path, history: History, roots: list[Path]) -> Path:
    wanted = PurePosixPath(history.repository)
    for start in (place, *roots[1:]):
        found = (start / wanted).resolve()
        if not any(found.is_relative_to(root.resolve()) for root in roots):
            raise Permanent(
                f"git.repository: {history.repository} lies elsewhere; allow its directory with --repositories"
            )
        if found.exists():
            return found
    raise Permanent(f"git.repository: there is no {history.repository} beside {CASE_FILE}")


def _tree(top: Path) -> dict[str, bytes]:
    if top.is_symlink() or not top.is_dir():
        raise Permanent(f"{top.name} is not a directory; put the files there as they are in the repository")
    files: dict[str, bytes] = {}
    total = 0
    for place in _files(top, 0):
        path = place.relative_to(top).as_posix()
        files[path] = _content(place, _MAX_FILE_BYTES, shown=f"{top.name}/{path}")
        total += len(files[path])
        if len(files) > _MAX_FILES or total > _MAX_TREE_BYTES:
            raise Permanent(
                f"{top.name} has more than {_MAX_FILES} files or {_MAX_TREE_BYTES // 1_000_000} MB;"
                " keep what the change needs, or name commits of a repository under [git]"
            )
    return files


def _files(directory: Path, depth: int) -> Iterator[Path]:
    if depth > _MAX_DEPTH:
        raise Permanent(f"directories lie more than {_MAX_DEPTH} deep")
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        if entry.name.casefold() == ".git":
            raise Permanent("a tree of files must not hold .git; name the repository under [git] instead")
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), depth + 1)
        else:
            yield Path(entry.path)


def _content(place: Path, most: int, *, shown: str = "") -> bytes:
    """Return what a file holds, without waiting for a pipe or following a link."""
    shown = shown or place.name
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        reason = "a link" if place.is_symlink() else error.strerror
        raise Permanent(f"cannot read {shown}: {reason}; a case consists of plain files") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Permanent(f"{shown} is no plain file; a case consists of plain files")
        if status.st_size > most:
            raise Permanent(f"{shown} has {status.st_size} bytes, more than {most}; make it smaller")
        return file.read(most)
