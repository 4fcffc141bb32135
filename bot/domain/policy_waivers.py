"""What the policy says about waivers: who may let a finding that blocks pass, for how long, and which never."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.domain.findings import Severity
from bot.domain.policy_sections import LeastRole, Names, Role, Section


class Waivers(Section):
    """Who may let a finding that blocks pass for a while."""

    grant: LeastRole = Field(
        default=Role.maintainer, description="least role to grant a waiver; `nobody` switches waivers off"
    )
    ask: LeastRole = Field(
        default=Role.developer,
        description="least role to ask for one; the merge request's own people always may",
    )
    second_person: bool = Field(
        default=False,
        description="a waiver needs two people: one asks, and another one grants who has no hand in the code",
    )
    max_days: int = Field(default=90, ge=1, le=3650, description="most days that a waiver lasts")
    min_reason: int = Field(default=10, ge=1, le=200, description="least characters of its reason")
    never: Names = Field(default=(), description="scanners whose findings are never waived")
    max_severity: Annotated[Severity, Field(strict=False)] = Field(
        default=Severity.critical, description="gravest severity that may be waived"
    )
    scope: Literal["merge_request", "target_branch"] = Field(
        default="merge_request",
        description="where it counts: its merge request and, after the merge, later ones into that branch; or all into it",
    )

    def stricter(self, other: Waivers) -> Waivers:
        """Return what both of them allow."""
        return Waivers(
            grant=max(self.grant, other.grant, key=lambda role: role.access_level),
            ask=max(self.ask, other.ask, key=lambda role: role.access_level),
            second_person=self.second_person or other.second_person,
            max_days=min(self.max_days, other.max_days),
            min_reason=max(self.min_reason, other.min_reason),
            never=tuple(dict.fromkeys((*self.never, *other.never))),
            max_severity=min(self.max_severity, other.max_severity, key=lambda severity: severity.rank),
            scope=self.scope if self.scope == other.scope else "merge_request",
        )
