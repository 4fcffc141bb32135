"""A case as a git repository with a target branch and a checked-out change, as a reviewer finds it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.adapters.git_version import NO_GIT
from bot.cli.evaluation.cases import CaseDirectory
from bot.cli.working_tree import WorkingTree
from bot.domain.errors import Permanent
from bot.domain.evaluation.case import History

TARGET = "main"

_LIMIT_S = 300
_ENVIRONMENT = {
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    # The same files make the same commits, in every evaluation.
    "GIT_AUTHOR_NAME": "Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}
_CONFIG = {
    "core.hooksPath": os.devnull,
    "core.symlinks": "false",
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "protocol.file.allow": "always",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
}


def check_out(directory: CaseDirectory, place: Path, environ: Mapping[str, str]) -> WorkingTree:
    """Make a repository of the case in *place*, which does not exist yet: ``TARGET`` is the base, HEAD the change.

    Raises:
        Permanent: the patch does not apply, the commits are not there, or git refuses.
    """
    place.mkdir(parents=True)
    git = _Git(place, environ)
    git("init", "--quiet", "--template=", f"--initial-branch={TARGET}")
    # Git must find links as the plain files that it has written for them.
    git("config", "core.symlinks", "false")
    if directory.case.git is not None and directory.repository is not None:
        _take_over(git, directory.case.git, directory.repository)
    else:
        _write(place, directory.base)
        git.commit("The code before")
        git("checkout", "--quiet", "-b", "change")
        if directory.patch is not None:
            _apply(git, directory.patch)
        else:
            for path in directory.base:
                (place / path).unlink()
            _write(place, directory.head or {})
            git.commit(directory.case.title)
    return WorkingTree(place, environ)


class _Git:
    """Run git in one repository of our own making."""

    def __init__(self, place: Path, environ: Mapping[str, str]) -> None:
        self.place = place
        config = [word for key, value in _CONFIG.items() for word in ("-c", f"{key}={value}")]
        self._argv = ["git", "-C", str(place), *config]
        self._environ = {**environ, **_ENVIRONMENT}

    def __call__(self, *arguments: str, stdin: bytes = b"", at: Path | None = None) -> str:
        argv: Sequence[str] = [*self._argv, *(("-C", str(at)) if at else ()), *arguments]
        try:
            done = subprocess.run(
                argv,
                env=self._environ,
                input=stdin,
                capture_output=True,
                timeout=_LIMIT_S,
                check=False,
            )
        except FileNotFoundError:
            raise Permanent(NO_GIT) from None
        except subprocess.TimeoutExpired:
            raise Permanent(f"git {arguments[0]} took longer than {_LIMIT_S} s") from None
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
            raise Permanent(
                f"git {arguments[0]}: {reason[0].removeprefix('error: ').removeprefix('fatal: ')}"
            )
        return done.stdout.decode(errors="replace").strip()

    def commit(self, message: str) -> None:
        self("add", "--all", "--force", ".")
        # A title may be empty, or look like a comment.
        options = ("--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "--no-gpg-sign")
        self("commit", "--quiet", *options, "--file=-", stdin=message.encode())


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _apply(git: _Git, patch: bytes) -> None:
    try:
        git("apply", "--index", "--whitespace=nowarn", "-", stdin=patch)
    except Permanent as error:
        raise Permanent(f"change.patch does not apply to base: {error}") from error


def _take_over(git: _Git, history: History, repository: Path) -> None:
    if repository.is_file():
        git("fetch", "--quiet", "--no-tags", str(repository), "+refs/*:refs/case/*")
    else:
        objects = git("rev-parse", "--path-format=absolute", "--git-path", "objects", at=repository)
        (git.place / ".git/objects/info").mkdir(parents=True, exist_ok=True)
        (git.place / ".git/objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    for commit in (history.base, history.head):
        try:
            git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
        except Permanent as error:
            raise Permanent(f"there is no commit {commit} in {repository.name}") from error
    git("update-ref", f"refs/heads/{TARGET}", history.base)
    git("checkout", "--quiet", "--detach", history.head)
