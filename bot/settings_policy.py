"""Where the policies stand that hold for many projects."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from bot.settings_types import LocalPath

PolicyFile = Annotated[
    LocalPath | None,
    Field(
        description="File with the policy of the whole instance, above those of groups and projects.",
        examples=["/etc/cloister/policy.yml"],
    ),
]
PolicyProject = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+$")] | None,
    Field(
        description="Project with policies: `instance.yml`, and `groups/GROUP.yml` for each group that has one.",
        examples=["security/policies"],
    ),
]
