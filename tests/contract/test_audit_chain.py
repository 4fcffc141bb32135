"""The audit log keeps one chain, whoever writes, and nobody changes it by mistake."""

import asyncio
from typing import Any

import asyncpg
import pytest

from bot.adapters.audit_log_postgres import PostgresAuditLog, append
from bot.domain.audit_log import Act, Broken, Entry, Verification


async def verify(log: PostgresAuditLog, kept: tuple[int, str] | None = None) -> Broken | None:
    """Return the first break of the chain that the database has."""
    verification = Verification(kept)
    async for entries in log.all():
        verification.take(entries)
    return verification.end()


async def test_many_who_write_at_once_make_one_chain(pool: Any) -> None:
    """Twenty tasks, each on a connection of its own; none is lost and none forks it."""
    log = PostgresAuditLog(pool)

    async def write(task: int) -> None:
        for index in range(5):
            await log.append(Act(f"gitlab:{task}:dev", "mute", f"rule-{index}", task, {"index": index}))

    await asyncio.gather(*(write(task) for task in range(20)))

    assert await verify(log) is None
    assert [entry.number for entry in await log.newest(1000)] == list(range(100, 0, -1))


async def test_text_comes_back_as_it_was_hashed(pool: Any) -> None:
    """What the database cannot hold was replaced before, and numbers stay what they are."""
    log = PostgresAuditLog(pool)
    details = {"b": True, "n": None, "i": 2**60, "t": "\0\ud800 \u202e \U0001f512"}
    await log.append(Act("a\0", "x", "\ud8000", 2**62, details))

    assert await verify(log) is None


async def test_an_act_that_does_not_happen_leaves_no_entry(pool: Any) -> None:
    """Both are in one transaction, and the next entry takes the number."""
    log = PostgresAuditLog(pool)
    await log.append(Act("a", "first"))
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await append(connection, Act("a", "second"))
        await transaction.rollback()
    await log.append(Act("a", "third"))

    assert [entry.act.action for entry in await log.newest(10)] == ["third", "first"]
    assert await verify(log) is None


async def test_rows_cannot_be_changed_by_mistake(pool: Any) -> None:
    """Nor deleted, nor all of them at once."""
    await PostgresAuditLog(pool).append(Act("a", "first"))
    for statement in (
        "UPDATE audit_entry SET actor = 'b'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
    ):
        with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
            await pool.execute(statement)


async def test_whoever_has_the_database_is_found_out(pool: Any) -> None:
    """The trigger does not stop them, the chain tells where they were; the head was kept elsewhere."""
    log = PostgresAuditLog(pool)
    head: Entry | None = None
    for index in range(4):
        head = await log.append(Act("a", f"act-{index}", details={"a": 1}))
    assert head is not None
    statements = {
        "UPDATE audit_entry SET actor = 'b' WHERE number = 2": 2,
        "UPDATE audit_entry SET details = '{\"a\": 2}' WHERE number = 2": 2,
        "UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE number = 2": 2,
        "UPDATE audit_entry SET at = '0044-03-15 BC' WHERE number = 2": 2,
        "UPDATE audit_entry SET at = '-infinity' WHERE number = 2": 2,
        "UPDATE audit_entry SET details = '[[\"a\", 1]]' WHERE number = 2": 2,
        "UPDATE audit_entry SET details = '5' WHERE number = 2": 2,
        "UPDATE audit_entry SET details = (repeat('[', 3000) || repeat(']', 3000))::jsonb WHERE number = 2": 2,
        "UPDATE audit_entry SET details = ('{\"a\":' || repeat('[', 3000) || repeat(']', 3000) || '}')::jsonb"
        " WHERE number = 2": 2,
        "DELETE FROM audit_entry WHERE number = 2": 2,
        "DELETE FROM audit_entry WHERE number = 1": 1,
        "DELETE FROM audit_entry WHERE number = 4": 4,
        "TRUNCATE audit_entry": 1,
        "UPDATE audit_entry SET number = -1 WHERE number = 4": 1,
    }
    found = {}
    async with pool.acquire() as connection:
        for statement in statements:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(statement)
            broken = await verify(PostgresAuditLog(_Only(connection)), (head.number, head.hash))
            found[statement] = broken.number if broken else None
            await transaction.rollback()

    assert found == statements


class _Only:
    """Reads within one transaction, which is then undone."""

    def __init__(self, connection: Any) -> None:
        self.fetch, self.fetchval = connection.fetch, connection.fetchval
