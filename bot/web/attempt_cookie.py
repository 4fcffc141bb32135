"""What a browser keeps while it is at GitLab to sign in: signed, so that nobody else can have begun it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict
from datetime import datetime, timedelta

from bot.domain.own_path import own_path
from bot.ports import Attempt

#: Who has to look for a second factor first has that long.
LIFE = timedelta(minutes=10)


def seal(key: bytes, attempt: Attempt, to: str, now: datetime) -> str:
    """Return the cookie's value for an attempt that shall end at the page *to*."""
    content = asdict(attempt) | {"to": to, "until": int((now + LIFE).timestamp())}
    said = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    return f"{said}.{_mark(key, said)}"


def unseal(key: bytes, value: str, now: datetime) -> tuple[Attempt, str] | None:
    """Return attempt and page, None if we did not make *value* or it is too old."""
    said, _, mark = value.partition(".")
    if not hmac.compare_digest(_mark(key, said).encode(), mark.encode()):
        return None
    try:
        content = json.loads(base64.urlsafe_b64decode(said))
    except (binascii.Error, ValueError):
        return None
    if now.timestamp() >= content["until"]:
        return None
    attempt = Attempt(content["state"], content["nonce"], content["verifier"])
    return attempt, own_path(content["to"])


def _mark(key: bytes, said: str) -> str:
    return hmac.new(key, b"cloister sign-in " + said.encode(), hashlib.sha256).hexdigest()
