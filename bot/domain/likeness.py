"""How alike two texts or two vectors are: exact, so the same on every machine."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Generic, TypeVar

Shingles = frozenset[int]

#: Words in one shingle.
WORDS: Final = 5
#: Texts that share so much of their shingles are near duplicates.
NEAR: Final = 0.8

#: Scripts without blanks are read sign by sign; what is no word is a word by itself, since code is full of it.
_SIGNS: Final = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_SIGNS}]|[^\W{_SIGNS}]+|[^\w\s]")

#: Of fewer different runs too much of all code consists.
_LEAST_SHAPES: Final = 20
_NAME: Final = re.compile(r"[^\W\d]\w*")
#: After these stands a name that code chooses itself, whatever follows it.
_DEFINES: Final = frozenset(
    {"class", "def", "fn", "func", "fun", "function", "struct", "type", "interface", "sub"}
)
#: Words of languages rather than of whoever writes in them.
_KEYWORD: Final = re.compile(
    r"""
    class | def | fn | func | fun | function | struct | type | interface | sub
    | and | as | async | await | bool | break | byte | case | catch | char | const | continue | default
    | defer | do | elif | else | except | extends | false | final | finally | float | for | foreach | from
    | go | if | implements | import | in | int | is | let | match | mut | new | nil | none | not | null | or
    | package | pass | private | protected | public | raise | range | return | self | static | str | string
    | super | switch | this | throw | throws | true | try | use | var | void | while | with | yield
    """,
    re.VERBOSE,
)

Key = TypeVar("Key", bound=Hashable)


def words(text: str) -> list[str]:
    """Return the words of *text* without what only its layout decides: case, width, blanks."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def shingles(text: str, size: int = WORDS) -> Shingles:
    """Return the runs of *size* words in *text* as numbers; a shorter text is one run, one without words has none."""
    found = words(text)
    if not found:
        return frozenset()
    runs = (found[at : at + size] for at in range(max(1, len(found) - size + 1)))
    return frozenset(_number(run) for run in runs)


def shapes(text: str) -> Shingles:
    """Return the runs of words in code as numbers, whatever its variables are called; none of what is too short.

    Names of what is called or belongs to something stay: they tell one code from another.
    """
    found = words(text)
    chosen = [_is_chosen(found, at) for at in range(len(found))]
    runs = set()
    for first in range(max(0, len(found) - WORDS + 1)):
        met: dict[str, str] = {}
        part = range(first, first + WORDS)
        runs.add(
            _number([met.setdefault(found[at], f"\0{len(met)}") if chosen[at] else found[at] for at in part])
        )
    return frozenset(runs) if len(runs) >= _LEAST_SHAPES else frozenset()


def jaccard(one: Shingles, other: Shingles) -> float:
    """Return the share of shingles that both have, 0 for two without any: nothing is not like nothing."""
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors, 0 where one has no direction.

    Raises:
        ValueError: they are of different sizes, so different models made them.
    """
    if len(one) != len(other):
        msg = f"vectors of {len(one)} and {len(other)} numbers cannot be compared"
        raise ValueError(msg)
    lengths = math.hypot(*one) * math.hypot(*other)
    if not 0 < lengths < math.inf:
        return 0.0
    product = math.fsum(mine * others for mine, others in zip(one, other, strict=True))
    return max(-1.0, min(1.0, product / lengths))


class NearDuplicates(Generic[Key]):
    """Find texts that share at least *threshold* of their shingles with one of those added before.

    Of two such sets each has a shingle of the other's among its smallest ``(1 - threshold) * size + 1``, so only those
    are looked up. Nothing is missed.
    """

    def __init__(self, threshold: float = NEAR) -> None:
        self._threshold = threshold
        self._holders: defaultdict[int, list[Key]] = defaultdict(list)
        self._sets: dict[Key, Shingles] = {}

    def add(self, key: Key, of: Shingles) -> None:
        """Remember the shingles of *key*."""
        self._sets[key] = of
        for shingle in self._telling(of):
            self._holders[shingle].append(key)

    def like(self, of: Shingles) -> Key | None:
        """Return the first key that was added whose text is a near duplicate, None if there is none."""
        seen: set[Key] = set()
        for shingle in self._telling(of):
            for key in self._holders.get(shingle, ()):
                if key not in seen and jaccard(of, self._sets[key]) >= self._threshold:
                    return key
                seen.add(key)
        return None

    def _telling(self, of: Shingles) -> Iterable[int]:
        needed = math.ceil(self._threshold * len(of) - 1e-9)
        return sorted(of)[: len(of) - needed + 1]


def _is_chosen(found: Sequence[str], at: int) -> bool:
    """Say whether the word at a place is a name that could be another without changing what the code does."""
    word, before, after = found[at], found[at - 1] if at else "", found[at + 1] if at + 1 < len(found) else ""
    if _KEYWORD.fullmatch(word) or not _NAME.fullmatch(word):
        return False
    return before in _DEFINES or (before != "." and after != "(")


def _number(run: Sequence[str]) -> int:
    # Blanks never are in words, so no two runs read the same.
    return int.from_bytes(hashlib.blake2b(" ".join(run).encode(errors="replace"), digest_size=8).digest())
