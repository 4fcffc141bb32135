"""What people do on a GitLab, from Python: pushes, merge requests, pipelines, and what they say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.demo.gitlab.accounts import User
from bot.demo.gitlab.instance import Instance
from bot.demo.gitlab.pipelines import Job, Pipeline
from bot.demo.gitlab.relocating import Relocating
from bot.demo.gitlab.repository import Change, Signature
from bot.demo.gitlab.state import MergeRequest, Project
from bot.demo.gitlab.talk import Talk


class Scenario(Talk, Relocating):
    """Act as people; ``user`` is the merge request's author, or the administrator, when left out."""

    def __init__(self, instance: Instance, root: Path) -> None:
        super().__init__(instance, root)
        #: Seconds between opening a merge request and its first diff.
        self.prepare_delay_s = 0.0

    def commit(
        self,
        project: Project,
        branch: str,
        changes: Mapping[str, Change],
        message: str = "Change files",
        *,
        user: User | None = None,
        start: str | None = None,
    ) -> str:
        """Push one commit to *branch*, made from *start* or the default branch when it is new; return its sha."""
        with self.instance.state.lock:
            repository = project.repository
            before = repository.branch(branch)
            parent = before or repository.resolve(start or project.default_branch)
            who = user or self.admin
            sha = repository.commit(
                [parent] if parent else [], changes, message, Signature(who.name, who.email)
            )
            self._move(project, who, branch, before, sha)
            return sha

    def merge_into(
        self,
        project: Project,
        branch: str,
        other: str,
        changes: Mapping[str, Change],
        *,
        user: User | None = None,
    ) -> str:
        """Merge the commit *other* into *branch*; *changes* are what its files become. Return the merge's sha."""
        with self.instance.state.lock:
            before = project.repository.branch(branch)
            assert before is not None
            who = user or self.admin
            signature = Signature(who.name, who.email)
            sha = project.repository.commit([before, other], changes, f"Merge into {branch}", signature)
            self._move(project, who, branch, before, sha)
            return sha

    def _move(self, project: Project, user: User, branch: str, before: str | None, after: str | None) -> None:
        project.repository.set_ref(f"refs/heads/{branch}", after)
        self.instance.merge_requests.branch_moved(project, user, branch, before, after)

    def open_merge_request(
        self,
        project: Project,
        source: str = "feature",
        changes: Mapping[str, Change] | None = None,
        *,
        title: str = "Change things",
        description: str = "",
        target: str | None = None,
        author: User | None = None,
        fork: Project | None = None,
        draft: bool = False,
        prepared: bool = True,
    ) -> MergeRequest:
        """Push *changes* to *source* (in *fork*, if given) and open a merge request for it.

        With ``prepared=False`` the diff is not there until :meth:`finish_preparing`.
        """
        who = author or self.admin
        target_branch = target or project.default_branch
        with self.instance.state.lock:
            home = fork or project
            if changes is not None:
                start = None if home.repository.branch(source) else target_branch
                self.commit(home, source, changes, title, user=who, start=start)
            merge_request = self.instance.merge_requests.open(
                project,
                home,
                who,
                source_branch=source,
                target_branch=target_branch,
                title=f"Draft: {title}" if draft else title,
                description=description,
                prepared=prepared and not self.prepare_delay_s,
            )
        if prepared and self.prepare_delay_s:
            timer = threading.Timer(self.prepare_delay_s, self.finish_preparing, [merge_request])
            self._timers.append(timer)
            timer.start()
        return merge_request

    def finish_preparing(self, merge_request: MergeRequest) -> None:
        """Make the first diff of a merge request."""
        with self.instance.state.lock:
            self.instance.merge_requests.prepare(merge_request)

    def push(
        self,
        merge_request: MergeRequest,
        changes: Mapping[str, Change],
        message: str = "Change more",
        *,
        user: User | None = None,
    ) -> str:
        """Push a commit to the source branch and return its sha."""
        home = _home(merge_request)
        who = user or merge_request.author
        return self.commit(home, merge_request.source_branch, changes, message, user=who)

    def force_push(
        self,
        merge_request: MergeRequest,
        changes: Mapping[str, Change],
        message: str = "Start over",
        *,
        user: User | None = None,
    ) -> str:
        """Replace the source branch by one commit on the old merge base and return its sha."""
        assert merge_request.refs is not None
        return self._replace(merge_request, merge_request.refs.base_sha, changes, message, user)

    def rebase(
        self,
        merge_request: MergeRequest,
        merged: Mapping[str, Change] | None = None,
        *,
        user: User | None = None,
    ) -> str:
        """Put the whole change as one commit on the tip of the target branch and return its sha.

        *merged* is what files become that the target branch has changed too.
        """
        project = merge_request.project
        with self.instance.state.lock:
            assert merge_request.refs is not None
            tip = project.repository.branch(merge_request.target_branch)
            assert tip is not None
            changes = self.instance.merge_requests.changes_of(merge_request) | dict(merged or {})
            return self._replace(merge_request, tip, changes, merge_request.title, user)

    def _replace(
        self,
        merge_request: MergeRequest,
        parent: str,
        changes: Mapping[str, Change],
        message: str,
        user: User | None,
    ) -> str:
        with self.instance.state.lock:
            home = _home(merge_request)
            who = user or merge_request.author
            if home is not merge_request.project:
                home.repository.fetch_from(merge_request.project.repository, parent)
            sha = home.repository.commit([parent], changes, message, Signature(who.name, who.email))
            before = home.repository.branch(merge_request.source_branch)
            self._move(home, who, merge_request.source_branch, before, sha)
            return sha

    def delete_branch(self, merge_request: MergeRequest, *, user: User | None = None) -> None:
        """Delete the source branch."""
        with self.instance.state.lock:
            home = _home(merge_request)
            before = home.repository.branch(merge_request.source_branch)
            self._move(home, user or merge_request.author, merge_request.source_branch, before, None)

    def close_merge_request(self, merge_request: MergeRequest, *, user: User | None = None) -> None:
        """Close without merging."""
        self._as(user, merge_request, self.instance.merge_requests.close)

    def reopen(self, merge_request: MergeRequest, *, user: User | None = None) -> None:
        """Open again."""
        self._as(user, merge_request, self.instance.merge_requests.reopen)

    def merge(self, merge_request: MergeRequest, *, user: User | None = None) -> str:
        """Merge with a merge commit and return its sha."""
        with self.instance.state.lock:
            return self.instance.merge_requests.merge(merge_request, user or merge_request.author)

    def _as(
        self, user: User | None, merge_request: MergeRequest, act: Callable[[MergeRequest, User], None]
    ) -> None:
        with self.instance.state.lock:
            act(merge_request, user or merge_request.author)

    def delete_merge_request(self, merge_request: MergeRequest) -> None:
        """Delete it for good; nothing is announced."""
        with self.instance.state.lock:
            del merge_request.project.merge_requests[merge_request.iid]

    def set_draft(self, merge_request: MergeRequest, draft: bool, *, user: User | None = None) -> None:
        """Mark as draft, or as ready."""
        bare = merge_request.title.removeprefix("Draft: ")
        self.edit(merge_request, title=f"Draft: {bare}" if draft else bare, user=user)

    def label(self, merge_request: MergeRequest, *labels: str, user: User | None = None) -> None:
        """Give it these labels instead of those that it has."""
        with self.instance.state.lock:
            self.instance.merge_requests.label(merge_request, user or merge_request.author, labels)

    def edit(
        self,
        merge_request: MergeRequest,
        *,
        title: str | None = None,
        description: str | None = None,
        target: str | None = None,
        user: User | None = None,
    ) -> None:
        """Change title, description or target branch."""
        fields = {"title": title, "description": description, "target_branch": target}
        with self.instance.state.lock:
            given = {name: value for name, value in fields.items() if value is not None}
            self.instance.merge_requests.edit(merge_request, user or merge_request.author, **given)

    def add_pipeline(
        self, merge_request: MergeRequest, *, merge_request_pipeline: bool = True, merged: bool = False
    ) -> Pipeline:
        """Start a pipeline of the head: of the merge request (of its *merged* result), or of the source branch."""
        project = merge_request.project if merge_request_pipeline else _home(merge_request)
        own = f"refs/merge-requests/{merge_request.iid}/{'merge' if merged else 'head'}"
        ref, source = (
            (own, "merge_request_event") if merge_request_pipeline else (merge_request.source_branch, "push")
        )
        with self.instance.state.lock:
            sha = self._merged(merge_request) if merged else merge_request.head_sha
            pipeline = self.instance.statuses.add_pipeline(project, sha, ref, source)
            about = merge_request if merge_request_pipeline else None
            self.instance.statuses.tell(project, pipeline, about, merge_request.author)
            return pipeline

    def _merged(self, merge_request: MergeRequest) -> str:
        repository = merge_request.project.repository
        tip = repository.branch(merge_request.target_branch)
        assert tip is not None
        changes = self.instance.merge_requests.changes_of(merge_request)
        who = Signature(self.admin.name, self.admin.email)
        return repository.commit([tip, merge_request.head_sha], changes, "Merge", who)

    def add_job(self, pipeline: Pipeline, name: str, state: str = "running") -> Job:
        """Add a job to a pipeline; it takes the place of an earlier one of its name."""
        with self.instance.state.lock:
            projects = self.instance.state.projects.values()
            project = next(project for project in projects if pipeline in project.pipelines)
            for earlier in project.jobs:
                earlier.retried |= earlier.pipeline is pipeline and earlier.name == name
            job = Job(self.instance.state.next_id(), pipeline, name, state)
            project.jobs.append(job)
            return job

    def finish_job(self, job: Job, artifacts: Mapping[str, bytes], state: str = "success") -> None:
        """End a job, which keeps *artifacts*."""
        with self.instance.state.lock:
            job.state, job.artifacts = state, dict(artifacts)
            self.instance.auto_merge.look()

    def auto_merge(self, merge_request: MergeRequest, *, user: User | None = None) -> None:
        """Set a merge request to be merged as soon as its pipeline has passed and nothing else is in the way."""
        with self.instance.state.lock:
            self.instance.auto_merge.ask(merge_request, user or merge_request.author)

    def lock_statuses(self, project: Project, sha: str, locked: bool = True) -> None:
        """Answer 409 to statuses of one commit, as while another process writes them."""
        with self.instance.state.lock:
            (project.locked_shas.add if locked else project.locked_shas.discard)(sha)


def _home(merge_request: MergeRequest) -> Project:
    if merge_request.source_project is None:
        raise LookupError("the fork of this merge request was deleted")
    return merge_request.source_project
