"""What every page and every error has in common: nothing in it acts, and its form is the same everywhere."""

import html
import re

import httpx
import pytest
from fastapi import APIRouter
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dashboard import TooSlow
from bot.domain.errors import Transient
from bot.domain.markdown import visible
from bot.web.app import application
from bot.web.pages import asset, page
from bot.web.problems import Problem


class _Silent:
    def __getattr__(self, name: str) -> None:
        raise AssertionError(name)


async def _ready() -> list[str]:
    return []


def _client(*routers: APIRouter) -> httpx.AsyncClient:
    app = application(None, routers=routers, telemetry=_Silent(), exposition=lambda: b"", ready=_ready)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://cloister.test")


def _failing(path: str, error: Exception) -> APIRouter:
    router = APIRouter()

    @router.get(path)
    async def fail() -> None:
        raise error

    return router


@given(st.text())
def test_what_a_template_shows_is_text(said: str):
    """No character of a value becomes markup, and what nobody can see is left out."""
    body = page("problem.html", phrase="Not Found", message=said).body.decode()

    paragraph = body.partition("<p>")[2].partition("</p>")[0]
    assert "<" not in paragraph
    assert html.unescape(paragraph) == html.unescape(html.escape(visible(said)))


def test_no_name_is_read_backwards():
    """A character that turns what follows around would show another name than the one that is there."""
    body = page("problem.html", phrase="Not Found", message="\u202eevil\u200b \u05d0").body.decode()
    assert "<p>evil \u05d0</p>" in body


async def test_nothing_foreign_and_nothing_inline_runs():
    """The policy that browsers keep names no other host, and allows no script or style in the page itself."""
    async with _client() as client:
        answer = await client.get("/healthz")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["cloister.css", "htmx.js", "chart.js"])
async def test_bundled_files_are_kept_by_browsers_as_long_as_they_stay_the_same(name: str):
    """The address has a hash of the content; scripts of others come from packages, not from elsewhere."""
    async with _client() as client:
        answer = await client.get(asset(name))
        elsewhere = await client.get("/static/..%2Fapp.py")

    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert elsewhere.status_code == 404


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Problem(409, "moved", "it moved"), 409, "moved"),
        (Transient("Postgres is out of reach"), 503, "unavailable"),
        (TooSlow("this view took longer than 3 s"), 503, "too_slow"),
        (RuntimeError("a secret"), 500, "internal_error"),
    ],
)
async def test_errors_have_one_form(error: Exception, status: int, code: str):
    """The API answers JSON, pages are pages, and what we did not expect is not shown."""
    async with _client(_failing("/api/v1/thing", error), _failing("/thing", error)) as client:
        api = await client.get("/api/v1/thing")
        shown = await client.get("/thing")

    assert (api.status_code, api.json()["error"]["code"]) == (status, code)
    assert shown.status_code == status
    assert shown.headers["content-type"].startswith("text/html")
    assert "a secret" not in api.text + shown.text


async def test_a_view_that_takes_too_long_keeps_what_was_asked():
    """People can ask for less at once; programs are told to wait."""
    error = TooSlow("this view took longer than 3 s: choose fewer days")
    hostile = '"><script>found()</script>'
    asked = {"from": "2026-01-01", "to": "2026-05-31", "group": "retail", "rule": hostile, "after": "x"}
    async with _client(_failing("/quality", error), _failing("/api/v1/series", error)) as client:
        shown = await client.get("/quality", params=asked)
        told = await client.get("/api/v1/series")

    assert (shown.status_code, shown.headers["retry-after"], told.headers["retry-after"]) == (503, "30", "30")
    assert "This view took longer than 3 s: choose fewer days." in shown.text
    fields = {
        name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', shown.text)
    }
    assert "<script" not in shown.text
    assert fields == {
        "from": "2026-01-01", "to": "2026-05-31", "group": "retail", "project": "", "rule": hostile
    }  # fmt: skip
    assert 'action="/quality"' in shown.text
    assert told.json()["error"]["message"] == "this view took longer than 3 s: choose fewer days"


@pytest.mark.parametrize("said", ["it moved: ask again", "It moved: ask again."])
async def test_people_read_sentences(said: str):
    """And find a way on."""
    async with _client(_failing("/thing", Problem(409, "moved", said))) as client:
        shown = await client.get("/thing")

    assert "<p>It moved: ask again.</p>" in shown.text
    assert 'href="/"' in shown.text


async def test_what_is_not_there_has_the_same_form():
    """Unknown addresses and methods are told as all else is."""
    async with _client(_failing("/api/v1/thing", Problem(400, "x", "x"))) as client:
        missing = await client.get("/api/v1/other")
        method = await client.post("/api/v1/thing")

    assert missing.json()["error"]["code"] == "not_found"
    assert method.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/thing/", "/thing"),
        ("/thing/?key=a%2Fb", "/thing?key=a%2Fb"),
        ("/api/v1/thing/", "/api/v1/thing"),
        ("//evil.example/thing/", None),
        ("//evil.example/", None),
        ("/%5Cevil.example/", None),
        ("/other", None),
    ],
)
async def test_a_slash_too_many_leads_to_the_page_wherever_that_is(asked: str, leads_to: str | None):
    """The address has no host and no scheme: behind a proxy both would be wrong, and the way in the clear."""
    working = Problem(409, "moved", "it moved")
    async with _client(_failing("/thing", working), _failing("/api/v1/thing", working)) as client:
        answer = await client.get(asked if "//" not in asked else f"http://cloister.test{asked}")

    assert (answer.status_code, answer.headers.get("location")) == (307 if leads_to else 404, leads_to)
