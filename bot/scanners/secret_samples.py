"""Samples of secrets, made from the templates of the rules, so that nothing like a secret is ever stored.

``{[A-Z2-7]:16}`` stands for sixteen random characters of a class, ``{[0-9]:4-8}`` for four to eight, and ``{=NAME}``
for something made: a checksum over what stands before it, or a structure of its own (see ``MAKERS``).
"""

from __future__ import annotations

import base64
import json
import random
import re
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from bot.scanners.secret_checks import base36_crc32, base62_crc32, digits

_HOLE = re.compile(r"\{\[(?P<of>[^\]]+)\]:(?P<least>\d+)(?:-(?P<most>\d+))?\}|\{=(?P<made>[a-z0-9-]+)\}")
_WORD = "".join(map(chr, (*range(48, 58), *range(65, 91), *range(97, 123))))
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


def alphabet(spec: str) -> str:
    """Return the characters of a class such as ``A-Z2-7_-``."""
    ranges = re.sub(
        r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), spec, flags=re.DOTALL
    )
    return "".join(sorted(set(ranges)))


def fill(template: str, dice: random.Random) -> str:
    """Return *template* with something in each of its holes.

    Raises:
        KeyError: it names something that cannot be made.
    """
    done, text = 0, ""
    for hole in _HOLE.finditer(template):
        text += template[done : hole.start()]
        done = hole.end()
        if hole["made"]:
            text += MAKERS[hole["made"]](text, dice)
        else:
            count = dice.randint(int(hole["least"]), int(hole["most"] or hole["least"]))
            text += "".join(dice.choices(alphabet(hole["of"]), k=count))
    return text + template[done:]


def _random(dice: random.Random, count: int) -> str:
    return "".join(dice.choices(_WORD, k=count))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _github(before: str, _: random.Random) -> str:
    return base62_crc32(re.split(r"[^A-Za-z0-9]", before)[-1].encode())


def _gitlab(before: str, _: random.Random) -> str:
    """Complete ``glpat-PAYLOAD.01.`` or ``glpat-PAYLOAD.`` with length and checksum."""
    token = re.split(r"[^\w.-]", before)[-1]
    payload = token.split(".")[0].split("-", 1)[1]
    token += digits(len(payload), _BASE36, 2)
    return token[-2:] + base36_crc32(token.encode())


def _grafana(before: str, _: random.Random) -> str:
    token = re.split(r"\W", before)[-1].rstrip("_")
    return zlib.crc32(token.encode()).to_bytes(4, "little").hex()


def _jwt(_: str, dice: random.Random) -> str:
    header = {"alg": dice.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    claims = {"sub": _random(dice, 12), "iat": dice.randrange(1_600_000_000, 1_800_000_000)}
    parts = [_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
    return ".".join([*parts, _base64url(dice.randbytes(32))])


def _base64_json(_: str, dice: random.Random) -> str:
    return base64.b64encode(
        json.dumps({"id": dice.randrange(10**6), "k": _random(dice, 30)}).encode()
    ).decode()


def _base64_pair(_: str, dice: random.Random) -> str:
    return base64.b64encode(f"{_random(dice, 8)}:{_random(dice, 16)}".encode()).decode()


def _aws_account(_: str, dice: random.Random) -> str:
    """Return what follows ``AKIA``: an account of twelve digits and some random bits."""
    number = 1 << 47 | dice.randrange(10**12) << 7 | dice.getrandbits(7)
    return base64.b32encode(number.to_bytes(6, "big") + dice.randbytes(4)).decode()


def _der(_: str, dice: random.Random) -> str:
    """Return lines of base64 that begin like a key in DER."""
    text = base64.b64encode(b"\x30\x82\x01\x01\x02\x01\x00" + dice.randbytes(257)).decode()
    return "\n".join(text[start : start + 64] for start in range(0, len(text), 64))


#: What a template may name as ``{=NAME}``; each gets the text so far.
MAKERS: Mapping[str, Callable[[str, random.Random], str]] = MappingProxyType(
    {
        "aws-account": _aws_account,
        "base64-json": _base64_json,
        "base64-pair": _base64_pair,
        "der": _der,
        "github-crc32": _github,
        "gitlab-crc32": _gitlab,
        "grafana-crc32": _grafana,
        "jwt": _jwt,
        "npm-crc32": _github,
    }
)
