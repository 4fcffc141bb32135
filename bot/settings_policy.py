"""Where the policies stand that hold for many projects."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.settings_types import LocalPath

_PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")


def _path(value: str) -> str:
    if not _PATH.fullmatch(value):
        msg = "must be the full path of a project, such as security/policies, without the address of GitLab"
        raise ValueError(msg)
    return value


PolicyFile = Annotated[
    LocalPath | None,
    Field(
        description="File with the policy of the whole instance, above those of groups and projects.",
        examples=["/etc/cloister/policy.yml"],
    ),
]
PolicyProject = Annotated[
    Annotated[str, AfterValidator(_path)] | None,
    Field(
        description="Project with policies: `instance.yml`, and `groups/GROUP.yml` for each group that has one.",
        examples=["security/policies"],
    ),
]
