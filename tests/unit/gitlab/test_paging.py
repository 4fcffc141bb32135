"""The next page is found in the link and asked for at our own address."""

from __future__ import annotations

import pytest

from bot.gitlab.paging import next_page

URL = "http://gitlab.lan/sub/api/v4/notes?per_page=100&sort="


@pytest.mark.parametrize(
    ("expected", "headers"),
    [
        (
            "http://gitlab.lan/sub/api/v4/notes?page=2&per_page=100",
            {
                "link": '<https://gitlab.example/api/v4/notes?page=2&per_page=100>; rel="next", <x?y>; rel="last"'
            },
        ),
        (
            "http://gitlab.lan/sub/api/v4/notes?page=3",
            {"link": '<http://gitlab.lan/?page=1>; rel="prev", <http://gitlab.lan/?page=3>; rel="next"'},
        ),
        (
            "http://gitlab.lan/sub/api/v4/notes?cursor=ab%3D",
            {"link": "<http://evil.example/steal?cursor=ab%3D>; rel=next", "x-next-page": "9"},
        ),
        ("http://gitlab.lan/sub/api/v4/notes?per_page=100&sort=&page=2", {"x-next-page": "2"}),
        (None, {"link": '<http://gitlab.lan/?page=1>; rel="first"', "x-next-page": ""}),
        (None, {"x-next-page": ""}),
        (None, {"x-next-page": "²"}),
        (None, {}),
    ],
)
def test_only_the_query_of_the_link_is_used(expected: str | None, headers: dict[str, str]):
    """A link to GitLab's external name, or to anywhere else, never moves us from the configured host."""
    assert expected == next_page(headers, URL)
