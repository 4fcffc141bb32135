"""A small GitLab-compatible server for `cloister demo` and for the tests.

It shares no code with the parts of Cloister that it judges: diffs, positions, line codes, Markdown and hook
payloads are worked out here a second time.

Faithful, as far as GitLab 16 to 19 document it or show it in their source:

- REST: tokens, scopes and roles; paging; the exact 400 bodies; merge requests that are still being prepared;
  diff limits; discussions, notes, drafts, reactions, suggestions; commit statuses and the pipelines they make; jobs and
  their artifacts, which tests put there.
- Positions: GitLab's running line counters, lines outside hunks, tracing of stale positions after a push.
- Bodies act: quick actions run with the author's rights and are recorded in ``GitLabServer.quick_actions``;
  mentions, references, images and links are recorded in ``GitLabServer.side_effects``.
- Webhooks: real HTTP, asynchronous, never repeated, headers and payloads by version.
- Sign-in: OpenID Connect with codes, PKCE and signed tokens, for applications that are trusted; a browser signs in by
  a name alone.
- Git: real bare repositories behind smart HTTP, ``refs/merge-requests/:iid/head`` included.

Stricter than GitLab: both ends of a ``line_range`` must name lines of the diff, an unknown endpoint is
remembered in ``GitLabServer.unknown_requests``, and a quick action inside a code fence runs as well.

Left out: issues, approvals, GraphQL, pipelines that run, Premium features, templates and custom headers of
webhooks, auto-disabling of webhooks, LFS, and everything that only the web interface does.
"""

from __future__ import annotations

from bot.demo.gitlab.accounts import Application, Level, User
from bot.demo.gitlab.diffs import DiffLimits
from bot.demo.gitlab.faults import Fault, RateLimit
from bot.demo.gitlab.pipelines import Job
from bot.demo.gitlab.server import GitLabServer
from bot.demo.gitlab.state import Group, Hook, MergeRequest, Project

__all__ = [
    "Application",
    "DiffLimits",
    "Fault",
    "GitLabServer",
    "Group",
    "Hook",
    "Job",
    "Level",
    "MergeRequest",
    "Project",
    "RateLimit",
    "User",
]
