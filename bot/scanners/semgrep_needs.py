"""Which files Semgrep must be able to read and run, besides its input."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

#: The engine wants the certificates of the system before it does anything, though it connects to nothing.
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
)


def engine_needs(core: str) -> tuple[str, ...]:
    """Return what the engine needs: its libraries, and ``uname``, which it asks where those certificates are."""
    uname = shutil.which("uname", path=os.defpath)
    return (str(Path(core).parent), *((uname,) if uname else ()), *_CERTIFICATES)


def python_needs() -> tuple[str, ...]:
    """Return what a Python program of this environment needs."""
    places = (
        sys.prefix,
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        str(sysconfig.get_config_var("LIBDIR")),
        str(Path(sys.executable).resolve()),
    )
    return tuple(dict.fromkeys(places))
