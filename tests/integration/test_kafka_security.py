"""Encryption and login with a real Kafka: each way in works, each failure says what to change."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import AbstractTokenProvider

from bot.adapters.kafka_connection import KafkaConnection, Login
from bot.adapters.kafka_errors import translated
from bot.adapters.kafka_probe import probe
from bot.adapters.kafka_topics import Layout, Topics, topic_admin
from bot.domain.errors import Blocked, CloisterError, Permanent, Transient
from bot.settings import load
from bot.wiring import kafka_connection
from tests.kafka_secured import PASSWORD, STRANGER, USER, Secured, token
from tests.ports import free_ports


class Given(AbstractTokenProvider):  # type: ignore[misc]
    """A token that does not change."""

    def __init__(self, value: str) -> None:
        self._value = value

    async def token(self) -> str:
        return self._value


def login(mechanism: str, *, user: str = USER, password: str = PASSWORD, given: str = "") -> Login:
    """Return a login of the usual user."""
    return Login(mechanism, user, password, Given(given) if mechanism == "OAUTHBEARER" else None)


def sasl_ssl(secured: Secured, mechanism: str, **changes: str) -> KafkaConnection:
    """Return a connection to the listener with encryption and login."""
    address = secured.kafka.address_of("SASL_SSL")
    return KafkaConnection(address, secured.trusting(), login(mechanism, **changes))


async def failure(connection: KafkaConnection, **options: Any) -> CloisterError:
    """Return what a probe of *connection* fails with."""
    with pytest.raises(CloisterError) as caught:
        await probe(connection, **options)
    assert PASSWORD not in str(caught.value)
    return caught.value


@asynccontextmanager
async def listening(answer: bytes | None) -> AsyncIterator[str]:
    """Serve something that is not Kafka; with None it stays silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is not None:
            await reader.read(1)
            writer.write(answer)
            await writer.drain()
        else:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
async def test_each_login_can_send_and_read(secured_kafka: Secured, mechanism: str):
    """With the right password or token, topics are made, and a record goes in and comes out."""
    connection = sasl_ssl(secured_kafka, mechanism, given=token())
    topics = Topics(f"login-{mechanism.lower()}")
    async with topic_admin(connection, topics) as admin:
        await admin.init(Layout(partitions=1))
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **connection.options())
    async with producer:
        await producer.send_and_wait(topics.of("intake"), b"hello")
    consumer = AIOKafkaConsumer(
        topics.of("intake"), group_id=topics.group("x"), auto_offset_reset="earliest", **connection.options()
    )
    async with consumer:
        record = await asyncio.wait_for(consumer.getone(), 150)

    assert b"hello" == record.value


async def test_the_settings_lead_to_a_login(secured_kafka: Secured, tmp_path: Path):
    """Variables are all that an operator gives: with them we get in by certificate, by password and by token."""
    (tmp_path / "token").write_text(f"{token()}\n")
    tls = {"CLOISTER_KAFKA_CA_FILE": str(secured_kafka.ca_file)}
    ours = str(secured_kafka.client_file)
    ways = {
        "SSL": {"CERT_FILE": ours, "KEY_FILE": ours},
        "SASL_SSL": {"SASL": "plain", "USER": USER, "PASSWORD": PASSWORD},
        "SASL_SSL ": {"SASL": "oauthbearer", "TOKEN_FILE": str(tmp_path / "token")},
    }
    for listener, values in ways.items():
        address = secured_kafka.kafka.address_of(listener.strip())
        environ = {"CLOISTER_LOG_URL": f"kafka://{address}", **tls}
        environ |= {f"CLOISTER_KAFKA_{name}": value for name, value in values.items()}

        cluster = await probe(kafka_connection(load(environ=environ, dotenv=None).settings))

        assert ((address,), ()) == (cluster.brokers, cluster.problems)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_wrong_password_is_told(secured_kafka: Secured, mechanism: str):
    """The message names the two settings."""
    error = await failure(sasl_ssl(secured_kafka, mechanism, password="wrong"))

    assert isinstance(error, Blocked)
    assert "refuses the login: check CLOISTER_KAFKA_USER and CLOISTER_KAFKA_PASSWORD" in str(error)


@pytest.mark.parametrize("given", ["junk", token(life_s=-600)])
async def test_a_refused_token_is_told(secured_kafka: Secured, given: str):
    """The client library takes the refusal for consent; the probe does not."""
    error = await failure(sasl_ssl(secured_kafka, "OAUTHBEARER", given=given))

    assert isinstance(error, Blocked)
    assert "Kafka refuses the token" in str(error)
    assert given not in str(error)


async def test_a_login_that_is_not_offered_is_told(secured_kafka: Secured):
    """The listener without encryption takes SCRAM-SHA-256 alone."""
    address = secured_kafka.kafka.address_of("SASL_PLAINTEXT")

    await probe(KafkaConnection(address, login=login("SCRAM-SHA-256")))
    error = await failure(KafkaConnection(address, login=login("PLAIN")))

    assert isinstance(error, Blocked)
    assert "wants another kind of login: set CLOISTER_KAFKA_SASL=scram-sha-256" in str(error)


async def test_encryption_on_one_side_only_is_told(secured_kafka: Secured):
    """TLS spoken to a port without it, and the reverse, with a login and without."""
    kafka, tls = secured_kafka.kafka, secured_kafka.trusting()
    plain = login("SCRAM-SHA-256")

    for connection in (
        KafkaConnection(kafka.brokers[0].address, tls),
        KafkaConnection(kafka.address_of("SASL_PLAINTEXT"), tls, plain),
    ):
        error = await failure(connection)
        assert isinstance(error, Blocked)
        assert "does not speak TLS: name one that does, or set CLOISTER_KAFKA_TLS=false" in str(error)
    for connection in (
        KafkaConnection(kafka.address_of("SSL")),
        KafkaConnection(kafka.address_of("SASL_SSL"), login=plain),
    ):
        error = await failure(connection)
        assert isinstance(error, Blocked)
        assert "that port speaks TLS: set CLOISTER_KAFKA_TLS=true" in str(error)


async def test_a_login_on_one_side_only_is_told(secured_kafka: Secured):
    """No login where one is wanted, and the reverse."""
    kafka, tls = secured_kafka.kafka, secured_kafka.trusting()

    for connection, offered in (
        (
            KafkaConnection(kafka.address_of("SASL_SSL"), tls),
            "scram-sha-512 or scram-sha-256 or oauthbearer or plain",
        ),
        (KafkaConnection(kafka.address_of("SASL_PLAINTEXT")), "scram-sha-256"),
    ):
        error = await failure(connection)
        assert str(error).endswith(f"that port wants a login: set CLOISTER_KAFKA_SASL={offered}")
        assert isinstance(error, Blocked)
    error = await failure(KafkaConnection(kafka.brokers[0].address, login=login("PLAIN")))
    assert "takes no login on that port: leave CLOISTER_KAFKA_SASL unset" in str(error)


async def test_a_certificate_that_is_not_right_is_told(secured_kafka: Secured):
    """An authority that we do not know, a host that the certificate does not name, a certificate of ours missing."""
    address = secured_kafka.kafka.address_of("SSL")
    stranger = secured_kafka.trusting()
    trustme.CA().issue_cert("bot.example").configure_cert(stranger)

    untrusted = await failure(KafkaConnection(address, ssl.create_default_context()))
    other_host = await failure(
        KafkaConnection(address.replace("127.0.0.1", "localhost"), secured_kafka.trusting())
    )
    missing = await failure(KafkaConnection(address, secured_kafka.trusting()))
    unknown = await failure(KafkaConnection(address, stranger))

    assert "not trusted (unable to get local issuer certificate): set CLOISTER_KAFKA_CA_FILE" in str(
        untrusted
    )
    assert "is for another host: CLOISTER_LOG_URL and the broker's advertised.listeners" in str(other_host)
    for error in (missing, unknown):
        assert "does not accept our certificate" in str(error)
        assert "check CLOISTER_KAFKA_CERT_FILE" in str(error)
    assert [Blocked] * 4 == [type(error) for error in (untrusted, other_host, missing, unknown)]


async def test_an_address_where_no_kafka_is_is_told():
    """Nobody there, no such name, somebody silent, somebody else."""
    nobody = await failure(KafkaConnection(f"127.0.0.1:{free_ports(1)[0]}"))
    nameless = await failure(KafkaConnection("kafka.invalid:9092"))
    async with listening(None) as address:
        silent = await failure(KafkaConnection(address), limit_s=0.2)
    async with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        other = await failure(KafkaConnection(address))

    assert "no Kafka broker listens there: check CLOISTER_LOG_URL" in str(nobody)
    assert "kafka.invalid:9092: the name of a Kafka broker is not known" in str(nameless)
    assert "does not answer: check CLOISTER_LOG_URL" in str(silent)
    assert "does not answer like Kafka" in str(other)
    assert [Transient] * 4 == [type(error) for error in (nobody, nameless, silent, other)]


async def test_one_broker_of_several_is_enough(kafka_address: str):
    """What does not work is told beside the brokers that do."""
    away = f"127.0.0.1:{free_ports(1)[0]}"

    cluster = await probe(KafkaConnection(f"{away},{kafka_address}"))

    assert (kafka_address,) == cluster.brokers
    (problem,) = cluster.problems
    assert problem.startswith(f"{away}: no Kafka broker listens there")


async def test_a_broker_that_names_a_wrong_address_is_told(secured_kafka: Secured):
    """We reach it through a tunnel, but clients then follow the address that it names."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = secured_kafka.kafka.brokers[0].address.split(":")
        there_reader, there_writer = await asyncio.open_connection(host, int(port))

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                target.write(data.replace(b"127.0.0.1", b"127.0.0.9"))
                await target.drain()
            target.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(copy(reader, there_writer))
            group.create_task(copy(there_reader, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        error = await failure(KafkaConnection(address))

    port = secured_kafka.kafka.brokers[0].address.split(":")[1]
    named = "(which the broker names itself, in advertised.listeners)"
    assert str(error).startswith(f"127.0.0.9:{port} {named}: no Kafka broker listens there")


async def test_what_a_user_may_not_do_is_told(secured_kafka: Secured):
    """Somebody with a login but without rights can neither make topics nor send."""
    connection = sasl_ssl(secured_kafka, "SCRAM-SHA-512")
    stranger = replace(connection, login=login("SCRAM-SHA-512", user=STRANGER))
    topics = Topics("guarded")
    async with topic_admin(connection, topics) as admin:
        await admin.init(Layout(partitions=1))
    producer = AIOKafkaProducer(acks="all", **stranger.options())
    consumer = AIOKafkaConsumer(group_id=topics.group("x"), **stranger.options())
    consumer.subscribe([topics.of("intake")])

    async with producer:
        with pytest.raises(Blocked, match="not allow our user to use a topic"):
            async with translated():
                await producer.send_and_wait(topics.of("intake"), b"x")
    with pytest.raises(Blocked, match=r"not allow our user to use a (topic|consumer group)"):
        async with translated():
            await consumer.start()
    await consumer.stop()


async def test_a_record_that_is_too_large_never_fits(secured_kafka: Secured):
    """Repeating it would not help, whether the broker refuses it or the client."""
    connection = sasl_ssl(secured_kafka, "PLAIN")
    topics = Topics("large")
    async with topic_admin(connection, topics) as admin:
        await admin.init(Layout(partitions=1))
    for largest in (1_000, 4_000_000):
        async with AIOKafkaProducer(max_request_size=largest, **connection.options()) as producer:
            with pytest.raises(Permanent, match=r"larger than Kafka takes: raise max\.message\.bytes"):
                async with translated():
                    await producer.send_and_wait(topics.of("intake"), b"x" * 2_000_000)
