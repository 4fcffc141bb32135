"""Which rules there are besides the shipped ones: an organisation's own, in directories and git repositories, and Kingfisher's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

_GIT = "git+"
_SCHEMES = ("https", "http", "file")
#: What git takes for a branch, a tag or a commit, without anything that it could take for an option.
_REF = re.compile(r"(?!-)(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)))[A-Za-z0-9._/-]{1,200}")


@dataclass(frozen=True, slots=True)
class RuleRepository:
    """Name a branch, a tag or a commit of a repository of rules."""

    url: str
    ref: str


def rule_places(value: str) -> tuple[Path | RuleRepository, ...]:
    """Return the directories and repositories in *value*, in order; commas or line breaks separate them.

    Raises:
        ValueError: one of them is neither.
    """
    parts = value.replace(",", "\n").splitlines()
    return tuple(dict.fromkeys(_place(part.strip()) for part in parts if part.strip()))


def _place(text: str) -> Path | RuleRepository:
    if text.startswith(_GIT):
        return _repository(text.removeprefix(_GIT))
    if "://" in text or re.match(r"[\w.-]+@[\w.-]+:", text):
        msg = "must name a repository as git+https://HOST/PATH.git@BRANCH, or else a directory"
        raise ValueError(msg)
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        msg = "starts with ~ but there is no home directory; give an absolute path"
        raise ValueError(msg) from None


def _repository(text: str) -> RuleRepository:
    parts = urlsplit(text)
    path, _, ref = parts.path.partition("@")
    if parts.scheme not in _SCHEMES or not path.strip("/") or (parts.scheme != "file" and not parts.hostname):
        msg = f"must begin with {', '.join(_GIT + one for one in _SCHEMES)} and name a host and a path"
        raise ValueError(msg)
    if parts.username is not None or parts.password is not None:
        msg = "must not contain a user name or password; on our GitLab, CLOISTER_GITLAB_TOKEN is used"
        raise ValueError(msg)
    if parts.query or parts.fragment or any(char.isspace() for char in text):
        msg = "must not contain a query, a fragment or white space"
        raise ValueError(msg)
    if "@" in parts.path and not _REF.fullmatch(ref):
        msg = "has something behind @ that is no branch, tag or commit"
        raise ValueError(msg)
    return RuleRepository(parts._replace(path=path, netloc=parts.netloc.lower()).geturl(), ref or "HEAD")


def _checked(value: str) -> str:
    rule_places(value)
    return value


RulesDirs = Annotated[
    str | None,
    AfterValidator(lambda value: value if value is None else _checked(value)),
    Field(
        description="Rules of your own: directories and repositories (`git+https://HOST/PATH.git@BRANCH`), separated"
        " by commas.",
        examples=["/etc/cloister/rules,git+https://gitlab.example/security/rules.git@main"],
    ),
]
Kingfisher = Annotated[
    bool,
    Field(
        description="Look for secrets with the rules of the Kingfisher SDK too. Takes some 60 MB and half of the speed.",
        examples=["true"],
    ),
]
