"""GitLab's own settings as answers: version, token, project and webhooks."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import Field

from bot.domain.merge_request import Value

#: The first release that signs deliveries.
SIGNING_SINCE = (19, 0)

_Date = Annotated[date, Field(strict=False)]


class Installation(Value):
    """The GitLab that answers."""

    version: str

    @property
    def release(self) -> tuple[int, int]:
        """Return major and minor number, zeros if the version says neither."""
        found = re.match(r"(\d{1,4})\.(\d{1,4})", self.version)
        return (int(found[1]), int(found[2])) if found else (0, 0)


class TokenInfo(Value):
    """Our access token; ``expires_at`` is the day from which it no longer works, at midnight UTC."""

    scopes: tuple[str, ...] = Field(default=(), strict=False)
    expires_at: _Date | None = None
    active: bool = True


class Project(Value):
    """A project and the merge settings that our threads and statuses meet."""

    id: int
    path_with_namespace: str
    default_branch: str | None = None
    only_allow_merge_if_pipeline_succeeds: bool | None = None
    only_allow_merge_if_all_discussions_are_resolved: bool | None = None


class Member(Value):
    """A user's access to a project: 20 reporter, 30 developer, 40 maintainer, 50 owner."""

    access_level: int
    state: str | None = "active"
    membership_state: str | None = "active"
    expires_at: _Date | None = None

    def level_on(self, today: date) -> int:
        """Return the access on a day: none where the account is blocked, or the membership ends that day or awaits approval."""
        ended = self.expires_at is not None and self.expires_at <= today
        able = {self.state, self.membership_state} <= {"active", None}
        return self.access_level if able and not ended else 0


class WebHook(Value):
    """A webhook as GitLab shows it. Secrets are never shown; whether there is one only since 19.0."""

    id: int
    url: str
    merge_requests_events: bool | None = None
    note_events: bool | None = None
    emoji_events: bool | None = None
    pipeline_events: bool | None = None
    push_events: bool | None = None
    enable_ssl_verification: bool | None = None
    token_present: bool | None = None
    signing_token_present: bool | None = None
    alert_status: str | None = None

    def lacks(self, wanted: dict[str, bool]) -> bool:
        """Say whether a field differs from *wanted*; one that this release does not show is taken on trust."""
        return any(getattr(self, name) not in {None, value} for name, value in wanted.items())
