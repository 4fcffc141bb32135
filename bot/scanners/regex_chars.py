"""Sets of characters of regular expressions, as the bits of a number."""

from __future__ import annotations

#: Characters are bits: ASCII, and one bit for all others.
OTHER = 1 << 128
ALL = OTHER * 2 - 1
NEWLINE = 1 << ord("\n")


def among(text: str) -> int:
    """Return the set of the characters of *text*."""
    return sum({1 << ord(char) for char in text})


_DIGIT = among("0123456789")
_LOWER = among("abcdefghijklmnopqrstuvwxyz")
_UPPER = among("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WORD = _DIGIT | _LOWER | _UPPER | among("_")
_BLANK = among(" \t")
_SPACE = _BLANK | among("\n\r\f\v")
_VERTICAL = among("\n\r\f\v")
_PUNCTUATION = among("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
#: What stands behind a backslash.
CLASSES = {
    "d": _DIGIT,
    "w": _WORD,
    "s": _SPACE,
    "h": _BLANK | OTHER,
    "v": _VERTICAL,
    "R": _VERTICAL,
    "D": ALL & ~_DIGIT,
    "W": ALL & ~_WORD,
    "S": ALL & ~_SPACE,
    "H": ALL & ~_BLANK,
    "V": ALL & ~_VERTICAL,
    "X": ALL,
    "C": ALL,
    "N": ALL & ~NEWLINE,
}
#: What stands between ``[:`` and ``:]``.
POSIX = {
    "alpha": _LOWER | _UPPER,
    "digit": _DIGIT,
    "alnum": _LOWER | _UPPER | _DIGIT,
    "space": _SPACE,
    "upper": _UPPER,
    "lower": _LOWER,
    "punct": _PUNCTUATION,
    "word": _WORD,
    "blank": _BLANK,
    "xdigit": _DIGIT | among("abcdefABCDEF"),
}
#: Characters that cannot be typed.
CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "e": "\x1b", "a": "\a"}


def bit(char: str) -> int:
    """Return the set of one character."""
    return 1 << ord(char) if char.isascii() else OTHER


def folded(chars: int) -> int:
    """Return *chars* with the other case of each letter."""
    return chars | (chars & _LOWER) >> 32 | (chars & _UPPER) << 32
