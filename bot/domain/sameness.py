"""Whether two findings say the same."""

from __future__ import annotations

import re
from typing import Final

from bot.domain.findings import MODEL, Finding
from bot.domain.noise import alike, telling

#: A model points at the loop where a rule points at the access below it; so many lines apart is one place.
_REACH: Final = 2
#: Titles that share so much speak of the same thing.
_ALIKE: Final = 0.5
#: What a model tells apart and rules do not.
_KIND: Final = {"error-handling": "correctness", "resource-leak": "resource"}
_SECRETS: Final = frozenset({"secret"})
_OF_SECRETS: Final = re.compile(
    r"secret|credential|password|passwd|token|api.?key|private.?key|hard.?cod", re.IGNORECASE
)


def same(one: Finding, other: Finding) -> bool:
    """Say whether two findings of one file say the same.

    Findings of different scanners do when they overlap and share a CWE, or, where not both name one, the category.
    Those of one scanner, by a general and a special rule, only when they have the same lines and share a CWE. Two that
    name what they are about, such as two secrets on a line, only if that is the same. What the model says is compared
    with less rigour, since it knows no rules; see `says_it_too`.
    """
    if one.commit != other.commit or (one.subject and other.subject and one.subject != other.subject):
        return False
    if one.scanner == other.scanner:
        lines = (one.line, one.end_line) == (other.line, other.end_line)
        return one.scanner != MODEL and lines and not set(one.cwe).isdisjoint(other.cwe)
    if other.scanner == MODEL:
        return says_it_too(other, one)
    if one.scanner == MODEL:
        return says_it_too(one, other)
    return gap(one, other) == 0 and _same_kind(one, other)


def says_it_too(model: Finding, static: Finding) -> bool:
    """Say whether what the *model* found in a file is what a scanner reports there.

    At the same lines the kind decides, or the titles do. Up to two lines apart the kind is not enough: a second flaw
    of the kind may stand there. Then the titles have to share a word, or the model's evidence has to name the
    scanner's lines; a model that writes another language is taken at its kind.
    """
    apart = gap(model, static)
    if apart > _REACH:
        return False
    if static.category in _SECRETS:
        return apart == 0 and bool(_OF_SECRETS.search(f"{model.title} {model.message}"))
    likeness = alike(model.title, static.title)
    if likeness >= _ALIKE and not (model.cwe and static.cwe):
        return True
    if not _same_kind(model, static):
        return False
    comparable = all(title.isascii() and telling(title) for title in (model.title, static.title))
    named = any(static.line <= proof.line <= static.end_line for proof in model.evidence)
    return apart == 0 or likeness > 0 or named or not comparable


def gap(one: Finding, other: Finding) -> int:
    """Return how many lines lie from one range to the other, 0 where they meet."""
    return max(0, one.line - other.end_line, other.line - one.end_line)


def _same_kind(one: Finding, other: Finding) -> bool:
    if one.cwe and other.cwe:
        return not set(one.cwe).isdisjoint(other.cwe)
    return _KIND.get(one.category, one.category) == _KIND.get(other.category, other.category)
