"""A GitLab-compatible server for tests, with a review bot and a developer on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from bot.demo.gitlab import GitLabServer, Level, Project, User


@dataclass(frozen=True)
class GitLab:
    """A running server, the accounts that most tests need, and one project."""

    server: GitLabServer
    bot: User
    token: str
    developer: User
    project: Project

    def client(self, token: str | None = None) -> httpx.Client:
        """Return an HTTP client for the API, the bot's unless another token is given."""
        headers = {"PRIVATE-TOKEN": token or self.token}
        return httpx.Client(base_url=f"{self.server.url}/api/v4/", headers=headers, trust_env=False)


def start_with_accounts(server: GitLabServer) -> GitLab:
    """Return *server* with a bot (Developer), a developer and the project ``group/app``."""
    bot = server.create_user("review-bot", "Review bot", bot=True)
    developer = server.create_user("dev", "Dev Eloper")
    files = {"README.md": "# App\n", "app.py": "".join(f"line {n}\n" for n in range(1, 41))}
    members = {bot: Level.developer, developer: Level.developer}
    project = server.create_project("group/app", files, members=members)
    return GitLab(server, bot, server.create_token(bot), developer, project)


@pytest.fixture
def gitlab(request: pytest.FixtureRequest) -> Iterator[GitLab]:
    """Serve a GitLab; the release is 18.10 unless an indirect parameter names another."""
    # A receiver on a busy machine is waited for: what is given up here, nobody sends again.
    version = getattr(request, "param", "18.10")
    with GitLabServer(version=version, webhook_timeout_s=60) as server:
        yield start_with_accounts(server)
