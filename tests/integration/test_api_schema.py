"""The API answers as its document says, whatever is asked; schemathesis makes up the requests."""

from __future__ import annotations

import asyncio
import json
import unicodedata
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.config import SchemathesisConfig

from bot.adapters.postgres import connect_pool
from bot.domain.session import PAD_BYTES, form_token
from bot.web.api.reference import reference
from tests.api import SHOP, served, with_session
from tests.history import History
from tests.postgres import create_database

#: All requests carry a good token; what happens without one is probed for each operation as well.
_CONFIG = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})


@pytest.fixture(scope="module")
def api_server(history_url: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the address of the API, and the headers of a script that may read all of it."""
    with served(history_url) as server:
        yield server


@pytest.fixture(scope="module")
def changing_server(postgres_server: str, migrated_template: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the address of an API on a database of its own, and the headers of an administrator's page."""

    async def make() -> tuple[str, dict[str, str]]:
        url = await create_database(postgres_server, f"changing_{uuid.uuid4().hex[:12]}", migrated_template)
        pool = await connect_pool(url, size=1)
        try:
            await History(pool).project(SHOP, "retail/shop")
            headers = await with_session(pool, "root", admin=True)
        finally:
            await pool.close()
        session_id = headers["cookie"].partition("=")[2]
        return url, headers | {"x-cloister-form": form_token(session_id, bytes(PAD_BYTES))}

    with ThreadPoolExecutor(1) as threads:
        url, headers = threads.submit(lambda: asyncio.run(make())).result()
    with served(url) as (address, _):
        yield address, headers


_schema = schemathesis.openapi.from_dict(json.loads(reference()), config=_CONFIG)
#: Tables of views take the same parameters as the views, by the same code.
schema = _schema.exclude(path_regex=r"/(overview|funnel|acceptance|series|noise|flow|gate)\.csv$").exclude(
    method="POST"
)
changing = _schema.include(method="POST")


@schema.parametrize()
@settings(max_examples=4, derandomize=True, deadline=None)
def test_answers_are_as_documented(case: Any, api_server: tuple[str, dict[str, str]]) -> None:
    """Statuses, types, headers and bodies; what is wrong is refused, what is right is taken."""
    _make_a_window(case.query)
    case.call_and_validate(base_url=api_server[0], headers={"Authorization": api_server[1]["authorization"]})


@changing.parametrize()
@settings(max_examples=4, derandomize=True, deadline=None)
def test_changes_are_as_documented(case: Any, changing_server: tuple[str, dict[str, str]]) -> None:
    """So is what changes something: it is done, or refused with what is wrong, whatever the body holds."""
    _make_a_mute(case.body)
    case.call_and_validate(base_url=changing_server[0], headers=changing_server[1])


def _make_a_window(query: Any) -> None:
    """Move days that are days close together: that one is after the other is beyond what a document can say."""
    days = {name: _day(query.get(name)) for name in ("from", "to")} if query else {}
    for number, name in enumerate(name for name, day in days.items() if day is not None):
        today, back = datetime.now(UTC).date(), days[name].toordinal() % 300
        query[name] = (today - timedelta(days=back + (300 if name == "from" else 0) + number)).isoformat()


def _make_a_mute(body: Any) -> None:
    """Have a mute end soon, and leave out what is no character yet: schemathesis counts some of those as letters."""
    for name, value in body.items() if isinstance(body, dict) else ():
        if name == "until" and _day(value) is not None:
            body[name] = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()
        elif isinstance(value, str):
            body[name] = "".join("x" if unicodedata.category(one) == "Cn" else one for one in value)


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        return None
