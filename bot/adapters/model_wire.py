"""What model servers send, as both protocols have it: lines of a stream, and objects in which anything may be null."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Final

import httpx
from pydantic import model_validator

from bot.domain.merge_request import Value

_LONGEST_LINE_BYTES: Final = 1_000_000


class Told(Value):
    """Base of what a server says: servers write null where others leave a field out."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: one for name, one in value.items() if one is not None}


async def lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    """Yield the lines of a stream.

    Only a line feed ends one: other characters that end lines in Unicode stand in answers that quote code, and
    httpx would cut there.

    Raises:
        ValueError: a line is too long, or not UTF-8.
    """
    begun = bytearray()
    async for piece in response.aiter_bytes():
        *whole, rest = piece.split(b"\n")
        for line in whole:
            begun += line
            yield begun.decode().removesuffix("\r")
            begun.clear()
        begun += rest
        if len(begun) > _LONGEST_LINE_BYTES:
            msg = "a line of the answer is too long"
            raise ValueError(msg)
    if begun:
        yield begun.decode()
