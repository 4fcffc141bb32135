"""The schema that migrations build is the one that the tables declare."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from bot.adapters.log_records import PARTITIONS
from bot.adapters.migrations import alembic_config, current_revision, newest_revision, upgrade
from bot.adapters.postgres import dsn
from bot.adapters.tables import declared
from bot.domain.errors import Permanent
from bot.resources import resource


def _drift(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_server_default": True, "include_name": declared}
    )
    return list(compare_metadata(context, SQLModel.metadata))


async def test_migrations_and_tables_agree(database_url: str) -> None:
    """Nothing differs between what migrations made and what the code declares."""
    engine = create_async_engine(
        dsn(database_url).replace("postgresql:", "postgresql+asyncpg:"), poolclass=NullPool
    )
    async with engine.connect() as connection:
        assert await connection.run_sync(_drift) == []
    await engine.dispose()


async def test_upgrading_again_changes_nothing(database_url: str) -> None:
    """An up-to-date database is left alone."""
    assert await current_revision(database_url) == newest_revision()
    assert await asyncio.to_thread(upgrade, database_url) == []


async def test_a_schema_from_the_future_is_left_alone(database_url: str, pool: Any) -> None:
    """An old release beside a newer one says what is wrong instead of guessing."""
    await pool.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Permanent, match="a newer Cloister works on it"):
        await asyncio.to_thread(upgrade, database_url)


async def test_the_partitions_are_there(pool: Any) -> None:
    """The log's counters exist from the start."""
    assert await pool.fetchval("SELECT count(*) FROM event_partition") == PARTITIONS


def test_migrations_are_numbered_without_gaps() -> None:
    """The newest migration is the one with the highest number."""
    names = sorted(Path(resource("migrations") / "versions").glob("[0-9]*.py"))
    assert [name.name[:4] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]


def _at(database_url: str, revision: str) -> None:
    command.downgrade(alembic_config(database_url), revision)


async def test_indexes_of_large_tables_are_built_while_others_write(database_url: str, pool: Any) -> None:
    """Whoever writes need not wait, whatever the building waits for; what was broken off is built anew."""
    await asyncio.to_thread(_at, database_url, "0018")
    await pool.execute("CREATE INDEX audit_entry_by_action ON audit_entry (at)")
    # The building waits for it, and has its own lock meanwhile.
    async with asyncio.timeout(120), pool.acquire() as slow, slow.transaction():
        await slow.execute("DELETE FROM review_run")
        upgrading = asyncio.create_task(asyncio.to_thread(upgrade, database_url))
        while not await pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND datname ="
            " current_database() AND wait_event_type = 'Lock'"
        ):
            assert not upgrading.done()
            await asyncio.sleep(0.05)
        async with pool.acquire() as writer, writer.transaction():
            await writer.execute("SET LOCAL lock_timeout = '3s'")
            await writer.execute("DELETE FROM review_run")
    assert (await upgrading)[0] == "0019"
    (index,) = await pool.fetch("SELECT indexdef FROM pg_indexes WHERE indexname = 'audit_entry_by_action'")
    assert "(action" in index["indexdef"]


async def test_two_that_upgrade_at_once_do_it_once(database_url: str, pool: Any) -> None:
    """One does it, and the other waits for it without being waited for."""
    await asyncio.to_thread(_at, database_url, "0018")
    command = "import sys; from bot.adapters.migrations import upgrade; print(*upgrade(sys.argv[1]))"
    async with asyncio.timeout(120):
        both = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", command, database_url)
            for _ in range(2)
        ]
        assert [0, 0] == [await one.wait() for one in both]
    assert await current_revision(database_url) == newest_revision()
