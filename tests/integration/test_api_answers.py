"""What the API answers: the same as the pages, to those who see the project, part by part."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.postgres import connect_pool
from bot.adapters.rollups_postgres import roll_up
from bot.adapters.waivers_postgres import add
from bot.domain.audit_log import Act
from bot.domain.token_names import Scope
from bot.domain.viewer import MAINTAINER
from bot.web.api.reference import reference
from bot.web.limits import OF_VIEWERS
from tests.api import (
    BANK,
    BEGAN,
    SHOP,
    HurriedClock,
    app_on,
    client_of,
    happen,
    run_of,
    waiver_step,
    with_session,
    with_token,
)
from tests.history import History, Reviewed, Said

LISTS = {
    "comments": ("comments", "id", 8),
    "reviews": ("reviews", "run_id", 8),
    "waivers": ("waivers", "id", 8),
    "projects": ("projects", "id", 2),
    "dead-letters": ("letters", "number", 5),
    "audit": ("entries", "number", None),
}


@dataclass
class Asking:
    """A database with a history, and a script that reads all of it."""

    pool: Any
    client: httpx.AsyncClient

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Ask for something of the API."""
        return await self.client.get(f"/api/v1/{path}", params=params)


@pytest_asyncio.fixture
async def asking(history_url: str) -> AsyncIterator[Asking]:
    pool = await connect_pool(history_url, size=4)
    headers = await with_token(pool, Scope.read)
    async with client_of(await app_on(pool), **headers) as client:
        yield Asking(pool, client)
    await pool.close()


async def test_views_say_what_happened(asking: Asking) -> None:
    """Each names its figures, with intervals and on how many cases they rest."""
    overview = (await asking.get("overview")).json()
    tiles = {tile["measure"]: tile for tile in overview["tiles"]}
    funnel = (await asking.get("funnel", project=SHOP)).json()
    acceptance = (await asking.get("acceptance", by="rule", project=SHOP)).json()
    series = (await asking.get("series", grain="week")).json()
    noise = (await asking.get("noise")).json()
    gate = (await asking.get("gate", project=BANK)).json()
    flow = (await asking.get("flow")).json()
    review = (await asking.get(f"reviews/{run_of(SHOP, 1)}")).json()
    rejected = (await asking.get("comments", became="rejected_strong", rule="python.sql-built")).json()

    assert (tiles["acceptance"]["share"]["count"], tiles["acceptance"]["share"]["of"]) == (5, 8)
    assert "decided" in tiles["acceptance"]["meaning"]
    assert (funnel["generated"], funnel["filtered"]) == (20, [{"reason": "mild", "count": 15}])
    (row,) = acceptance["rows"]
    assert (row["value"], row["labels"]["strict"]["of"], row["labels"]["few"]) == (
        "python.sql-built",
        5,
        True,
    )
    assert sum(point["reviews"] for point in series["points"]) == 8
    assert noise["rows"][0]["labels"]["rejected_strong"] == 3
    assert (gate["reviews"], len(gate["expiring"])) == (3, 3)
    assert gate["expiring"][0]["project_id"] == BANK
    assert [(one["label"], one["did"]) for one in rejected["comments"]] == [("rejected_strong", {})] * 3
    assert flow["first_comment"]["n"] == 8
    assert (review["line"]["project"], review["line"]["iid"]) == ("retail/shop", 1)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", [1, 3])
async def test_pages_of_a_list_follow_each_other(asking: Asking, name: str, limit: int) -> None:
    """Every line once, in the same order however long a page is; the header says where the next one is."""
    key, line_id, count = LISTS[name]
    found: list[Any] = []
    url: str | None = f"/api/v1/{name}?limit={limit}"
    while url:
        answer = await asking.client.get(url)
        body = answer.json()
        assert len(body[key]) <= limit
        found += [line[line_id] for line in body[key]]
        url = body["next"]
        assert answer.headers.get("link") == (f'<{url}>; rel="next"' if url else None)
    whole = (await asking.get(name, limit=200)).json()[key]

    assert found == [line[line_id] for line in whole]
    assert len(set(found)) == len(found)
    assert count is None or len(found) == count


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_is_a_table_too(asking: Asking, name: str) -> None:
    """All lines of it, and none of its cells is a formula."""
    key, line_id, _ = LISTS[name]
    answer = await asking.get(f"{name}.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    listed = (await asking.get(name, limit=200)).json()[key]

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    assert [row[line_id] for row in rows] == [str(line[line_id]) for line in listed]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


async def test_whoever_sees_one_project_sees_nothing_of_another(asking: Asking) -> None:
    """In no list and no number, whatever is asked for."""
    own = await with_session(asking.pool, "rob", {SHOP: MAINTAINER})
    asking.client.headers = httpx.Headers(own)

    assert {one["id"] for one in (await asking.get("projects")).json()["projects"]} == {SHOP}
    assert {one["project_id"] for one in (await asking.get("waivers")).json()["waivers"]} == {SHOP}
    assert (await asking.get("waivers", project=BANK)).json()["waivers"] == []
    assert (await asking.get("waivers", group="bank")).json()["waivers"] == []
    assert (await asking.get("funnel", project=BANK)).json()["posted"] == 0
    for name in ("reviews", "comments"):
        assert {one["project_id"] for one in (await asking.get(name)).json()[name]} == {SHOP}
        assert (await asking.get(name, project=BANK)).json()[name] == []


@pytest.mark.parametrize(
    ("path", "params", "names"),
    [
        ("overview", {"from": "yesterday", "to": "x"}, ["from", "to"]),
        ("overview", {"from": "2026-05-02", "to": "2026-05-01"}, ["from"]),
        ("acceptance", {"by": "author", "project": "x"}, ["by", "project"]),
        ("reviews", {"limit": 0, "after": "?"}, ["limit", "after"]),
        ("waivers", {"since": "2026-05-01"}, ["since"]),
        ("funnel", {"rule": "a\0b"}, ["rule"]),
        ("reviews/x", {}, ["run_id"]),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(
    asking: Asking, path: str, params: dict[str, Any], names: list[str]
) -> None:
    """Each place, also a parameter that there is not; nothing is left aside in silence."""
    answer = await asking.get(path, **params)
    error = answer.json()["error"]

    assert answer.status_code == 422
    assert {place["name"] for place in error["places"]} == set(names)
    assert all(place["message"] for place in error["places"])


async def test_me_says_who_asks(asking: Asking) -> None:
    """A script with what its token is for, a person with the token for forms."""
    script = (await asking.get("me")).json()
    asking.client.headers = httpx.Headers(await with_session(asking.pool, "lea", {SHOP: MAINTAINER}))
    person = (await asking.get("me")).json()
    projects = (await asking.get("projects")).json()["projects"]

    assert (script["scopes"], script["reads_all"], script["form_token"]) == (["read"], True, "")
    assert (person["name"], person["role"], person["scopes"]) == ("lea", "tech lead", None)
    assert len(person["form_token"]) == 128
    assert projects == [{"id": SHOP, "path": "retail/shop", "leads": True}]


async def test_too_many_requests_are_told_when_to_come_back(asking: Asking) -> None:
    """Of one token; others, and pages, go on."""
    other = await with_token(asking.pool, Scope.read, until=timedelta(days=2))
    statuses = [(await asking.get("me")).status_code for _ in range(OF_VIEWERS.burst)]
    refused = await asking.get("me")
    asking.client.headers = httpx.Headers(other)
    fresh = await asking.get("me")

    assert set(statuses) <= {200, 429}
    while refused.status_code == 200:
        refused = await asking.get("me")
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert int(refused.headers["retry-after"]) >= 1
    assert fresh.status_code == 200


async def test_the_audit_log_is_filtered(asking: Asking) -> None:
    """By act or kind of acts, by name, project and day; filters that fit nothing find nothing."""
    await PostgresAuditLog(asking.pool).append(Act("token:0:Nightly", "noise.mute", "rule x", BANK))

    async def found(**params: Any) -> set[tuple[str, str]]:
        entries = (await asking.get("audit", limit=200, **params)).json()["entries"]
        return {(one["actor"], one["action"]) for one in entries}

    nightly, lea = ("token:0:Nightly", "noise.mute"), ("gitlab:7:lea", "mute")
    assert (
        await found(action="noise") == await found(actor="nightly") == await found(project=BANK) == {nightly}
    )
    assert await found(actor="gitlab:7:lea", action="mute") == await found(actor="LEA") == {lea}
    assert await found(action="noi") == await found(to="2026-01-01") == set()
    assert nightly in await found(**{"from": BEGAN.date().isoformat()})
    table = await asking.get("audit.csv", action="noise.mute")
    assert len(table.text.splitlines()) == 2


async def test_the_chain_is_checked(pool: Any) -> None:
    """Whole with its head, or broken where the first entry was changed behind our backs."""
    log, headers = PostgresAuditLog(pool), await with_token(pool, Scope.read)
    for number in range(3):
        await log.append(Act("gitlab:7:lea", "mute", f"@{number}"))
    (newest,) = await log.newest(1)
    async with client_of(await app_on(pool), **headers) as client:
        whole = (await client.get("/api/v1/audit/chain")).json()
        await pool.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        await pool.execute("UPDATE audit_entry SET subject = '@9' WHERE number = $1", newest.number - 1)
        broken = (await client.get("/api/v1/audit/chain")).json()

    assert whole == {"first": 1, "head": newest.head, "broken": None}
    assert (broken["broken"]["number"], broken["head"].partition(":")[0]) == (
        newest.number - 1,
        str(newest.number - 2),
    )


async def test_nothing_is_kept_by_browsers(asking: Asking) -> None:
    """Neither JSON nor CSV nor errors."""
    for path in ("overview", "reviews.csv", "reviews?limit=x"):
        assert (await asking.client.get(f"/api/v1/{path}")).headers["cache-control"] == "no-store"


async def test_the_operations_are_listed(asking: Asking) -> None:
    """For everybody, with the document for programs, which is the one in docs."""
    asking.client.headers = httpx.Headers()
    page = await asking.client.get("/api")
    document = (await asking.client.get("/api/v1/openapi.json")).json()

    assert page.status_code == 200
    assert document == json.loads(reference())
    assert all(f"GET {path}" in page.text for path, item in document["paths"].items() if "get" in item)


_WORDS = re.compile(r"^curl .*$", re.MULTILINE)


async def test_examples_of_the_page_work(asking: Asking) -> None:
    """Each call in docs/api.md is answered as it says."""
    page = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
    examples = _WORDS.findall(page)
    token = asking.client.headers.pop("authorization").removeprefix("Bearer ")
    assert len(examples) >= 4
    for example in examples:
        filled = example.replace("$TOKEN", token).replace("$CLOISTER", "https://cloister.example")
        words = shlex.split(filled)
        headers = dict(
            [words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H"]  # type: ignore[arg-type]
        )
        (url,) = [word for word in words if word.startswith("https://")]
        assert (await asking.client.get(url, headers=headers)).status_code == 200, example


_SEEN = ("overview", "funnel", "acceptance?by=rule", "acceptance?by=model", "series", "noise", "flow", "gate",
         "waivers", "reviews", "reviews?unsaid=mild", "comments", "comments?became=decided", "projects", "reviews.csv",
         "waivers.csv", "comments.csv")  # fmt: skip
_HELD_TO = ("", "project=102", "project=101", "group=retail")


async def _all_that_is_seen(client: httpx.AsyncClient) -> dict[str, Any]:
    """Return every answer; leave out what is known of the service as a whole."""
    found = {}
    for path, held in product(_SEEN, _HELD_TO):
        if path == "projects" and held:
            continue
        answer = await client.get(f"/api/v1/{path}{'&' if '?' in path else '?'}{held}")
        assert answer.status_code == 200, answer.text
        shown = answer.text if path.endswith(".csv") else answer.json()
        if isinstance(shown, dict):
            shown = {name: value for name, value in shown.items() if name not in {"as_of", "markers"}}
        found[f"{path} {held}"] = shown
    return found


async def test_what_happens_elsewhere_changes_no_answer(pool: Any) -> None:
    """Whatever another project of the same group does, no list and no number tells those who do not see it."""
    await happen(pool, SHOP)
    history = History(pool)
    own = await with_session(pool, "rob", {SHOP: MAINTAINER})
    async with client_of(await app_on(pool, HurriedClock()), **own) as client:
        before = await _all_that_is_seen(client)
        assert before["funnel "]["posted"] == before["funnel group=retail"]["posted"] == 5
        for seed in range(3):
            chance = random.Random(seed)
            await history.project(BANK, chance.choice(["retail/ledger", "bank/ledger"]))
            for _ in range(chance.randint(1, 6)):
                number = chance.randint(1, 99)
                at = BEGAN + timedelta(hours=chance.randint(0, 60))
                rule = chance.choice(["python.sql-built", "secret.rule"])
                said = Said(BANK, number, at, rule=rule, severity="critical")
                await history.said(said)
                await history.label(said, chance.choice(["accepted_strong", "rejected_strong"]))
                await history.reviewed(
                    Reviewed(BANK, number, at, timedelta(seconds=chance.randint(1, 9000)), {"mild": 3}, 1)
                )
                async with pool.acquire() as connection:
                    await add(connection, [waiver_step(number, BANK)])
            while await roll_up(pool):
                pass
            assert await _all_that_is_seen(client) == before, seed
