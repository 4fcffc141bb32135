"""The parts of GitLab's answers that are used; unknown fields are tolerated, wrong types are not."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Annotated, TypeVar

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field, StrictInt, ValidationError

from bot.domain.errors import Permanent, Transient
from bot.domain.forge import (
    ForgeDiscussion,
    ForgeDraft,
    ForgeMember,
    ForgeMergeRequest,
    ForgeNote,
    ForgePipeline,
    ForgePlace,
    ForgeUser,
    UpdatedMergeRequest,
)
from bot.domain.merge_request import MergeRequestRef, Revision, Sha, Value
from bot.gitlab.errors import MAX_TIME, MIN_TIME

_Shape = TypeVar("_Shape", bound=Value)
_Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
_MaybeSha = Annotated[Sha | None, BeforeValidator(lambda value: value or None)]
_Time = Annotated[AwareDatetime, Field(strict=False)]

#: Older releases do not say that an account is a bot, but name it so. See
#: https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects
_BOT_NAME = re.compile(r"(?:project|group)_\d+_bot\w*|service_account_\w+|ghost\d*", re.IGNORECASE)


class User(Value):
    """An account."""

    id: StrictInt
    username: str

    def forge(self) -> ForgeUser:
        """Return it as the port names it."""
        return ForgeUser(self.id, self.username)


class Account(User):
    """An account as its own address shows it; ``state`` is active, blocked, deactivated, ..."""

    state: str = "active"
    locked: bool | None = False
    bot: bool | None = False

    def forge(self, access_level: int = 0) -> ForgeMember:  # type: ignore[override]
        """Return it as the port names it; who cannot sign in may do nothing."""
        able = self.state == "active" and not self.locked
        return ForgeMember(
            ForgeUser(self.id, self.username),
            access_level=access_level if able else 0,
            bot=bool(self.bot) or _BOT_NAME.fullmatch(self.username) is not None,
        )


class SignedIn(Account):
    """The account that asks; only administrators are told that they are, and auditors too where they are told at all."""

    is_admin: bool | None = False
    is_auditor: bool | None = False


class Branch(Value):
    """One branch."""

    protected: bool | None = False
    developers_can_push: bool | None = False


class DiffRefs(Value):
    """The commits of a diff; any may be null while GitLab prepares it."""

    base_sha: _MaybeSha = None
    start_sha: _MaybeSha = None
    head_sha: _MaybeSha = None

    def revision(self, ref: MergeRequestRef) -> Revision | None:
        """Return the revision, None unless all commits are known."""
        if self.base_sha is None or self.start_sha is None or self.head_sha is None:
            return None
        return Revision(ref=ref, base_sha=self.base_sha, start_sha=self.start_sha, head_sha=self.head_sha)


class Version(Value):
    """One diff version of a merge request."""

    base_commit_sha: _MaybeSha = None
    start_commit_sha: _MaybeSha = None
    head_commit_sha: _MaybeSha = None

    def refs(self) -> DiffRefs:
        """Return the commits under the names of ``diff_refs``."""
        return DiffRefs(
            base_sha=self.base_commit_sha, start_sha=self.start_commit_sha, head_sha=self.head_commit_sha
        )


class Author(Value):
    """Who wrote or does something, or is to do it."""

    id: int


class Pipeline(Value):
    """The pipeline that the merge request shows."""

    id: int
    sha: str
    ref: _Text = ""
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
    web_url: _Text = ""


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
    title: _Text = ""
    description: _Text = ""
    state: str
    draft: bool = Field(default=False, validation_alias=AliasChoices("draft", "work_in_progress"))
    sha: _MaybeSha = None
    diff_refs: DiffRefs | None = None
    target_branch: str
    source_branch: str
    source_project_id: int | None = None
    head_pipeline: Pipeline | None = None
    author: Author | None = None
    assignees: tuple[Author, ...] | None = Field(default=(), strict=False)
    reviewers: tuple[Author, ...] | None = Field(default=(), strict=False)
    labels: tuple[str, ...] | None = Field(default=(), strict=False)
    updated_at: _Time | None = None
    web_url: _Text = ""

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
                one.id for one in (self.author, *(self.assignees or ()), *(self.reviewers or ())) if one
            ),
            author_id=self.author.id if self.author else None,
            labels=self.labels or (),
        )

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
    sha: _MaybeSha = None
    updated_at: _Time = Field(ge=MIN_TIME, lt=MAX_TIME)

    def forge(self, instance: str) -> UpdatedMergeRequest:
        """Return it as the port names it."""
        return UpdatedMergeRequest(
            MergeRequestRef(instance=instance, project_id=self.project_id, iid=self.iid),
            state=self.state,
            head_sha=self.sha,
            updated_at=self.updated_at.astimezone(UTC),
            draft=self.draft,
        )


class Membership(Value):
    """One project in the list of those that we belong to."""

    id: StrictInt


class Place(Value):
    """Where a note stands in the diff."""

    new_path: str | None = None
    new_line: int | None = None
    head_sha: _MaybeSha = None

    def forge(self) -> ForgePlace | None:
        """Return it as the port names it, None if it is not a line of the new side."""
        if self.new_path is None or self.new_line is None or self.head_sha is None:
            return None
        return ForgePlace(self.new_path, self.new_line, self.head_sha)


class Note(Value):
    """One note."""

    id: int
    body: _Text = ""
    author: Author | None = None
    system: bool = False
    resolvable: bool = False
    resolved: bool | None = False
    resolved_by: Author | None = None
    position: Place | None = None
    internal: bool | None = Field(default=False, validation_alias=AliasChoices("internal", "confidential"))

    def forge(self) -> ForgeNote:
        """Return it as the port names it; a note without an author is nobody's, so never ours."""
        return ForgeNote(
            self.id,
            author_id=self.author.id if self.author else 0,
            body=self.body,
            system=self.system,
            resolvable=self.resolvable,
            resolved=bool(self.resolved),
            resolved_by=self.resolved_by.id if self.resolved_by else None,
            internal=bool(self.internal),
            place=self.position.forge() if self.position else None,
        )


class Discussion(Value):
    """One discussion."""

    id: str
    notes: tuple[Note, ...] = Field(strict=False)

    def forge(self) -> ForgeDiscussion:
        """Return it as the port names it."""
        return ForgeDiscussion(self.id, tuple(note.forge() for note in self.notes))


class Draft(Value):
    """One draft note."""

    id: int
    note: _Text = ""

    def forge(self) -> ForgeDraft:
        """Return it as the port names it."""
        return ForgeDraft(self.id, self.note)


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
