"""What a model said, as data: the list that was asked for, out of prose, thoughts, fences and broken JSON."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.domain.errors import Transient

_MAX_ANSWER_CHARS: Final = 200_000
_MAX_JSON_STARTS: Final = 50
#: More items than this nobody asks for.
_MAX_ITEMS: Final = 200


class UnusableAnswer(Transient):
    """Say that nothing in an answer can be used; asking again with another seed may help."""


class Useless(Transient):
    """Say that the server works, but what the model answered is of no use; another server has the same model."""


class CutAnswer(Transient):
    """Say that an answer ended before its end; ``text`` is what there is of it, the rest what it cost."""

    def __init__(
        self,
        reason: str,
        text: str,
        *,
        digest: str = "",
        prompt_tokens: int = 0,
        output_tokens: int = 0,
        duration_s: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.text = text
        self.digest = digest
        self.prompt_tokens = prompt_tokens
        self.output_tokens = output_tokens
        self.duration_s = duration_s


@dataclass(frozen=True, slots=True)
class Said:
    """Hold the ``items`` of the list that was asked for, and the ``rest`` of the object that it stands in.

    ``complete`` is False where the answer broke off: the items before that are whole, the rest is unknown.
    """

    items: list[Any]
    rest: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True


def said(text: str, name: str) -> Said:
    """Return the list called *name* in *text*, or as much of it as is whole.

    Raises:
        UnusableAnswer: *text* is too long, or holds nothing of such a list.
    """
    if len(text) > _MAX_ANSWER_CHARS:
        msg = f"the answer is longer than {_MAX_ANSWER_CHARS} characters"
        raise UnusableAnswer(msg)
    # What a model thought comes first and may contain drafts of the answer. But an answer may quote code in which the
    # end of a thought stands, and then what follows is none.
    parts = [re.split(r"</think(?:ing)?>", text)[-1]]
    if text.lstrip().startswith("{"):
        parts.append(text)
    for value in (value for part in parts for value in _objects(part)):
        if isinstance(items := value.get(name), list):
            return Said(items[:_MAX_ITEMS], value)
    for part in parts:
        if items := list(_whole_items(part, name)):
            return Said(items, complete=False)
    msg = f"the answer holds no JSON object with {name}"
    raise UnusableAnswer(msg)


def clean(text: str, most: int) -> str:
    """Return *text* without control characters and lone surrogates, cut to *most* characters with a mark."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"}).strip()
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the complete JSON objects in *text*, prose and code fences around them left out."""
    decoder = json.JSONDecoder(object_pairs_hook=_joined)
    start = text.find("{")
    for _ in range(_MAX_JSON_STARTS):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)


def _joined(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of *pairs*; lists under the same key are one list, of other values the last counts."""
    value: dict[str, Any] = {}
    for key, one in pairs:
        before = value.get(key)
        value[key] = [*before, *one] if isinstance(before, list) and isinstance(one, list) else one
    return value


def _whole_items(text: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield the objects at the beginning of the last list called *name* in *text*, until one is broken."""
    starts = [match.end() for match in re.finditer(rf'"{re.escape(name)}"\s*:\s*\[', text)]
    decoder, at = json.JSONDecoder(), starts[-1] if starts else len(text)
    separator = re.compile(r"[\s,]*")
    for _ in range(_MAX_ITEMS):
        match = separator.match(text, at)
        at = match.end() if match else at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value
