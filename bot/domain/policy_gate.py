"""What the policy says about the gate: ordered rules, the shorthand for the usual ones, and limits."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.domain.findings import Severity
from bot.domain.policy_sections import UNQUOTED, Globs, Names, Role, Section

_Patterns = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...],
    Field(strict=False, max_length=50),
]


class Mode(enum.StrEnum):
    """What becomes of a finding, mild to strict; ``rank`` orders it."""

    off = "off"
    shadow = "shadow"
    advise = "advise"
    block = "block"

    @property
    def rank(self) -> int:
        """Return 0 for off up to 3 for block."""
        return list(Mode).index(self)


class When(Section):
    """Which findings of which merge requests a rule is about; what is left out holds for all."""

    severity: Annotated[Severity | None, Field(strict=False)] = Field(
        default=None, description="findings at or above this severity"
    )
    scanners: _Patterns = Field(default=(), description="findings of these scanners")
    categories: _Patterns = Field(default=(), description="findings of these categories, as in security")
    rules: _Patterns = Field(default=(), description="findings of these rules, ids or globs of ids")
    paths: Globs = Field(default=(), description="findings in files that one of these globs means")
    newness: Literal["new", "existing", "any"] = Field(
        default="new",
        description="findings that the change brings (`new`), that its lines had before (`existing`), or `any`",
    )
    labels: _Patterns = Field(default=(), description="merge requests with one of these labels")
    draft: bool | None = Field(default=None, description="only drafts, or only merge requests that are ready")
    target_branches: _Patterns = Field(default=(), description="merge requests into these branches, or globs")
    source_branches: _Patterns = Field(default=(), description="merge requests from these branches, or globs")
    author_role: Literal["reporter", "developer", "maintainer", "owner"] | None = Field(
        default=None, description="merge requests of authors with at least this role in the project"
    )

    def fits_age(self, *, existing: bool) -> bool:
        """Say whether it is about findings that were there before the change, or about others."""
        return self.newness == "any" or existing is (self.newness == "existing")

    @property
    def least_access(self) -> int | None:
        """Return GitLab's number for ``author_role``."""
        return Role(self.author_role).access_level if self.author_role else None


class GateRule(Section):
    """Say what becomes of some findings."""

    when: When = Field(default=When(), description="which findings it is about")
    mode: Annotated[Mode, Field(strict=False), UNQUOTED] = Field(
        description="`off`: not said, `shadow`: recorded, `advise`: commented, `block`: fails the gate"
    )


class Limits(Section):
    """How large a change may be, and how much of it must have been looked at."""

    max_changed_lines: int | None = Field(
        default=None, ge=1, le=10_000_000, description="most lines added and removed"
    )
    max_files: int | None = Field(default=None, ge=1, le=1_000_000, description="most changed files")
    min_coverage: int | None = Field(
        default=None, ge=0, le=100, description="least percentage of added lines that deciding scanners saw"
    )
    on_exceed: Literal["advise", "block"] = Field(
        default="advise", description="what a change outside of the limits costs"
    )


class Gate(Section):
    """Which findings fail the commit status."""

    block_at: Literal["critical", "high", "medium", "never"] = Field(
        default="high", description="mildest severity that blocks"
    )
    scanners: Names = Field(
        default=("semgrep", "secrets"), description="whose findings may block; the model only if named here"
    )
    accept_suppressions: bool = Field(
        default=False, description="let comments such as nosemgrep in the code keep a finding from blocking"
    )
    rules: Annotated[tuple[GateRule, ...], Field(strict=False, max_length=100)] = Field(
        default=(), description="what becomes of which findings; the first that fits wins, before `block_at`"
    )
    limits: Limits = Field(default=Limits(), description="how large a change may be, and how much unseen")
    unread: Literal["too_large", "all", "never"] = Field(
        default="too_large",
        description="files without an answer that keep the gate shut: `too_large` changes, `all`, or `never`",
    )

    approve: bool = Field(
        default=False, description="approve what passes, and take the approval back from what does not"
    )
    status_check: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,255}$")] = Field(
        default="", description="name of the external status check to answer, on GitLab Ultimate"
    )

    @property
    def compiled(self) -> tuple[GateRule, ...]:
        """Return all rules, the shorthand as the last one; what none of them is about is advice."""
        if self.block_at == "never" or not self.scanners:
            return self.rules
        usual = When(severity=Severity(self.block_at), scanners=self.scanners)
        return (*self.rules, GateRule(when=usual, mode=Mode.block))
