"""A local git repository: what changed against a base, without running anything that it configures."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.adapters.git_search import MOST_NAMES, NAME_SEARCH, occurrences
from bot.adapters.git_version import NO_GIT, require_git
from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.errors import Permanent
from bot.domain.patch import MalformedDiff, parse
from bot.ports import Occurrences

#: A diff beyond this is not a change that anybody reviews; what fits is reviewed, the rest is listed.
DIFF_LIMIT_BYTES = 64_000_000
#: GitLab shows no inline comments in files of this size either.
FILE_LIMIT_BYTES = 1_000_000
#: As far as git looks for a NUL to call a file binary.
BINARY_PROBE_BYTES = 8_000
GIT_LIMIT_S = 120
#: Lines with names beyond this are of words rather than names.
_SEARCH_LIMIT_BYTES = 500_000

# Repository-local configuration may name programs. Clean filters are switched off one by one below.
_CONFIG = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "true",
    "core.untrackedCache": "false",
    "diff.noprefix": "false",
    "diff.mnemonicPrefix": "false",
    "diff.renames": "true",
}
#: What git gets from our own environment: where programs and the user's ignore list are, and, in a hook, which
#: index holds what is about to be committed.
INHERITED = ("PATH", "HOME", "XDG_CONFIG_HOME", "GIT_INDEX_FILE")
_FIXED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    # A partial clone would have a lost object fetched, by a program that its settings name.
    "GIT_NO_LAZY_FETCH": "1",
    # Above the settings of the repository, which may allow each protocol again.
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}
_DIFF = [
    "diff",
    "--raw",
    "-z",
    "--patch",
    "--full-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--find-renames",
    "-U3",
    "--inter-hunk-context=0",
    "--submodule=short",
    "--ignore-submodules=dirty",
    "--src-prefix=a/",
    "--dst-prefix=b/",
]
_DEFAULT_BASES = ("refs/remotes/origin/HEAD", "origin/main", "origin/master", "main", "master")


@dataclass(frozen=True)
class WorkingTree:
    """Give read access to the repository at *root*.

    Every method raises ``Permanent`` when git is missing or refuses, with git's reason.
    """

    root: Path
    environ: Mapping[str, str]

    @classmethod
    def around(cls, path: Path, environ: Mapping[str, str]) -> WorkingTree:
        """Return the working tree that *path* is in; git runs with *environ* (see `INHERITED`) and no more."""
        if not path.is_dir():
            raise Permanent(f"{path} is not a directory; name a git repository")
        require_git()
        return cls(cls(path, environ).top(), environ)

    def top(self) -> Path:
        """Return the top directory of the repository that *root* is in."""
        try:
            top = self._git("rev-parse", "--show-toplevel", disarm=False)
        except Permanent as error:
            if "not a git repository" not in str(error):
                raise
            msg = f"{self.root} is in no git repository; name one, or a directory in it"
            raise Permanent(msg) from None
        return Path(os.fsdecode(top.removesuffix(b"\n")))

    def base(self, ref: str | None) -> str:
        """Return the commit of *ref*, or of the default branch of the remote when *ref* is None."""
        for candidate in (ref,) if ref else _DEFAULT_BASES:
            if commit := self._commit(candidate):
                return commit
        if ref:
            raise Permanent(f"{ref!r} is not a commit here; fetch it, or name another with --base REF")
        raise Permanent("no default branch found (origin/HEAD, main or master); name one with --base REF")

    def head(self) -> str | None:
        """Return the commit that is checked out, None before the first one."""
        return self._commit("HEAD")

    def merge_base(self, base: str) -> str:
        """Return the newest common ancestor of *base* and HEAD."""
        try:
            return self._git("merge-base", base, "HEAD").decode().strip()
        except Permanent as error:
            raise Permanent(
                f"{base[:12]} and HEAD have no common ancestor here; in a shallow clone run"
                " `git fetch --unshallow`, else name another with --base REF"
            ) from error

    def empty_tree(self) -> str:
        """Return the id of the tree without files, to compare with before the first commit."""
        return self._git("hash-object", "-t", "tree", os.devnull).decode().strip()

    def diff(self, since: str, *, staged: bool) -> Diff:
        """Return what changed since the commit *since*: in the index when *staged*, else in the working tree.

        Untracked files that are not ignored count as added, unless *staged*.
        """
        output = self._git(*_DIFF, *(("--cached",) if staged else ()), since, "--")
        cut = len(output) > DIFF_LIMIT_BYTES
        try:
            tracked = parse(output[:DIFF_LIMIT_BYTES], cut=cut)
        except MalformedDiff as error:
            raise Permanent(f"cannot read git's diff: {error}; finish a merge in progress first") from error
        if staged:
            return tracked
        names = self._git("ls-files", "--others", "--exclude-standard", "--full-name", "-z").split(b"\0")
        new = (self._untracked(name.decode(errors="backslashreplace")) for name in names if name)
        return Diff((*tracked.files, *(file for file in new if file)))

    def read(self, path: str) -> bytes | None:
        """Return a file of the working tree; None unless it is a regular file of sane size inside the tree."""
        place = self.root / path
        if place.parent.resolve() != self.root.resolve().joinpath(path).parent:
            return None
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_LIMIT_BYTES:
                return None
            return file.read(FILE_LIMIT_BYTES)

    def read_at(self, commit: str, path: str) -> bytes | None:
        """Return a file as it is in *commit*, or in the index when *commit* is empty; None when it is not there."""
        try:
            return self._git("cat-file", "blob", f"{commit}:{path}")
        except Permanent:
            return None

    def search(self, names: Sequence[str], *, staged: bool) -> Occurrences:
        """Return the lines of tracked text files that hold one of *names* as a word: in the index when *staged*."""
        wanted = [name for name in names if name.isidentifier()][:MOST_NAMES]
        if not wanted:
            return Occurrences()
        patterns = [word for name in wanted for word in ("-e", name)]
        place = ("--cached",) if staged else ()
        try:
            output = self._git("grep", *NAME_SEARCH, *place, *patterns, "--")
        except Permanent as error:  # also where nothing is found
            return Occurrences(missing="" if str(error).endswith("exit status 1") else str(error))
        return Occurrences(tuple(occurrences(output[:_SEARCH_LIMIT_BYTES])))

    def _commit(self, ref: str) -> str | None:
        try:
            return (
                self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
                .decode()
                .strip()
            )
        except Permanent:
            return None

    def _untracked(self, path: str) -> FileDiff | None:
        if path.endswith("/") or (self.root / path).is_symlink():
            return None  # a repository inside this one, or a link: neither has lines of its own
        content = self.read(path)
        if content is None:
            return FileDiff(path, path, Change.added, old_mode="000000", truncated=True)
        return added_file(path, content)

    def _git(self, *arguments: str, disarm: bool = True) -> bytes:
        config = {**_CONFIG, **(self._disarmed if disarm else {})}
        environ = {**self.environ, **_FIXED, "GIT_CONFIG_COUNT": str(len(config))}
        for index, (key, value) in enumerate(config.items()):
            environ |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
        return _run(["git", "-C", str(self.root), *arguments], environ)

    @cached_property
    def _disarmed(self) -> dict[str, str]:
        """Return overrides for every clean filter, which `git diff` would otherwise run on changed files."""
        try:
            names = self._git("config", "--name-only", "-z", "--get-regexp", r"^filter\.", disarm=False)
        except Permanent:
            return {}
        drivers = {key.rpartition(".")[0] for key in os.fsdecode(names).split("\0") if key.count(".") > 1}
        return {
            f"{driver}.{key}": value
            for driver in sorted(drivers)
            for key, value in (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
        }


def added_file(path: str, content: bytes) -> FileDiff:
    """Return the change that adds *path* with *content*, as git would show it."""
    if b"\0" in content[:BINARY_PROBE_BYTES]:
        return FileDiff(path, path, Change.added, old_mode="000000", binary=True)
    texts = content.decode(errors="replace").split("\n")
    if texts[-1] == "":
        texts.pop()
    lines = tuple(DiffLine(Sign.added, None, number, text) for number, text in enumerate(texts, start=1))
    hunks = (Hunk(0, 0, 1, len(lines), "", lines),) if lines else ()
    return FileDiff(path, path, Change.added, old_mode="000000", hunks=hunks)


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> bytes:
    try:
        done = subprocess.run(
            argv,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_LIMIT_S,
            check=False,
        )
    except FileNotFoundError:
        raise Permanent(NO_GIT) from None
    except subprocess.TimeoutExpired:
        raise Permanent(f"git did not finish within {GIT_LIMIT_S} s: git {argv[3]}") from None
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or [
            f"exit status {done.returncode}"
        ]
        raise Permanent(f"git {argv[3]}: {reason[0].removeprefix('fatal: ')}")
    return done.stdout
