"""What errors of Kafka's clients mean for us."""

import asyncio
import socket
import ssl
from contextlib import suppress

import pytest
from aiokafka import errors

from bot.adapters.kafka_errors import kafka_error, translated
from bot.adapters.kafka_tokens import TokenError
from bot.domain.errors import Blocked, CloisterError, Obsolete, Permanent, Transient


def caused(error: Exception, cause: Exception) -> Exception:
    """Return *error* with a cause, as the client wraps what happened to a connection."""
    error.__cause__ = cause
    return error


def tls(reason: str) -> ssl.SSLError:
    """Return an error as OpenSSL's binding makes it."""
    error = ssl.SSLError(1, f"[SSL: {reason}] ...")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "family", "words"),
    [
        (errors.SaslAuthenticationFailed("bot:hunter2"), Blocked, "check CLOISTER_KAFKA_USER"),
        (errors.UnsupportedSaslMechanismError(), Blocked, "set CLOISTER_KAFKA_SASL"),
        (errors.TopicAuthorizationFailedError("t"), Blocked, "grant Read, Write and Describe"),
        (errors.GroupAuthorizationFailedError("g"), Blocked, "grant Read on groups"),
        (errors.ClusterAuthorizationFailedError(), Blocked, "grant IdempotentWrite"),
        (errors.MessageSizeTooLargeError(), Permanent, "raise max.message.bytes"),
        (errors.UnknownTopicOrPartitionError(), Blocked, "run `cloister kafka init`"),
        (errors.InvalidTopicError(), Blocked, "CLOISTER_KAFKA_PREFIX"),
        (errors.NotEnoughReplicasError(), Transient, "start the brokers"),
        (errors.UnsupportedVersionError(), Permanent, "too old"),
        (errors.PolicyViolationError(), Transient, "refuses a request (PolicyViolationError)"),
        (errors.NotLeaderForPartitionError(), Transient, "out of reach (NotLeaderForPartitionError)"),
        (errors.KafkaConnectionError("Unable to bootstrap"), Transient, "check CLOISTER_LOG_URL"),
        (errors.RequestTimedOutError(), Transient, "out of reach (RequestTimedOutError)"),
        (errors.ConsumerStoppedError(), Transient, "out of reach (ConsumerStoppedError)"),
        (socket.gaierror(-2, "unknown"), Transient, "name of a Kafka broker is not known"),
        (ConnectionRefusedError(), Transient, "no Kafka broker listens there"),
        (ConnectionResetError(), Transient, "out of reach (ConnectionResetError)"),
        (TimeoutError(), Transient, "does not answer"),
        (tls("WRONG_VERSION_NUMBER"), Blocked, "TLS with Kafka fails (WRONG_VERSION_NUMBER)"),
        (tls("TLSV1_ALERT_UNKNOWN_CA"), Blocked, "does not accept our certificate"),
        (
            caused(errors.KafkaConnectionError(), tls("SSLV3_ALERT_BAD_CERTIFICATE")),
            Blocked,
            "our certificate",
        ),
        (caused(errors.KafkaConnectionError(), TokenError(Blocked("no token"))), Blocked, "no token"),
    ],
)
def test_each_error_says_whether_to_wait_and_what_to_do(
    error: Exception, family: type[CloisterError], words: str
):
    """The family decides about retries; the words name what to check, never what was sent."""
    ours = kafka_error(error)

    assert family is type(ours)
    assert words in str(ours)
    assert "hunter2" not in str(ours)


async def test_errors_are_translated_with_their_cause():
    """Ours pass as they are, and so do a cancellation and mistakes of the program."""
    broken = errors.KafkaConnectionError()
    for given, expected in ((broken, Transient), (Obsolete("x"), Obsolete), (ValueError(), ValueError)):
        with pytest.raises(expected) as caught:
            async with translated():
                raise given
        assert given in {caught.value, caught.value.__cause__}
    with suppress(asyncio.CancelledError):
        async with translated():
            raise asyncio.CancelledError
