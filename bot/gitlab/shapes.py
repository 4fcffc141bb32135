"""The parts of GitLab's answers that are used; unknown fields are tolerated, wrong types are not."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, TypeVar

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field, StrictInt, ValidationError

from bot.domain.errors import Permanent, Transient
from bot.domain.forge import (
    ForgeMergeRequest,
    ForgePipeline,
    UpdatedMergeRequest,
)
from bot.domain.merge_request import MergeRequestRef, Revision, Sha, Value
from bot.gitlab.errors import MAX_TIME, MIN_TIME
from bot.gitlab.people_shapes import Author

_Shape = TypeVar("_Shape", bound=Value)
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
MaybeSha = Annotated[Sha | None, BeforeValidator(lambda value: value or None)]
Time = Annotated[AwareDatetime, Field(strict=False)]


class Branch(Value):
    """One branch."""

    protected: bool | None = False
    developers_can_push: bool | None = False


class DiffRefs(Value):
    """The commits of a diff; any may be null while GitLab prepares it."""

    base_sha: MaybeSha = None
    start_sha: MaybeSha = None
    head_sha: MaybeSha = None

    def revision(self, ref: MergeRequestRef) -> Revision | None:
        """Return the revision, None unless all commits are known."""
        if self.base_sha is None or self.start_sha is None or self.head_sha is None:
            return None
        return Revision(ref=ref, base_sha=self.base_sha, start_sha=self.start_sha, head_sha=self.head_sha)


class Version(Value):
    """One diff version of a merge request."""

    base_commit_sha: MaybeSha = None
    start_commit_sha: MaybeSha = None
    head_commit_sha: MaybeSha = None

    def refs(self) -> DiffRefs:
        """Return the commits under the names of ``diff_refs``."""
        return DiffRefs(
            base_sha=self.base_commit_sha, start_sha=self.start_commit_sha, head_sha=self.head_commit_sha
        )


class Pipeline(Value):
    """The pipeline that the merge request shows."""

    id: int
    sha: str
    ref: Text = ""
    project_id: int | None = None


class PipelineOf(Value):
    """One pipeline in the list of a merge request; older releases do not say whose it is."""

    id: int
    sha: str
    ref: str
    status: str
    project_id: int | None = None


class Job(Value):
    """One job of a pipeline."""

    id: int
    name: str
    status: str
    web_url: Text = ""


class JobOf(Value):
    """The job that a token belongs to."""

    class Home(Value):
        """The pipeline that it is part of."""

        project_id: int = Field(gt=0)

    id: int
    status: str
    pipeline: Home


class WrittenStatus(Value):
    """A commit status as it was written; older releases do not say in which pipeline."""

    pipeline_id: int | None = None


class OurApproval(Value):
    """Whether we have approved a merge request."""

    user_has_approved: bool | None = False


class StatusCheck(Value):
    """An external status check of a merge request."""

    id: int
    name: str


class Commit(Value):
    """One commit."""

    id: str
    parent_ids: tuple[str, ...] = Field(default=(), strict=False)


class MergeRequest(Value):
    """One merge request, as a single one or in a list."""

    iid: int
    project_id: int
    title: Text = ""
    description: Text = ""
    state: str
    draft: bool = Field(default=False, validation_alias=AliasChoices("draft", "work_in_progress"))
    sha: MaybeSha = None
    diff_refs: DiffRefs | None = None
    target_branch: str
    source_branch: str
    source_project_id: int | None = None
    head_pipeline: Pipeline | None = None
    author: Author | None = None
    assignees: tuple[Author, ...] | None = Field(default=(), strict=False)
    reviewers: tuple[Author, ...] | None = Field(default=(), strict=False)
    labels: tuple[str, ...] | None = Field(default=(), strict=False)
    updated_at: Time | None = None
    merged_at: Time | None = None
    closed_at: Time | None = None
    merge_user: Author | None = None
    merged_by: Author | None = None
    closed_by: Author | None = None
    web_url: Text = ""

    def forge(self, ref: MergeRequestRef, revision: Revision | None) -> ForgeMergeRequest:
        """Return it as the port names it."""
        return ForgeMergeRequest(
            ref=ref,
            title=self.title,
            description=self.description,
            state=self.state,
            draft=self.draft,
            head_sha=self.sha,
            revision=revision,
            target_branch=self.target_branch,
            source_branch=self.source_branch,
            source_project_id=self.source_project_id,
            web_url=self.web_url,
            pipeline=self._pipeline(ref),
            participants=frozenset(
                one.account
                for one in (self.author, *(self.assignees or ()), *(self.reviewers or ()))
                if one and one.account
            ),
            author_id=self.author.account or None if self.author else None,
            labels=self.labels or (),
            author_bot=self.author is not None and self.author.bot,
            ended_at=self.merged_at if self.state == "merged" else self.closed_at,
            ended_by=self._ended_by(),
        )

    def _ended_by(self) -> int | None:
        # Before 14.7 there is no merge_user; later ones keep merged_by for those who know nothing else.
        who = (self.merge_user or self.merged_by) if self.state == "merged" else self.closed_by
        return who.account or None if who else None

    def _pipeline(self, ref: MergeRequestRef) -> ForgePipeline | None:
        shown = self.head_pipeline
        if shown is None:
            return None
        return ForgePipeline(shown.id, shown.project_id or ref.project_id, shown.sha, shown.ref)


class Updated(Value):
    """One merge request in the list of all."""

    project_id: int = Field(gt=0, lt=2**63)
    iid: int = Field(gt=0, lt=2**31)
    state: str
    draft: bool = Field(default=False, validation_alias=AliasChoices("draft", "work_in_progress"))
    sha: MaybeSha = None
    updated_at: Time = Field(ge=MIN_TIME, lt=MAX_TIME)
    target_branch: str | None = None
    labels: tuple[str, ...] | None = Field(default=None, strict=False)

    def forge(self, instance: str) -> UpdatedMergeRequest:
        """Return it as the port names it."""
        return UpdatedMergeRequest(
            MergeRequestRef(instance=instance, project_id=self.project_id, iid=self.iid),
            state=self.state,
            head_sha=self.sha,
            updated_at=self.updated_at.astimezone(UTC),
            draft=self.draft,
            target_branch=self.target_branch,
            labels=self.labels,
        )


class Membership(Value):
    """One project in the list of those that we belong to."""

    id: StrictInt


class Head(Value):
    """The newest commit of a branch."""

    id: Sha


class BranchTip(Value):
    """One branch, by its newest commit."""

    commit: Head


def read_written(shape: type[_Shape], data: object, request: str) -> _Shape:
    """Return what a successful write answers, as *shape*.

    Raises:
        Transient: there is no answer, as when something on the way has dropped it; it was written all the same.
        Permanent: as for `read`.
    """
    if data is None:
        msg = f"{request}: the answer is empty; something between GitLab and us drops it"
        raise Transient(msg, outcome_unknown=True)
    return read(shape, data, request)


def read(shape: type[_Shape], data: object, request: str) -> _Shape:
    """Return *data* as *shape*.

    Raises:
        Permanent: a field is missing or has the wrong type, so this is not the GitLab that we know.
    """
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        fields = ", ".join(
            ".".join(map(str, problem["loc"])) or "everything" for problem in error.errors()[:5]
        )
        msg = (
            f"{request}: the answer has no usable {fields}; check that CLOISTER_GITLAB_URL leads to GitLab 16"
            " or newer"
        )
        raise Permanent(msg) from None
