"""Keep what a model thinks apart from what it says."""

from __future__ import annotations

from typing import Final

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"


def without_thoughts(text: str) -> str:
    """Return *text* without the thoughts that come before it.

    Templates may open the thoughts themselves, so that only their end is in the text. An answer that begins with
    its JSON has none: a mark inside is a quotation. Thoughts without an end leave nothing.
    """
    begun = text.lstrip()
    if begun.startswith("{"):
        return text
    thoughts, close, rest = begun.partition(_CLOSE)
    if close:
        return rest
    return "" if thoughts.startswith(_OPEN) else text
