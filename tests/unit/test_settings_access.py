"""Signing in is set up as a whole, and where nobody can read along, or Cloister says what is missing."""

import pytest

from bot.settings import Settings, SettingsError, check_access
from bot.settings_access import usernames

WHOLE = {
    "oauth_client_id": "id",
    "oauth_client_secret": "secret",
    "public_url": "https://cloister.example",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"oauth_client_id": None, "oauth_client_secret": None, "public_url": None},
        {"oauth_client_id": None, "oauth_client_secret": None, "public_url": "http://cloister.example/ci"},
        {"public_url": "http://127.0.0.1:8080"},
        {"public_url": "http://localhost:8080"},
    ],
    ids=str,
)
def test_what_can_work_is_accepted(changes: dict[str, str | None]):
    """Without an application nothing is asked for."""
    check_access(Settings(**WHOLE | changes))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"oauth_client_id": None}, "CLOISTER_OAUTH_CLIENT_ID"),
        ({"oauth_client_secret": None}, "CLOISTER_OAUTH_CLIENT_SECRET"),
        ({"public_url": None}, "CLOISTER_PUBLIC_URL=https://"),
        ({"public_url": "http://cloister.example"}, "give an https URL"),
        ({"public_url": "http://localhost.evil.example"}, "give an https URL"),
        ({"public_url": "http://127.0.0.1.evil.example"}, "give an https URL"),
        ({"public_url": "https://cloister.example/ci"}, "without a path"),
    ],
    ids=str,
)
def test_what_cannot_work_is_told(changes: dict[str, str | None], named: str):
    """With the setting to change."""
    with pytest.raises(SettingsError, match=named):
        check_access(Settings(**WHOLE | changes))


def test_names_are_those_of_gitlab():
    """GitLab does not tell them apart by case; separators alone are a mistake."""
    assert usernames(" Alice, bob,,") == {"alice", "bob"}
    assert usernames(None) == frozenset()
    with pytest.raises(ValueError, match="user names"):
        Settings(admins=" , ")
