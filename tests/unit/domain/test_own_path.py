"""After signing in nobody is sent anywhere but to a page of ours."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.own_path import own_path


@pytest.mark.parametrize("path", ["/", "/runs/1", "/verdict?project=7&iid=3", "/tokens?sort=-name&page=2"])
def test_paths_of_ours_stay(path: str):
    """With what they ask for."""
    assert own_path(path) == path


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\n/evil.example",
        "/%2f/evil.example",
        "/.//evil.example",
        "/a/..//evil.example",
        "/./\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:evil.example",
        "http:/evil.example",
        "@evil.example",
        ".evil.example",
        "runs",
        "/runs#https://evil.example",
        "/\u2215evil.example",
        "/\uff0fevil.example",
        "/runs\r\nLocation: https://evil.example",
        "/" + "a" * 3000,
    ],
)
def test_everything_else_leads_to_the_start_page(hostile: str | None):
    """However browsers might read it."""
    assert own_path(hostile) == "/"


@given(st.text(alphabet="/\\.@:%?#\t\n evil", max_size=30))
def test_nothing_leads_to_another_host(said: str):
    """Resolved as browsers do, backslashes taken for slashes."""
    there = urlsplit(urljoin("https://cloister.example/sign-in", own_path(said).replace("\\", "/")))

    assert (there.scheme, there.netloc) == ("https", "cloister.example")
