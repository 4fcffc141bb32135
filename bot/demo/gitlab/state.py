"""What the server remembers: plain records, changed under one lock."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.demo.gitlab.accounts import Application, Grant, Level, Token, User
from bot.demo.gitlab.diffs import DiffLimits
from bot.demo.gitlab.pipelines import Job, Pipeline, Status, StatusCheck
from bot.demo.gitlab.repository import Repository


@dataclass(eq=False)
class Hook:
    """A webhook; ``events`` holds the names of the flags that are on."""

    id: int
    url: str
    events: set[str]
    token: str = ""
    signing_token: str = ""
    enable_ssl_verification: bool = True
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(eq=False)
class Group:
    """A namespace of projects."""

    id: int
    path: str
    members: dict[int, int] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)


@dataclass(eq=False)
class Project:
    """A project with its repository.

    ``git_status`` is what git over HTTP answers when it is not 200. ``expiries`` are the days on which memberships
    end.
    """

    id: int
    path: str
    group: Group
    repository: Repository
    default_branch: str = "main"
    visibility: str = "private"
    members: dict[int, int] = field(default_factory=dict)
    expiries: dict[int, date] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
    pipelines: list[Pipeline] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    protected: dict[str, int] = field(default_factory=dict)
    locked_shas: set[str] = field(default_factory=set)
    status_checks: list[StatusCheck] = field(default_factory=list)
    authors_may_approve: bool = False
    most_jobs: int | None = None
    forked_from: Project | None = None
    deleted: bool = False
    archived: bool = False
    git_status: int = 200
    only_allow_merge_if_pipeline_succeeds: bool = False
    only_allow_merge_if_all_discussions_are_resolved: bool = False

    def level(self, user: User) -> int:
        """Return the access level of *user*, own or inherited."""
        if user.admin:
            return Level.owner
        return max(self.members.get(user.id, 0), self.group.members.get(user.id, 0))


@dataclass(frozen=True, slots=True)
class Refs:
    """Name the three commits of a diff."""

    base_sha: str
    start_sha: str
    head_sha: str


@dataclass(eq=False)
class Version:
    """One version of a merge request's diff."""

    id: int
    refs: Refs
    created_at: datetime


@dataclass(eq=False)
class Award:
    """A reaction to a note or a merge request."""

    id: int
    name: str
    user: User
    created_at: datetime


@dataclass(eq=False)
class Suggestion:
    """A block of a note that can be applied as a commit."""

    id: int
    from_line: int
    to_line: int
    from_content: str
    to_content: str
    applied: bool = False


@dataclass(eq=False)
class Note:
    """A comment; ``kind`` is GitLab's type: DiffNote, DiscussionNote or None."""

    id: int
    discussion_id: str
    kind: str | None
    body: str
    author: User
    created_at: datetime
    updated_at: datetime
    system: bool = False
    internal: bool = False
    position: dict[str, Any] | None = None
    original_position: dict[str, Any] | None = None
    change_position: dict[str, Any] | None = None
    line_code: str | None = None
    resolved_by: User | None = None
    resolved_at: datetime | None = None
    suggestions: list[Suggestion] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)

    @property
    def resolvable(self) -> bool:
        """Say whether the note opens or continues a thread that can be resolved."""
        return self.kind is not None and not self.system


@dataclass(eq=False)
class Draft:
    """An unpublished note, visible to its author only."""

    id: int
    author: User
    note: str
    discussion_id: str | None
    resolve_discussion: bool
    position: dict[str, Any] | None
    line_code: str | None


@dataclass(eq=False)
class MergeRequest:
    """A merge request; ``versions`` is empty while its first diff is being prepared.

    ``auto_merge`` is who has set it to auto-merge, and at which head.
    """

    id: int
    iid: int
    project: Project
    source_project: Project | None
    source_branch: str
    target_branch: str
    title: str
    description: str
    author: User
    head_sha: str
    created_at: datetime
    updated_at: datetime
    state: str = "opened"
    prepared_at: datetime | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    ended_by: User | None = None
    merge_commit_sha: str | None = None
    auto_merge: tuple[User, str] | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    approved_by: list[User] = field(default_factory=list)
    discussions: dict[str, list[Note]] = field(default_factory=dict)

    @property
    def refs(self) -> Refs | None:
        """Return the commits of the newest diff, None while it is being prepared."""
        return self.versions[-1].refs if self.versions else None

    @property
    def draft(self) -> bool:
        """Say whether the title marks work in progress."""
        return self.title.lower().startswith(("draft:", "[draft]", "(draft)"))

    @property
    def unresolved(self) -> bool:
        """Say whether an open thread is left."""
        return any(note.resolvable and note.resolved_at is None for note in self.notes)


@dataclass
class State:
    """Everything, behind one lock."""

    version: tuple[int, int]
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    users: dict[int, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    #: Former paths, for as long as no other project has them.
    redirects: dict[str, Project] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    browsers: dict[str, User] = field(default_factory=dict)
    system_hooks: list[Hook] = field(default_factory=list)
    limits: DiffLimits = field(default_factory=DiffLimits)
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    #: How far its clock is ahead of this machine's.
    ahead: timedelta = timedelta()
    last_moment: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def clock(self) -> datetime:
        """Return what its clock shows."""
        return datetime.now(UTC) + self.ahead

    def now(self) -> datetime:
        """Return the time in milliseconds, later than at any call before, so that orders are total."""
        moment = self.clock()
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        if moment <= self.last_moment:
            moment = self.last_moment + timedelta(milliseconds=1)
        self.last_moment = moment
        return moment

    def next_id(self) -> int:
        """Return a number that no other record has."""
        return next(self.ids)

    def find_project(self, name: str) -> Project | None:
        """Return a project by number, full path, or a path that it had before."""
        if name.isdecimal():
            return self.projects.get(int(name))
        found = next((p for p in self.projects.values() if p.path == name and not p.deleted), None)
        return found or self.redirects.get(name)
