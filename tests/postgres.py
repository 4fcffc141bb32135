"""A real Postgres for the tests: one server a session, one migrated database a test."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from bot.adapters.embedded_postgres import EmbeddedPostgres
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.migrations import upgrade
from bot.adapters.postgres import connect_pool
from bot.adapters.store_postgres import PostgresStore

T = TypeVar("T")


def _apart(call: Callable[[], T]) -> T:
    """Run *call* in a thread of its own, where no event loop runs yet."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call).result()


async def create_database(server: str, name: str, template: str) -> str:
    """Make a database as a copy of *template* and return its URL."""
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await connection.close()
    return server.replace("/postgres?", f"/{name}?")


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


#: Copying the template is most of what many tests do, and several times quicker where files are memory.
_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 8 * 10**9

#: As many connections as deploy/compose.yaml gives, since whoever was killed keeps some for a moment; and nothing is
#: forced to disk, because only the death of the machine, which no test causes, would lose what was written. What is
#: kept of it to recover with takes little of the room.
_SETTINGS = tuple(
    f"ALTER SYSTEM SET {setting}"
    for setting in (
        "max_connections = 400",
        "fsync = off",
        "full_page_writes = off",
        "max_wal_size = '256MB'",
    )
)


def _room() -> Path | None:
    """Return where files are memory if there is room for those of all workers, which a container may not have."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    return _MEMORY if roomy and os.access(_MEMORY, os.W_OK) else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Return the URL of a server; ``TEST_DATABASE_URL`` (ending in ``/postgres?``) names an existing one."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    # Not below pytest's own directory: Postgres run by root gives up its rights, and that directory is private.
    with tempfile.TemporaryDirectory(prefix="cloister-postgres-", dir=_room()) as directory:
        server = EmbeddedPostgres(Path(directory))
        url = server.start()
        _apart(lambda: asyncio.run(_execute(url, *_SETTINGS)))
        server.stop()
        yield server.start()
        server.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """Return the name of a database with the newest schema, to be copied."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    url = _apart(lambda: asyncio.run(create_database(postgres_server, name, "template1")))
    _apart(lambda: upgrade(url))
    return name


@pytest.fixture
async def database_url(postgres_server: str, migrated_template: str) -> AsyncIterator[str]:
    """Return the URL of a fresh, migrated database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield await create_database(postgres_server, name, migrated_template)
    await _execute(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Any]:
    """Return connections to a fresh database."""
    pool = await connect_pool(database_url, size=20)
    yield pool
    await pool.close()


@pytest.fixture
async def postgres_log(pool: Any) -> AsyncIterator[PostgresLog]:
    """Return the event log on a fresh database."""
    async with PostgresLog(pool) as log:
        yield log


@pytest.fixture
def store(pool: Any, postgres_log: PostgresLog) -> PostgresStore:
    """Return the store on the same database as the log."""
    return PostgresStore(pool, announce=postgres_log.announce)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Return a directory for mirrors."""
    return tmp_path / "data"
