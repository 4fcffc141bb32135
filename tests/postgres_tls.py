"""A real Postgres with TLS, from the system's packages: the one of the other tests is built without."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.ports import free_ports

_START_LIMIT_S = 120.0

#: Logs in with a certificate; everybody else with nothing, but encrypted.
CERTIFIED = "certified"

_HBA = f"""
hostssl all {CERTIFIED} 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 trust
"""


@dataclass(frozen=True)
class Encrypted:
    """Hold where the server listens, and files with the certificates of both sides."""

    port: int
    ca_file: Path
    client_cert_file: Path
    client_key_file: Path
    other_ca_file: Path

    def url(self, *, host: str = "127.0.0.1", user: str = "postgres", **query: object) -> str:
        """Return a URL with these parameters."""
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        return f"postgresql://{user}@{host}:{self.port}/postgres?{parameters}"


def server_programs() -> Path | None:
    """Return the folder with the newest server of Debian's packages."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def require_server() -> Path:
    """Return the folder with the server; skip the test where there is none, but not in CI."""
    programs = server_programs()
    if programs is None:
        reason = (
            "NO TLS AND NO OLD POSTGRES TESTED: no server in /usr/lib/postgresql. Install Debian's postgresql"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return programs


@pytest.fixture(scope="module")
def encrypted_postgres() -> Iterator[Encrypted]:
    """Return a server that takes encrypted connections only."""
    programs = require_server()
    with tempfile.TemporaryDirectory(prefix="cloister-postgres-tls-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        (port,) = free_ports(1)
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1")
        client = authority.issue_cert("client.example", common_name=CERTIFIED)
        files = {
            "ca.pem": authority.cert_pem,
            "server.pem": server.cert_chain_pems[0],
            "server.key": server.private_key_pem,
            "client.pem": client.cert_chain_pems[0],
            "client.key": client.private_key_pem,
            "other.pem": trustme.CA().cert_pem,
        }
        for file, content in files.items():
            content.write_to_path(directory / file)
            (directory / file).chmod(0o600)
        encryption = {"ssl": "on"} | {
            f"ssl_{name}_file": directory / file
            for name, file in (("ca", "ca.pem"), ("cert", "server.pem"), ("key", "server.key"))
        }
        process = start_server(programs, directory, port, _HBA, **encryption)
        names = ("ca.pem", "client.pem", "client.key", "other.pem")
        server_files = Encrypted(port, *(directory / file for file in names))
        role = [
            programs / "psql",
            "-q",
            server_files.url(sslmode="require"),
            "-c",
            f"CREATE ROLE {CERTIFIED} LOGIN",
        ]
        subprocess.run(role, check=True, timeout=120)
        yield server_files
        process.send_signal(signal.SIGINT)
        process.wait(150)


def start_server(
    programs: Path, directory: Path, port: int, hba: str, **more: object
) -> subprocess.Popen[bytes]:
    """Start a server of Debian's packages with its data below *directory*, ready for who *hba* lets in."""
    account = _account()
    data = directory / "data"
    if account:
        for path in (directory, *directory.iterdir()):
            shutil.chown(path, account)
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--locale=C", "-E", "UTF8"]
    subprocess.run(
        [*initdb, "--no-sync"],
        check=True,
        user=account,
        cwd=directory,
        stdout=subprocess.DEVNULL,
        timeout=120,
    )
    (data / "pg_hba.conf").write_text(hba)
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
    } | more
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *options],
            user=account,
            cwd=directory,
            stdout=output,
            stderr=output,
        )
    _wait(programs, port, process, directory / "output")
    return process


def _wait(programs: Path, port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while process.poll() is None and time.monotonic() < deadline:
        if subprocess.run(ready).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"Postgres did not start; it said:\n{output.read_text(errors='replace')}")


def _account() -> str | None:
    """Return whom to run the server as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in accounts else "nobody"
