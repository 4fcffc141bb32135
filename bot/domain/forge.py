"""What GitLab shows of a merge request, reduced to what a review needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.merge_request import MergeRequestRef, Revision

#: Often nothing else says that an account is a bot. See
#: https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects
_BOT_NAME = re.compile(r"(?:project|group)_\d+_bot\w*|service_account_\w+|ghost\d*", re.IGNORECASE)

#: GitLab writes one moment twice into a new comment; an edit comes later.
_AT_ONCE = timedelta(seconds=1)


def named_as_bot(username: str) -> bool:
    """Say whether an account is named as GitLab names those of tokens, services and people who are gone."""
    return _BOT_NAME.fullmatch(username) is not None


@dataclass(frozen=True, slots=True)
class ForgeUser:
    """Identify an account of the forge."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class ForgeMember:
    """Hold what an account may do in a project right now: GitLab's access level, 0 for a stranger.

    ``bot`` accounts belong to tokens, services and the forge itself: no person sits behind them.
    """

    user: ForgeUser
    access_level: int = 0
    bot: bool = False


@dataclass(frozen=True, slots=True)
class StatusPlace:
    """Name where a commit status stands: the pipeline, as far as it is known, of a commit in a project."""

    project_id: int
    sha: str
    pipeline_id: int | None = None


@dataclass(frozen=True, slots=True)
class ForgePipeline:
    """Hold the pipeline that a merge request shows; ``sha`` may be that of an older head, or of a merged result."""

    id: int
    project_id: int
    sha: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class ForgeJob:
    """Hold the job that a token belongs to, and the project that it runs in."""

    id: int
    project_id: int


@dataclass(frozen=True, slots=True)
class ForgeMergeRequest:
    """Hold what a review needs to know about a merge request right now.

    ``revision`` is None while the forge still prepares the diff. ``pipeline`` is the one that it
    shows, where a status must go to be seen. ``participants`` are its author, assignees
    and reviewers. ``author_id`` is None where the author is gone. ``ended_at`` and ``ended_by`` tell when and by whom
    it was merged or closed.
    """

    ref: MergeRequestRef
    title: str
    description: str
    state: str
    draft: bool
    head_sha: str | None
    revision: Revision | None
    target_branch: str
    source_branch: str
    source_project_id: int | None
    web_url: str
    pipeline: ForgePipeline | None = None
    participants: frozenset[int] = frozenset()
    author_id: int | None = None
    labels: tuple[str, ...] = ()
    author_bot: bool = False
    ended_at: datetime | None = None
    ended_by: int | None = None


@dataclass(frozen=True, slots=True)
class UpdatedMergeRequest:
    """Hold what the list of all merge requests tells of one; ``updated_at`` counts every kind of update."""

    ref: MergeRequestRef
    state: str
    head_sha: str | None
    updated_at: datetime
    draft: bool = False
    target_branch: str | None = None
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UpdatedPage:
    """Hold a part of that list.

    ``problems`` says what was left out because it cannot be read, ``more`` whether the list goes on, ``now``
    what time it is by the forge's clock, if it said so.
    """

    merge_requests: tuple[UpdatedMergeRequest, ...]
    problems: tuple[str, ...]
    more: bool
    now: datetime | None


@dataclass(frozen=True, slots=True)
class ForgeReports:
    """Hold files that a job of a merge request's pipeline has kept.

    ``over`` says that no more will come; ``problem`` why something is missing, or what is waited for.
    ``project`` is the path, with namespace, of the project that the job ran in.
    """

    files: tuple[bytes, ...] = ()
    over: bool = True
    problem: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True)
class ForgePlace:
    """Hold where a note stands in the diff: a line of the new side, and the head that it is counted on."""

    path: str
    line: int
    head_sha: str


@dataclass(frozen=True, slots=True)
class ForgeNote:
    """Hold one note; ``resolvable`` is False for plain comments, ``resolved_by`` None where it is not said.

    ``internal`` notes are hidden from those who are not members. ``place`` is None outside of the diff's new side.
    ``author_id`` is 0 where the author's account is gone. ``bot`` is about the author, ``resolver_bot`` about who
    resolved it. ``applied`` says of each suggestion in it whether it was applied. Its text was not edited after
    ``changed_at``. Names are as people see them, empty where they are not told.
    """

    id: int
    author_id: int
    body: str
    system: bool = False
    resolvable: bool = False
    resolved: bool = False
    resolved_by: int | None = None
    internal: bool = False
    place: ForgePlace | None = None
    written_at: datetime | None = None
    changed_at: datetime | None = None
    resolved_at: datetime | None = None
    bot: bool = False
    resolver_bot: bool = False
    applied: tuple[bool, ...] = ()
    author_name: str = ""
    resolver_name: str = ""

    @property
    def edited(self) -> bool:
        """Say whether it may say something else than its author wrote: GitLab does not tell who has edited it.

        See https://docs.gitlab.com/user/discussions/#edit-a-comment for who may.
        """
        if self.written_at is None or self.changed_at is None:
            return False
        return self.changed_at - self.written_at > _AT_ONCE


@dataclass(frozen=True, slots=True)
class ForgeCommit:
    """Hold who wrote a commit and who made it, by the names that it has; anybody can give any name there."""

    author_name: str
    committer_name: str
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class ForgeAward:
    """Hold one reaction to a note; ``user_id`` is 0 where the account is gone."""

    id: int
    emoji: str
    user_id: int
    at: datetime
    bot: bool = False


@dataclass(frozen=True, slots=True)
class ForgeDiscussion:
    """Hold one discussion, notes in order, the first note opening it."""

    id: str
    notes: tuple[ForgeNote, ...]


@dataclass(frozen=True, slots=True)
class ForgeDraft:
    """Hold one of our own unpublished notes."""

    id: int
    body: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Hold what shall become a branch with one commit, made from ``start_sha``, and a merge request of it.

    ``files`` are new ones by path. The branch is in the same project as the merge request that it is for.
    """

    branch: str
    start_sha: str
    target_branch: str
    files: Mapping[str, str]
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """Name the merge request that a proposal has become."""

    iid: int
    web_url: str


class PositionRefused(Exception):
    """Say that the forge does not accept a position; the text must go elsewhere.

    ``drafts`` are those that were thrown away because publishing them failed.
    """

    def __init__(self, message: str, drafts: Sequence[ForgeDraft] = ()) -> None:
        super().__init__(message)
        self.drafts = tuple(drafts)
