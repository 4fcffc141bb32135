"""Who may ask for what: every route of the application, for everybody who may come.

A route that is not in the tables below fails the test: whoever adds one says here who it is for.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi.routing import iter_route_contexts

from bot.adapters.postgres import connect_pool
from bot.domain.token_names import Scope
from bot.domain.viewer import DEVELOPER, MAINTAINER, REPORTER
from tests.api import BANK, SHOP, app_on, client_of, run_of, with_session, with_token

#: Everybody who may come. The stranger has signed in, and sees no project; the others see the shop or all.
PEOPLE = ("stranger", "reporter", "developer", "lead", "auditor", "admin")
SCRIPTS = ("reads all", "reads shop", "exports", "expired")

#: What each is answered, in the order of nobody, the people and the scripts.
_FOR_ALL = (200,) * 11
_SIGNED_IN = (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401)
_SHOP = (401, 404, 200, 200, 200, 200, 200, 200, 200, 403, 401)
_BANK = (401, 404, 404, 404, 404, 200, 200, 200, 404, 403, 401)
_ALL_SEEING = (401, 403, 403, 403, 403, 200, 200, 200, 403, 403, 401)
#: Pages know no tokens, and lead who has not signed in there.
_PAGE = (303, 200, 200, 200, 200, 200, 200, 303, 303, 303, 303)
_PAGE_OF_ALL = (303, 403, 403, 403, 403, 200, 200, 303, 303, 303, 303)
_PAGE_OF_SHOP = (303, 404, 200, 200, 200, 200, 200, 303, 303, 303, 303)
_LEADS_TO_SHOP = (303, 404, 303, 303, 303, 303, 303, 303, 303, 303, 303)
_NO_PAGE = (303, 404, 404, 404, 404, 404, 404, 303, 303, 303, 303)
_NO_HEAD = (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401)

_REVIEW = f"/reviews/{run_of(SHOP, 1)}"
_NOTHING = "00000000-0000-4000-8000-000000000000"
_HEAD = f"?project_id={SHOP}&sha={'0' * 40}"

#: Route, what is asked of it, and what is answered.
READ: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("/healthz", "", _FOR_ALL),
    ("/readyz", "", _FOR_ALL),
    ("/metrics", "", _FOR_ALL),
    ("/static/{name}", "/static/cloister.css", _FOR_ALL),
    ("/api", "", _FOR_ALL),
    ("/api/v1/openapi.json", "", (200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 401)),
    ("/sign-in", "", _FOR_ALL),
    ("/sign-in/link", "", _FOR_ALL),
    ("/", "", _PAGE),
    ("/quality", "", _PAGE),
    ("/trends", "", _PAGE),
    ("/noise", "", _PAGE),
    ("/comments", "", _PAGE),
    ("/flow", "", _PAGE),
    ("/gate", "", _PAGE),
    ("/reviews", "", _PAGE),
    ("/reviews/{run_id}", _REVIEW, _PAGE_OF_SHOP),
    ("/filters/projects", "", _PAGE),
    ("/filters/groups", "", _PAGE),
    ("/operations", "", _PAGE_OF_ALL),
    ("/comments/{comment_id}", f"/comments/{_NOTHING}", _NO_PAGE),
    ("/merge-requests/{project_id}/{iid}", f"/merge-requests/{SHOP}/1", _LEADS_TO_SHOP),
    ("/verdicts/{run_id}", f"/verdicts/{_NOTHING}", _NO_PAGE),
    ("/api/v1/verdict", f"/api/v1/verdict{_HEAD}", _NO_HEAD),
    ("/api/v1/reviews/{run_id}", f"/api/v1{_REVIEW}", _SHOP),
    ("/api/v1/reviews/{run_id}", f"/api/v1/reviews/{run_of(BANK, 1)}", _BANK),
    ("/api/v1/health", "", _ALL_SEEING),
    *((f"/api/v1/{name}{kind}", "", _ALL_SEEING) for name in ("dead-letters", "audit") for kind in ("", ".csv")),
    *(
        (f"/api/v1/{name}{kind}", "", _SIGNED_IN)
        for name in (
            "overview", "funnel", "acceptance", "series", "noise", "comments", "flow", "gate", "reviews", "projects",
            "waivers",
        )
        for kind in ("", ".csv")
    ),
    ("/api/v1/me", "", _SIGNED_IN),
)  # fmt: skip

#: Routes whose answers are told by the tests of signing in, and need more than a request.
ELSEWHERE = {"/sign-in/gitlab", "/sign-in/callback"}
#: Routes that change something; nobody gets past without the token of a form.
CHANGING = {
    "/sign-out": "",
    "/sign-in/link": "",
    "/noise/mutes": "",
    "/noise/mutes/{mute_id}/end": f"/noise/mutes/{uuid.UUID(int=1)}/end",
    "/api/v1/mutes": "",
    "/api/v1/mutes/{mute_id}/end": f"/api/v1/mutes/{uuid.UUID(int=1)}/end",
    "/verdicts/{run_id}/waivers": f"/verdicts/{uuid.UUID(int=1)}/waivers",
    "/verdicts/{run_id}/waivers/end": f"/verdicts/{uuid.UUID(int=1)}/waivers/end",
}


def _routes(app: Any) -> set[tuple[str, str]]:
    while not hasattr(app, "routes"):
        app = getattr(app, "_app", None) or app.app
    found = {(method, one.path) for one in iter_route_contexts(app.routes) for method in one.methods or ()}
    return {(method, path) for method, path in found if method != "HEAD"}


async def _people(pool: Any) -> Mapping[str, dict[str, str]]:
    """Return the headers of everybody."""
    return {
        "nobody": {},
        "stranger": await with_session(pool, "stranger", {SHOP: 10}),
        "reporter": await with_session(pool, "reporter", {SHOP: REPORTER}),
        "developer": await with_session(pool, "developer", {SHOP: DEVELOPER}),
        "lead": await with_session(pool, "lead", {SHOP: MAINTAINER}),
        "auditor": await with_session(pool, "auditor", auditor=True),
        "admin": await with_session(pool, "admin", admin=True),
        "reads all": await with_token(pool, Scope.read),
        "reads shop": await with_token(pool, Scope.read, projects=(SHOP,)),
        "exports": await with_token(pool, Scope.export),
        "expired": await with_token(pool, Scope.read, until=timedelta(seconds=-1)),
    }


async def test_every_route_is_in_the_tables(history_url: str) -> None:
    """Nothing is served that nobody has thought about."""
    pool = await connect_pool(history_url, size=2)
    routes = _routes(await app_on(pool))
    await pool.close()
    known = {path for path, _, _ in READ} | ELSEWHERE

    assert {path for method, path in routes if method == "GET"} == known
    assert {path for method, path in routes if method != "GET"} == set(CHANGING)


async def test_everybody_gets_what_they_may(history_url: str) -> None:
    """And everybody else what does not tell whether there is anything."""
    pool = await connect_pool(history_url, size=4)
    app, people = await app_on(pool), await _people(pool)
    wrong = []
    for who, expected in zip(people, range(len(people)), strict=True):
        async with client_of(app, **people[who]) as client:
            for path, asked, answers in READ:
                answer = await client.get(asked or path)
                if answer.status_code != answers[expected]:
                    wrong.append((who, asked or path, answer.status_code, answers[expected]))
    await pool.close()

    assert [] == wrong


async def test_nothing_is_changed_without_a_form_of_ours(history_url: str) -> None:
    """Whoever asks, with a session or a token."""
    pool = await connect_pool(history_url, size=2)
    app, people = await app_on(pool), await _people(pool)
    for headers in people.values():
        async with client_of(app, **headers, origin="https://evil.example") as client:
            for path, asked in CHANGING.items():
                answer = await client.post(asked or path, data={"key": "x"})
                assert answer.status_code in {303, 401, 403}, path
                assert answer.headers.get("location", "/sign-in").startswith("/sign-in")
    await pool.close()
