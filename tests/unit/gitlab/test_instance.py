"""One GitLab has one name, however its URL is spelled."""

from __future__ import annotations

import pytest

from bot.gitlab.instance import instance_name


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        ("gitlab.example", "https://GitLab.example/"),
        ("gitlab.example", "http://gitlab.example:80"),
        ("gitlab.example", "https://gitlab.example:443//"),
        ("gitlab.example:443", "http://gitlab.example:443"),
        ("company.example/gitlab", "https://company.example/GitLab/"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080/git", "http://[::1]:8080/git"),
    ],
)
def test_spelling_does_not_matter(expected: str, url: str):
    """Case, default port, final slash and user names make no difference."""
    assert expected == instance_name(url)


@pytest.mark.parametrize("url", ["", "gitlab.example", "https://"])
def test_a_url_without_a_host_is_refused(url: str):
    """The message shows what a base URL looks like."""
    with pytest.raises(ValueError, match="names no host"):
        instance_name(url)
