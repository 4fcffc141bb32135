"""What the errors of Kafka mean, and what to do about them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from aiokafka import errors

from bot.adapters.kafka_tokens import TokenError
from bot.domain.errors import Blocked, CloisterError, Permanent, Transient

#: What clients of Kafka raise: their own errors, and those of connections.
KAFKA_ERRORS = (errors.KafkaError, errors.ConsumerStoppedError, OSError, TimeoutError)

_ADDRESS = "check CLOISTER_LOG_URL and that the brokers run"

#: The most special first: a message for each error that has a remedy of its own.
_MEANINGS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[CloisterError], str], ...] = (
    (
        (errors.SaslAuthenticationFailed, errors.AuthenticationFailedError),
        Blocked,
        "Kafka refuses the login: check CLOISTER_KAFKA_USER and CLOISTER_KAFKA_PASSWORD",
    ),
    (
        (errors.UnsupportedSaslMechanismError, errors.AuthenticationMethodNotSupported),
        Blocked,
        "Kafka does not offer this kind of login on that port: set CLOISTER_KAFKA_SASL to one that it does",
    ),
    (
        errors.IllegalSaslStateError,
        Blocked,
        "Kafka takes no login on that port: leave CLOISTER_KAFKA_SASL unset, or name another port",
    ),
    (
        errors.TopicAuthorizationFailedError,
        Blocked,
        "Kafka does not allow our user to use a topic: grant Read, Write and Describe"
        " on topics that begin with CLOISTER_KAFKA_PREFIX",
    ),
    (
        errors.GroupAuthorizationFailedError,
        Blocked,
        "Kafka does not allow our user to use a consumer group: grant Read"
        " on groups that begin with CLOISTER_KAFKA_PREFIX",
    ),
    (
        errors.ClusterAuthorizationFailedError,
        Blocked,
        "Kafka does not allow our user to work on the cluster: grant IdempotentWrite,"
        " and Create for `cloister kafka init`",
    ),
    (
        (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError, errors.RecordTooLargeError),
        Permanent,
        "the record is larger than Kafka takes: raise max.message.bytes of the topic",
    ),
    (
        errors.UnknownTopicOrPartitionError,
        Blocked,
        "a topic is missing in Kafka: run `cloister kafka init`",
    ),
    (
        errors.InvalidTopicError,
        Blocked,
        "Kafka does not take the name of a topic: change CLOISTER_KAFKA_PREFIX",
    ),
    (
        (errors.NotEnoughReplicasError, errors.NotEnoughReplicasAfterAppendError),
        Transient,
        "Kafka has too few replicas in sync to keep a record safely: start the brokers that are away",
    ),
    (
        (errors.UnsupportedVersionError, errors.IncompatibleBrokerVersion, errors.UnrecognizedBrokerVersion),
        Permanent,
        "the broker is too old: Cloister needs Kafka 3.0 or newer",
    ),
    (
        socket.gaierror,
        Transient,
        "the name of a Kafka broker is not known: check CLOISTER_LOG_URL and the name service",
    ),
    (ConnectionRefusedError, Transient, f"no Kafka broker listens there: {_ADDRESS}"),
    (TimeoutError, Transient, f"Kafka does not answer: {_ADDRESS}"),
)

#: OpenSSL's numbers for what is wrong with a certificate.
_EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 10, 62, 64


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the errors of Kafka's clients into ours."""
    try:
        yield
    except KAFKA_ERRORS as error:
        raise kafka_error(error) from error


def kafka_error(error: BaseException) -> CloisterError:
    """Return what *error* means for us; the message says what to check and never holds a secret."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, CloisterError):
            return one
        if isinstance(one, TokenError):
            return one.problem
        if isinstance(one, ssl.SSLError):
            return _tls_error(one)
    for one in chain:
        for kinds, family, message in _MEANINGS:
            if isinstance(one, kinds):
                return family(message)
    return _other(error)


def _other(error: BaseException) -> CloisterError:
    name = type(error).__name__
    if isinstance(error, errors.BrokerResponseError) and not error.retriable:
        # Also what ends with the membership or the producer: a new one may fare better, and nothing may get lost.
        return Transient(f"Kafka refuses a request ({name}): if that stays so, the broker's log may say why")
    return Transient(f"Kafka is out of reach ({name}): {_ADDRESS}")


def _tls_error(error: ssl.SSLError) -> CloisterError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Blocked(_certificate_problem(error))
    reason = error.reason or type(error).__name__
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return Blocked(
            f"Kafka does not accept our certificate ({reason}):"
            " check CLOISTER_KAFKA_CERT_FILE and CLOISTER_KAFKA_KEY_FILE"
        )
    return Blocked(
        f"TLS with Kafka fails ({reason}): check CLOISTER_KAFKA_TLS, and that this port of the broker speaks TLS"
    )


def _certificate_problem(error: ssl.SSLCertVerificationError) -> str:
    match error.verify_code:
        case code if code in {_OTHER_HOST, _OTHER_ADDRESS}:
            return (
                "the broker's certificate is for another host:"
                " CLOISTER_LOG_URL and the broker's advertised.listeners must name one that is in it"
            )
        case code if code == _EXPIRED:
            return "the broker's certificate has expired: renew it"
    return (
        f"the broker's certificate is not trusted ({error.verify_message}):"
        " set CLOISTER_KAFKA_CA_FILE to the authority that signed it"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and what caused it: the client wraps what happened to the connection."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__
