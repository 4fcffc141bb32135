"""Mutes through the API: by tech leads of the project, with a reason, for a while."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import Request

from bot.domain.errors import Permanent
from bot.domain.forge import ForgeUser
from bot.domain.viewer import MAINTAINER, REPORTER, Viewer
from bot.web.api import Office, api
from bot.web.app import application
from tests.dashboards import BANK, MUTE, NOW, SHOP, Shown, run_of
from tests.viewers import seen_by

LEAD = Viewer(ForgeUser(2, "lea"), levels={SHOP: MAINTAINER, BANK: REPORTER})
ASKED = {
    "project": SHOP,
    "scanner": "semgrep",
    "rule": "java.magic-number",
    "until": "2026-06-20",
    "why": "noise",
}


class _Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class _Never(Shown):
    async def mute(self, *args: Any, **more: Any) -> None:
        raise Permanent("rules about secrets are never muted")


async def _ready() -> list[str]:
    return []


def _client(shown: Shown, *, still_lead: bool = True, viewer: Viewer = LEAD) -> httpx.AsyncClient:
    async def may_decide_group(_viewer: Viewer, group: str) -> bool:
        return still_lead and group == "retail"

    async def may_decide(_viewer: Viewer, _project: int) -> bool:
        return still_lead

    async def viewer_of(_request: Request) -> Viewer:
        return viewer

    office = Office(shown, shown, _Clock(), may_decide, shown, may_decide_group)  # type: ignore[arg-type]
    app = application(
        None,
        routers=[seen_by(viewer_of, api(office))],
        telemetry=None,  # type: ignore[arg-type]
        exposition=lambda: b"",
        ready=_ready,
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://cloister.test/api/v1")


@pytest.fixture
def shown() -> Shown:
    """Return what keeps mutes."""
    return Shown()


@pytest.fixture
async def client(shown: Shown) -> AsyncIterator[httpx.AsyncClient]:
    """Return the API as a tech lead of the shop has it."""
    async with _client(shown) as client:
        yield client


async def test_a_rule_is_muted_and_unmuted(shown: Shown, client: httpx.AsyncClient):
    """To the end of the day, with the reason; what is gone is not there."""
    muted = await client.post("/mutes", json=ASKED)
    new = next(one for one in shown.muted.values() if one.rule == "java.magic-number")
    end = await client.post(f"/mutes/{new.id}/end", json={"project": SHOP, "why": "it was right"})
    again = await client.post(f"/mutes/{new.id}/end", json={"project": SHOP, "why": "it was right"})

    assert (muted.status_code, new.why, new.project_id) == (204, "noise", SHOP)
    assert (end.status_code, again.status_code) == (204, 404)
    assert set(shown.muted) == {MUTE}


async def test_mutes_are_listed_page_by_page(shown: Shown, client: httpx.AsyncClient):
    """What ends first comes first, each is on one page, and all are in the table; `noise` says how many there are."""
    one = shown.muted[MUTE]
    shown.muted |= {
        key: replace(one, id=key, until=one.until - timedelta(hours=number))
        for number, key in enumerate(map(run_of, range(5)))
    }
    path, found = "/mutes?project=7&limit=4", []
    while path:
        page = (await client.get(path)).json()
        found.append([line["id"] for line in page["mutes"]])
        path = (page["next"] or "").removeprefix("/api/v1")
    table = (await client.get("/mutes.csv")).text.splitlines()
    noise = (await client.get("/noise")).json()

    ends = sorted(shown.muted.values(), key=lambda mute: (mute.until, mute.id))
    assert found == [[str(mute.id) for mute in part] for part in (ends[:4], ends[4:])]
    assert len(table) == 1 + 6
    assert (len(noise["muted"]), noise["muted_count"]) == (6, 6)


async def test_who_does_not_lead_the_project_mutes_nothing(shown: Shown, client: httpx.AsyncClient):
    """Nor who led it when they signed in; whether there is such a mute or project, they are not told."""
    other = await client.post("/mutes", json={**ASKED, "project": BANK})
    unknown = await client.post("/mutes", json={**ASKED, "project": 999})
    end = await client.post(f"/mutes/{MUTE}/end", json={"project": BANK, "why": "x"})
    async with _client(shown, still_lead=False) as late:
        no_more = await late.post("/mutes", json=ASKED)

    assert {answer.status_code for answer in (other, unknown, end, no_more)} == {403}
    assert other.text == unknown.text
    assert set(shown.muted) == {MUTE}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"until": "2026-05-29"}, "until"),
        ({"until": "2027-05-29"}, "until"),
        ({"until": "soon"}, "until"),
        ({"why": " "}, "why"),
        ({"why": "a\u202eb"}, "why"),
        ({"why": "x" * 501}, "why"),
        ({"until": "2026-06-20T00:00:00"}, "until"),
        ({"until": 1_781_913_600}, "until"),
        ({"until": "2026-06-31"}, "until"),
        ({"rule": ""}, "rule"),
        ({"rule": " "}, "rule"),
        ({"scanner": " "}, "scanner"),
        ({"project": 0}, "project"),
        ({"project": True}, "project"),
        ({"project": str(SHOP)}, "project"),
        ({"forever": True}, "forever"),
    ],
)
async def test_what_is_wrong_is_named(
    shown: Shown, client: httpx.AsyncClient, changes: dict[str, Any], name: str
):
    """And nothing is muted."""
    answer = await client.post("/mutes", json={**ASKED, **changes})

    assert answer.status_code == 422
    assert [place["name"] for place in answer.json()["error"]["places"]] == [name]
    assert set(shown.muted) == {MUTE}


async def test_what_may_never_be_muted_says_why():
    """It is no fault of the form of the request."""
    async with _client(_Never()) as client:
        answer = await client.post("/mutes", json=ASKED)

    assert answer.status_code == 409
    assert "never muted" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\xfd{", b"[" * 50_000, b'{"project": ' + b"9" * 50_000 + b"}", b"{"]
)
async def test_a_body_that_is_no_json_is_refused_like_any_other(client: httpx.AsyncClient, body: bytes):
    """With a status that the document names."""
    answer = await client.post("/mutes", content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")
    assert [place["where"] for place in answer.json()["error"]["places"]] == ["body"]


async def test_a_body_is_bounded(client: httpx.AsyncClient):
    """While it arrives."""
    answer = await client.post("/mutes", json={**ASKED, "why": "x" * 2_000_000})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


async def test_a_rule_is_muted_for_a_group(shown: Shown, client: httpx.AsyncClient):
    """By who leads the group itself, told by its path in any case."""
    asked = {**{key: value for key, value in ASKED.items() if key != "project"}, "group": "Retail"}
    muted = await client.post("/group-mutes", json=asked)
    new = next(one for one in shown.muted.values() if one.group)
    end = await client.post(f"/group-mutes/{new.id}/end", json={"group": "retail", "why": "it was right"})

    assert (muted.status_code, new.group, new.project_id) == (204, "retail", None)
    assert (end.status_code, set(shown.muted)) == (204, {MUTE})
    async with _client(shown, still_lead=False) as late:
        for other, group, status in (
            (client, "bank", 403),
            (client, "../retail", 422),
            (late, "retail", 403),
        ):
            answer = await other.post("/group-mutes", json={**asked, "group": group})
            ended = await other.post(f"/group-mutes/{MUTE}/end", json={"group": group, "why": "x"})
            assert (answer.status_code, ended.status_code) == (status, status)
    assert set(shown.muted) == {MUTE}


async def test_an_unknown_mute_is_not_there(client: httpx.AsyncClient):
    """Like one of another project."""
    answer = await client.post(f"/mutes/{uuid.UUID(int=1)}/end", json={"project": SHOP, "why": "x"})

    assert answer.status_code == 404
