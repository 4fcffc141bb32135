"""What the Postgres log does beyond the contract: it outlives its connections."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import structlog

from bot.adapters.log_history import history
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.postgres import connect_pool, give_up_locks
from bot.adapters.store_postgres import PostgresStore
from bot.domain.errors import Blocked, Transient
from bot.domain.merge_request import MergeRequestRef
from tests.contract.test_event_log import STAGE, ids, read, record

REF = MergeRequestRef(instance="gitlab.example", project_id=1, iid=1)


async def test_appends_after_its_connection_died(postgres_log: PostgresLog, pool: Any) -> None:
    """A database that was restarted between two appends costs a new connection, not an event."""
    await postgres_log.append([record(1)])
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert await postgres_log.append([record(2)]) == 1


class Refusing:
    """Lend connections of a pool unless the database is *away*."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.away = True

    async def acquire(self) -> Any:
        if self.away:
            raise ConnectionRefusedError
        return await self._pool.acquire()

    async def release(self, connection: Any) -> None:
        await self._pool.release(connection)


async def test_appends_after_an_outage(pool: Any) -> None:
    """What could not be stored is refused, and what comes once the database is back is stored."""
    refusing = Refusing(pool)
    postgres_log = PostgresLog(refusing)
    for number in (1, 2):
        with pytest.raises(Transient):
            await postgres_log.append([record(number)])
    refusing.away = False
    assert await postgres_log.append([record(2), record(3)]) == 2
    await postgres_log.__aexit__()


async def test_background_work_goes_on_after_a_bug(postgres_log: PostgresLog, pool: Any) -> None:
    """Events that are due do not wait for the next restart."""
    await pool.execute("ALTER TABLE delayed_event RENAME TO away")
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(60):
            while "log.background_failed" not in [line["event"] for line in logs]:
                await asyncio.sleep(0.01)
    await pool.execute("ALTER TABLE away RENAME TO delayed_event")
    await postgres_log.append([record(1, due_in_s=0.1, attempt=1)])
    async with postgres_log.subscribe("late", STAGE) as subscription:
        assert [record(1).id] == ids(await read(subscription, 1))


async def test_a_damaged_row_holds_up_no_other_that_waits(postgres_log: PostgresLog, pool: Any) -> None:
    """What cannot be read comes to its stage as what is left of it, and what is due with it as it is."""
    await postgres_log.append([record(number, due_in_s=0.5) for number in range(3)])
    await pool.execute("UPDATE delayed_event SET trace = '[1]' WHERE id = $1", record(1).id)
    async with postgres_log.subscribe("late", STAGE) as subscription:
        deliveries = await read(subscription, 3)
    found = {delivery.record.id: delivery.record for delivery in deliveries}
    assert {record(0).id, record(2).id} < set(found)
    (remains,) = [one for one in found.values() if one.kind == "unreadable"]
    assert (STAGE, str(record(1).id)) == (remains.stage, remains.body["from"]["delayed"])
    assert await pool.fetchval("SELECT count(*) FROM delayed_event") == 0


async def test_an_append_whose_caller_left_reaches_the_others(postgres_log: PostgresLog) -> None:
    """Giving up on an append does not take along those that share its commit."""
    first, second = (asyncio.create_task(postgres_log.append([record(number)])) for number in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1


async def test_a_membership_that_fails_keeps_no_connection(database_url: str, pool: Any) -> None:
    """However often a database refuses to write, there are connections once it does."""
    small_pool = await connect_pool(database_url, size=2)
    postgres_log = PostgresLog(small_pool)
    await pool.execute("ALTER TABLE group_member RENAME TO away")
    for _ in range(3):
        with pytest.raises(asyncpg.UndefinedTableError):
            async with postgres_log.subscribe(STAGE, STAGE):
                pass
    await pool.execute("ALTER TABLE away RENAME TO group_member")
    async with asyncio.timeout(60), postgres_log.subscribe(STAGE, STAGE) as subscription:
        assert len(subscription.owned()) == 16
    await small_pool.close()


async def test_sessions_that_cannot_write_are_not_kept(database_url: str, pool: Any) -> None:
    """After a failover nothing goes on asking the server that has become a stand-by."""
    database = await pool.fetchval("SELECT current_database()")
    other_pool = await connect_pool(database_url, size=2)
    await pool.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    postgres_log = PostgresLog(other_pool)
    with pytest.raises(Transient):
        await postgres_log.append([record(1)])
    with pytest.raises(Transient, match="it is read-only"):
        await connect_pool(database_url, size=1)
    await pool.execute(f'ALTER DATABASE "{database}" RESET default_transaction_read_only')
    assert await postgres_log.append([record(1)]) == 1
    await postgres_log.__aexit__()
    await other_pool.close()


class Unanswered:
    """Lend connections on which a lock is taken, and nobody learns of it."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._connection: Any = None
        self.taken = asyncio.Event()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        async with self._pool.acquire() as self._connection:
            yield self

    async def fetchval(self, *arguments: Any) -> None:
        await self._connection.fetchval(*arguments)
        self.taken.set()
        await asyncio.sleep(60)

    async def execute(self, *arguments: Any) -> None:
        await self._connection.execute(*arguments)


async def test_a_lock_that_was_broken_off_is_free(store: PostgresStore, pool: Any) -> None:
    """Who is cancelled after a lock was taken, before hearing of it, does not leave it to a session in the pool."""
    unanswered = Unanswered(pool)

    async def hold() -> None:
        async with PostgresStore(unanswered).exclusive(REF):
            pass

    holding = asyncio.create_task(hold())
    await unanswered.taken.wait()
    holding.cancel()
    await asyncio.wait([holding])
    async with pool.acquire(), store.exclusive(REF):
        pass


async def test_a_login_that_is_refused_later_blocks(database_url: str, pool: Any) -> None:
    """While a password is renewed work waits; it is not given up as if it were at fault."""
    role = f"role_{uuid.uuid4().hex[:8]}"
    await pool.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
    other_pool = await connect_pool(database_url.replace("//postgres", f"//{role}"), size=1)
    await pool.execute(f"ALTER ROLE {role} NOLOGIN")
    await pool.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role)
    store = PostgresStore(other_pool)
    with pytest.raises(Transient):
        await store.merge_request(REF)
    with pytest.raises(Blocked, match="check user and password"):
        await store.merge_request(REF)
    await pool.execute(f"ALTER ROLE {role} LOGIN")
    await store.merge_request(REF)
    await other_pool.close()
    await pool.execute(f"DROP ROLE {role}")


async def test_history_leaves_out_what_cannot_be_read(postgres_log: PostgresLog, pool: Any) -> None:
    """A damaged row does not keep the others from being told, at the end of a page or not."""
    since = datetime.now(UTC) - timedelta(minutes=1)
    await postgres_log.append([record(number) for number in range(5)])
    await pool.execute("UPDATE event SET trace = '[1]' WHERE log_offset IN (1, 2)")
    found = [one.id async for one in history(pool, STAGE, since, page=2)]
    assert [record(number).id for number in (0, 3, 4)] == found


async def test_history_goes_by_each_append(postgres_log: PostgresLog, pool: Any) -> None:
    """Appends that waited for their partition have earlier times than those before them."""
    until = datetime.now(UTC)
    since = until - timedelta(minutes=1)
    await postgres_log.append([record(number) for number in range(6)])
    for offset, seconds in enumerate((-90, -30, -90, 30, -30, 30)):
        moment = until + timedelta(seconds=seconds)
        await pool.execute("UPDATE event SET appended_at = $1 WHERE log_offset = $2", moment, offset)
    found = [one.id async for one in history(pool, STAGE, since, until)]
    assert [record(1).id, record(4).id] == found


async def test_locks_end_with_the_session_if_they_cannot_be_given_up(pool: Any) -> None:
    """Cancelling while locks are given up ends the connection, so that nobody inherits them."""
    async with pool.acquire() as connection, pool.acquire() as other:
        await connection.execute("SELECT pg_advisory_lock(1)")
        unlocking = asyncio.create_task(give_up_locks(connection))
        await asyncio.sleep(0)
        unlocking.cancel()
        await asyncio.wait([unlocking])
        async with asyncio.timeout(150):
            await other.execute("SELECT pg_advisory_lock(1)")
        await give_up_locks(other)


async def test_records_an_id_once(postgres_log: PostgresLog) -> None:
    """Appending the same id again, alone, in a batch or at the same time, changes nothing."""
    await postgres_log.append([record(1)])
    assert await postgres_log.append([record(1)]) == 0
    counts = await asyncio.gather(*(postgres_log.append([record(2)]) for _ in range(8)))
    assert sum(counts) == 1
    await postgres_log.append([record(3, due_in_s=60)])
    assert await postgres_log.append([record(3, due_in_s=60)]) == 0
    async with postgres_log.subscribe(STAGE, STAGE) as subscription:
        assert ids(await read(subscription, 2)) == [record(1).id, record(2).id]
        assert await read(subscription, 1, within_s=0.3) == []


async def test_a_frozen_member_is_replaced_and_fenced_off(
    postgres_log: PostgresLog, store: PostgresStore, database_url: str, pool: Any
) -> None:
    """A process that stopped without ending its sessions loses its partitions, and the locks under which it posts."""
    other_pool = await connect_pool(database_url, size=5)

    async def publish_and_freeze() -> None:
        async with store.exclusive(REF) as still_held:
            await still_held()
            await pool.execute("UPDATE group_member SET seen_at = now() - interval '1 minute'")
            async with other_log.subscribe(STAGE, STAGE) as other:
                await other_log.append([record(1)])
                assert [record(1).id] == ids(await read(other, 1))
                assert len(other.owned()) == 16
            async with PostgresStore(other_pool).exclusive(REF):
                await still_held()

    async with PostgresLog(other_pool) as other_log, postgres_log.subscribe(STAGE, STAGE) as frozen:
        await frozen.poll(max_records=1, timeout_s=0.01)
        assert len(frozen.owned()) == 16
        with pytest.raises(Transient):
            await publish_and_freeze()
        await asyncio.sleep(2.1)
        with pytest.raises(Transient):
            await frozen.poll(max_records=1, timeout_s=0.01)
    await other_pool.close()


async def test_a_killed_member_leaves_all_its_partitions_at_once(
    postgres_log: PostgresLog, database_url: str, pool: Any
) -> None:
    """Its successor does not keep a share for somebody whose sessions are gone."""
    killed_pool = await connect_pool(database_url, size=5)
    killed = PostgresLog(killed_pool).subscribe(STAGE, STAGE)
    await killed.__aenter__()
    assert len(killed.owned()) == 16
    # No waiting for its next sign of life would help.
    await pool.execute("UPDATE group_member SET seen_at = now() + interval '1 hour'")
    killed_pool.terminate()
    async with asyncio.timeout(150), postgres_log.subscribe(STAGE, STAGE) as successor:
        while len(successor.owned()) < 16:
            await successor.poll(max_records=1, timeout_s=0.1)
