"""A real Kafka that wants encryption and a login: each kind of both on a listener of its own."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.kafka import Kafka, require_kafka

USER, PASSWORD = "bot", "correct horse"
#: May log in, but do nothing.
STRANGER = "stranger"

_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_OAUTH = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
_MECHANISMS = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"


@dataclass(frozen=True)
class Secured:
    """Hold the broker, and files with the certificates of both sides."""

    kafka: Kafka
    authority: trustme.CA
    ca_file: Path
    client_file: Path

    def trusting(self, *, with_certificate: bool = False) -> ssl.SSLContext:
        """Return a context that accepts the broker's certificate."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if with_certificate:
            context.load_cert_chain(self.client_file)
        return context


def token(subject: str = USER, *, life_s: float = 300) -> str:
    """Return a token as the broker takes it here: without a signature."""
    now = time.time()
    parts = ({"alg": "none"}, {"sub": subject, "iat": now, "exp": now + life_s})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, ""])


@pytest.fixture(scope="module")
def secured_kafka() -> Iterator[Secured]:
    """Return a broker with the listeners SASL_PLAINTEXT, SASL_SSL and SSL; the last wants a certificate."""
    require_kafka()
    authority = trustme.CA()
    with tempfile.TemporaryDirectory(prefix="cloister-kafka-tls-") as name:
        directory = Path(name)
        ca_file, client_file, server_file = (
            directory / "ca.pem",
            directory / "bot.pem",
            directory / "kafka.pem",
        )
        authority.cert_pem.write_to_path(ca_file)
        authority.issue_cert("bot.example").private_key_and_cert_chain_pem.write_to_path(client_file)
        server_file.write_bytes(_as_java_reads(authority.issue_cert("127.0.0.1")))
        users = {USER: PASSWORD, STRANGER: PASSWORD}
        listeners = ("SASL_PLAINTEXT", "SASL_SSL", "SSL")
        with Kafka(listeners=listeners, properties=_properties(server_file, ca_file), scram=users) as kafka:
            yield Secured(kafka, authority, ca_file, client_file)


def _as_java_reads(certificate: trustme.LeafCert) -> bytes:
    """Return key and chain in PEM form, the key in PKCS #8: Java knows no other."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b"".join([pkcs8, *(pem.bytes() for pem in certificate.cert_chain_pems)])


def _properties(server_file: Path, ca_file: Path) -> dict[str, str]:
    plain = " ".join(f'user_{name}="{PASSWORD}"' for name in (USER, STRANGER))
    sasl = "listener.name.sasl_ssl"
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(server_file),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(ca_file),
        "listener.name.ssl.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": _MECHANISMS,
        f"{sasl}.plain.sasl.jaas.config": f"{_PLAIN} {plain};",
        f"{sasl}.scram-sha-256.sasl.jaas.config": _SCRAM,
        f"{sasl}.scram-sha-512.sasl.jaas.config": _SCRAM,
        f"{sasl}.oauthbearer.sasl.jaas.config": f'{_OAUTH} unsecuredLoginStringClaim_sub="broker";',
        "listener.name.sasl_plaintext.sasl.enabled.mechanisms": "SCRAM-SHA-256",
        "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config": _SCRAM,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{USER}",
    }
