"""What can be wrong with the encryption of connections to Postgres, as ``CLOISTER_DATABASE_URL`` asks for it."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import asyncpg

from bot.domain.errors import Permanent

_URL = "CLOISTER_DATABASE_URL"
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")

#: OpenSSL's numbers for what is wrong with a certificate.
_EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 10, 62, 64


def check_tls_files(url: str) -> None:
    """Check that the files which *url* names can be read: the driver would not say which cannot.

    Raises:
        Permanent: one cannot.
    """
    for name, value in parse_qsl(urlsplit(url).query):
        if name not in _FILES:
            continue
        try:
            with Path(value).open("rb") as file:
                file.read(1)
        except OSError as error:
            raise Permanent(
                f"{_URL}: cannot use {name}={value}: {error.strerror}; name a readable PEM file"
            ) from error


def tls_problem(error: BaseException) -> str:
    """Return what is wrong with encryption and what to do, nothing if *error* is about something else."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_problem(error)
    if isinstance(error, ssl.SSLError):
        return (
            f"TLS with the database fails ({error.reason or type(error).__name__}): check sslmode, sslrootcert,"
            f" sslcert and sslkey in {_URL}"
        )
    text = str(error)
    if isinstance(error, ConnectionError) and "rejected SSL" in text:
        return f"the database speaks no TLS: turn on ssl there, or correct sslmode in {_URL}"
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        if "no encryption" in text:
            return f"the database wants TLS: write sslmode=verify-full into {_URL}"
        if "certificate" in text:
            return f"the database wants a certificate: name one with sslcert and sslkey in {_URL}"
    if isinstance(error, asyncpg.ClientConfigurationError) and "root certificate" in text:
        return f"sslmode=verify-full needs an authority: add sslrootcert=/path/to/ca.pem to {_URL}"
    return ""


def _certificate_problem(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in {_OTHER_HOST, _OTHER_ADDRESS}:
        return f"the database's certificate is for another host: write the one that is in it into {_URL}"
    if error.verify_code == _EXPIRED:
        return "the database's certificate has expired: renew it"
    return (
        f"the database's certificate is not trusted ({error.verify_message}):"
        f" name the authority that signed it with sslrootcert in {_URL}"
    )
