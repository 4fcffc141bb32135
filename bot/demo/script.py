"""What a scripted model server has, is asked for, and answers."""

from __future__ import annotations

import enum
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class Fault(enum.Enum):
    """What can go wrong with an answer whose text is fine."""

    none = enum.auto()
    hang = enum.auto()  # no first token
    stall = enum.auto()  # tokens stop in the middle
    cut = enum.auto()  # the connection closes in the middle
    half = enum.auto()  # half of the text, as if it were all
    garbage = enum.auto()  # lines that are not JSON
    length = enum.auto()  # half of the text, at the limit of tokens
    error = enum.auto()  # an error line in the middle, under status 200
    busy = enum.auto()  # 503
    crash = enum.auto()  # 500
    redirect = enum.auto()  # 307 to another server


@dataclass(frozen=True, slots=True)
class Reply:
    """Say what to answer.

    ``text`` goes out in *pieces*, each after *delay_s* seconds. ``prompt_tokens`` overrides the count.
    ``thought`` comes first from a model that thinks and was not told not to.
    """

    text: str = '{"findings":[]}'
    fault: Fault = Fault.none
    pieces: int = 4
    delay_s: float = 0.0
    prompt_tokens: int | None = None
    thought: str = "Well."


Script = Callable[[Mapping[str, Any]], Reply]


@dataclass(frozen=True, slots=True)
class ScriptedModel:
    """Describe a model that the server has."""

    name: str = "deepseek-coder:6.7b"
    digest: str = "ce298d984115b93bb1b191b47fee6b39e4e9fbd5f18e651c02f9fa74e0edcf04"
    context_tokens: int = 16_384
    capabilities: tuple[str, ...] = ("completion",)
    remote_host: str = ""
    dimension: int = 8


def silent(request: Mapping[str, Any]) -> Reply:
    """See nothing of what is asked for."""
    return Reply(json.dumps({asked_for(request): []}))


def asked_for(request: Mapping[str, Any]) -> str:
    """Return what a request asks for: the first property of the schema that the answer must match."""
    bound = request.get("response_format", {}).get("json_schema", {})
    shape = request.get("format", bound.get("schema"))
    properties = shape.get("properties") if isinstance(shape, Mapping) else None
    return next(iter(properties), "findings") if properties else "findings"


def vector_of(text: str, dimension: int) -> list[float]:
    """Return numbers that depend on the text alone."""
    digest = hashlib.sha256(text.encode()).digest()
    return [digest[at % len(digest)] / 255 + 0.01 for at in range(dimension)]


def split(text: str, pieces: int) -> list[str]:
    """Return *text* in so many pieces, or fewer."""
    size = max(1, math.ceil(len(text) / max(1, pieces)))
    return [text[at : at + size] for at in range(0, len(text), size)]
