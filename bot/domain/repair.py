"""Which of the fixes that a model proposes can be right at all.

What is accepted here still has to prove itself: that it applies, parses and ends the finding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.excerpt import Excerpt
from bot.domain.findings import Finding, Fix

_MAX_LINES: Final = 40
_MAX_CHARS: Final = 4_000
_FENCED: Final = re.compile(r"\A```[^\n`]*\n(?P<code>.*?)\n?```\s*\Z", re.DOTALL)


class FixRefused(Exception):
    """Say why a fix was dropped."""


class RawFix(BaseModel):
    """A fix as the model wrote it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    line: int = Field(gt=0)
    end_line: int = Field(gt=0)
    replacement: str = Field(max_length=_MAX_CHARS)

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return *value* as a fix.

        Raises:
            FixRefused: it has another form.
        """
        try:
            return cls.model_validate(value)
        except (ValidationError, RecursionError):
            msg = "the fix does not have the form that was asked for"
            raise FixRefused(msg) from None


def check_fix(raw: RawFix, finding: Finding, excerpt: Excerpt, *, moved: int = 0) -> Fix:
    """Return the fix in terms of the head, indented as the lines it replaces.

    Args:
        raw: as the model wrote it.
        finding: what it should end.
        excerpt: what the model saw.
        moved: by how many lines the finding was moved to where its quote stands.

    Raises:
        FixRefused: it is elsewhere, touches lines that the model has not seen as they are, changes nothing,
            or writes characters that hide code.
    """
    line, end_line = raw.line + moved, raw.end_line + moved
    if not line <= finding.end_line or not finding.line <= end_line:
        _refuse("the fix is not where the finding is")
    if end_line < line or end_line - line >= _MAX_LINES:
        _refuse(f"the fix does not cover 1 to {_MAX_LINES} lines")
    rows = [excerpt.shown.get(number) for number in range(line, end_line + 1)]
    if any(row is None or row.altered for row in rows):
        _refuse("the fix replaces lines that the model has not seen as they are")
    old = [row.text for row in rows if row is not None]
    new = _indented(_lines(raw.replacement), old)
    if [text.rstrip() for text in new] == [text.rstrip() for text in old]:
        _refuse("the fix changes nothing")
    return Fix(line=line, end_line=end_line, replacement="\n".join(new))


def _refuse(reason: str) -> None:
    raise FixRefused(reason)


def _lines(replacement: str) -> list[str]:
    fenced = _FENCED.match(replacement)
    code = (fenced["code"] if fenced else replacement).replace("\r\n", "\n").removesuffix("\n")
    if any(c not in "\n\t" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in code):
        _refuse("the fix writes invisible characters")
    return code.split("\n") if code else []


def _indented(new: list[str], old: Sequence[str]) -> list[str]:
    """Give *new* the indentation of *old* where the model left it out; whether another one fits is seen later."""
    wanted, given = _indentation(old), _indentation(new)
    if given or not wanted:
        return new
    return [wanted + text if text.strip() else "" for text in new]


def _indentation(lines: Sequence[str]) -> str:
    first = next((text for text in lines if text.strip()), "")
    return first[: len(first) - len(first.lstrip())]
