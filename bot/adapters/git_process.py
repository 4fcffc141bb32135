"""Run git so that nothing but the command line and our own settings decides what it does."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.adapters.git_errors import GitFailed
from bot.adapters.git_version import NO_GIT
from bot.domain.errors import Permanent, Transient

_CHUNK_BYTES = 1 << 20
_STDERR_BYTES = 8_192

_SETTINGS = {
    # Nothing of ours or of a repository may run or be followed.
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "core.fsmonitor": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "no",
    "http.followRedirects": "false",
    # A server that stalls is given up on.
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    # Clean-up in the background would outlive the lock; packs are merged under it instead.
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.unpackLimit": "1",
    # Old histories hold objects that the strict check refuses; nothing is ever checked out, so they are harmless.
    "transfer.fsckObjects": "false",
    # Larger files are not compared line by line: they count as binary.
    "core.bigFileThreshold": "10m",
}


@dataclass(frozen=True, slots=True)
class Output:
    """Hold what git wrote; ``cut`` says that it was stopped at the limit."""

    stdout: bytes
    cut: bool


class Git:
    """Run git commands in an environment of our own making.

    The token travels in the environment as a header bound to *forge_url*; it is in no command line, file or
    message.

    Args:
        forge_url: base URL of the forge, http(s); ``file`` serves tests and local set-ups. Empty: nothing is fetched
            from anywhere, whatever a repository says.
        token: access token, empty for none.
        user: who the token is of, as far as the forge asks; jobs have tokens with a user of their own.
        ca_file: certificate authorities to trust instead of the system's.
    """

    def __init__(
        self, *, forge_url: str, token: str = "", user: str = "oauth2", ca_file: Path | None = None
    ) -> None:
        parts = urlsplit(forge_url)
        if forge_url and parts.scheme not in ("http", "https", "file"):
            raise Permanent(f"cannot fetch from {parts.scheme}:// URLs; use http or https")
        settings = dict(_SETTINGS)
        self._secrets: tuple[str, ...] = ()
        if token:
            credentials = base64.b64encode(f"{user}:{token}".encode()).decode()
            settings[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = (
                f"Authorization: Basic {credentials}"
            )
            self._secrets = (credentials, token)
        if ca_file:
            settings["http.sslCAInfo"] = str(ca_file)
        self._program = shutil.which("git") or ""
        self._environment = _environment(settings, Path(self._program).parent, parts.scheme)

    async def run(
        self,
        *arguments: str | bytes,
        at: Path,
        stdin: bytes = b"",
        limit_s: float = 60.0,
        max_bytes: int = 1_000_000,
        accept: tuple[int, ...] = (0,),
    ) -> Output:
        """Run one git command in directory *at*; it is stopped when it has written *max_bytes*.

        The whole process group is killed at *limit_s* and on cancellation.

        Raises:
            GitFailed: the exit status is not in *accept*.
            Transient: it took longer than *limit_s*.
            Permanent: git is not installed.
        """
        process = await self._start(arguments, at)
        try:
            async with asyncio.timeout(limit_s), asyncio.TaskGroup() as group:
                group.create_task(_feed(process, stdin))
                stderr = group.create_task(_read_and_drain(process.stderr))
                stdout, cut = await _read(process.stdout, max_bytes)
                if cut:
                    _kill(process)
                status = await process.wait()
        except TimeoutError as error:
            raise Transient(f"git {arguments[0]!s} took longer than {limit_s:.0f} s") from error
        finally:
            if process.returncode is None:
                _kill(process)
                await process.wait()
        if not cut and status not in accept:
            raise GitFailed(status, self._scrub(stderr.result()))
        return Output(stdout, cut)

    async def _start(self, arguments: tuple[str | bytes, ...], at: Path) -> asyncio.subprocess.Process:
        if not self._program:
            raise Permanent(NO_GIT)
        try:
            return await asyncio.create_subprocess_exec(
                self._program,
                *arguments,
                cwd=at,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=_CHUNK_BYTES,
            )
        except FileNotFoundError as error:
            raise GitFailed(128, f"not a git repository: {at.name}") from error

    def _scrub(self, stderr: bytes) -> str:
        # The server has a say in it, and it is going to be shown in terminals.
        text = "".join(
            char if char.isprintable() or char == "\n" else " " for char in stderr.decode(errors="replace")
        )
        for secret in self._secrets:
            text = text.replace(secret, "[token]")
        return text.strip()[:1_000]


def _environment(settings: Mapping[str, str], programs: Path, protocol: str) -> dict[str, str]:
    environment = {
        "PATH": f"{programs}{os.pathsep}{os.defpath}",
        "HOME": "/nonexistent",
        # Only the working directory itself may be the repository, never one that it happens to lie in.
        "GIT_DIR": ".",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        # Unlike a setting, this is above those of the repository.
        "GIT_ALLOW_PROTOCOL": protocol,
        # A partial clone would have a lost object fetched, by a program that its settings name.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (name, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = name
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> None:
    assert process.stdin is not None
    # Git may stop reading when it has failed; its exit status tells why.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(stdin)
        await process.stdin.drain()
        process.stdin.close()


async def _read(stream: asyncio.StreamReader | None, max_bytes: int) -> tuple[bytes, bool]:
    assert stream is not None
    data = bytearray()
    while chunk := await stream.read(_CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            return bytes(data[:max_bytes]), True
    return bytes(data), False


async def _read_and_drain(stream: asyncio.StreamReader | None) -> bytes:
    said, cut = await _read(stream, _STDERR_BYTES)
    while cut:
        cut = (await _read(stream, _CHUNK_BYTES))[1]
    return said


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
