"""Whether the git of this machine is there, and new enough for what we ask of it."""

from __future__ import annotations

import re
import subprocess
from contextlib import suppress

from bot.domain.errors import Permanent

#: 2.31 is the first that reads settings from GIT_CONFIG_COUNT, without which what a repository says would count;
#: 2.32 the first that merges packs by size.
OLDEST_GIT = (2, 32)

REMEDY = f"install git {OLDEST_GIT[0]}.{OLDEST_GIT[1]} or newer"
NO_GIT = f"git is not installed, or not in PATH; {REMEDY}"

_LIMIT_S = 10


def require_git() -> None:
    """Check that git can be used; one that does not tell its version gets the benefit of the doubt.

    Raises:
        Permanent: there is none, or it is too old.
    """
    said = ""
    try:
        with suppress(subprocess.TimeoutExpired, PermissionError):
            done = subprocess.run(
                ("git", "--version"),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LIMIT_S,
                check=False,
            )
            said = done.stdout.decode(errors="replace")
    except FileNotFoundError:
        raise Permanent(NO_GIT) from None
    version = re.match(r"git version ([0-9]+)\.([0-9]+)", said)
    if version and (int(version[1]), int(version[2])) < OLDEST_GIT:
        raise Permanent(f"git is too old ({said.split()[2]}); {REMEDY}")
