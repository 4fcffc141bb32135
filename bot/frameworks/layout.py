"""Where the tests of a project stand, and what a new one is called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator

_WORD = re.compile(r"[^0-9A-Za-z_]+")


def stem(path: str) -> str:
    """Return the name of a file without directory and suffix, as a word."""
    return word(path.rpartition("/")[2].partition(".")[0])


def word(text: str) -> str:
    """Return *text* with nothing in it that a file name of code should not hold."""
    return _WORD.sub("_", text).strip("_")[:60] or "code"


def folders_above(path: str) -> list[str]:
    """Return the directories that hold *path*, nearest first, each with a slash at its end; the root is empty."""
    parts = path.split("/")[:-1]
    return ["".join(f"{part}/" for part in parts[:count]) for count in range(len(parts), -1, -1)]


def holder(paths: Collection[str], source: str, names: Iterable[str]) -> str:
    """Return the nearest directory above *source* with one of the files *names*; empty, the root, if there is none."""
    wanted = tuple(names)
    folders = folders_above(source)
    return next((one for one in folders if any(f"{one}{name}" in paths for name in wanted)), "")


def common_folder(tests: Iterable[str], source: str) -> str:
    """Return the directory of tests, with a slash at its end, that is nearest to *source*; empty if there is none.

    Near is a directory that shares names with that of the source, as ``tests/unit/api`` does with ``src/api``.
    """
    folders = Counter(test.rpartition("/")[0] for test in tests)
    wanted = set(source.split("/")[:-1])

    def rank(folder: str) -> tuple[int, int, int, str]:
        parts = folder.split("/")
        shared = len(wanted & set(parts))
        return (-shared, len(parts) - shared, -folders[folder], folder)

    return f"{best}/" if (best := min(folders, key=rank, default="")) else ""


def free(names: Iterable[str], taken: Callable[[str], bool]) -> str:
    """Return the first of *names* that is not taken; they must not end before."""
    return next(name for name in names if not taken(name))


def numbered(*names: str) -> Iterator[str]:
    """Yield *names*, then the last one with 2, 3, ... at its end."""
    yield from names
    for number in range(2, 10_000):
        yield f"{names[-1]}_{number}"


def nearest(tests: Iterable[str], source: str) -> list[str]:
    """Return *tests* by their nearness to *source*: of the same name first, then those that share most directories."""
    name, parts = stem(source).lower(), set(source.split("/")[:-1])
    return sorted(
        tests,
        key=lambda test: (
            name not in test.rpartition("/")[2].lower(),
            -len(parts & set(test.split("/")[:-1])),
            test.count("/"),
            test,
        ),
    )
