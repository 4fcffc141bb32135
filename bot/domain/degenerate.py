"""Signs that a model has lost the thread: silence, endless repetition, an object that never closes."""

from __future__ import annotations

from collections import Counter
from typing import Final

#: A run shorter than this is a ruler comment or a table, not a fault.
_RUN_CHARS: Final = 400
_MAX_PERIOD_CHARS: Final = 100
_NGRAM_WORDS: Final = 6
_NGRAM_REPEATS: Final = 8
_LOOP: Final = "it repeats itself"


def degenerate(text: str) -> str | None:
    """Return what is wrong with an answer that should be JSON, None if nothing is.

    Prose is not an error here: reading the answer tells. Neither are blanks after it, with which models fill up what a
    grammar lets them.
    """
    whole = text.rstrip()
    if not whole:
        return "it is empty"
    if not balanced(whole):
        return _LOOP if repeats(text) else "its JSON does not end"
    return _LOOP if repeats(whole) else None


def repeats(text: str) -> bool:
    """Say whether *text* ends in a loop: a short period over and over, or the same words most of the time."""
    tail = text[-_RUN_CHARS:]
    if len(tail) == _RUN_CHARS:
        for period in range(1, _MAX_PERIOD_CHARS + 1):
            if tail[period:] == tail[:-period]:
                return True
    words = text[-8 * _RUN_CHARS :].split()
    ngrams = Counter(zip(*(words[start:] for start in range(_NGRAM_WORDS)), strict=False))
    most = max(ngrams.values(), default=0)
    return most >= _NGRAM_REPEATS and most * _NGRAM_WORDS * 2 > len(words)


def balanced(text: str) -> bool:
    """Say whether every brace and bracket that opens outside of a string closes, and every string ends.

    Text without a brace is balanced. Only what follows the first brace counts.
    """
    depth, quoted, escaped = 0, False, False
    for character in text[text.find("{") :] if "{" in text else "":
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
            if depth == 0:
                return True
        else:
            quoted = character == '"'
    return depth == 0 and not quoted
