"""What are scanners kept away from on this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile

from bot.cli.checks import Check, ok, warn
from bot.ports import Command, Runner
from bot.scanners.semgrep_needs import python_needs

#: Try to connect to a server of ours, to read a file of ours, and to signal us.
_PROBE = """
import os, socket, sys
port, secret, pid = sys.argv[1:]
def attempt(area, what):
    try: what()
    except OSError: print(f"{area}=closed")
    else: print(f"{area}=open")
attempt("network", lambda: socket.create_connection(("127.0.0.1", int(port)), 1))
attempt("files", lambda: open(secret))
attempt("processes", lambda: os.kill(int(pid), 0))
"""
#: What holds, what does not, and what to do then.
_AREAS = {
    "network": (
        "scanners reach no server, not even on this machine",
        "scanners can open connections",
        "allow seccomp or unprivileged user namespaces, or run the scanners in a container without other networks",
    ),
    "files": (
        "scanners read their input and their own program, and write nothing of ours",
        "scanners can read and write what Cloister can",
        "use Linux 5.13 or newer with Landlock among the modules in /sys/kernel/security/lsm",
    ),
    "processes": (
        "scanners cannot signal or look into other processes",
        "scanners can signal other processes of this account",
        "allow seccomp or unprivileged user namespaces, or run the scanners in a container of their own",
    ),
}


async def isolation(runner: Runner) -> list[Check]:
    """Judge what scanners are kept away from, by letting a program try."""
    with contextlib.ExitStack() as stack:
        secret = stack.enter_context(tempfile.NamedTemporaryFile())
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        words = (sys.executable, "-ISc", _PROBE, str(server.getsockname()[1]), secret.name, str(os.getpid()))
        done = await runner.run(Command(words, limit_s=4, reads=python_needs()))
    found = dict(
        line.split("=", 1) for line in done.stdout.decode(errors="replace").splitlines() if "=" in line
    )
    return [_kept_from(area, found.get(area, "")) for area in _AREAS]


def _kept_from(area: str, found: str) -> Check:
    closed, opened, remedy = _AREAS[area]
    if found == "closed":
        return ok(f"scanner {area}", closed)
    return warn(
        f"scanner {area}", opened if found == "open" else "cannot tell: a tiny program did not run", remedy
    )
