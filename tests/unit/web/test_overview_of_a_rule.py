"""The overview held to comments of one kind: what counts whole reviews is not shown as if it were held, too."""

from __future__ import annotations

import re

import httpx

from bot.domain.forge import ForgeUser
from bot.domain.viewer import Viewer
from tests.dashboards import Shown, pages_of


async def _may(viewer: Viewer, project: int) -> bool:
    return True


async def _page(query: str = "") -> str:
    app = pages_of(Shown(), Viewer(ForgeUser(1, "ada"), admin=True), _may)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x.test") as client:
        return (await client.get(f"/{query}")).text


def _steps(page: str) -> list[str]:
    """Return the steps of the way of findings."""
    return re.findall(r'<tr class="(?:step|lost)"><th scope="row">([^<]*)<', page)


async def test_figures_of_whole_reviews_are_left_out() -> None:
    """A list of 18 comments behind "57 posted" would leave a tech lead to wonder which of both is wrong."""
    whole, held = await _page(), await _page("?rule=python.sql-from-format")
    said = "Only comments are told apart by this"

    assert [">Silent reviews<" in page for page in (whole, held)] == [True, False]
    assert [">Acceptance, strict<" in page for page in (whole, held)] == [True, True]
    assert [said in page for page in (whole, held)] == [False, True]
    assert _steps(whole)[0] == "Found"
    assert _steps(held) == ["Posted as comments", "Acted on", "With a suggestion", "Suggestion applied"]


async def test_shares_of_comments_are_of_those_that_are_shown() -> None:
    """The first step is all of them."""
    row = re.search(r"Posted as comments</th>.*?</tr>", await _page("?severity=high"), re.DOTALL)

    assert row is not None
    assert "100%" in row[0]
    assert "of comments" in row[0]
    assert 'href="/comments?' in row[0]
