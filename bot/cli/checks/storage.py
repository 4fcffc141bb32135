"""Can data be kept: the database, the event log, the data directory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from bot.cli.checks import Check, fail, ok, warn
from bot.settings_types import is_loopback

NETWORK_FILESYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "lustre", "afs"}
NETWORK_FILESYSTEMS |= {
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.rclone",
    "gpfs",
    "ocfs2",
}
#: Room for mirrors and a young database; below it the first large project fills the disk.
LEAST_FREE_BYTES = 2_000_000_000


#: Tests run on these, see docs/operations.md.
OLDEST_POSTGRES, NEWEST_POSTGRES = 15, 18


def server(version: tuple[int, int]) -> Check:
    """Judge the version of a Postgres."""
    name, said = "database version", f"Postgres {version[0]}.{version[1]}"
    if version[0] < OLDEST_POSTGRES:
        return fail(
            name,
            f"{said} is too old",
            f"upgrade it to {OLDEST_POSTGRES} or newer, or unset CLOISTER_DATABASE_URL",
        )
    if version[0] > NEWEST_POSTGRES:
        return ok(name, f"{said}, which is newer than what this release is tested on ({NEWEST_POSTGRES})")
    return ok(name, said)


def schema(name: str, current: str | None, newest: str) -> Check:
    """Judge the schema version of a database."""
    if current == newest:
        return ok(name, f"schema {current}")
    if current is not None and current > newest:
        return fail(name, f"schema {current} is newer than this release knows ({newest})", "upgrade Cloister")
    state = f"schema {current}, needs {newest}" if current else "empty"
    return fail(name, state, "run `cloister db upgrade`")


def transport(url: str, *, encrypted: bool) -> Check:
    """Judge whether the database at *url* is reached in the clear, or is perhaps another one."""
    name, remedy = (
        "database transport",
        "write sslmode=verify-full&sslrootcert=FILE into CLOISTER_DATABASE_URL",
    )
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host = query.get("host") or parts.hostname or ""
    if not host or host.startswith("/") or is_loopback(host):
        return ok(name, "encrypted, on this machine" if encrypted else "on this machine")
    if not encrypted:
        return warn(name, "not encrypted: what is kept can be read on the network", remedy)
    if query.get("sslmode") == "verify-full":
        return ok(name, "encrypted, the server's certificate is checked")
    return warn(
        name, "encrypted, but anybody could pose as the server: its certificate is not checked", remedy
    )


def data_directory(path: Path, mounts: str) -> list[Check]:
    """Judge the data directory: writable, on a local disk, with room; *mounts* is ``/proc/self/mounts``."""
    present = next(place for place in (path, *path.parents) if place.exists())
    if not present.is_dir():
        return [
            fail("data directory", f"{present} is not a directory", "set CLOISTER_DATA_DIR to a directory")
        ]
    if not os.access(present, os.W_OK | os.X_OK):
        return [
            fail(
                "data directory",
                f"{present} is not writable by this account",
                "change its owner, or CLOISTER_DATA_DIR",
            )
        ]
    checks = [ok("data directory", str(path) if present == path else f"{path} (will be made)")]
    kind = filesystem(present.resolve(), mounts)
    if kind in NETWORK_FILESYSTEMS:
        checks = [
            warn(
                "data directory",
                f"{path} is on a network file system ({kind}), where Postgres may lose data",
                "set CLOISTER_DATA_DIR to a local disk, or CLOISTER_DATABASE_URL to a server",
            )
        ]
    free = shutil.disk_usage(present).free
    if free < LEAST_FREE_BYTES:
        checks.append(warn("disk space", f"{free // 10**6} MB free", "make room, or move CLOISTER_DATA_DIR"))
    return checks


def mounted() -> str:
    """Return the table of mounts, empty on systems without ``/proc``."""
    table = Path("/proc/self/mounts")
    return table.read_text(encoding="utf-8", errors="replace") if table.exists() else ""


def filesystem(path: Path, mounts: str) -> str:
    """Return the type of the file system that holds *path*, empty when *mounts* does not tell."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind
