"""People sign in and out, and nobody gets in who should not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import APIRouter, Form, Request
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from bot.adapters.api_tokens_postgres import PostgresApiTokens
from bot.adapters.sessions_postgres import PostgresSessions
from bot.demo.gitlab import Level, User
from bot.domain.session import ABSOLUTE, FRESH, IDLE, LINK
from bot.domain.token_names import Scope
from bot.web.access import SignedInViewer, for_tokens, is_public, public
from bot.web.deciding import Deciding
from bot.wiring_access import people_of
from tests.gitlab import GitLab
from tests.pages import PUBLIC, MakeSite, Site, account, form_token, sign_in

COOKIE = "__Host-cloister"


def probe() -> APIRouter:
    """Return routes as other parts of the product have them."""
    router = APIRouter()

    @router.get("/api/v1/probe")
    async def read(viewer: SignedInViewer) -> dict[str, Any]:
        return {"role": viewer.role, "projects": sorted(viewer.levels), "all": viewer.reads_all}

    @router.get("/api/v1/export")
    @for_tokens(Scope.export)
    async def export(viewer: SignedInViewer) -> dict[str, Any]:
        return {}

    @router.post("/api/v1/probe")
    async def change(viewer: SignedInViewer) -> dict[str, Any]:
        return {"role": viewer.role}

    @router.post("/probe")
    async def submit(request: Request, word: Annotated[str, Form()] = "") -> dict[str, Any]:
        return {"word": word, "role": request.state.viewer.role}

    @router.get("/open")
    @public
    async def everybody(request: Request) -> dict[str, Any]:
        return {"known": request.state.viewer is not None}

    return router


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Return the pages, with some more to try the checks on."""
    return make_site(more=(probe(),))


async def test_somebody_signs_in_with_gitlab_and_out_again(site: Site, gitlab: GitLab) -> None:
    """They come to the page that they wanted; afterwards the cookie is worth nothing, wherever it is kept."""
    async with site.browser(gitlab.developer) as browser:
        asked = await browser.get("/?x=1")
        chosen = await browser.get(asked.headers["location"])
        shown = await sign_in(browser, "/?x=1")
        kept = browser.cookies[COOKIE]
        left = await browser.post("/sign-out", data={"form_token": form_token(shown)})
        browser.cookies.set(COOKIE, kept, domain="cloister.example")
        after = await browser.get("/")

    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?to=%2F%3Fx%3D1")
    assert "/sign-in/gitlab?to=/%3Fx%3D1" in chosen.text
    assert str(shown.url) == f"{PUBLIC}/?x=1"
    assert account(shown) == "dev, developer"
    assert left.status_code == 200
    assert after.status_code == 303
    assert await site.audit() == [(f"gitlab:{gitlab.developer.id}:dev", "sign_in")]


async def test_the_cookie_is_for_this_host_and_no_script(site: Site, gitlab: GitLab) -> None:
    """Everything a browser knows to protect it by."""
    async with site.browser(gitlab.developer) as browser:
        begun = await browser.get("/sign-in/gitlab")
        ended = await browser.get((await browser.get(begun.headers["location"])).headers["location"])

    assert {one.headers["cache-control"] for one in (begun, ended)} == {"no-store"}
    set_cookies = [*begun.headers.get_list("set-cookie"), *ended.headers.get_list("set-cookie")]
    attempt = _attempt(begun)
    assert [one.partition("=")[0] for one in set_cookies] == [attempt, COOKIE, attempt]
    for one in set_cookies:
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(one.split("; ")[1:])
        assert "domain" not in one.lower()


async def test_nothing_of_a_cookie_is_in_the_database(site: Site, gitlab: GitLab) -> None:
    """Whoever reads it cannot come in, and no token of GitLab's is there."""
    async with site.browser(gitlab.developer) as browser:
        await sign_in(browser)
        kept = browser.cookies[COOKIE]
    (row,) = await site.pool.fetch("SELECT to_jsonb(s)::text AS said FROM web_session s")

    assert len(kept) == 43
    assert kept not in row["said"]
    assert not any(value in row["said"] for value in gitlab.server.instance.state.tokens)


async def test_a_session_that_was_planted_is_not_taken_over(site: Site, gitlab: GitLab) -> None:
    """Signing in gives a new id, and ends the one that was there."""
    async with site.browser(gitlab.developer) as attacker, site.browser(gitlab.server.admin) as victim:
        await sign_in(attacker)
        planted = attacker.cookies[COOKIE]
        victim.cookies.set(COOKIE, planted, domain="cloister.example")
        victim.cookies.set(f"{COOKIE}", planted, domain="cloister.example")
        shown = await sign_in(victim)
        now_there = [cookie.value for cookie in victim.cookies.jar if cookie.name == COOKIE]
        attacked = await attacker.get("/")

    assert account(shown) == "root, administrator"
    assert planted not in now_there
    assert attacked.status_code == 303


async def test_an_attempt_belongs_to_the_browser_that_began_it(site: Site, gitlab: GitLab) -> None:
    """Nobody can be signed in as somebody else by a link that ends an attempt of theirs."""
    async with site.browser(gitlab.developer) as attacker, site.browser(gitlab.server.admin) as victim:
        begun = await attacker.get("/sign-in/gitlab")
        back = (await attacker.get(begun.headers["location"])).headers["location"]
        without = await victim.get(back)
        await victim.get("/sign-in/gitlab")
        with_another = await victim.get(back)

    assert (without.status_code, with_another.status_code) == (400, 400)
    assert "start again" in with_another.text
    assert COOKIE not in victim.cookies


def _attempt(begun: httpx.Response) -> str:
    """Return the name of the cookie of an attempt that has begun."""
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    return f"{COOKIE}-sign-in-{state[:8]}"


async def test_windows_that_open_together_all_arrive(site: Site, gitlab: GitLab) -> None:
    """As a browser does that starts anew in the morning; those that nobody ends do not add up."""
    async with site.browser(gitlab.developer) as browser:
        begun = [await browser.get("/sign-in/gitlab", params={"to": f"/?page={tab}"}) for tab in range(11)]
        kept = [name for name in browser.cookies if name.startswith(f"{COOKIE}-sign-in")]
        ended = [
            await browser.get((await browser.get(one.headers["location"])).headers["location"])
            for one in begun
        ]

    assert kept == [_attempt(one) for one in begun[-8:]]
    assert [one.status_code for one in ended] == [400] * 3 + [303] * 8
    assert [one.headers["location"] for one in ended[3:]] == [f"/?page={tab}" for tab in range(3, 11)]
    assert [name for name in browser.cookies if name.startswith(COOKIE)] == [COOKIE]


@pytest.mark.parametrize("spoil", ["state", "cookie", "late", "code", "refused"])
async def test_an_attempt_that_is_not_right_lets_nobody_in(site: Site, gitlab: GitLab, spoil: str) -> None:
    """The page says what to do; GitLab's words are not shown."""
    async with site.browser(gitlab.developer) as browser:
        begun = await browser.get("/sign-in/gitlab")
        back = (await browser.get(begun.headers["location"])).headers["location"]
        name = _attempt(begun)
        match spoil:
            case "state":
                back = back[:-1] + ("A" if back[-1] != "A" else "B")
            case "cookie":
                value = browser.cookies[name]
                browser.cookies.set(name, "A" + value[1:], domain="cloister.example")
            case "late":
                site.move(timedelta(minutes=10))
            case "code":
                await browser.get(back)
                browser.cookies.clear()
                for one in begun.headers.get_list("set-cookie"):
                    browser.cookies.set(
                        name, one.partition("=")[2].partition(";")[0], domain="cloister.example"
                    )
            case "refused":
                back = f"{PUBLIC}/sign-in/callback?error=access_denied&error_description=<script>"
        answer = await browser.get(back)

    assert answer.status_code in {400, 403}
    assert "again" in answer.text
    assert "<script>" not in answer.text
    assert COOKIE not in answer.cookies


async def test_a_gitlab_that_is_set_up_wrong_is_the_operators_to_mend(
    make_site: MakeSite, gitlab: GitLab
) -> None:
    """People are told to ask; the secret and what went wrong are for the log."""
    site = make_site(oauth_client_secret="wrong")
    async with site.browser(gitlab.developer) as browser:
        begun = await browser.get("/sign-in/gitlab")
        answer = await browser.get((await browser.get(begun.headers["location"])).headers["location"])

    assert answer.status_code == 503
    assert "ask the operator" in answer.text
    assert "CLOISTER_OAUTH" not in answer.text


async def test_nobody_is_sent_elsewhere(site: Site, gitlab: GitLab) -> None:
    """Whatever the link says, one ends on a page of ours."""
    async with site.browser(gitlab.developer) as browser:
        for to in ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"):
            assert str((await sign_in(browser, to)).url) == f"{PUBLIC}/"


async def test_a_session_ends(site: Site, gitlab: GitLab) -> None:
    """When it was not used for hours, and after a day however much it was; passing by GitLab prolongs nothing."""
    async with site.browser(gitlab.developer) as browser:
        await sign_in(browser)
        site.move(IDLE - timedelta(minutes=1))
        assert (await browser.get("/open")).json() == {"known": True}
        site.move(site.clock.ahead + IDLE - timedelta(minutes=1))
        renewed = await browser.get("/", follow_redirects=True)
        assert account(renewed).startswith("dev, ")
        site.move(site.clock.ahead + IDLE + timedelta(minutes=1))
        assert (await browser.get("/open")).json() == {"known": False}
        await sign_in(browser)
        began = site.clock.ahead
        for hours in (7.5, 15, 22.5, 23.9):
            site.move(began + timedelta(hours=hours))
            await browser.get("/", follow_redirects=True)
            assert (await browser.get("/open")).json() == {"known": True}
        site.move(began + ABSOLUTE + timedelta(minutes=1))
        assert (await browser.get("/open")).json() == {"known": False}


async def test_old_memberships_are_told_anew(site: Site, gitlab: GitLab) -> None:
    """Pages pass by GitLab, which asks nothing; the API says to reload; it is no new sign-in in the audit log."""
    async with site.browser(gitlab.developer) as browser:
        await sign_in(browser)
        before = browser.cookies[COOKIE]
        gitlab.project.members[gitlab.developer.id] = Level.maintainer
        assert account(await browser.get("/")) == "dev, developer"
        site.move(FRESH + timedelta(minutes=1))
        api = await browser.get("/api/v1/probe")
        part = await browser.get("/", headers={"hx-request": "true"})
        shown = await browser.get("/?page=2", follow_redirects=True)

    assert (api.status_code, api.json()["error"]["code"]) == (401, "session_stale")
    assert (part.status_code, part.headers["hx-refresh"]) == (401, "true")
    assert account(shown) == "dev, tech lead"
    assert str(shown.url) == f"{PUBLIC}/?page=2"
    assert browser.cookies[COOKIE] != before
    assert len(await site.audit()) == 1


async def test_an_old_session_of_an_administrator_changes_nothing_as_one(site: Site, gitlab: GitLab) -> None:
    """A form that was open for long is taken, but not as an administrator's."""
    async with site.browser(gitlab.server.admin) as browser:
        token = form_token(await sign_in(browser))
        fresh = await browser.post("/probe", data={"form_token": token})
        site.move(FRESH + timedelta(minutes=1))
        stale = await browser.post("/probe", data={"form_token": token})

    assert (fresh.json()["role"], stale.json()["role"]) == ("administrator", "developer")


async def test_whoever_decides_is_looked_up_at_that_moment(site: Site, gitlab: GitLab) -> None:
    """A role that was taken away is gone at once, and one that was given counts."""
    deciding = Deciding(people_of(site.settings))
    session = None
    gitlab.project.members[gitlab.developer.id] = Level.maintainer
    async with site.browser(gitlab.developer) as browser:
        await sign_in(browser)
        session = await PostgresSessions(site.pool).find(browser.cookies[COOKIE], site.clock.now())
    assert session is not None
    viewer = session.viewer

    assert await deciding.may_decide(viewer, gitlab.project.id)
    gitlab.project.members[gitlab.developer.id] = Level.developer
    assert viewer.leads(gitlab.project.id)
    assert not await deciding.may_decide(viewer, gitlab.project.id)
    assert not await deciding.may_decide(replace(viewer, scopes=frozenset({Scope.read})), gitlab.project.id)


@pytest.mark.parametrize("gone", ["blocked", "deleted"])
@pytest.mark.parametrize("role", ["administrator", "tech lead"])
async def test_whoever_is_gone_decides_nothing(site: Site, gitlab: GitLab, role: str, gone: str) -> None:
    """Their session still shows pages for a while; an administrator's account counts like any other."""
    person = gitlab.server.create_user("leaver")
    person.admin = role == "administrator"
    gitlab.server.add_member(gitlab.project, person, Level.maintainer)
    group = gitlab.project.group.path
    asked = {"scanner": "semgrep", "rule": "r", "until": _in(9), "why": "x"}
    statuses = []
    async with site.browser(person) as browser:
        form = {"x-cloister-form": form_token(await sign_in(browser))}
        for before in (True, False):
            if not before:
                _leave(gitlab, person, gone)
            for path, where in (("mutes", {"project": gitlab.project.id}), ("group-mutes", {"group": group})):
                answer = await browser.post(f"/api/v1/{path}", json={**asked, **where}, headers=form)
                statuses.append(answer.status_code)

    assert statuses == [204, 204 if role == "administrator" else 403, 403, 403]


def _leave(gitlab: GitLab, person: User, how: str) -> None:
    if how == "blocked":
        person.state = "blocked"
    else:
        gitlab.server.delete_user(person)


def _in(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


async def test_roles_come_from_gitlab_and_from_the_operator(make_site: MakeSite, gitlab: GitLab) -> None:
    """By user name, whatever its case."""
    carol = gitlab.server.create_user("carol")
    site = make_site(more=(probe(),), admins="DEV, nobody", auditors="Carol")
    found = {}
    for user in (gitlab.developer, carol, gitlab.bot):
        async with site.browser(user) as browser:
            await sign_in(browser)
            found[user.username] = (await browser.get("/api/v1/probe")).json()["role"]

    assert found == {"dev": "administrator", "carol": "auditor", "review-bot": "developer"}


async def test_a_form_must_be_of_the_session(site: Site, gitlab: GitLab) -> None:
    """Its token in a field, or in the header that scripts of ours send; each page has another one."""
    async with site.browser(gitlab.server.admin) as other:
        foreign = form_token(await sign_in(other))
    async with site.browser(gitlab.developer) as browser:
        own = form_token(await sign_in(browser))
        again = form_token(await browser.get("/"))
        tries: dict[str, tuple[dict[str, str], dict[str, str]]] = {
            "field": ({"form_token": own, "word": "x"}, {}),
            "another page's": ({"form_token": again}, {}),
            "header": ({}, {"x-cloister-form": own}),
            "missing": ({"word": "x"}, {}),
            "empty": ({"form_token": ""}, {}),
            "foreign": ({"form_token": foreign}, {}),
            "changed": ({"form_token": own[:-1] + ("0" if own[-1] != "0" else "1")}, {}),
            "cookie": ({"form_token": browser.cookies[COOKIE]}, {}),
            "not ASCII": ({"form_token": "\u00e9" * 128}, {}),
            "other digits": ({"form_token": "\u0661" * 128}, {}),
        }
        answers = {
            name: await browser.post("/probe", data=data, headers=headers)
            for name, (data, headers) in tries.items()
        }
        in_the_address = await browser.post(f"/probe?form_token={own}")

    assert own != again
    good = [name for name, answer in answers.items() if answer.status_code == 200]
    assert good == ["field", "another page's", "header"]
    assert answers["field"].json()["word"] == "x"
    assert {answer.status_code for name, answer in answers.items() if name not in good} == {403}
    assert in_the_address.status_code == 403


async def test_a_form_must_come_from_a_page_of_ours(site: Site, gitlab: GitLab) -> None:
    """As the browser tells, even with the right token."""
    ours: list[dict[str, str]] = [{"origin": PUBLIC}, {"origin": PUBLIC, "sec-fetch-site": "same-origin"}]
    foreign: list[dict[str, str]] = [
        {"origin": "https://evil.example"},
        {"origin": f"{PUBLIC}.evil.example"},
        {"origin": "http://cloister.example"},
        {"origin": "null"},
        {"origin": PUBLIC, "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
    ]
    async with site.browser(gitlab.developer) as browser:
        form = {"form_token": form_token(await sign_in(browser))}
        for headers in ours + foreign:
            answer = await browser.post("/probe", data=form, headers=headers)
            assert answer.status_code == (200 if headers in ours else 403), headers


async def test_a_body_is_bounded(site: Site) -> None:
    """Also for those who have not signed in."""
    async with site.browser() as browser:
        answer = await browser.post("/sign-in/link", data={"key": "a" * 2_000_000})

    assert answer.status_code in {413, 422}


async def _endpoints(site: Site) -> list[RouteContext]:
    routes = iter_route_contexts([one for router in await site.routers() for one in router.routes])
    return [one for one in routes if isinstance(one.original_route, APIRoute)]


async def test_no_route_forgets_to_ask_who_it_is(make_site: MakeSite, gitlab: GitLab) -> None:
    """Each refuses strangers unless it says that it is for everybody, and each that changes something wants a form."""
    site = make_site(dev_login=True)
    routes = await _endpoints(site)
    assert {"/", "/sign-in", "/sign-out", "/sign-in/development"} <= {route.path for route in routes}
    async with site.browser() as stranger, site.browser(gitlab.developer) as browser:
        await sign_in(browser)
        for route in routes:
            path = route.path.replace("{", "").replace("}", "")
            for method in route.methods:
                answer = await stranger.request(method, path)
                if not is_public(route.endpoint):
                    assert answer.status_code == (401 if path.startswith("/api/") else 303), (method, path)
                if method not in {"GET", "HEAD", "OPTIONS"}:
                    forged = await browser.request(method, path, headers={"origin": "https://evil.example"})
                    bare = await browser.request(method, path)
                    assert {forged.status_code, bare.status_code} <= {403, 422}, (method, path)
    public_paths = {route.path for route in routes if is_public(route.endpoint)}
    # Two ask for a key or a job's token themselves, and two say what the API is.
    assert {path for path in public_paths if not path.startswith("/sign-in")} == {
        "/api",
        "/api/v1/openapi.json",
        "/api/v1/verdict",
        "/verdicts/{run_id}",
    }


async def test_strangers_are_told_how_to_come_in(site: Site) -> None:
    """Pages lead to signing in, the API says 401 in its form, parts of pages reload them."""
    async with site.browser() as browser:
        api = await browser.get("/api/v1/probe")
        part = await browser.get("/", headers={"hx-request": "true"})
        form = await browser.post("/probe", headers={"origin": PUBLIC})

    assert (api.status_code, api.json()["error"]["code"]) == (401, "sign_in")
    assert api.headers["www-authenticate"] == "Bearer"
    assert (part.status_code, part.headers["hx-refresh"]) == (401, "true")
    assert (form.status_code, "you are not signed in" in form.text.lower()) == (401, True)


async def _token(site: Site, *scopes: Scope, projects: tuple[int, ...] = (), days: int = 1) -> dict[str, str]:
    now = site.clock.now()
    token = await PostgresApiTokens(site.pool).create(
        f"t{days}-{len(projects)}-{len(scopes)}",
        scopes,
        projects,
        now,
        now + timedelta(days=days),
        "command:0:root",
    )
    return {"authorization": f"Bearer {token}"}


async def test_a_script_asks_with_a_token(site: Site) -> None:
    """It reads what its scopes and projects say, changes nothing, and is for the API only."""
    everything, one = await _token(site, Scope.read), await _token(site, Scope.read, projects=(7,), days=2)
    export = await _token(site, Scope.export, days=3)
    async with site.browser() as script:
        assert (await script.get("/api/v1/probe", headers=everything)).json()["all"] is True
        assert (await script.get("/api/v1/probe", headers=one)).json() == {
            "role": "API token",
            "projects": [7],
            "all": False,
        }
        refused = {
            "scope": await script.get("/api/v1/export", headers=everything),
            "read": await script.get("/api/v1/probe", headers=export),
            "change": await script.post("/api/v1/probe", headers=everything),
        }
        allowed = await script.get("/api/v1/export", headers=export)
        page = await script.get("/", headers=everything)

    assert {name: answer.status_code for name, answer in refused.items()} == dict.fromkeys(refused, 403)
    assert allowed.status_code == 200
    assert page.status_code == 303


async def test_a_token_that_is_not_valid_is_refused(site: Site, gitlab: GitLab) -> None:
    """Expired, revoked, made up, or in a browser that is signed in; that it was used is known."""
    tokens = PostgresApiTokens(site.pool)
    good = await _token(site, Scope.read)
    async with site.browser(gitlab.developer) as browser:
        await sign_in(browser)
        assert (await browser.get("/api/v1/probe", headers=good)).status_code == 200
        (known,) = await tokens.list()
        assert known.used_at is not None
        for value in ("clst_" + "a" * 43, "clst_", "x", good["authorization"][7:] + "a"):
            answer = await browser.get("/api/v1/probe", headers={"authorization": f"Bearer {value}"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")
        site.move(timedelta(days=1, seconds=1))
        assert (await browser.get("/api/v1/probe", headers=good)).status_code == 401
        site.move(timedelta())
        await tokens.revoke(known.name, site.clock.now(), "command:0:root")
        assert (await browser.get("/api/v1/probe", headers=good)).status_code == 401
    (row,) = await site.pool.fetch("SELECT to_jsonb(t)::text AS said FROM api_token t")
    assert good["authorization"][7:] not in row["said"]
    assert [action for _, action in await site.audit()] == ["token.create", "sign_in", "token.revoke"]


async def test_the_operators_link_works_once(make_site: MakeSite) -> None:
    """Looking at it does not use it up, following it does; on this machine no https is needed."""
    site = make_site(public_url=None, oauth_client_id=None, oauth_client_secret=None)
    sessions = PostgresSessions(site.pool)
    key = await sessions.make_link(site.clock.now())
    async with site.browser(base="http://127.0.0.1:8080", origin="http://127.0.0.1:8080") as browser:
        for _ in range(2):
            asked = await browser.get("/sign-in/link", params={"key": key})
        form = {"key": key, "form_token": form_token(asked)}
        entered = await browser.post("/sign-in/link", data=form, follow_redirects=True)
        cookie = browser.cookies["cloister"]
        browser.cookies.clear()
        again = await browser.post("/sign-in/link", data=form)

    assert account(entered) == "operator, administrator"
    assert len(cookie) == 43
    assert again.status_code == 403
    assert "cloister login-link" in again.text
    assert await site.audit() == [("link:0:operator", "sign_in")]


async def test_an_old_link_is_void(site: Site) -> None:
    """And so is one that nobody made."""
    key = await PostgresSessions(site.pool).make_link(site.clock.now())
    site.move(LINK + timedelta(seconds=1))
    async with site.browser(origin=PUBLIC) as browser:
        for one in (key, "a" * 43):
            assert (await browser.post("/sign-in/link", data={"key": one})).status_code == 403


async def test_a_session_does_not_travel_in_the_clear(make_site: MakeSite) -> None:
    """By plain http from elsewhere nobody is let in, even with a good link."""
    site = make_site(public_url=None, oauth_client_id=None, oauth_client_secret=None)
    key = await PostgresSessions(site.pool).make_link(site.clock.now())
    base = "http://cloister.lan:8080"
    async with site.browser(base=base, **{"sec-fetch-site": "same-origin"}) as browser:
        warned = await browser.get("/sign-in")
        answer = await browser.post("/sign-in/link", data={"key": key})

    assert "could be read on the network" in warned.text
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


DEV_FORM = {"username": "tess", "role": "tech lead", "projects": "7, 8"}


async def test_in_development_anybody_is_anybody(make_site: MakeSite) -> None:
    """With the switch, on this machine."""
    site = make_site(
        dev_login=True, more=(probe(),), public_url=None, oauth_client_id=None, oauth_client_secret=None
    )
    base = "http://localhost:8080"
    async with site.browser(base=base, origin=base) as browser:
        assert "--dev-login" in (await browser.get("/sign-in")).text
        shown = await browser.post("/sign-in/development", data=DEV_FORM, follow_redirects=True)
        assert account(shown) == "tess, tech lead"
        kept = browser.cookies["cloister"]
        assert (await browser.get("/api/v1/probe")).json()["projects"] == [7, 8]
    site.dev_login = False
    async with site.browser(base=base, origin=base) as browser:
        browser.cookies.set("cloister", kept, domain="localhost")
        assert (await browser.get("/")).status_code == 303
        assert (await browser.post("/sign-in/development", data=DEV_FORM)).status_code == 404


async def test_development_stays_on_this_machine(make_site: MakeSite) -> None:
    """Not for other machines, not through proxies, not by names that somebody else made to lead here."""
    site = make_site(dev_login=True, public_url=None, oauth_client_id=None, oauth_client_secret=None)
    here = "http://127.0.0.1:8080"
    requests: list[tuple[str, str, dict[str, str]]] = [
        ("http://evil.example:8080", "127.0.0.1", {}),
        ("http://127.0.0.1.evil.example:8080", "127.0.0.1", {}),
        ("http://localhost.evil.example", "127.0.0.1", {}),
        (here, "10.0.0.9", {}),
        (here, "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}),
        (here, "127.0.0.1", {"forwarded": "for=10.0.0.9"}),
        (here, "127.0.0.1", {"via": "1.1 proxy"}),
        ("http://0.0.0.0:8080", "127.0.0.1", {}),
        ("http://[::]:8080", "127.0.0.1", {}),
    ]
    for base, client, headers in requests:
        sent = {"sec-fetch-site": "same-origin", **headers}
        async with site.browser(base=base, client=client, **sent) as browser:
            answer = await browser.post("/sign-in/development", data=DEV_FORM)
        assert "set-cookie" not in answer.headers
        assert "--dev-login is for requests from this machine" in answer.text, (base, client, headers)


async def test_attempts_are_limited(site: Site) -> None:
    """By address; the answer says when to try again."""
    async with site.browser(origin=PUBLIC) as browser:
        statuses = [(await browser.post("/sign-in/link", data={"key": "x"})) for _ in range(601)]
        site.move(timedelta(seconds=61))
        later = await browser.post("/sign-in/link", data={"key": "x"})
    async with site.browser(origin=PUBLIC, client="10.0.0.1") as other:
        elsewhere = await other.post("/sign-in/link", data={"key": "x"})

    assert [answer.status_code for answer in statuses] == [403] * 600 + [429]
    assert 0 < int(statuses[-1].headers["retry-after"]) <= 60
    assert (later.status_code, elsewhere.status_code) == (403, 403)


async def test_who_is_away_from_gitlab_signs_in_there_first(site: Site) -> None:
    """A browser without a session at GitLab gets GitLab's own form."""
    async with site.browser() as browser:
        begun = await browser.get("/sign-in/gitlab", params={"to": "/"})
        there = await browser.get(begun.headers["location"])
        form = parse_qs(urlsplit(there.headers["location"]).query)
        signed = await browser.post(
            f"{site.gitlab.server.url}/users/sign_in",
            data={"username": "dev", "return_to": form["return_to"][0]},
            follow_redirects=True,
        )

    assert account(signed).startswith("dev, ")
