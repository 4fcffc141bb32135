"""Run Alembic on the database that ``bot.adapters.migrations`` names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from alembic import context
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from bot.adapters.tables import declared

TRY = "SELECT pg_try_advisory_lock(hashtext('cloister.migrations'))"
#: Seconds between two looks whether another process is done.
AGAIN_S = 0.2


def migrate(connection: Connection) -> None:
    # Each migration is a transaction: one that builds an index beside those who write must not be in any.
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_server_default=True,
        include_name=declared,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


@asynccontextmanager
async def turn(dsn: str) -> AsyncIterator[None]:
    """Let no other process migrate meanwhile.

    Whoever waited in a statement would be waited for by the building of an index, for ever.
    """
    connection = await asyncpg.connect(dsn)
    try:
        while not await connection.fetchval(TRY):  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(AGAIN_S)
        yield
    finally:
        await connection.close()


async def connect() -> None:
    # The driver reads the URL itself: SQLAlchemy would not understand sslmode and its like.
    dsn = context.config.attributes["dsn"]
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), poolclass=NullPool
    )
    async with turn(dsn), engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect())
