"""Connect to Kafka once and say what is wrong.

The client library hides that: whatever keeps it from connecting, it logs a line and raises "Unable to bootstrap".
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import IllegalSaslStateError
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from bot.adapters.kafka_connection import MECHANISMS, KafkaConnection
from bot.adapters.kafka_errors import KAFKA_ERRORS, kafka_error
from bot.domain.errors import Blocked, CloisterError, Transient

#: For each broker. All are asked at once, then those of which we learn; the doctor waits not much longer.
ANSWER_LIMIT_S = 2.0

#: The first request of every client, in its oldest form: which requests do you know?
_GREETING = b"".join([struct.pack(">hhih", 18, 0, 1, 8), b"cloister"])
#: An answer to that is a few hundred bytes: what is read as more is not Kafka.
_ANSWER_LIMIT_BYTES = 65_536
#: How an alert of TLS begins, with which it answers what is not TLS.
_TLS_ALERT = b"\x15\x03"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Hold the brokers as HOST:PORT, and a line for each address that does not work."""

    brokers: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    address: tuple[str, int]
    brokers: tuple[tuple[str, int], ...] = ()
    problem: CloisterError | None = None


async def probe(connection: KafkaConnection, *, limit_s: float = ANSWER_LIMIT_S) -> Cluster:
    """Connect and log in to the brokers that *connection* names, and to those that they name.

    Args:
        connection: where and how.
        limit_s: for how long to wait for each broker.

    Raises:
        Transient: no broker can be reached.
        Blocked: brokers can be reached, but the operator must change something.
    """
    first = await _ask_all(connection, connection.addresses, limit_s)
    known = {broker for answer in first for broker in answer.brokers}
    if not known:
        raise _worst(first)
    asked = {answer.address: answer for answer in first}
    advertised = " (which the broker names itself, in advertised.listeners)"
    for answer in await _ask_all(connection, known - asked.keys(), limit_s, origin=advertised):
        asked[answer.address] = answer
    if all(asked[address].problem for address in known):
        raise _worst([asked[address] for address in known])
    problems = [str(answer.problem) for answer in asked.values() if answer.problem]
    return Cluster(tuple(sorted(map(_shown, known))), tuple(problems))


async def _ask_all(
    connection: KafkaConnection, addresses: Iterable[tuple[str, int]], limit_s: float, *, origin: str = ""
) -> Sequence[_Answer]:
    return await asyncio.gather(*(_ask(connection, address, limit_s, origin) for address in addresses))


async def _ask(connection: KafkaConnection, address: tuple[str, int], limit_s: float, origin: str) -> _Answer:
    try:
        async with asyncio.timeout(limit_s):
            await _check_transport(connection.tls, address)
            return _Answer(address, await _brokers(connection, address, limit_s))
    except KAFKA_ERRORS as error:
        problem = kafka_error(error)
    except CloisterError as error:
        problem = error
    return _Answer(address, problem=type(problem)(f"{_shown(address)}{origin}: {problem}"))


async def _check_transport(tls: ssl.SSLContext | None, address: tuple[str, int]) -> None:
    """Check that both sides want encryption, or neither: the client library would wait, or name no reason.

    Raises:
        Blocked: one of the two does.
        Transient: something listens there that does not answer like Kafka.
        OSError: nobody is there, or the certificate is not accepted.
    """
    if tls is None:
        beginning = await _greet(address)
        if beginning.startswith(_TLS_ALERT):
            raise Blocked("that port speaks TLS: set CLOISTER_KAFKA_TLS=true, or name another port")
        if not _is_kafka(beginning):
            raise Transient("what listens there does not answer like Kafka: check CLOISTER_LOG_URL")
        return
    try:
        _, writer = await asyncio.open_connection(*address, ssl=tls)
    except ssl.SSLCertVerificationError:
        raise
    except (ssl.SSLError, ConnectionResetError) as error:
        if _is_kafka(await _greet(address)):
            problem = "that port does not speak TLS: name one that does, or set CLOISTER_KAFKA_TLS=false"
            raise Blocked(problem) from error
        raise
    await _close(writer)


async def _greet(address: tuple[str, int]) -> bytes:
    """Return how the answer to a client without TLS begins; empty if there is none."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(struct.pack(">i", len(_GREETING)) + _GREETING)
        return await reader.read(4)
    except ConnectionError:
        return b""
    finally:
        await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _is_kafka(beginning: bytes) -> bool:
    return len(beginning) == 4 and 0 < int.from_bytes(beginning, "big") < _ANSWER_LIMIT_BYTES


async def _brokers(
    connection: KafkaConnection, address: tuple[str, int], limit_s: float
) -> tuple[tuple[str, int], ...]:
    """Log in and return the addresses of all brokers."""
    try:
        async with _connected(address, connection.security(), limit_s) as client:
            metadata = await client.send(MetadataRequest([]))
    except KAFKA_ERRORS as error:
        raise await _login_problem(connection, address, limit_s) or kafka_error(error) from error
    brokers = tuple((host, port) for _, host, port, *_ in metadata.brokers)
    if not brokers and connection.login and connection.login.tokens:
        # The library takes a refusal for consent, and this request is refused in turn.
        raise Blocked("Kafka refuses the token: check that it has not expired and whom the broker trusts")
    if not brokers:
        raise Transient("the cluster has no brokers: wait until they have started")
    return brokers


async def _login_problem(
    connection: KafkaConnection, address: tuple[str, int], limit_s: float
) -> Blocked | None:
    """Return what is wrong if the broker wants another kind of login than we try, or none, or one at all."""
    ours = connection.login.mechanism if connection.login else ""
    transport = {"security_protocol": "SSL" if connection.tls else "PLAINTEXT", "ssl_context": connection.tls}
    try:
        async with _connected(address, transport, limit_s) as client:
            answer = await client.send(SaslHandShakeRequest(ours or "PLAIN"))
    except KAFKA_ERRORS:
        return None
    if answer.error_code == IllegalSaslStateError.errno:
        return Blocked(str(kafka_error(IllegalSaslStateError()))) if ours else None
    if ours in answer.enabled_mechanisms:
        return None
    offered = [name.lower() for name in MECHANISMS if name in answer.enabled_mechanisms]
    remedy = f"set CLOISTER_KAFKA_SASL={' or '.join(offered)}" if offered else "name another port"
    return Blocked(f"that port wants {'another kind of' if ours else 'a'} login: {remedy}")


@asynccontextmanager
async def _connected(
    address: tuple[str, int], security: dict[str, Any], limit_s: float
) -> AsyncIterator[Any]:
    client = await create_conn(
        *address, client_id="cloister", request_timeout_ms=int(limit_s * 1000), **security
    )
    try:
        yield client
    finally:
        await client.close()


def _worst(answers: Sequence[_Answer]) -> CloisterError:
    """Return the problem that waiting does not mend, if there is one."""
    problems = [answer.problem for answer in answers if answer.problem]
    return min(problems, key=lambda problem: not isinstance(problem, Blocked))


def _shown(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
