"""What the gate knows of a merge request besides its change."""

from __future__ import annotations

from typing import Self

from bot.domain.forge import ForgeMergeRequest
from bot.domain.merge_request import Value


class Facts(Value):
    """Hold facts that rules of the gate may ask for; None is a fact that nobody knows.

    ``author_access`` is GitLab's number for the author's role in the project, 0 for a stranger.
    """

    labels: tuple[str, ...] | None = None
    draft: bool | None = None
    target_branch: str | None = None
    source_branch: str | None = None
    author_access: int | None = None

    def as_of(self, found: ForgeMergeRequest) -> Self:
        """Return the facts as the forge shows them now; the author's role stays, it is not shown there."""
        return self.model_copy(
            update={
                "labels": tuple(sorted(found.labels)),
                "draft": found.draft,
                "target_branch": found.target_branch,
                "source_branch": found.source_branch,
            }
        )
