"""Settings -> GitLab: what it is asked and told, and where code is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_approvals import GitLabApprovals
from bot.adapters.forge_gitlab_people import GitLabPeople
from bot.adapters.forge_gitlab_pipelines import GitLabPipelines
from bot.adapters.forge_gitlab_proposals import GitLabProposals
from bot.adapters.forge_gitlab_rules import GitLabMergeRules
from bot.adapters.git_mirror import GitMirror
from bot.adapters.git_process import Git
from bot.adapters.workspace_api import ApiWorkspaces
from bot.adapters.workspace_fallback import FallbackWorkspaces
from bot.ports import Workspaces
from bot.settings import Settings


def forge_of(settings: Settings) -> GitLabForge:
    """Return the GitLab that *settings* name completely; it is to be closed."""
    return GitLabForge(str(settings.gitlab_url), _token(settings), verify=settings.gitlab_tls())


def forge_ports(forge: GitLabForge) -> Mapping[str, Any]:
    """Return GitLab by the roles that it has for stages."""
    return {
        "forge": forge,
        "approvals": GitLabApprovals(forge.api),
        "people": GitLabPeople(forge.api),
        "pipelines": GitLabPipelines(forge.api),
        "merge_rules": GitLabMergeRules(forge.api),
        "proposals": GitLabProposals(forge.api),
    }


def workspaces_of(settings: Settings, forge: GitLabForge) -> Workspaces:
    """Return code by a mirror, and by the API where git does not get through."""
    url = str(settings.gitlab_url)
    mirror = GitMirror(
        settings.data_dir / "mirrors",
        forge_url=url,
        clone_url=forge.clone_url,
        token=_token(settings),
        ca_file=settings.gitlab_ca_file,
    )
    return FallbackWorkspaces(mirror, ApiWorkspaces(forge.api, git=Git(forge_url=url)))


def _token(settings: Settings) -> str:
    assert settings.gitlab_token is not None, "the command requires it"
    return settings.gitlab_token.get_secret_value()
