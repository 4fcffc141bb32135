"""The gate of a CI job against a job that runs the plain command, on the same merge request."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bot.resources import resource
from bot.scanners.semgrep_installed import command
from bot.scanners.semgrep_rules import Pack
from tests.bench.figures import Figure

_REPEAT = 3
_QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
#: A merge request of common size, in a library that has the rest.
_FILES = ("tempfile", "shelve", "netrc", "pprint", "sched")
_LIBRARY = Path(os.__file__).parent
_ADDED = "\n\ndef stored(password):\n    import hashlib\n\n    return hashlib.md5(password).hexdigest()\n"


def gate() -> list[Figure]:
    """Return how long `cloister gate --local` takes, with a defect and without, and how long the plain command."""
    with tempfile.TemporaryDirectory(prefix="cloister-bench-") as directory:
        clone = Path(directory, "clone")
        base = _clone(clone)
        rules = Path(directory, "rules.json")
        figures = []
        for name, added in (("clean", "\n\nx = 1\n"), ("one defect in each", _ADDED)):
            _change(clone, added)
            plain_s = _median(lambda: _plain(clone, base, rules))
            value = _median(lambda: _gate(clone, base))
            what = f"cloister gate --local, 5 files, {name}"
            figures.append(Figure(what, value, "s", baseline=plain_s, note="whole processes, same rules"))
        return figures


def _clone(clone: Path) -> str:
    """Make a repository of the standard library's top directory, and return its commit."""
    clone.mkdir()
    for file in _LIBRARY.glob("*.py"):
        (clone / file.name).write_bytes(file.read_bytes())
    _git(clone, "init", "-q")
    return _commit(clone)


def _change(clone: Path, added: str) -> None:
    for name in _FILES:
        (clone / f"{name}.py").write_bytes((_LIBRARY / f"{name}.py").read_bytes() + added.encode())
    _commit(clone)


def _commit(clone: Path) -> str:
    _git(clone, "add", "--all")
    _git(clone, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "change")
    return _git(clone, "rev-parse", "HEAD")


def _git(clone: Path, *words: str) -> str:
    argv = ["git", "-C", str(clone), *words]
    return subprocess.run(
        argv, env={"PATH": os.environ["PATH"], **_QUIET}, check=True, capture_output=True, text=True
    ).stdout.strip()


def _plain(clone: Path, base: str, rules: Path) -> None:
    """Run Semgrep as a job does: with the base as baseline, so that it says only what is new."""
    pack = Pack(resource("rules"))
    if not rules.exists():
        rules.write_bytes(pack.as_json(pack.languages))
    words = (command(), "scan", "--json", "--quiet", "--metrics=off", "--disable-version-check")
    argv = (*words, f"--config={rules}", f"--baseline-commit={base}", ".")
    subprocess.run(argv, cwd=clone, capture_output=True, check=True)


def _gate(clone: Path, base: str) -> None:
    argv = [sys.executable, "-m", "bot", "gate", "--local", "--base", base]
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "CI_PROJECT_DIR": str(clone)}
    done = subprocess.run(argv, env=environ, capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.decode(errors="replace"))


def _median(what: Callable[[], None]) -> float:
    times = []
    for _ in range(_REPEAT):
        began = time.perf_counter()
        what()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
