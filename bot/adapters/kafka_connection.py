"""How to reach Kafka: addresses, encryption, login."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

from aiokafka.abc import AbstractTokenProvider

#: The kinds of login that we can use, the safest first.
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "OAUTHBEARER", "PLAIN")


@dataclass(frozen=True, slots=True)
class Login:
    """Say who we are: a user with a password, or for ``OAUTHBEARER`` where the tokens come from."""

    mechanism: str
    user: str = ""
    password: str = field(default="", repr=False)
    tokens: AbstractTokenProvider | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Say where the brokers are and how to log in.

    A login with tokens keeps the newest one, and belongs to the event loop that asked first.
    """

    bootstrap: str
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    login: Login | None = None

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Return host and port of each broker that we know of from the start."""
        parts = (address.rpartition(":") for address in self.bootstrap.split(","))
        return tuple((host.strip("[]"), int(port)) for host, _, port in parts)

    @property
    def protocol(self) -> str:
        """Return what Kafka calls the combination of encryption and login."""
        transport = "SSL" if self.tls else "PLAINTEXT"
        return f"SASL_{transport}" if self.login else transport

    def options(self) -> dict[str, Any]:
        """Return the connection arguments that every client of aiokafka takes."""
        return {"bootstrap_servers": self.bootstrap, "client_id": "cloister", **self.security()}

    def security(self) -> dict[str, Any]:
        """Return those of the arguments that are about encryption and login."""
        arguments: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.tls}
        if self.login:
            arguments["sasl_mechanism"] = self.login.mechanism
            if self.login.tokens:
                arguments["sasl_oauth_token_provider"] = self.login.tokens
            else:
                arguments["sasl_plain_username"] = self.login.user
                arguments["sasl_plain_password"] = self.login.password
        return arguments
