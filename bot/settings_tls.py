"""Certificates and keys in files that settings name, made into what a TLS connection needs."""

from __future__ import annotations

import ssl
from pathlib import Path

from bot.settings_sources import SettingsError, variable

#: A chain is a few kilobytes, all public authorities together some 300; more is the wrong file.
_LIMIT_BYTES = 4_000_000


def trusting(name: str, path: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the authority in *path*, the public ones if None, and checks the host's name.

    Args:
        name: the setting that names the file.
        path: the file.

    Raises:
        SettingsError: the file cannot be used.
    """
    if path is None:
        return ssl.create_default_context()
    _check(name, path, "CERTIFICATE")
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise _unusable(name, path, _reason(error)) from error


def present(context: ssl.SSLContext, certificate: tuple[str, Path], key: tuple[str, Path]) -> None:
    """Let *context* show our certificate; it and its key are each a setting's name and the file.

    Raises:
        SettingsError: a file cannot be used, or the two do not belong together.
    """
    _check(*certificate, "CERTIFICATE")
    _check(*key, "PRIVATE KEY")
    try:
        # With an empty passphrase, lest OpenSSL asks for one on the terminal.
        context.load_cert_chain(certificate[1], key[1], password="")
    except OSError as error:
        mismatch = "MISMATCH" in str(error)
        reason = f"it does not belong to {certificate[1]}" if mismatch else _reason(error)
        raise _unusable(*key, reason, "the certificate's key") from error


def _check(name: str, path: Path, kind: str) -> None:
    wanted = "certificates" if kind == "CERTIFICATE" else "a key that has no passphrase"
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT_BYTES).decode("ascii", errors="replace")
    except OSError as error:
        raise _unusable(name, path, _reason(error), wanted) from error
    if f"{kind}-----" not in content:
        raise _unusable(name, path, "it has no part that begins with -----BEGIN", wanted)
    if kind == "PRIVATE KEY" and "ENCRYPTED" in content:
        raise _unusable(name, path, "the key has a passphrase", wanted)


def _unusable(name: str, path: Path, reason: str, wanted: str = "certificates") -> SettingsError:
    return SettingsError([f"{variable(name)}: cannot use {path}: {reason}; name a PEM file with {wanted}"])


def _reason(error: OSError) -> str:
    # What OpenSSL says is in `reason`, what the system says in `strerror`.
    return str(getattr(error, "reason", None) or error.strerror or error)
