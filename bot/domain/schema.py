"""JSON Schemas of answers, in the small dialect that every model server's grammar takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

#: llama.cpp turns each length into that many grammar rules and refuses schemas with 2,000 or more.
LONGEST_TEXT: Final = 1_999

#: A line number.
LINE: Final = {"type": "integer", "minimum": 1}


def text(most: int, least: int = 1) -> dict[str, Any]:
    """Return the schema of a string of *least* to *most* characters."""
    assert most <= LONGEST_TEXT, "the server's grammar would be refused"
    return {"type": "string", "minLength": least, "maxLength": most}


def one_of(words: Iterable[str]) -> dict[str, Any]:
    """Return the schema of one of *words*."""
    return {"enum": [str(word) for word in words]}


def several(items: dict[str, Any], most: int) -> dict[str, Any]:
    """Return the schema of a list of up to *most* items."""
    return {"type": "array", "maxItems": most, "items": items}


def record(optional: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    """Return the schema of an object with just these properties, written in their order."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
