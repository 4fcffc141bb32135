"""The forge: what it shows, and what is written there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.domain.forge import (
    ForgeAward,
    ForgeCommit,
    ForgeDiscussion,
    ForgeDraft,
    ForgeJob,
    ForgeMember,
    ForgeMergeRequest,
    ForgeNote,
    ForgeReports,
    ForgeUser,
    Proposal,
    Proposed,
    StatusPlace,
    UpdatedPage,
)
from bot.domain.merge_request import MergeRequestRef, Sha


class Forge(Protocol):
    """Talk to GitLab about one merge request.

    Every method raises ``Transient`` when GitLab is out of reach, busy or broken (with
    ``outcome_unknown=True`` for writes that may have happened) and ``Permanent`` when access is denied or
    the thing does not exist.
    """

    @property
    def clock_ahead(self) -> timedelta:
        """Return how far its clock is ahead of ours; nothing where it is not known, or within a minute."""

    async def whoami(self) -> ForgeUser:
        """Return our own account; cached for the life of the adapter."""

    async def merge_request(self, ref: MergeRequestRef) -> ForgeMergeRequest:
        """Return the merge request as it is now, its revision from ``diff_refs`` or else the newest version."""

    async def discussions(self, ref: MergeRequestRef) -> list[ForgeDiscussion]:
        """Return all discussions, every page of them, plain comments included."""

    async def discussion(self, ref: MergeRequestRef, discussion_id: str) -> ForgeDiscussion:
        """Return one discussion, notes in order.

        Raises:
            Refused: it is gone, or we may not see it.
        """

    async def drafts(self, ref: MergeRequestRef) -> list[ForgeDraft]:
        """Return our own draft notes."""

    async def create_draft(
        self, ref: MergeRequestRef, body: str, position: Mapping[str, Any] | None
    ) -> ForgeDraft:
        """Store a draft note, visible only to us until it is published.

        Raises:
            PositionRefused: GitLab does not accept *position*.
        """

    async def delete_draft(self, ref: MergeRequestRef, draft_id: int) -> None:
        """Delete a draft note; one that is gone already is fine."""

    async def publish_drafts(self, ref: MergeRequestRef) -> None:
        """Publish all our drafts of *ref* in one step.

        Raises:
            PositionRefused: GitLab cannot publish its ``drafts``, which are deleted; all others are published.
        """

    async def create_note(self, ref: MergeRequestRef, body: str) -> ForgeNote:
        """Post a plain comment, which never blocks a merge."""

    async def reply(self, ref: MergeRequestRef, discussion_id: str, body: str) -> ForgeNote:
        """Add a note to a discussion, at once and for everybody to see.

        A thread that was resolved stays so. A plain comment becomes a thread that can be resolved, which may
        block a merge until somebody does.

        Raises:
            Refused: the discussion is gone.
        """

    async def edit_note(self, ref: MergeRequestRef, note_id: int, body: str) -> None:
        """Replace the body of our plain comment.

        Raises:
            Refused: the note is gone.
        """

    async def resolve(self, ref: MergeRequestRef, discussion_id: str, *, resolved: bool = True) -> None:
        """Resolve a discussion, or open it again; doing so twice is fine."""

    async def set_status(
        self,
        merge_request: ForgeMergeRequest,
        sha: str,
        state: str,
        description: str,
        *,
        target_url: str = "",
        pipeline_id: int | None = None,
    ) -> StatusPlace:
        """Set our commit status on the head *sha*: ``pending``, ``running``, ``success``, ``failed`` or ``canceled``.

        It goes where the merge request shows it, or into its pipeline *pipeline_id*. Setting the state that is
        already there is fine.

        Raises:
            Refused: we may not, wherever it could go.
        """

    async def repeat_status(
        self, place: StatusPlace, state: str, description: str, *, target_url: str = ""
    ) -> None:
        """Set our commit status where it stood before."""


class People(Protocol):
    """Tell who somebody is and what they may do, as of now; raises what `Forge` raises."""

    async def member(self, project_id: int, user_id: int) -> ForgeMember:
        """Return the account and its access to the project, inherited access included.

        It is 0 for strangers, for memberships that have ended, and for accounts that cannot sign in.

        Raises:
            Refused: there is no such account.
        """

    async def wrote(self, ref: MergeRequestRef, user_id: int) -> bool:
        """Say whether the account may have written a commit of the merge request, by what its commits say.

        True where that cannot be told.
        """

    async def level_in_group(self, group: str, user_id: int) -> int:
        """Return the access of the account to the group with this path, inherited access included.

        It is 0 for strangers, as in `member`, and where we may not see the group.

        Raises:
            Refused: there is no such account.
        """

    async def may_sign_in(self, user_id: int) -> bool:
        """Say whether the account can sign in: it has not been blocked, locked or deleted."""

    async def may_push(self, merge_request: ForgeMergeRequest, user_id: int) -> bool:
        """Say whether the account may push to the source branch; False where we cannot see that it may."""


class MergeRules(Protocol):
    """Tell what a project asks of merge requests before they can be merged; raises what `Forge` raises."""

    async def needs_resolved_threads(self, project_id: int) -> bool:
        """Say whether open threads keep merge requests from being merged, as of the last minute.

        False where the forge does not say.
        """


class Approvals(Protocol):
    """Approve merge requests, and answer external status checks; raises what `Forge` raises."""

    async def approve(self, ref: MergeRequestRef, sha: str) -> None:
        """Approve the head *sha*, unless we have approved already.

        Raises:
            Obsolete: the head is another one by now.
            Refused: we may not, as where we wrote commits of it ourselves.
        """

    async def unapprove(self, ref: MergeRequestRef) -> None:
        """Take our approval back, if there is one."""

    async def answer_check(self, ref: MergeRequestRef, sha: str, name: str, status: str) -> None:
        """Answer the external status check of that name with ``passed``, ``failed`` or ``pending``.

        Releases that know no pending answer keep the one that they have.

        Raises:
            Obsolete: the head is another one by now.
            Refused: the merge request has no such check, or we may not answer it.
        """


class Jobs(Protocol):
    """Tell which CI job somebody is, by its token."""

    async def job_of(self, token: str) -> ForgeJob | None:
        """Return the job that *token* belongs to, None unless it is running right now.

        Raises:
            Transient: the forge is out of reach, busy or broken.
        """


class ForgeUpdates(Protocol):
    """List what happened on the forge lately, whatever the merge request; raises what `Forge` raises."""

    async def updated_since(self, since: datetime, *, page: int = 1) -> UpdatedPage:
        """Return a page of the merge requests that we can see, updated at or after *since*, the oldest update first.

        The list moves while it is read: an update takes a merge request from its place to the end. Going on from
        the time of the last one misses none; the next *page* is for more of one time than fit on a page.
        """

    async def our_projects(self) -> frozenset[int]:
        """Return the projects that we are a member of, with a role that is enough for a review."""


class Pipelines(Protocol):
    """Read what the project's own pipelines leave behind; raises what `Forge` raises."""

    async def reports(
        self, ref: MergeRequestRef, head_sha: str, *, job: str, paths: Sequence[str], max_bytes: int
    ) -> ForgeReports:
        """Return the files *paths* that the job named *job* has kept for *head_sha*, or why there are none yet.

        The jobs of a parallel one all count. What is larger than *max_bytes* is a problem, not a file.
        """


class Proposals(Protocol):
    """Propose changes to a merge request's source branch; raises what `Forge` raises."""

    async def propose(self, ref: MergeRequestRef, proposal: Proposal) -> Proposed:
        """Make the branch and a merge request of it, and return that.

        A branch that is there stays as it is, and so does a merge request of it in whatever state: doing so
        twice makes nothing new.

        Raises:
            Refused: we may not push to the project, or the commit cannot be made.
        """


class Aftermath(Protocol):
    """Tell what becomes of comments and of merged code; raises what `Forge` raises."""

    async def awards(self, ref: MergeRequestRef, note_id: int) -> list[ForgeAward]:
        """Return all reactions to a note, every page of them.

        Raises:
            Refused: the note is gone.
        """

    async def tip(self, ref: MergeRequestRef, branch: str) -> Sha | None:
        """Return the newest commit of a branch of the project of *ref*, None if there is no such branch."""

    async def commits(self, ref: MergeRequestRef) -> list[ForgeCommit]:
        """Return the newest commits of a merge request, a hundred at most; none where we are not told."""
