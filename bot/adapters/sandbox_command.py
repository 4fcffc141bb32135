"""The command line that runs a project's own code in bubblewrap: what it sees, which account it is, how much it may take."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.adapters.private_directory import PrivateDirectory
from bot.adapters.process import inside
from bot.ports import CHECKOUT, Trial

Which = Callable[[str], str | None]

_REPORT = "/report"
#: What programs need that are installed on the machine; no settings, accounts or keys among them.
_SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime",
    "/etc/java-11-openjdk", "/etc/java-17-openjdk", "/etc/java-21-openjdk", "/etc/java-25-openjdk",
)  # fmt: skip
_PROGRAMS = ("/usr/local/go/bin", "/usr/local/bin", "/usr/bin", "/bin")
_NOBODY = 65_534
_IN_THE_SANDBOX = "1000"
#: The least that programs look for: one account, and a name for the loopback.
SETTINGS = {
    "passwd": "test:x:1000:1000:test:/tmp/home:/bin/sh\n",
    "group": "test:x:1000:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
}
_SHARED_MEMORY_BYTES = 64_000_000
_OPEN_FILES = 1_024
_UNWATCHED_S = 5.0


class SandboxCommand:
    """Put the command line together.

    Args:
        roots: directories that programs in the sandbox may read and run, at their own paths; the ``bin`` of
            each comes first in the search path.
        which: finds programs.
    """

    def __init__(self, roots: Sequence[str], which: Which) -> None:
        self._roots = tuple(roots)
        self._which = which

    def words(self, trial: Trial, room: PrivateDirectory, filter_fd: int | None) -> tuple[str, ...]:
        """Return the command line that runs *trial* with what is in *room*."""
        prlimit, timeout = self._which("prlimit") or "prlimit", self._which("timeout") or "timeout"
        # Ends what nobody watches: Cloister may be stopped, or killed before bubblewrap would notice.
        at_last = (timeout, "--signal=KILL", f"{trial.limit_s + _UNWATCHED_S:g}")
        return (
            *self._before(),
            self._which("bwrap") or "bwrap",
            *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
            *("--uid", _IN_THE_SANDBOX, "--gid", _IN_THE_SANDBOX, "--hostname", "sandbox"),
            *(("--seccomp", str(filter_fd)) if filter_fd is not None else ()),
            *(word for path in _SYSTEM for word in _visible(path)),
            *("--proc", "/proc", "--dev", "/dev"),
            *("--size", str(_SHARED_MEMORY_BYTES), "--tmpfs", "/dev/shm"),  # noqa: S108 - the sandbox's own
            *("--size", str(trial.scratch_bytes), "--tmpfs", "/tmp"),  # noqa: S108
            *(word for root in self._roots for word in ("--ro-bind-try", root, root)),
            *("--dir", "/tmp/home", "--ro-bind", str(room.inputs), CHECKOUT),  # noqa: S108
            *(word for name in SETTINGS for word in ("--ro-bind", str(room.scratch / name), f"/etc/{name}")),
            *("--bind", str(room.scratch / "report"), _REPORT, "--chdir", _start(trial.folder)),
            # Last: mount points are made on the way.
            *("--remount-ro", "/dev", "--remount-ro", "/", "--clearenv"),
            *(word for name, value in self._environment(trial).items() for word in ("--setenv", name, value)),
            *("--", *at_last, prlimit, *_limits(trial), "--", *trial.argv),
        )

    def _before(self) -> tuple[str, ...]:
        """Return what lowers our own standing: limits on processes do not hold for the administrator."""
        setpriv, choom, nice = (self._which(name) or "" for name in ("setpriv", "choom", "nice"))
        lower = ("--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups")
        return (
            *((nice, "-n", "10") if nice else ()),
            *((choom, "-n", "1000", "--") if choom else ()),
            *((setpriv, *lower, "--no-new-privs") if os.geteuid() == 0 else (setpriv, "--no-new-privs")),
        )

    def _environment(self, trial: Trial) -> dict[str, str]:
        programs = [f"{root}/bin" for root in self._roots]
        jars = [f"{root}{folder}/*" for root in self._roots for folder in ("", "/lib")]
        modules = [f"{root}{folder}/node_modules" for root in self._roots for folder in ("", "/lib")]
        return {
            "PATH": ":".join([*programs, *_PROGRAMS]),
            "HOME": "/tmp/home",  # noqa: S108 - the sandbox's own
            "TMPDIR": "/tmp",  # noqa: S108
            "LC_ALL": "C.UTF-8",
            "CLASSPATH": ":".join(jars),
            "NODE_PATH": ":".join(modules),
            **trial.environment,
        }


def _start(folder: str) -> str:
    return f"{CHECKOUT}/{inside(folder)}" if folder else CHECKOUT


def _limits(trial: Trial) -> tuple[str, ...]:
    return (
        # Of address space, interpreters reserve more than they use.
        f"--data={trial.memory_bytes}",
        f"--nproc={trial.processes}",
        f"--fsize={trial.scratch_bytes}",
        f"--nofile={_OPEN_FILES}",
        f"--cpu={int(trial.limit_s) + 1}",
        "--core=0",
        "--memlock=65536",
        "--msgqueue=0",
    )


def _visible(path: str) -> tuple[str, ...]:
    place = Path(path)
    if place.is_symlink() and place.is_dir():
        return ("--symlink", str(place.readlink()), path)
    return ("--ro-bind-try", path, path)
