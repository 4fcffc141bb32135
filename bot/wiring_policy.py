"""Put policies together: settings -> where they stand -> levels."""

from __future__ import annotations

from collections.abc import Callable

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.policy_file_local import LocalPolicyFile
from bot.adapters.policy_files_gitlab import GitLabPolicyFiles
from bot.ports import PolicyVersions
from bot.reviewer.levels import Levels
from bot.settings import Settings


def levels_of(
    settings: Settings, api: GitLabApi, versions: PolicyVersions, redact: Callable[[str], str]
) -> Levels:
    """Return the levels above projects that the settings name."""
    return Levels(
        own=LocalPolicyFile(settings.policy_file) if settings.policy_file else None,
        groups=GitLabPolicyFiles(api, settings.policy_project) if settings.policy_project else None,
        versions=versions,
        redact=redact,
    )
