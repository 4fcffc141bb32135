"""Connections to Postgres: one pool, and the mapping of its errors."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from bot.adapters.postgres_tls import check_tls_files, tls_problem
from bot.domain.errors import Blocked, CloisterError, Permanent, Transient

#: Errors that another try may mend: the server went away, is starting, is short of something, gave up on a slow
#: statement, is a stand-by for the moment, or chose us as a deadlock victim. The driver's state machine trips with an
#: `InternalClientError` over a session that the server ends in the middle.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

#: What a pool meets when it opens another session while a password is renewed or a database restored.
_REFUSED_AT_THE_DOOR = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)

#: Words by which the driver complains of a connection that is gone; the pool takes one back when it breaks.
_ENDED = ("closed", "closing", "released back")

#: The server notices within a minute that the machine at the other end is gone, and frees the session's locks.
_SESSION = {
    "statement_timeout": "30000",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

#: What opening a connection may raise.
CONNECT_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

#: A process that stops is killed after half a minute; most of that belongs to running work.
_CLOSE_LIMIT_S = 3.0

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

#: How NUL and surrogates look in JSON; pairs of surrogates are fine, but telling them apart is not worth it here.
_REFUSED = re.compile(r"\\u(?:0000|d[89a-f])")


def dsn(url: str) -> str:
    """Return *url* in the form that asyncpg reads."""
    for prefix in ("postgresql+asyncpg://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql://" + url.removeprefix(prefix)
    return url


def connection_error(error: BaseException) -> CloisterError:
    """Translate a failed connection; the message says what to check and never holds the password."""
    if problem := tls_problem(error):
        return Permanent(problem)
    if isinstance(error, asyncpg.InvalidPasswordError | asyncpg.InvalidAuthorizationSpecificationError):
        return Permanent("the database refuses the login: check user and password in CLOISTER_DATABASE_URL")
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return Permanent("the database does not exist: create it, or correct CLOISTER_DATABASE_URL")
    if isinstance(error, LOST):
        return Transient(
            f"the database is out of reach ({_reason(error)}): check CLOISTER_DATABASE_URL and that it runs"
        )
    return Permanent(f"the database refuses to work ({type(error).__name__}): {error}")


def _reason(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "its host is not known"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return "it is read-only"
    # What a server says of itself helps, as that it has too many clients; of others only the kind is sure to be short.
    return str(error) if isinstance(error, asyncpg.PostgresError) else type(error).__name__


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except LOST as error:
        raise Transient(f"the database is out of reach ({type(error).__name__})") from error
    except _REFUSED_AT_THE_DOOR as error:
        # It let us in when we started. As long as new sessions are refused, work waits and none of it is given up.
        raise Blocked(str(connection_error(error))) from error
    except asyncpg.InterfaceError as error:
        # The driver's own complaints are mostly about wrong calls; only these are about the connection.
        if any(sign in str(error) for sign in _ENDED):
            raise Transient(f"the database connection ended ({error})") from error
        raise


def storable(text: str) -> str:
    """Return *text* with U+FFFD for what Postgres refuses in text: NUL and lone surrogates."""
    return _UNSTORABLE.sub("\ufffd", text)


def as_jsonb(value: Any) -> str:
    """Return *value* as JSON in which every string is storable; one odd character must not cost a whole row."""
    text = json.dumps(value)
    return json.dumps(_storable(value)) if _REFUSED.search(text) else text


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(key): _storable(one) for key, one in value.items()}
        case list() | tuple():
            return [_storable(one) for one in value]
    return value


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=as_jsonb, decoder=json.loads, schema="pg_catalog")


async def _keep(_: Any) -> None:
    """Leave a returned connection as it is: the driver's reset costs each use of the pool one more round trip.

    What we do ends with the transaction; advisory locks, all that would outlive it, go by `give_up_locks`.
    """


async def give_up_locks(connection: Any) -> None:
    """Unlock every advisory lock of the session, if need be by ending it."""
    unlocked = False
    try:
        await connection.execute("SELECT pg_advisory_unlock_all()")
        unlocked = True
    finally:
        if not unlocked:
            # The pool has it back already if the server ended the session, and the locks went with that.
            with suppress(asyncpg.InterfaceError):
                connection.terminate()


async def connect_pool(url: str, *, size: int = 10) -> Any:
    """Open a pool of up to *size* connections, whose sessions share a name that nobody else has.

    Raises:
        Transient: the database is out of reach.
        Permanent: it refuses the login or the encryption, or does not exist.
    """
    check_tls_files(url)
    try:
        return await asyncpg.create_pool(
            dsn(url),
            min_size=1,
            max_size=size,
            init=_prepare,
            reset=_keep,
            timeout=10,
            command_timeout=30,
            # After a failover the old primary may come back as a stand-by under the name that we know: a session there
            # would stay in the pool, and fail, for as long as it is used.
            target_session_attrs="read-write",
            server_settings={**_SESSION, "application_name": f"cloister {uuid.uuid4().hex[:12]}"},
        )
    except CONNECT_ERRORS as error:
        raise connection_error(error) from error


async def connect(url: str) -> Any:
    """Open a single connection, for what is done once.

    Raises:
        Transient: the database is out of reach.
        Permanent: it refuses the login or the encryption, or does not exist.
    """
    check_tls_files(url)
    try:
        return await asyncpg.connect(dsn(url), timeout=10)
    except CONNECT_ERRORS as error:
        raise connection_error(error) from error


async def encrypted(url: str) -> bool:
    """Say whether connections to the database are encrypted.

    Raises:
        Transient: the database is out of reach.
        Permanent: it refuses the login or the encryption, or does not exist.
    """
    connection = await connect(url)
    try:
        return bool(await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
    finally:
        await connection.close()


async def server_version(url: str) -> tuple[int, int]:
    """Return the major and the minor version of the server.

    Raises:
        Transient: the database is out of reach.
        Permanent: it refuses the login or the encryption, or does not exist.
    """
    connection = await connect(url)
    try:
        version = connection.get_server_version()
        return version.major, version.minor
    finally:
        await connection.close()


async def close_pool(pool: Any) -> None:
    """Close the connections of *pool*, by force if the server does not let go of them in time."""
    try:
        await asyncio.wait_for(pool.close(), _CLOSE_LIMIT_S)
    except (TimeoutError, *LOST):
        pool.terminate()
