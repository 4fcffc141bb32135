"""What identifies a merge request and one revision of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Sha = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]


class Value(BaseModel):
    """Base of immutable values: unknown fields are tolerated, wrong types are not."""

    # Errors must not quote what they refuse: it may be somebody's code, and errors are logged.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)


class MergeRequestRef(Value):
    """Name one merge request of one GitLab instance."""

    instance: str = Field(min_length=1, description="host[:port][/path] of the GitLab instance, lower case")
    project_id: int = Field(gt=0, lt=2**63)
    iid: int = Field(gt=0, lt=2**31, description="number within the project; GitLab keeps it in 32 bits")

    @property
    def key(self) -> str:
        """Return the ordering key: events of one merge request keep their order."""
        return f"{self.instance}:{self.project_id}:{self.iid}"

    def __str__(self) -> str:
        return f"{self.project_id}!{self.iid}"


def ref_of(key: str) -> MergeRequestRef | None:
    """Return the merge request that an ordering key names, None when it names none."""
    try:
        instance, project_id, iid = key.rsplit(":", 2)
        return MergeRequestRef(instance=instance, project_id=int(project_id), iid=int(iid))
    except ValueError:
        return None


class Revision(Value):
    """Pin a merge request to the three commits that GitLab positions name.

    ``base_sha`` is the merge base, ``start_sha`` the target branch when the diff was made, and
    ``head_sha`` the newest commit of the source branch. The reviewed diff is base..head.
    """

    ref: MergeRequestRef
    base_sha: Sha
    start_sha: Sha
    head_sha: Sha

    def at(self, side: str) -> str:
        """Return the commit that *side* names: ``head``, ``base`` or ``start``, or that commit itself."""
        return {"head": self.head_sha, "base": self.base_sha, "start": self.start_sha}.get(side, side)
