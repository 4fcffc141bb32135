"""Put the parts of the verdict together: settings -> adapters."""

from __future__ import annotations

from bot.adapters.forge_gitlab_jobs import GitLabJobs
from bot.domain.verdict_links import VerdictLinks
from bot.ports import Clock, Jobs, Store
from bot.settings import Settings


async def links_of(settings: Settings, store: Store) -> VerdictLinks:
    """Return how verdict pages are addressed: where nobody signs in with GitLab, whoever has a link may read its page."""
    root = str(settings.public_url) if settings.public_url else ""
    return VerdictLinks(root, await store.secret("verdict pages"), signed=settings.oauth_client_id is None)


def jobs_of(settings: Settings, clock: Clock) -> Jobs:
    """Return what knows CI jobs by their tokens."""
    return GitLabJobs(str(settings.gitlab_url), monotonic=clock.monotonic, verify=settings.gitlab_tls())
