"""The secret of fingerprints for commands that run without the server's."""

from __future__ import annotations

from bot.settings import Settings

#: Fingerprints of a local review are the same in every run and on every machine, as GitLab's reports need. Whoever
#: sees the report sees the code, so a secret key would hide nothing from them.
_PUBLIC_KEY = b"cloister review, without a key of its own"


def public_key(settings: Settings) -> bytes:
    """Return the secret of fingerprints; without one of its own, that of everybody."""
    return settings.marker_key.get_secret_value().encode() if settings.marker_key else _PUBLIC_KEY
