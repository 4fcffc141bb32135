"""Read files of a commit out of a repository without a check-out, in two git commands for any number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.git_errors import GitFailed
from bot.adapters.git_process import Git
from bot.domain.errors import Permanent
from bot.domain.patch import raw_of
from bot.ports import Blob

#: Below the system's limit for one command line, environment included.
_ARGUMENT_BYTES = 100_000
_PATH_BYTES = 4_096
_MOST_FILES = 200_000
#: How much content one read holds in memory; files beyond it come without content.
_READ_BYTES = 200_000_000
_REGULAR = (b"100644", b"100755", b"100664")


@dataclass(frozen=True, slots=True)
class _Entry:
    oid: bytes
    size: int


async def read_blobs(
    git: Git, repository: Path, commit: str, paths: Sequence[str], max_bytes: int
) -> dict[str, Blob]:
    """Return the regular files among *paths* at *commit*; content only up to *max_bytes* each.

    Links, submodules and directories are left out like missing files. Names that are not UTF-8 are as diffs show them.

    Raises:
        GitFailed: the commit is not there, or the repository is damaged.
    """
    asked = {argument: path for path in paths if (argument := _argument(path))}
    entries: dict[str, _Entry] = {}
    for chunk in _chunks(asked):
        output = await git.run(
            "ls-tree", "-z", "-l", "--full-tree", commit, "--", *chunk, at=repository, max_bytes=_READ_BYTES
        )
        entries.update((asked[path], entry) for path, entry in _listed(output.stdout) if path in asked)
    wanted = _within_budget(entries, max_bytes)
    contents = await _contents(git, repository, {entries[path].oid: entries[path].size for path in wanted})
    return {
        path: Blob(entry.size, contents.get(entry.oid) if path in wanted else None)
        for path, entry in entries.items()
    }


async def list_files(git: Git, repository: Path, commit: str) -> frozenset[str]:
    """Return the paths of the regular files at *commit* whose names are text.

    Raises:
        GitFailed: the commit is not there, or the repository is damaged.
        Permanent: there are too many.
    """
    output = await git.run(
        "ls-tree", "-r", "-z", "-l", "--full-tree", commit, at=repository, max_bytes=_READ_BYTES
    )
    listed = [path for path, _ in _listed(output.stdout)]
    if output.cut or len(listed) > _MOST_FILES:
        raise Permanent(f"the repository has more than {_MOST_FILES} files")
    return frozenset(path.decode() for path in listed if _is_text(path))


def _is_text(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True


def _argument(path: str) -> bytes | None:
    """Return *path* for a command line; None for one that git would refuse the whole command for."""
    try:
        argument = raw_of(path)
    except UnicodeEncodeError:
        return None
    sane = b"\0" not in argument and not {b"", b".", b".."} & set(argument.split(b"/"))
    return argument if sane and len(argument) <= _PATH_BYTES else None


def _chunks(arguments: Iterable[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for argument in arguments:
        size += len(argument) + 1
        if chunk and size > _ARGUMENT_BYTES:
            yield chunk
            chunk, size = [], len(argument) + 1
        chunk.append(argument)
    if chunk:
        yield chunk


def _listed(output: bytes) -> Iterator[tuple[bytes, _Entry]]:
    for record in output.split(b"\0")[:-1]:
        head, _, path = record.partition(b"\t")
        mode, _, oid, size = head.split()
        if mode in _REGULAR:
            if not size.isdigit():
                raise GitFailed(128, f"unable to read {oid.decode()}")
            yield path, _Entry(oid, int(size))


def _within_budget(entries: Mapping[str, _Entry], max_bytes: int) -> set[str]:
    left = _READ_BYTES
    wanted = set()
    for path, entry in entries.items():
        if entry.size <= min(max_bytes, left):
            wanted.add(path)
            left -= entry.size
    return wanted


async def _contents(git: Git, repository: Path, sizes: Mapping[bytes, int]) -> dict[bytes, bytes]:
    if not sizes:
        return {}
    output = await git.run(
        "cat-file",
        "--batch",
        at=repository,
        stdin=b"".join(oid + b"\n" for oid in sizes),
        max_bytes=sum(sizes.values()) + 200 * len(sizes),
    )
    contents = {}
    start = 0
    for oid, size in sizes.items():
        end = output.stdout.find(b"\n", start) + 1
        if output.stdout[start:end] != b"%s blob %d\n" % (oid, size):
            raise GitFailed(128, f"unable to read {oid.decode()}")
        contents[oid] = output.stdout[end : end + size]
        start = end + size + 1
    return contents
