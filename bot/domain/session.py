"""How long somebody stays signed in."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.viewer import Viewer

#: Without any request for so long, a session is over.
IDLE = timedelta(hours=8)
#: Whatever happens, it is over then.
ABSOLUTE = timedelta(hours=24)
#: For so long the memberships that GitLab told are taken for those of today.
FRESH = timedelta(hours=1)
#: A link of the operator that nobody has followed by then is void.
LINK = timedelta(minutes=10)
PAD_BYTES = 32

_FORM_TOKEN = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Session:
    """Hold who signed in, when they did first, and when GitLab told their memberships."""

    viewer: Viewer
    began_at: datetime
    told_at: datetime

    def stale(self, now: datetime) -> bool:
        """Say whether the memberships are too old to rely on."""
        return now - self.told_at > FRESH


def digest(secret: str) -> bytes:
    """Return what is stored of a random secret: 256 bits of randomness need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def form_token(session_id: str, pad: bytes) -> str:
    """Return what a form of the session carries; only who has the cookie can work it out.

    *pad*, random and different in each page, hides it from whoever measures how well pages compress.
    """
    secret = _form_secret(session_id)
    return (pad + bytes(one ^ other for one, other in zip(pad, secret, strict=True))).hex()


def matches(session_id: str, token: str) -> bool:
    """Say whether *token* came from a form of the session."""
    if not _FORM_TOKEN.fullmatch(token):
        return False
    said = bytes.fromhex(token)
    pad, hidden = said[:PAD_BYTES], said[PAD_BYTES:]
    secret = bytes(one ^ other for one, other in zip(pad, hidden, strict=True))
    return hmac.compare_digest(secret, _form_secret(session_id))


def _form_secret(session_id: str) -> bytes:
    return hmac.new(session_id.encode(), b"cloister forms", hashlib.sha256).digest()
