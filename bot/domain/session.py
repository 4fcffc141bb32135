"""How long somebody stays signed in."""

from __future__ import annotations

import hashlib
import hmac
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


def form_token(session_id: str) -> str:
    """Return what the forms of a session carry; only who has the cookie can work it out."""
    return hmac.new(session_id.encode(), b"cloister forms", hashlib.sha256).hexdigest()
