"""Requests with very many parts."""

import httpx
import pytest
from fastapi import APIRouter

from bot.web.app import application
from bot.web.count_limit import MOST_HEADERS, MOST_PARAMETERS

_HEADERS_OF_A_CLIENT = 5


async def _ready() -> list[str]:
    return []


def _client() -> httpx.AsyncClient:
    router = APIRouter()

    @router.get("/api/v1/probe")
    async def probe(first: str = "") -> dict[str, str]:
        return {"first": first}

    app = application(
        None,
        routers=[router],
        telemetry=None,  # type: ignore[arg-type]
        exposition=lambda: b"",
        ready=_ready,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.mark.parametrize(("parameters", "status"), [(MOST_PARAMETERS, 200), (MOST_PARAMETERS + 1, 414)])
async def test_parameters_are_bounded(parameters: int, status: int) -> None:
    """The framework would compare each with all others, while nobody else is served."""
    query = "&".join(f"p{number}" for number in range(parameters))
    async with _client() as client:
        answer = await client.get(f"/api/v1/probe?{query}")
        page = await client.get(f"/probe?{query}")

    assert answer.status_code == status
    assert page.status_code == (404 if status == 200 else status)
    assert "p99" not in page.text


@pytest.mark.parametrize(("more", "status"), [(-_HEADERS_OF_A_CLIENT, 200), (1, 431)])
async def test_headers_are_bounded(more: int, status: int) -> None:
    """They are compared like parameters where a route asks for one; the answer says what to do."""
    headers = {f"x-{number}": "a" for number in range(MOST_HEADERS + more)}
    async with _client() as client:
        answer = await client.get("/api/v1/probe", headers=headers)

    assert answer.status_code == status
    assert status == 200 or answer.json()["error"] == {
        "code": "too_many_headers",
        "message": "the request has over 100 headers: leave some out",
    }
