"""What a project asks of its reviews, and what follows from it for files and findings."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from bot.domain.diff import Diff
from bot.domain.exclusions import matches, unwritten
from bot.domain.findings import Confidence, Finding, Severity

_Glob = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Globs = Annotated[tuple[_Glob, ...], Field(strict=False, max_length=200)]
_Names = Annotated[tuple[Annotated[str, StringConstraints(min_length=1)], ...], Field(strict=False)]


#: Begins a pattern that speaks of all rules of a category.
_CATEGORY = "category:"


def _below(path: str) -> str:
    if {"", ".", ".."} & set(path.split("/")):
        raise ValueError("name a file below the root of the repository, as in reports/lint.sarif")
    return path


_Artifact = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200), AfterValidator(_below)
]

#: Scanners whose findings other tools made are named after this and the job that ran the tool.
SARIF_PREFIX = "sarif:"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Gate(_Section):
    """Which findings fail the commit status."""

    block_at: Literal["critical", "high", "medium", "never"] = Field(
        default="high", description="mildest severity that blocks"
    )
    scanners: _Names = Field(
        default=("semgrep", "secrets"), description="whose findings may block; the model only if named here"
    )
    accept_suppressions: bool = Field(
        default=False, description="let comments such as nosemgrep in the code keep a finding from blocking"
    )


class Comments(_Section):
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


class Paths(_Section):
    """Which files are reviewed."""

    exclude: _Globs = Field(
        default=(), description="globs of files to leave out, besides generated and vendored ones"
    )


class Advice(_Section):
    """What the model should look at in some files."""

    paths: Annotated[tuple[_Glob, ...], Field(strict=False, min_length=1, max_length=50)] = Field(
        description="globs of the files it is about"
    )
    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] = Field(
        description="what to look at there, for the language model"
    )

    def about(self, path: str) -> bool:
        """Say whether it is about the file at *path*."""
        return any(matches(glob, path) for glob in self.paths)


class Review(_Section):
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
    guidelines: Annotated[tuple[_Artifact, ...], Field(strict=False, max_length=5)] = Field(
        default=("AGENTS.md", "CONTRIBUTING.md"),
        description="files of the target branch whose beginning the model reads as advice",
    )
    unit_tests: Literal["off", "on_request", "always"] = Field(
        default="on_request",
        description="have the model write unit tests for changed functions: `off`, when asked in a comment, or `always`",
    )


class Rules(_Section):
    """Which rules apply."""

    disable: _Names = Field(
        default=(), description="rules whose findings are dropped: ids, globs of ids, or `category:NAME`"
    )
    enable: _Names = Field(
        default=(), description="rules that are off by default, or exceptions to a wider `disable`, to apply"
    )
    severity: Annotated[dict[str, Annotated[Severity, Field(strict=False)]], Field(max_length=200)] = Field(
        default={}, description="severity by rule, id or glob, instead of the rule's own"
    )


class SarifReport(_Section):
    """Findings of another tool, as a job of the project's own pipeline keeps them."""

    job: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")] = Field(
        description="name of the job"
    )
    paths: Annotated[tuple[_Artifact, ...], Field(strict=False, min_length=1, max_length=10)] = Field(
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


class Reports(_Section):
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


_Role = Annotated[Role, Field(strict=False)]


class Conversation(_Section):
    """Who may give which command in a comment."""

    review: _Role = Field(
        default=Role.reporter,
        description="least role for `review`; the merge request's own people always may",
    )
    explain: _Role = Field(
        default=Role.reporter,
        description="least role for `explain`; the merge request's own people always may",
    )
    fix: _Role = Field(default=Role.developer, description="least role for `fix`")
    test: _Role = Field(default=Role.developer, description="least role for `test`")
    ignore: _Role = Field(default=Role.developer, description="least role for `ignore`")
    resolve: _Role = Field(default=Role.developer, description="least role for `resolve`")
    pause: _Role = Field(default=Role.developer, description="least role for `pause` and `resume`")
    per_hour: int = Field(
        default=30, ge=0, le=1000, description="most comments per merge request that are answered in an hour"
    )


class Policy(_Section):
    """Hold the whole policy; the default is what a project without the file gets."""

    gate: Gate = Gate()
    comments: Comments = Comments()
    paths: Paths = Paths()
    review: Review = Review()
    rules: Rules = Rules()
    reports: Reports = Reports()
    conversation: Conversation = Conversation()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold whether the gate lets the revision pass, and which findings block it, gravest first."""

    passed: bool
    blocking: tuple[Finding, ...] = ()


_TOO_LARGE = "the change is too large to be read"


def left_out(diff: Diff, policy: Policy, *, everywhere: bool = False) -> dict[str, str]:
    """Return the files of *diff* that nobody looks at, with the reason; *everywhere* as in `excluded`."""
    reasons = {
        file.new_path: reason
        for file in diff.files
        if (reason := excluded(file.new_path, policy, everywhere=everywhere))
    }
    return reasons | {file.new_path: _TOO_LARGE for file in diff.files if file.truncated}


def excluded(path: str, policy: Policy, *, everywhere: bool = False) -> str | None:
    """Return why *path* is not reviewed, or None if it is.

    For a scanner that looks *everywhere* only the policy counts, not the built-in list.
    """
    if not everywhere and (reason := unwritten(path)):
        return reason
    for glob in policy.paths.exclude:
        if matches(glob, path):
            return f"excluded by the policy ({glob})"
    return None


def applies(finding: Finding, policy: Policy) -> bool:
    """Say whether the policy wants to hear of *finding* at all.

    An id that is written out wins over globs and categories, and of two alike ``disable`` wins.
    """
    disabled = _exactness(policy.rules.disable, finding.rule, finding.category)
    enabled = _exactness(policy.rules.enable, finding.rule, finding.category)
    if disabled and disabled >= enabled:
        return False
    return bool(enabled) or not finding.optional


def governed(findings: Iterable[Finding], policy: Policy) -> list[Finding]:
    """Return those of *findings* that the policy wants to hear of, with the severity that it gives their rules."""
    return [_regraded(finding, policy) for finding in findings if applies(finding, policy)]


def _regraded(finding: Finding, policy: Policy) -> Finding:
    grades = policy.rules.severity
    if not grades:
        return finding
    best = max(grades, key=lambda pattern: _exactness((pattern,), finding.rule, finding.category))
    if not _exactness((best,), finding.rule, finding.category):
        return finding
    return finding.model_copy(update={"severity": grades[best]})


def unknown_rules(policy: Policy, known: Collection[str]) -> list[tuple[str, str]]:
    """Return the keys of the policy, each with a pattern in it, that speak of no rule among *known*.

    Nobody knows the rules of other tools, so where their reports count anything may be meant.
    """
    if policy.reports.sarif:
        return []
    rules = policy.rules
    named = [(key, one) for key in ("disable", "enable", "severity") for one in getattr(rules, key)]
    return [
        (f"rules.{key}", pattern)
        for key, pattern in named
        if not pattern.startswith(_CATEGORY) and not any(_exactness((pattern,), rule) for rule in known)
    ]


def _exactness(patterns: Iterable[str], rule: str, category: str = "") -> int:
    """Return 2 if a pattern names *rule*, 1 if one matches it or its *category*, or else 0."""
    most = 0
    for pattern in patterns:
        if pattern == rule:
            return 2
        if fnmatchcase(rule, pattern) or (category and pattern == f"{_CATEGORY}{category}"):
            most = 1
    return most


def commentable(finding: Finding, policy: Policy) -> bool:
    """Say whether *finding* deserves a comment in the diff; others are listed in the summary."""
    order = list(Confidence)
    return (
        applies(finding, policy)
        and not finding.suppressed
        and finding.severity.rank >= policy.comments.min_severity.rank
        and order.index(finding.confidence) >= order.index(policy.comments.min_confidence)
    )


def verdict(findings: Iterable[Finding], policy: Policy) -> Verdict:
    """Return whether *findings* let the revision pass the gate.

    A suppression in the code counts only if the policy accepts it, because the merge request itself may
    have added it.
    """
    if policy.gate.block_at == "never":
        return Verdict(passed=True)
    floor = Severity(policy.gate.block_at).rank
    blocking = [
        finding
        for finding in findings
        if finding.scanner in policy.gate.scanners
        and finding.severity.rank >= floor
        and applies(finding, policy)
        and not (finding.suppressed and policy.gate.accept_suppressions)
    ]
    blocking.sort(key=lambda found: (-found.severity.rank, found.path, found.line, found.rule))
    return Verdict(passed=not blocking, blocking=tuple(blocking))
