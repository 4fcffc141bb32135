"""What a case says about itself: the change in words, what a review has to find, and what it must not say."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from bot.domain.errors import Permanent
from bot.domain.findings import Severity
from bot.domain.merge_request import Sha

_Path = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
_Words = Annotated[tuple[_Word, ...], Field(strict=False, max_length=50)]
_Line = Annotated[int, Field(gt=0, lt=10_000_000)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Expected(_Section):
    """Describe one defect that a review should comment on."""

    path: _Path = Field(description="file at the head")
    lines: Annotated[tuple[_Line, _Line], Field(strict=False)] = Field(
        description="first and last line of the defect at the head"
    )
    categories: _Words = Field(default=(), description="a comment of one of these categories is meant")
    keywords: _Words = Field(
        default=(), description="a comment with one of these words is meant, in any case"
    )
    severity: Annotated[Severity, Field(strict=False)] = Field(
        default=Severity.info, description="a milder comment does not count"
    )
    optional: bool = Field(default=False, description="may be said, need not be found")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lines[1] < self.lines[0]:
            msg = "lines names the first line, then the last"
            raise ValueError(msg)
        return self


class Forbidden(_Section):
    """Describe what no comment may say: on some files, with some words, or both."""

    path: _Path = Field(default="*", description="glob of files")
    words: _Words = Field(
        default=(), description="any of these words, in any case; none forbids every comment"
    )

    def applies(self, path: str, text: str) -> bool:
        """Say whether a comment with *text* on *path* is one of these."""
        said = text.casefold()
        return fnmatchcase(path, self.path) and (
            not self.words or any(word.casefold() in said for word in self.words)
        )


class History(_Section):
    """Name two commits of a repository: a bundle beside the case file, or a repository somewhere else."""

    repository: _Path = Field(description="git bundle or repository, relative to the case")
    base: Sha = Field(description="commit of the target branch")
    head: Sha = Field(description="commit of the source branch")


class Case(_Section):
    """Hold what ``case.toml`` says."""

    title: Annotated[str, StringConstraints(max_length=1_000)] = Field(description="of the merge request")
    description: Annotated[str, StringConstraints(max_length=100_000)] = Field(
        default="", description="of the merge request"
    )
    language: Annotated[str, StringConstraints(pattern=r"^[a-z0-9+#-]{1,30}$")] = Field(
        description="what the change is written in, to compare languages"
    )
    clean: bool = Field(default=False, description="nothing is wrong, every comment is a false positive")
    expected: Annotated[tuple[Expected, ...], Field(strict=False, max_length=200)] = ()
    must_not_say: Annotated[tuple[Forbidden, ...], Field(strict=False, max_length=200)] = ()
    git: History | None = Field(default=None, description="where the change is, if not in base and head")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.clean and any(not one.optional for one in self.expected):
            msg = "a clean case expects nothing; take clean away, or mark what may be said as optional"
            raise ValueError(msg)
        if not self.clean and not self.expected:
            msg = "say what a review has to find in [[expected]], or that nothing is wrong by clean = true"
            raise ValueError(msg)
        return self


#: What is wrong, in words of whoever writes a case, by pydantic's name for it.
_REASONS: Final = {
    "extra_forbidden": "a case has no such key",
    "missing": "this key is missing",
    "tuple_type": "this is a list, such as [12, 15] for lines",
    "string_pattern_mismatch": "this is a word of small letters, digits, +, # and -, or a whole commit id",
}


def _place(location: Sequence[int | str]) -> str:
    """Return where something stands, sections counted from 1 as comparisons count them."""
    return "".join(f" {one + 1}" if isinstance(one, int) else f".{one}" for one in location).removeprefix(".")


def read_case(content: bytes) -> Case:
    """Return what the content of a ``case.toml`` says.

    Raises:
        Permanent: it is not TOML, or says something else than a case does; the message names the key.
    """
    try:
        return Case.model_validate(tomllib.loads(content.decode()))
    except UnicodeDecodeError as error:
        raise Permanent(f"not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise Permanent(f"not TOML: {error}") from error
    except RecursionError as error:
        raise Permanent("not a case: nested too deeply") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = _place(first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        reason = _REASONS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
        raise Permanent(f"{place + ': ' if place else ''}{reason}{more}") from error
