"""What a project may ask of its reviews, section by section; the gate has a file of its own."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from bot.domain.exclusions import matches
from bot.domain.findings import Confidence, Severity

Glob = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Globs = Annotated[tuple[Glob, ...], Field(strict=False, max_length=200)]
Names = Annotated[tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(strict=False)]


def _below(path: str) -> str:
    if {"", ".", ".."} & set(path.split("/")):
        raise ValueError("name a file below the root of the repository, as in reports/lint.sarif")
    return path


Artifact = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200), AfterValidator(_below)
]

#: Scanners whose findings other tools made are named after this and the job that ran the tool.
SARIF_PREFIX = "sarif:"


#: To YAML an ``off`` without quotes is no text.
UNQUOTED = BeforeValidator(lambda value: "off" if value is False else value)


class Section(BaseModel):
    """Base of sections: a key that is not known is an error, and so is a value of another type."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Comments(Section):
    """Which findings become comments in the diff."""

    max_inline: int = Field(
        default=5,
        ge=0,
        le=50,
        description="most threads per merge request; critical findings are exempt, blocking ones come first",
    )
    min_severity: Annotated[Severity, Field(strict=False)] = Field(
        default=Severity.low, description="milder findings are only listed in the summary"
    )
    min_confidence: Annotated[Confidence, Field(strict=False)] = Field(
        default=Confidence.medium, description="less sure findings are only listed in the summary"
    )
    declined_days: int = Field(
        default=90,
        ge=0,
        le=3650,
        description="how long what was declined on one merge request is not raised on others of the project",
    )
    block_merge: Literal["never", "blocking", "always"] = Field(
        default="blocking",
        description="which threads stay open where the project merges only with all threads resolved: those on what"
        " fails the gate (`blocking`), all (`always`), or none (`never`); the others are resolved at once",
    )


class Paths(Section):
    """Which files are reviewed."""

    exclude: Globs = Field(
        default=(), description="globs of files to leave out, besides generated and vendored ones"
    )


class Advice(Section):
    """What the model should look at in some files."""

    paths: Annotated[tuple[Glob, ...], Field(strict=False, min_length=1, max_length=50)] = Field(
        description="globs of the files it is about"
    )
    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] = Field(
        description="what to look at there, for the language model"
    )

    def about(self, path: str) -> bool:
        """Say whether it is about the file at *path*."""
        return any(matches(glob, path) for glob in self.paths)


class Review(Section):
    """How merge requests are reviewed."""

    drafts: bool = Field(default=True, description="review drafts too")
    model: bool = Field(default=True, description="ask the language model")
    judge: bool = Field(
        default=True, description="let the model look a second time; what it does not confirm is only listed"
    )
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(?:-[A-Z]{2})?$")] = Field(
        default="en", description="language of all that is said, as in en, zh or pt-BR"
    )
    instructions: Annotated[tuple[Advice, ...], Field(strict=False, max_length=20)] = Field(
        default=(), description="what the model should look at, by the files that it is about"
    )
    guidelines: Annotated[tuple[Artifact, ...], Field(strict=False, max_length=5)] = Field(
        default=("AGENTS.md", "CONTRIBUTING.md"),
        description="files of the target branch whose beginning the model reads as advice",
    )
    unit_tests: Annotated[Literal["off", "on_request", "always"], UNQUOTED] = Field(
        default="on_request",
        description="have the model write unit tests for changed functions: `off`, when asked in a comment, or `always`",
    )


class Rules(Section):
    """Which rules apply."""

    disable: Names = Field(
        default=(), description="rules whose findings are dropped: ids, globs of ids, or `category:NAME`"
    )
    enable: Names = Field(
        default=(), description="rules that are off by default, or exceptions to a wider `disable`, to apply"
    )
    severity: Annotated[dict[str, Annotated[Severity, Field(strict=False)]], Field(max_length=200)] = Field(
        default={}, description="severity by rule, id or glob, instead of the rule's own"
    )


class SarifReport(Section):
    """Findings of another tool, as a job of the project's own pipeline keeps them."""

    job: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")] = Field(
        description="name of the job"
    )
    paths: Annotated[tuple[Artifact, ...], Field(strict=False, min_length=1, max_length=10)] = Field(
        description="SARIF files among its artifacts"
    )
    root: Annotated[str, StringConstraints(pattern=r"^(?:/?[^/\x00-\x1f]+)*/?$", max_length=200)] = Field(
        default="",
        description="directory that the paths in them start from, or where the job has the repository, as in /app",
    )

    @property
    def scanner(self) -> str:
        """Return the name under which its findings appear."""
        return f"{SARIF_PREFIX}{self.job}"


class Reports(Section):
    """Which findings of other tools count."""

    sarif: Annotated[tuple[SarifReport, ...], Field(strict=False, max_length=10)] = Field(
        default=(), description="reports of the project's own pipeline"
    )

    @field_validator("sarif")
    @classmethod
    def _once(cls, reports: tuple[SarifReport, ...]) -> tuple[SarifReport, ...]:
        jobs = [report.job for report in reports]
        if len(set(jobs)) < len(jobs):
            raise ValueError("the same job appears twice; list its files under one entry")
        return reports


class Role(enum.StrEnum):
    """Who may give a command: everybody with at least this role in the project."""

    reporter = "reporter"
    developer = "developer"
    maintainer = "maintainer"
    owner = "owner"
    nobody = "nobody"

    @property
    def access_level(self) -> int:
        """Return GitLab's number for the role; nobody reaches the last."""
        return 20 + 10 * list(Role).index(self)


LeastRole = Annotated[Role, Field(strict=False)]


class Conversation(Section):
    """Who may give which command in a comment."""

    review: LeastRole = Field(
        default=Role.reporter,
        description="least role for `review`; the merge request's own people always may",
    )
    explain: LeastRole = Field(
        default=Role.reporter,
        description="least role for `explain`; the merge request's own people always may",
    )
    fix: LeastRole = Field(default=Role.developer, description="least role for `fix`")
    test: LeastRole = Field(default=Role.developer, description="least role for `test`")
    ignore: LeastRole = Field(default=Role.developer, description="least role for `ignore`")
    resolve: LeastRole = Field(default=Role.developer, description="least role for `resolve`")
    pause: LeastRole = Field(default=Role.developer, description="least role for `pause` and `resume`")
    per_hour: int = Field(
        default=30, ge=0, le=1000, description="most comments per merge request that are answered in an hour"
    )


class Learning(Section):
    """What may be learned from the project."""

    export: bool = Field(
        default=False,
        description="let comments of this project that people accepted or rejected, and the code that they are about,"
        " be exported to train a model",
    )
    judge: bool = Field(
        default=True,
        description="after a merge, ask the language model which of its findings the change has mended",
    )
