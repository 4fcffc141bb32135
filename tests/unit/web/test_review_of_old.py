"""A review of which not all is kept: its page says what is missing, and claims nothing instead."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.domain.forge import ForgeUser
from bot.domain.review_detail import ReviewDetail
from bot.domain.viewer import Reach, Viewer
from tests.dashboards import Shown, pages_of, run_of

AT = datetime(2026, 11, 27, tzinfo=UTC)


class _Part(Shown):
    """Show reviews without parts of them."""

    def __init__(self, line: dict[str, Any], **less: Any) -> None:
        super().__init__()
        self._line_is, self._less = line, less

    async def review(self, run_id: uuid.UUID, reach: Reach) -> ReviewDetail | None:
        """Return a review with less in it."""
        found = await super().review(run_id, reach)
        assert found is not None
        return replace(found, line=replace(found.line, **self._line_is), **self._less)


async def _may(viewer: Viewer, project: int) -> bool:
    return True


@pytest.mark.parametrize(
    ("line", "less", "said"),
    [
        ({"posted": 3}, {"said": ()}, "3 became comments, which are not kept any more"),
        ({"posted": 0}, {"said": ()}, "posted no comment: why stands with each finding below"),
        ({"posted": 0}, {"said": (), "filtered": ()}, "This review posted no comment."),
        ({"files": 5, "files_read": 3}, {"unread": {}}, "Which files were not read is not kept"),
        ({"files": 5, "files_read": 5}, {"unread": {}}, "Every changed file was read whole"),
        ({"head_sha": ""}, {}, "<dt>Commit</dt><dd>not kept</dd>"),
        ({"generated": 9}, {"removed_at": AT}, "<dt>Found</dt><dd>9</dd>"),
        ({}, {"removed_at": AT}, "Details were removed on <time"),
    ],
)
async def test_what_is_not_there_is_not_said_to_be_none(
    line: dict[str, Any], less: dict[str, Any], said: str
) -> None:
    """Comments go with their age, and files by name are kept since later."""
    app = pages_of(_Part(line, **less), Viewer(ForgeUser(1, "ada"), admin=True), _may)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x.test") as client:
        page = (await client.get(f"/reviews/{run_of(1)}")).text

    assert said in page


async def test_what_was_removed_is_not_said_to_be_nothing() -> None:
    """No stage, call or file is said not to have been, and no link leads to a verdict that is gone."""
    nothing: dict[str, Any] = {"said": (), "filtered": (), "unread": {}, "steps": (), "calls": ()}
    app = pages_of(_Part({}, **nothing, removed_at=AT), Viewer(ForgeUser(1, "ada"), admin=True), _may)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x.test") as client:
        page = (await client.get(f"/reviews/{run_of(1)}")).text

    assert [
        word for word in ("was not asked", "No part", "read whole", "/verdicts/", "Stages") if word in page
    ] == []


async def test_of_a_very_large_review_the_first_are_shown() -> None:
    """The page stays one that a browser can show, and says how many there are; the export has all."""
    (one, *_) = (await Shown().review(run_of(1), Reach(None))).filtered  # type: ignore[union-attr]
    large: dict[str, Any] = {
        "filtered": tuple(replace(one, title=f"left{n}") for n in range(2000)),
        "unread": {f"file{n}.py": "too large" for n in range(3000)},
    }
    app = pages_of(_Part({}, **large), Viewer(ForgeUser(1, "ada"), admin=True), _may)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x.test") as client:
        page = (await client.get(f"/reviews/{run_of(1)}")).text

    assert ("left499" in page, "left500" in page) == (True, False)
    assert ("file499.py" in page, "file500.py" in page) == (True, False)
    assert "The first 500 that were not said; the export has all" in page
    assert "The first 500 files that were not read, or not whole; the export has all" in page
