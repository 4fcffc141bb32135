"""What stands in the way of a merge, and auto-merge, which waits until nothing does."""

from __future__ import annotations

from bot.demo.gitlab.accounts import User
from bot.demo.gitlab.core import Core
from bot.demo.gitlab.merge_requests import MergeRequests
from bot.demo.gitlab.state import MergeRequest
from bot.demo.gitlab.statuses import head_pipeline, home_of, pipeline_status


def detailed_merge_status(mr: MergeRequest) -> str:
    """Return the one reason why a merge request cannot be merged, or mergeable."""
    shown = head_pipeline(mr)
    passed = shown is not None and pipeline_status(home_of(mr, shown), shown) == "success"
    reasons = {
        "not_open": mr.state != "opened",
        "preparing": mr.refs is None,
        "draft_status": mr.draft,
        "ci_must_pass": mr.project.only_allow_merge_if_pipeline_succeeds and not passed,
        "discussions_not_resolved": (
            mr.project.only_allow_merge_if_all_discussions_are_resolved and mr.unresolved
        ),
    }
    return next((reason for reason, applies in reasons.items() if applies), "mergeable")


class AutoMerge:
    """Merge what people have set to auto-merge; a failed pipeline leaves it set, a new head takes it back."""

    def __init__(self, core: Core, merge_requests: MergeRequests) -> None:
        self._core = core
        self._merge_requests = merge_requests

    def ask(self, merge_request: MergeRequest, user: User) -> None:
        """Set *merge_request* to auto-merge."""
        merge_request.auto_merge = user, merge_request.head_sha
        self.look()

    def look(self) -> None:
        """Merge what can be merged now; to be called when a status or a job has changed."""
        for project in self._core.state.projects.values():
            for merge_request in project.merge_requests.values():
                if merge_request.auto_merge is None:
                    continue
                user, head = merge_request.auto_merge
                if head != merge_request.head_sha:
                    merge_request.auto_merge = None
                elif detailed_merge_status(merge_request) == "mergeable":
                    merge_request.auto_merge = None
                    self._merge_requests.merge(merge_request, user)
