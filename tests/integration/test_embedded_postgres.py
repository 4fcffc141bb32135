"""The database that Cloister brings along is for Cloister alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from bot.adapters.embedded_postgres import EmbeddedPostgres
from bot.domain.errors import Permanent


def _socket(url: str) -> Path:
    (place,) = parse_qs(urlsplit(url).query)["host"]
    return Path(place) / ".s.PGSQL.5432"


@pytest.mark.parametrize("below", ["data", f"{'long' * 20}/{'path' * 20}/data"])
async def test_only_our_user_can_connect(below: str) -> None:
    """Also where the path of the data directory is too long for a socket; afterwards nothing is left of it."""
    with tempfile.TemporaryDirectory(prefix="cloister-test-") as directory:
        server = EmbeddedPostgres(Path(directory) / below)
        url = server.start()
        socket = _socket(url)
        try:
            assert 0 == stat.S_IMODE(socket.stat().st_mode) & 0o077
            connection = await asyncpg.connect(url)
            await connection.close()
        finally:
            server.stop()
        assert not socket.exists()
        assert (Path(directory) / below / "postgres.lock").exists()


async def test_a_stopped_server_starts_again() -> None:
    """A second start in the same process does not hand out the address of the server that was stopped."""
    with tempfile.TemporaryDirectory(prefix="cloister-test-") as directory:
        for _ in range(2):
            server = EmbeddedPostgres(Path(directory) / "data")
            connection = await asyncpg.connect(server.start())
            await connection.close()
            server.stop()


async def _answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True


async def test_a_server_that_dies_comes_back() -> None:
    """It does so at its address, with what was committed, and only our user can connect; leaving stops it."""
    with tempfile.TemporaryDirectory(prefix="cloister-test-") as directory:
        pid = Path(directory) / "data" / "postgres" / "postmaster.pid"
        async with EmbeddedPostgres(Path(directory) / "data") as url:
            connection = await asyncpg.connect(url)
            await connection.execute("CREATE TABLE kept ()")
            os.kill(int(pid.read_text().splitlines()[0]), signal.SIGKILL)
            async with asyncio.timeout(150):
                while not await _answers(url) or stat.S_IMODE(_socket(url).stat().st_mode) & 0o077:
                    await asyncio.sleep(0.1)
            connection = await asyncpg.connect(url)
            await connection.execute("DROP TABLE kept")
            await connection.close()
        assert not pid.exists()


@pytest.mark.parametrize("name", ["two words", "$(touch x)", "a;b"])
def test_a_path_that_a_shell_would_take_apart_is_refused(name: str, tmp_path: Path) -> None:
    """The message says which setting to change, and nothing is made."""
    with pytest.raises(Permanent, match="CLOISTER_DATA_DIR"):
        EmbeddedPostgres(tmp_path / name).start()
    assert [] == list(tmp_path.iterdir())


_START = "import sys; from pathlib import Path; from bot.adapters.embedded_postgres import EmbeddedPostgres; EmbeddedPostgres(Path(sys.argv[1])).start()"


async def test_a_server_that_still_recovers_is_waited_for() -> None:
    """After a crash, a large database needs longer than whoever started it first was there."""
    with tempfile.TemporaryDirectory(prefix="cloister-test-") as directory:
        server = EmbeddedPostgres(Path(directory))
        server.start()
        server.stop()
        data = Path(directory) / "postgres"
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write("hot_standby = off\nrestore_command = 'sleep 2; false'\n")
        (data / "recovery.signal").touch()
        shutil.chown(data / "recovery.signal", data.owner(), data.group())
        async with asyncio.timeout(150):
            first = await asyncio.create_subprocess_exec(sys.executable, "-c", _START, directory)
            while not (data / "postmaster.pid").exists():
                await asyncio.sleep(0.02)
            first.kill()
            await first.wait()
        try:
            connection = await asyncpg.connect(await asyncio.to_thread(server.start))
            assert not await connection.fetchval("SELECT pg_is_in_recovery()")
            await connection.close()
        finally:
            server.stop()
