"""One GitLab: state, behaviour and webhooks put together."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.demo.gitlab.core import Core
from bot.demo.gitlab.diffs import Diffs
from bot.demo.gitlab.hooks import Hooks
from bot.demo.gitlab.merge_requests import MergeRequests
from bot.demo.gitlab.merging import AutoMerge
from bot.demo.gitlab.notes import Notes
from bot.demo.gitlab.payloads import Payloads
from bot.demo.gitlab.positions import Positions
from bot.demo.gitlab.served_diffs import ServedDiff, serve
from bot.demo.gitlab.state import Project, Refs, State
from bot.demo.gitlab.statuses import Statuses
from bot.demo.gitlab.suggestions import Suggestions
from bot.demo.gitlab.tokens import Tokens


@dataclass
class Instance:
    """What the routes and the Python API work on."""

    core: Core
    merge_requests: MergeRequests
    suggestions: Suggestions
    notes: Notes
    statuses: Statuses
    tokens: Tokens
    auto_merge: AutoMerge
    #: Notes that one user may create per minute through ``POST notes``; None is no limit.
    notes_per_minute: int | None = 300
    #: Refuse a bad position when a draft is made; False lets it break the publication, as GitLab may.
    drafts_check_positions: bool = False
    note_times: dict[int, list[float]] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Return what is remembered."""
        return self.core.state

    def served_diffs(self, project: Project, refs: Refs) -> ServedDiff:
        """Return a diff under the limits of the API."""
        return serve(
            self.core.diffs.between(project.repository, refs.base_sha, refs.head_sha), self.state.limits
        )


def build(version: tuple[int, int], webhook_timeout_s: float, hook_workers: int) -> Instance:
    """Return an empty instance of one release."""
    state = State(version)
    diffs = Diffs()
    hooks = Hooks(state, timeout_s=webhook_timeout_s, workers=hook_workers)
    core = Core(state, hooks, diffs, Positions(diffs, version), Payloads(state))
    merge_requests = MergeRequests(core)
    suggestions = Suggestions(core, merge_requests)
    notes = Notes(core, merge_requests, suggestions)
    return Instance(
        core,
        merge_requests,
        suggestions,
        notes,
        Statuses(core),
        Tokens(state),
        AutoMerge(core, merge_requests),
    )
