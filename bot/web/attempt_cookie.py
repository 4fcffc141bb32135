"""What a browser keeps while it is at GitLab to sign in: signed, so that nobody else can have begun it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

from bot.domain.own_path import own_path
from bot.ports import Attempt

#: Who has to look for a second factor first has that long.
LIFE = timedelta(minutes=10)
#: So many windows may be at GitLab at once, as when a browser opens again all that it had; proxies bound headers.
_MOST = 8
_TOLD = 8


def name_of(session: str, state: str) -> str:
    """Return the name of the cookie of one attempt, by that of the *session*: each window has its own."""
    return f"{session}-sign-in-{state[:_TOLD]}"


def over(session: str, names: Iterable[str]) -> list[str]:
    """Return which of the cookies with these *names*, the oldest first, must go before another attempt begins."""
    ours = re.compile(rf"{re.escape(session)}-sign-in-[A-Za-z0-9_-]{{{_TOLD}}}")
    kept = [name for name in names if ours.fullmatch(name)]
    return kept[: max(0, len(kept) - _MOST + 1)]


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
