"""The settings of Kafka: what each accepts, what must hold between them, and the TLS that they describe."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from bot.settings_sources import variable
from bot.settings_tls import present, trusting
from bot.settings_types import KAFKA_SCHEME, IgnoreCase, LocalPath, LogUrl, is_loopback

if TYPE_CHECKING:
    from bot.settings import Settings

#: A topic has 249 characters at most, and ours add up to a dozen to the prefix.
_LONGEST_PREFIX = 200


def _prefix(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z0-9_-][a-zA-Z0-9._-]*", value) or len(value) > _LONGEST_PREFIX:
        msg = (
            "must be letters, digits, dots, dashes and underscores, not begin with a dot, and have at most"
            f" {_LONGEST_PREFIX} characters, as Kafka wants it for names of topics"
        )
        raise ValueError(msg)
    return value


def _token_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        msg = "is not a URL; write it like https://login.example/realms/main/protocol/openid-connect/token"
        raise ValueError(msg) from None
    if parts.username is not None or parts.password is not None:
        msg = "must not contain a user name or password; give them as CLOISTER_KAFKA_USER and _PASSWORD"
        raise ValueError(msg)
    host = parts.hostname or ""
    if parts.scheme not in {"https", "http"} or not host or parts.fragment or re.search(r"\s", value):
        msg = "must start with https:// and name a host, without white space and fragment"
        raise ValueError(msg)
    if parts.scheme == "http" and not is_loopback(host):
        msg = "must start with https://, since the password is sent there"
        raise ValueError(msg)
    return value


Log = Annotated[
    LogUrl | None,
    Field(
        description="Event log: `kafka://HOST:PORT,HOST:PORT`. Unset: the database.",
        examples=["kafka://kafka-1.example:9092,kafka-2.example:9092"],
    ),
]
Prefix = Annotated[
    str,
    AfterValidator(_prefix),
    Field(
        description="With Kafka: beginning of the names of topics and consumer groups.", examples=["cloister"]
    ),
]
Tls = Annotated[
    bool | None,
    Field(
        description="With Kafka: encrypt connections and check the brokers' certificates."
        " Unset: only if `CLOISTER_KAFKA_CA_FILE` or `CLOISTER_KAFKA_CERT_FILE` is set.",
        examples=["true"],
    ),
]
CaFile = Annotated[
    LocalPath | None,
    Field(
        description="PEM file with the authority that signed the brokers' certificates."
        " Unset: the public ones.",
        examples=["/etc/ssl/certs/example-ca.pem"],
    ),
]
CertFile = Annotated[
    LocalPath | None,
    Field(
        description="PEM file with our certificate and its chain, where brokers ask for one.",
        examples=["/etc/cloister/kafka.pem"],
    ),
]
KeyFile = Annotated[
    LocalPath | None,
    Field(
        description="PEM file with the key of that certificate, without a passphrase.",
        examples=["/etc/cloister/kafka.key"],
    ),
]
Sasl = Annotated[
    Literal["none", "plain", "scram-sha-256", "scram-sha-512", "oauthbearer"],
    IgnoreCase,
    Field(
        description="How to log in to Kafka: `none`, `plain`, `scram-sha-256`, `scram-sha-512` or `oauthbearer`.",
        examples=["scram-sha-512"],
    ),
]
User = Annotated[
    str | None,
    Field(description="User for the login; with `oauthbearer` the client's id.", examples=["cloister"]),
]
Password = Annotated[
    SecretStr | None,
    Field(description="Password of that user; with `oauthbearer` the client's secret.", examples=["..."]),
]
TokenUrl = Annotated[
    str | None,
    AfterValidator(lambda value: value if value is None else _token_url(value)),
    Field(
        description="With `oauthbearer`: where to get tokens by client credentials (OAuth 2).",
        examples=["https://login.example/realms/main/protocol/openid-connect/token"],
    ),
]
TokenFile = Annotated[
    LocalPath | None,
    Field(
        description="With `oauthbearer`: file with the token, read again for each connection.",
        examples=["/run/secrets/kafka-token"],
    ),
]


def bootstrap(log_url: SecretStr | None) -> str | None:
    """Return the brokers that *log_url* names as HOST:PORT,HOST:PORT; None when it names no Kafka."""
    url = log_url.get_secret_value() if log_url else ""
    return url.removeprefix(KAFKA_SCHEME) if url.startswith(KAFKA_SCHEME) else None


def encrypted(settings: Settings) -> bool:
    """Say whether to speak TLS with Kafka: naming an authority or a certificate means that."""
    named = settings.kafka_ca_file is not None or settings.kafka_cert_file is not None
    return named if settings.kafka_tls is None else settings.kafka_tls


def problems(settings: Settings) -> Iterator[str]:
    """Yield a line for each contradiction between the settings of Kafka, if Kafka is used at all."""
    if settings.kafka_bootstrap is None:
        return
    yield from _tls_problems(settings)
    match settings.kafka_sasl:
        case "none":
            for name in _given(
                settings, "kafka_user", "kafka_password", "kafka_token_url", "kafka_token_file"
            ):
                yield (
                    f"{variable(name)}: is set, but CLOISTER_KAFKA_SASL is none;"
                    " set it like CLOISTER_KAFKA_SASL=scram-sha-512"
                )
        case "oauthbearer":
            yield from _token_problems(settings)
        case mechanism:
            yield from _missing(settings, mechanism, "kafka_user", "kafka_password")
            for name in _given(settings, "kafka_token_url", "kafka_token_file"):
                yield f"{variable(name)}: is for CLOISTER_KAFKA_SASL=oauthbearer; unset one of the two"


def warnings(settings: Settings, origins: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each setting of Kafka that has no effect or is unwise."""
    if settings.kafka_bootstrap is None:
        for name, origin in origins.items():
            if name.startswith("kafka_") and origin != "default":
                yield f"{variable(name)} ({origin}) has no effect: CLOISTER_LOG_URL names no Kafka"
        return
    hosts = [address.rpartition(":")[0].strip("[]") for address in settings.kafka_bootstrap.split(",")]
    if settings.kafka_sasl in {"plain", "oauthbearer"} and not encrypted(settings):
        sent = "password" if settings.kafka_sasl == "plain" else "token"
        if not all(map(is_loopback, hosts)):
            yield (
                f"CLOISTER_KAFKA_SASL={settings.kafka_sasl} without TLS: the {sent} can be read on the network;"
                " set CLOISTER_KAFKA_TLS=true"
            )


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return what to encrypt connections to Kafka with, None for none; the host's name is always checked.

    Raises:
        SettingsError: a file is missing, or does not hold what it should.
    """
    if not encrypted(settings):
        return None
    context = trusting("kafka_ca_file", settings.kafka_ca_file)
    certificate, key = settings.kafka_cert_file, settings.kafka_key_file
    if certificate and key:
        present(context, ("kafka_cert_file", certificate), ("kafka_key_file", key))
    return context


def _tls_problems(settings: Settings) -> Iterator[str]:
    if settings.kafka_tls is False:
        for name in _given(settings, "kafka_ca_file", "kafka_cert_file", "kafka_key_file"):
            yield f"{variable(name)}: is set, but CLOISTER_KAFKA_TLS is off; unset one of the two"
    if settings.kafka_cert_file and not settings.kafka_key_file:
        yield (
            "CLOISTER_KAFKA_CERT_FILE: needs its key;"
            " set CLOISTER_KAFKA_KEY_FILE, to the same file if that holds both"
        )
    if settings.kafka_key_file and not settings.kafka_cert_file:
        yield (
            "CLOISTER_KAFKA_KEY_FILE: needs its certificate;"
            " set CLOISTER_KAFKA_CERT_FILE, to the same file if that holds both"
        )


def _token_problems(settings: Settings) -> Iterator[str]:
    if settings.kafka_token_url and settings.kafka_token_file:
        yield "CLOISTER_KAFKA_TOKEN_FILE: CLOISTER_KAFKA_TOKEN_URL is set too; unset one of the two"
    elif settings.kafka_token_url:
        yield from _missing(settings, "oauthbearer", "kafka_user", "kafka_password")
    elif settings.kafka_token_file:
        for name in _given(settings, "kafka_user", "kafka_password"):
            yield f"{variable(name)}: is not needed with CLOISTER_KAFKA_TOKEN_FILE; unset one of the two"
    else:
        yield (
            "CLOISTER_KAFKA_SASL: oauthbearer needs a token;"
            " set CLOISTER_KAFKA_TOKEN_URL with user and password, or CLOISTER_KAFKA_TOKEN_FILE"
        )


def _missing(settings: Settings, mechanism: str, *names: str) -> Iterator[str]:
    for name in names:
        if not _given(settings, name):
            yield f"{variable(name)}: is not set, but CLOISTER_KAFKA_SASL={mechanism} needs it; set it"


def _given(settings: Settings, *names: str) -> list[str]:
    return [name for name in names if getattr(settings, name) is not None]
