"""Who may ask for what: every route of the application, for everybody who may come.

A route that is not in the tables below fails the test: whoever adds one says here who it is for.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.routing import iter_route_contexts

from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.postgres import connect_pool
from bot.domain.token_names import Scope
from bot.domain.viewer import DEVELOPER, MAINTAINER, REPORTER
from tests.api import BANK, OTHERS, OWN, SHOP, app_on, client_of, run_of, with_session, with_token

#: Everybody who may come. The stranger has signed in, and sees no project; the others see the shop or all. The
#: developer made a merge request in the shop, and one in the bank, which they can no longer read.
PEOPLE = ("stranger", "reporter", "developer", "lead", "auditor", "admin")
SCRIPTS = ("reads all", "reads shop", "exports", "mutes shop", "expired")

#: What each is answered, in the order of nobody, the people and the scripts.
_FOR_ALL = (200,) * 12
_READING = (200, 200, 403, 403, 401)
_DOCUMENT = (200, 200, 200, 200, 200, 200, 200, *_READING)
_SIGNED_IN = (401, 200, 200, 200, 200, 200, 200, *_READING)
_FIGURES = (401, 403, 403, 403, 200, 200, 200, *_READING)
_OWN = (401, 404, 404, 200, 200, 200, 200, *_READING)
_OTHERS = (401, 404, 404, 404, 200, 200, 200, *_READING)
_BANK = (401, 404, 404, 404, 404, 200, 200, 200, 404, 403, 403, 401)
_ALL_SEEING = (401, 403, 403, 403, 403, 200, 200, 200, 403, 403, 403, 401)
_NO_HEAD = (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 401)
#: Pages know no tokens, and lead who has not signed in there.
_STRANGE = (303,) * 5
_PAGE = (303, 200, 200, 200, 200, 200, 200, *_STRANGE)
_PAGE_OF_FIGURES = (303, 403, 403, 403, 200, 200, 200, *_STRANGE)
_PAGE_OF_ALL = (303, 403, 403, 403, 403, 200, 200, *_STRANGE)
_PAGE_OF_OWN = (303, 404, 404, 200, 200, 200, 200, *_STRANGE)
_PAGE_OF_OTHERS = (303, 404, 404, 404, 200, 200, 200, *_STRANGE)
_PAGE_OF_BANK = (303, 404, 404, 404, 404, 200, 200, *_STRANGE)
_LEADS_TO_OWN = (303, 404, 404, 303, 303, 303, 303, *_STRANGE)
_LEADS_TO_OTHERS = (303, 404, 404, 404, 303, 303, 303, *_STRANGE)
_NO_PAGE = (303, 404, 404, 404, 404, 404, 404, *_STRANGE)

_REVIEW, _OF_OTHERS, _OF_BANK = (
    f"/reviews/{run_of(project, number)}" for project, number in ((SHOP, OWN), (SHOP, OTHERS), (BANK, OWN))
)
_RUNS = [str(run_of(project, number)) for project in (SHOP, BANK) for number in range(1, 6)]
_NOTHING = "00000000-0000-4000-8000-000000000000"
_HEAD = f"?project_id={SHOP}&sha={'0' * 40}"

#: Route, what is asked of it, and what is answered.
READ: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("/healthz", "", _FOR_ALL),
    ("/readyz", "", _FOR_ALL),
    ("/metrics", "", _FOR_ALL),
    ("/static/{name}", "/static/cloister.css", _FOR_ALL),
    ("/api", "", _FOR_ALL),
    ("/api/v1/openapi.json", "", _DOCUMENT),
    ("/sign-in", "", _FOR_ALL),
    ("/sign-in/link", "", _FOR_ALL),
    ("/", "", _PAGE),
    *((path, "", _PAGE_OF_FIGURES) for path in ("/quality", "/trends", "/noise", "/comments", "/flow", "/gate")),
    ("/reviews", "", _PAGE),
    ("/mine", "", _PAGE),
    ("/reviews/{run_id}", _REVIEW, _PAGE_OF_OWN),
    ("/reviews/{run_id}", _OF_OTHERS, _PAGE_OF_OTHERS),
    ("/reviews/{run_id}", _OF_BANK, _PAGE_OF_BANK),
    ("/filters/projects", "", _PAGE),
    ("/filters/groups", "", _PAGE),
    ("/operations", "", _PAGE_OF_ALL),
    ("/audit", "", _PAGE_OF_ALL),
    ("/comments/{comment_id}", f"/comments/{_NOTHING}", _NO_PAGE),
    ("/merge-requests/{project_id}/{iid}", f"/merge-requests/{SHOP}/{OWN}", _LEADS_TO_OWN),
    ("/merge-requests/{project_id}/{iid}", f"/merge-requests/{SHOP}/{OTHERS}", _LEADS_TO_OTHERS),
    ("/verdicts/{run_id}", f"/verdicts/{_NOTHING}", _NO_PAGE),
    ("/api/v1/verdict", f"/api/v1/verdict{_HEAD}", _NO_HEAD),
    ("/api/v1/reviews/{run_id}", f"/api/v1{_REVIEW}", _OWN),
    ("/api/v1/reviews/{run_id}", f"/api/v1{_OF_OTHERS}", _OTHERS),
    ("/api/v1/reviews/{run_id}", f"/api/v1{_OF_BANK}", _BANK),
    ("/api/v1/health", "", _ALL_SEEING),
    ("/api/v1/audit/chain", "", _ALL_SEEING),
    *(
        (f"/api/v1/{name}{kind}", "", answers)
        for names, answers in (
            (("dead-letters", "audit"), _ALL_SEEING),
            (("overview", "funnel", "acceptance", "series", "noise", "mutes", "comments", "flow", "gate", "waivers"), _FIGURES),
            (("reviews", "projects"), _SIGNED_IN),
        )
        for name in names
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
    "/api/v1/group-mutes": "",
    "/api/v1/group-mutes/{mute_id}/end": f"/api/v1/group-mutes/{uuid.UUID(int=1)}/end",
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
        "mutes shop": await with_token(pool, Scope.noise, projects=(SHOP,)),
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
    """Whoever asks, with a session or a token; a script that may mute needs no form, and is told of below."""
    pool = await connect_pool(history_url, size=2)
    app, people = await app_on(pool), await _people(pool)
    for headers in (one for who, one in people.items() if who != "mutes shop"):
        async with client_of(app, **headers, origin="https://evil.example") as client:
            for path, asked in CHANGING.items():
                answer = await client.post(asked or path, data={"key": "x"})
                assert answer.status_code in {303, 401, 403}, path
                assert answer.headers.get("location", "/sign-in").startswith("/sign-in")
    await pool.close()


async def test_lists_are_of_what_one_may_see(history_url: str) -> None:
    """All of a project for who leads it, one's own for who develops there, as pages, JSON and CSV."""
    pool = await connect_pool(history_url, size=2)
    app, people = await app_on(pool), await _people(pool)
    every = {str(run_of(SHOP, number)) for number in range(1, 6)}
    expected = {"stranger": set(), "reporter": set(), "developer": {str(run_of(SHOP, OWN))}, "lead": every}
    found: dict[str, list[set[str]]] = {}
    for who, runs in expected.items():
        async with client_of(app, **people[who]) as client:
            texts = [
                (await client.get(path)).text
                for path in (
                    "/reviews",
                    "/api/v1/reviews",
                    "/api/v1/reviews.csv",
                    "/api/v1/reviews?group=retail",
                )
            ]
            mine = [(await client.get(path)).text for path in ("/mine", "/api/v1/reviews?mine=true")]
        found[who] = [{run for run in _RUNS if run in text} for text in texts]
        own = runs if who == "developer" else set()
        assert [{run for run in _RUNS if run in text} for text in mine] == [own, own], who
    await pool.close()

    assert found == {who: [runs] * 4 for who, runs in expected.items()}


async def test_a_script_mutes_where_it_was_told_to(pool: Any) -> None:
    """With the scope for it, in the projects that its token names, and under its name in the audit log."""
    asked = {"scanner": "semgrep", "rule": "java.magic-number", "why": "noise"}
    until = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    headers = [
        await with_token(pool, Scope.noise, projects=(SHOP,)),
        await with_token(pool, Scope.read, Scope.export, projects=(SHOP,)),
        await with_token(pool, Scope.noise),
    ]
    app, answers = await app_on(pool), []
    for header, project in ((headers[0], SHOP), (headers[0], BANK), (headers[1], SHOP), (headers[2], SHOP)):
        async with client_of(app, **header) as client:
            answers.append(
                await client.post("/api/v1/mutes", json={**asked, "project": project, "until": until})
            )
    (mute,) = await pool.fetch("SELECT DISTINCT mute, actor FROM mute")
    async with client_of(app, **headers[0]) as client:
        ended = await client.post(f"/api/v1/mutes/{mute['mute']}/end", json={"project": SHOP, "why": "over"})
    entries = await PostgresAuditLog(pool).newest(2)

    assert [answer.status_code for answer in answers] == [204, 403, 403, 403]
    assert ended.status_code == 204
    assert [(one.act.action, one.act.project_id) for one in entries] == [
        ("noise.unmute", SHOP),
        ("noise.mute", SHOP),
    ]
    assert {one.act.actor for one in entries} == {mute["actor"]}
    assert mute["actor"].startswith("token:0:")
