"""Types of setting values: each accepts one form and says which when it gets another."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from bot.hooks.verification import Verifier

KAFKA_SCHEME = "kafka://"
KAFKA_PORT = 9092

_BROKER = re.compile(
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?"
)

#: From no encryption at all to one that checks whose certificate it is.
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # The original message may quote a password.
        msg = "is not a URL: write special characters in it as %XX, and a port as a number up to 65535"
        raise ValueError(msg) from None
    return parts


def web_url(value: str) -> str:
    """Return *value* without a trailing slash, when it is a plain http or https URL."""
    parts = _split(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = "must start with http:// or https:// and name a host"
        raise ValueError(msg)
    if parts.username is not None or parts.password is not None:
        msg = "must not contain a user name or password; give secrets in their own settings"
        raise ValueError(msg)
    if parts.query or parts.fragment or any(char.isspace() for char in value):
        msg = "must not contain a query, a fragment or white space; give the base URL only"
        raise ValueError(msg)
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def _postgres_url(value: SecretStr) -> SecretStr:
    parts = _split(value.get_secret_value())
    if parts.scheme not in {"postgres", "postgresql"}:
        msg = "must start with postgresql://; leave it unset to use the database that Cloister brings along"
        raise ValueError(msg)
    if "@" in parts.path + parts.fragment:
        # A slash in the password: what follows would pass for the database's name, and be shown.
        msg = "is not a URL of a database; write special characters in the password as %XX"
        raise ValueError(msg)
    query = dict(parse_qsl(parts.query))
    if query.get("sslmode", "disable") not in _SSL_MODES:
        msg = f"has an unknown sslmode; take one of {', '.join(_SSL_MODES)}"
        raise ValueError(msg)
    if "ssl" in query:
        msg = "holds ssl=, which Postgres does not know; write sslmode=verify-full"
        raise ValueError(msg)
    return value


def _log_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    if url.lower().startswith(KAFKA_SCHEME):
        return SecretStr(KAFKA_SCHEME + _brokers(url[len(KAFKA_SCHEME) :]))
    if not url.startswith(("postgres://", "postgresql://")):
        msg = "must start with kafka:// or postgresql://; leave it unset to use the database"
        raise ValueError(msg)
    return _postgres_url(value)


def _brokers(addresses: str) -> str:
    """Return *addresses* as HOST:PORT,HOST:PORT; the messages quote nothing, since it may be a password."""
    if "@" in addresses:
        msg = "must not contain a user name or password; give them as CLOISTER_KAFKA_USER and _PASSWORD"
        raise ValueError(msg)
    if "://" in addresses:
        msg = "holds more than one kafka://; write further brokers as kafka://HOST:PORT,HOST:PORT"
        raise ValueError(msg)
    addresses = addresses.removesuffix("/")
    if any(char in "/?#" or char.isspace() for char in addresses):
        msg = "must not contain a path, a query or white space; write it like kafka://HOST:PORT,HOST:PORT"
        raise ValueError(msg)
    return ",".join(_broker(address) for address in addresses.split(","))


def _broker(address: str) -> str:
    if address.count(":") > 1 and not address.startswith("["):
        msg = "an IPv6 address needs brackets, such as kafka://[::1]:9092"
        raise ValueError(msg)
    parts = _BROKER.fullmatch(address)
    if parts is None or not 0 < int(parts["port"] or KAFKA_PORT) <= 65_535 or not _is_host(parts["host"]):
        msg = "must name each broker as HOST:PORT, such as kafka://kafka-1.example:9092,kafka-2.example:9092"
        raise ValueError(msg)
    return f"{parts['host'].lower()}:{int(parts['port'] or KAFKA_PORT)}"


def _is_host(text: str) -> bool:
    if not text.startswith("["):
        return True
    try:
        ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Say whether *host* means this machine only, whoever is asked; not a name that merely looks like it."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def separated(value: SecretStr) -> tuple[str, ...]:
    """Return the secrets in *value*, which a comma or a line break separates."""
    parts = value.get_secret_value().replace(",", "\n").splitlines()
    return tuple(part.strip() for part in parts if part.strip())


def _some_secret(value: SecretStr) -> SecretStr:
    secrets = separated(value)
    if not secrets:
        msg = "holds separators only; give the secret that the hook was created with"
        raise ValueError(msg)
    Verifier([secret.encode() for secret in secrets])  # refuses a signing token that GitLab cannot have made
    return value


def _listen(value: str) -> str:
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        msg = "must be HOST:PORT, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080"
        raise ValueError(msg)
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        msg = "an IPv6 address needs brackets, such as [::1]:8080"
        raise ValueError(msg)
    return value


def _local_model(value: str) -> str:
    if value.endswith("cloud"):
        msg = "names a cloud model, which would send code away; name a model that runs on your own server"
        raise ValueError(msg)
    return value


def _header_value(value: SecretStr) -> SecretStr:
    if any(not "!" <= char <= "~" for char in value.get_secret_value()):
        msg = "must be printable ASCII without white space; copy the token again"
        raise ValueError(msg)
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _local_path(value: Path) -> Path:
    try:
        return value.expanduser().absolute()
    except RuntimeError:
        msg = "starts with ~ but there is no home directory; give an absolute path"
        raise ValueError(msg) from None


WebUrl = Annotated[str, AfterValidator(web_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
LogUrl = Annotated[SecretStr, AfterValidator(_log_url)]
WebhookSecrets = Annotated[SecretStr, AfterValidator(_some_secret)]
Token = Annotated[SecretStr, AfterValidator(_header_value)]
ListenAddress = Annotated[str, AfterValidator(_listen)]
LocalModel = Annotated[str, Field(min_length=1), AfterValidator(_local_model)]
LocalPath = Annotated[Path, AfterValidator(_local_path)]
IgnoreCase = BeforeValidator(_lower)
