"""Checks of a secret's own structure, by the name that a rule gives as ``check``.

Each takes what the rule's pattern found and says whether it can be real: a checksum fits, an encoding decodes to
what it must hold. They are pure, and linear in the length of what they look at.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(rb"[A-Za-z]+_([A-Za-z0-9]+)([A-Za-z0-9]{6})", re.DOTALL)
_ROUTABLE = re.compile(rb"(\w+-([\w-]+)\.(?:[0-9a-z]{2}\.)?([0-9a-z]{2}))([0-9a-z]{7})", re.DOTALL)
_GRAFANA = re.compile(rb"(gl[a-z]+_[A-Za-z0-9]+)_([0-9a-f]{8})", re.DOTALL)
_ARMOUR = re.compile(
    rb"-----BEGIN[^-\n]*-----|(?:-----)?END[^-\n]*-----?.*|^[A-Za-z-]+:.*$|\\[nrt]|[^A-Za-z0-9+/=]",
    re.MULTILINE,
)


def digits(number: int, alphabet: str, width: int) -> str:
    """Return *number* in the base of *alphabet*, at least *width* digits."""
    text = ""
    while number:
        number, digit = divmod(number, len(alphabet))
        text = alphabet[digit] + text
    return text.rjust(width, alphabet[0])


def base62_crc32(body: bytes) -> str:
    """Return the six digits that GitHub and npm put at the end of a token."""
    return digits(zlib.crc32(body), _BASE62, 6)


def base36_crc32(body: bytes) -> str:
    """Return the seven digits that GitLab puts at the end of a routable token."""
    return digits(zlib.crc32(body), _BASE36, 7)


def unpadded(data: bytes) -> bytes:
    """Return what *data* holds in base64, of either alphabet, with or without padding.

    Raises:
        ValueError: it is no base64.
    """
    body = data.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(body + b"=" * (-len(body) % 4), validate=True)


def json_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that *data* holds in base64, an empty one if it holds none."""
    try:
        found = json.loads(unpadded(data))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _github(secret: bytes) -> bool:
    # https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/
    match = _TOKEN.fullmatch(secret)
    return match is not None and base62_crc32(match[1]) == match[2].decode()


def _gitlab(secret: bytes) -> bool:
    """Check the length and the checksum of a routable token; the older form has neither."""
    match = _ROUTABLE.fullmatch(secret)
    if match is None:
        return b"." not in secret
    return int(match[3], 36) == len(match[2]) and base36_crc32(match[1]) == match[4].decode()


def _grafana(secret: bytes) -> bool:
    match = _GRAFANA.fullmatch(secret)
    return match is not None and zlib.crc32(match[1]).to_bytes(4, "little").hex() == match[2].decode()


def _jwt(secret: bytes) -> bool:
    header, _, rest = secret.partition(b".")
    return isinstance(json_object(header).get("alg"), str) and bool(rest)


def _base64_json(secret: bytes) -> bool:
    return bool(json_object(secret))


def _base64_pair(secret: bytes) -> bool:
    """Check for ``user:password`` in base64, as basic authorization has it."""
    try:
        user, colon, password = unpadded(secret).decode().partition(":")
    except ValueError:
        return False
    return bool(colon) and len(password) > 2 and (user + password).isprintable()


def _aws_account(secret: bytes) -> bool:
    """Check that a key id of today's form names an account of at most twelve digits."""
    if secret[4:5] in b"IJ":  # from before 2019, without the account
        return True
    try:
        packed = base64.b32decode(secret[4:].ljust(16, b"A")[:16])
    except binascii.Error:
        return False
    return (int.from_bytes(packed[:6], "big") & 0x7FFFFFFFFF80) >> 7 < 10**12


def _key(secret: bytes) -> bool:
    """Check that the armour of a private key holds base64 of at least 32 bytes."""
    body = _ARMOUR.sub(b"", secret)
    try:
        return len(unpadded(body[: len(body) // 4 * 4])) >= 32
    except ValueError:
        return False


def _luhn(secret: bytes) -> bool:
    numbers = [byte - 48 for byte in reversed(secret) if 48 <= byte <= 57]
    doubled = sum(sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return len(numbers) > 1 and (doubled + sum(numbers[::2])) % 10 == 0


#: What a rule may name as its ``check``.
CHECKS: Mapping[str, Callable[[bytes], bool]] = MappingProxyType(
    {
        "aws-account": _aws_account,
        "base64-json": _base64_json,
        "base64-pair": _base64_pair,
        "github-crc32": _github,
        "gitlab-crc32": _gitlab,
        "grafana-crc32": _grafana,
        "jwt": _jwt,
        "luhn": _luhn,
        "npm-crc32": _github,
        "private-key": _key,
    }
)
