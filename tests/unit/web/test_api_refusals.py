"""What the API refuses before it looks at anything: parameters that nobody knows, and bodies that are no JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import Request

from bot.domain.forge import ForgeUser
from bot.domain.viewer import Viewer
from bot.web.api import Office, api
from bot.web.app import application
from tests.dashboards import SHOP, Frozen, Shown, ready, run_of
from tests.viewers import seen_by

MUTE = {"project": SHOP, "scanner": "semgrep", "rule": "r", "until": "2026-06-20", "why": "noise"}


@pytest.fixture
async def shown_and_client() -> AsyncIterator[tuple[Shown, httpx.AsyncClient]]:
    """Return what is shown, and an administrator who asks."""
    shown = Shown()

    async def may_decide(*_: Any) -> bool:
        return True

    async def viewer_of(_request: Request) -> Viewer:
        return Viewer(ForgeUser(1, "ada"), admin=True)

    office = Office(shown, shown, Frozen(), may_decide, shown, may_decide)  # type: ignore[arg-type]
    routers = [seen_by(viewer_of, api(office))]
    app = application(None, routers=routers, telemetry=None, exposition=lambda: b"", ready=ready)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x.test/api/v1") as client:
        yield shown, client


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/me?rol=x", "rol"),
        ("/health?project=1", "project"),
        ("/audit/chain?from=2026-01-01", "from"),
        ("/projects.csv?limit=5", "limit"),
        ("/dead-letters.csv?from=2026-01-01", "from"),
        (f"/reviews/{run_of(0)}?part=said", "part"),
        (f"/overview?{'x' * 900}=1", "x" * 100),
        ("/overview?from=2026-05-01&from=2026-05-02", "from"),
        ("/reviews?limit=5&limit=6", "limit"),
    ],
)
async def test_a_parameter_that_would_go_unnoticed_is_refused(
    shown_and_client: tuple[Shown, httpx.AsyncClient], path: str, name: str
) -> None:
    """Where there are no others too, and where it is there twice."""
    answer = await shown_and_client[1].get(path)

    assert answer.status_code == 422
    (place,) = answer.json()["error"]["places"]
    assert (place["where"], place["name"]) == ("query", name)


@pytest.mark.parametrize(
    ("path", "methods"), [("/mutes", "GET, POST"), (f"/mutes/{run_of(0)}/end", "POST"), ("/projects", "GET")]
)
async def test_another_method_is_told_which_there_are(
    shown_and_client: tuple[Shown, httpx.AsyncClient], path: str, methods: str
) -> None:
    """All of them, though each has a route of its own."""
    answer = await shown_and_client[1].put(path)

    assert (answer.status_code, answer.headers["allow"]) == (405, methods)


async def test_a_trial_that_there_is_not_changes_nothing(
    shown_and_client: tuple[Shown, httpx.AsyncClient],
) -> None:
    """Whoever believes that `dry_run` is known finds out before anything is muted."""
    shown, client = shown_and_client
    before = dict(shown.muted)
    refused = await client.post("/mutes?dry_run=true", json=MUTE)

    assert (refused.status_code, shown.muted) == (422, before)
    assert (await client.post("/mutes", json=MUTE)).status_code == 204


@pytest.mark.parametrize(
    ("number", "status"), [(float(SHOP), 204), (SHOP + 0.5, 422), (str(SHOP), 422), (True, 422)]
)
async def test_a_whole_number_may_have_a_point(
    shown_and_client: tuple[Shown, httpx.AsyncClient], number: object, status: int
) -> None:
    """JSON knows one kind of number, and what is none is not made one."""
    answer = await shown_and_client[1].post("/mutes", json={**MUTE, "project": number})

    assert answer.status_code == status


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
async def test_a_body_must_say_that_it_is_json(
    shown_and_client: tuple[Shown, httpx.AsyncClient], kind: str
) -> None:
    """The answer says which header is missing."""
    client = shown_and_client[1]
    answer = await client.post("/mutes", content=b"{}", headers={"content-type": kind} if kind else {})

    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["error"]["message"]


async def test_headers_alone_can_be_asked_for(shown_and_client: tuple[Shown, httpx.AsyncClient]) -> None:
    """As monitors and `curl -I` do."""
    client = shown_and_client[1]
    asked, whole = await client.head("/me"), await client.get("/me")

    assert asked.status_code == 200
    assert asked.headers == whole.headers
    assert (await client.head("/nothing")).status_code == 404
