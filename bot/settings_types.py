"""Types of setting values: each accepts one form and says which when it gets another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # The original message may quote a password.
        msg = "is not a URL; write special characters in it as %XX"
        raise ValueError(msg) from None
    return parts


def _web_url(value: str) -> str:
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
    return value


def _log_url(value: SecretStr) -> SecretStr:
    scheme = _split(value.get_secret_value()).scheme
    if scheme == "kafka":
        msg = "names a Kafka log, which this release does not have yet; leave it unset to use the database"
        raise ValueError(msg)
    if scheme not in {"postgres", "postgresql"}:
        msg = "must start with postgresql:// or kafka://; leave it unset to use the database"
        raise ValueError(msg)
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


WebUrl = Annotated[str, AfterValidator(_web_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
LogUrl = Annotated[SecretStr, AfterValidator(_log_url)]
Token = Annotated[SecretStr, AfterValidator(_header_value)]
ListenAddress = Annotated[str, AfterValidator(_listen)]
LocalModel = Annotated[str, Field(min_length=1), AfterValidator(_local_model)]
LocalPath = Annotated[Path, AfterValidator(_local_path)]
IgnoreCase = BeforeValidator(_lower)
