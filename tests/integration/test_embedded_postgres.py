"""The database that Cloister brings along is for Cloister alone."""

from __future__ import annotations

import stat
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


@pytest.mark.parametrize("name", ["two words", "$(touch x)", "a;b"])
def test_a_path_that_a_shell_would_take_apart_is_refused(name: str, tmp_path: Path) -> None:
    """The message says which setting to change, and nothing is made."""
    with pytest.raises(Permanent, match="CLOISTER_DATA_DIR"):
        EmbeddedPostgres(tmp_path / name).start()
    assert [] == list(tmp_path.iterdir())
