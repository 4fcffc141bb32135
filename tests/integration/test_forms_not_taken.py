"""A form that is not taken says why, and what was written into it is still there."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Form, Request
from starlette.responses import PlainTextResponse

from bot.domain.session import FRESH, IDLE
from bot.web.access import SignedInViewer, public, viewer
from bot.web.problems import Problem
from tests.gitlab import GitLab
from tests.pages import PUBLIC, MakeSite, Site, form_token, sign_in

WHY = 'a reason "that" took <long> to write'
OURS = {"origin": PUBLIC, "sec-fetch-site": "same-origin", "referer": f"{PUBLIC}/noise?project=7"}


def probe() -> APIRouter:
    """Return a route for administrators, and one for everybody that shows more to those whom it knows."""
    router = APIRouter()

    @router.post("/probe")
    async def decide(asking: SignedInViewer, why: Annotated[str, Form()]) -> PlainTextResponse:
        if not asking.admin:
            raise Problem(403, "not_a_lead", "ask an administrator")
        return PlainTextResponse(why)

    @router.get("/open")
    @public
    async def shown(request: Request, key: str = "") -> PlainTextResponse:
        return PlainTextResponse("nobody" if key else viewer(request).role)

    return router


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Return the pages, with some more to send forms to."""
    return make_site(more=(probe(),))


async def _send(browser: httpx.AsyncClient, token: str, **headers: str) -> httpx.Response:
    return await browser.post("/probe", data={"form_token": token, "why": WHY}, headers={**OURS, **headers})


async def test_an_old_session_is_named_as_the_reason(site: Site, gitlab: GitLab) -> None:
    """An administrator's form that was open for over an hour is not refused as if a developer had sent it."""
    async with site.browser(gitlab.server.admin) as browser:
        token = form_token(await sign_in(browser))
        assert (await _send(browser, token)).text == WHY
        site.move(FRESH + timedelta(minutes=1))
        stale = await _send(browser, token)
        fresh = form_token(await browser.get("/reviews", follow_redirects=True))
        again = await _send(browser, fresh)

    assert stale.status_code == 401
    assert "over an hour since GitLab said that you may do this" in stale.text
    assert "administrator." not in stale.text
    assert html.escape(WHY, quote=False) in html.unescape(stale.text).replace("<long>", "&lt;long&gt;")
    assert 'href="/noise?project=7">Go back' in stale.text
    assert again.text == WHY


async def test_a_refusal_that_has_another_reason_keeps_it(site: Site, gitlab: GitLab) -> None:
    """Who never was an administrator is told so, however old the session is."""
    async with site.browser(gitlab.developer) as browser:
        token = form_token(await sign_in(browser))
        site.move(FRESH + timedelta(minutes=1))
        answer = await _send(browser, token)

    assert answer.status_code == 403
    assert "Ask an administrator." in answer.text


@pytest.mark.parametrize("htmx", [{}, {"hx-request": "true"}], ids=["plain", "htmx"])
async def test_a_session_that_is_over_takes_nothing_along(
    site: Site, gitlab: GitLab, htmx: dict[str, str]
) -> None:
    """The text is shown, and signing in leads to the page that it was written on; the address stays that page's."""
    async with site.browser(gitlab.server.admin) as browser:
        token = form_token(await sign_in(browser))
        site.move(IDLE + timedelta(minutes=1))
        answer = await _send(browser, token, **htmx)

    assert answer.status_code == 401
    assert "You are not signed in any more" in answer.text
    assert "a reason &#34;that&#34; took &lt;long&gt; to write" in answer.text
    assert 'href="/sign-in?to=/noise%3Fproject%3D7"' in answer.text
    assert answer.headers["hx-push-url"] == "false"
    assert "hx-refresh" not in answer.headers


async def test_a_form_from_before_the_session_was_renewed_is_shown(site: Site, gitlab: GitLab) -> None:
    """Another window renews the session each hour; nobody has done anything wrong."""
    async with site.browser(gitlab.server.admin) as browser:
        token = form_token(await sign_in(browser))
        await sign_in(browser)
        answer = await _send(browser, token)

    assert answer.status_code == 403
    assert "Your session was renewed since this page was loaded" in answer.text
    assert "took &lt;long&gt;" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": PUBLIC, "sec-fetch-site": "same-site"},
        {"origin": "null", "sec-fetch-site": "none"},
    ],
)
async def test_no_other_site_has_us_show_its_words(
    site: Site, gitlab: GitLab, headers: dict[str, str]
) -> None:
    """Neither to somebody who has signed in nor to anybody else."""
    async with site.browser(gitlab.server.admin) as browser, site.browser() as stranger:
        token = form_token(await sign_in(browser))
        answers = [await _send(one, token, **headers) for one in (browser, stranger)]

    assert [answer.status_code for answer in answers] == [403, 303]
    assert not any("took" in answer.text for answer in answers)


async def test_the_way_back_is_a_page_of_ours(site: Site, gitlab: GitLab) -> None:
    """Whatever the browser says that it was."""
    async with site.browser(gitlab.developer) as browser:
        token = form_token(await sign_in(browser))
        for said in (f"{PUBLIC}//evil.example", "https://[", "javascript:alert(1)", ""):
            answer = await _send(browser, token, referer=said)
            assert answer.status_code == 403
            assert "evil" not in answer.text, said
            assert "javascript" not in answer.text, said


async def test_a_page_for_everybody_asks_gitlab_too_once_it_shows_more(site: Site, gitlab: GitLab) -> None:
    """A commit status leads an auditor to a verdict hours after they signed in; a link with a key asks nothing."""
    async with site.browser(gitlab.server.admin) as browser:
        await sign_in(browser)
        site.move(FRESH + timedelta(minutes=1))
        with_key = await browser.get("/open?key=x")
        led = await browser.get("/open")
        shown = await browser.get("/open", follow_redirects=True)

    assert with_key.text == "nobody"
    assert led.headers["location"] == "/sign-in/gitlab?to=%2Fopen"
    assert shown.text == "administrator"
