"""The API answers as its document says, whatever is asked; schemathesis makes up the requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.config import SchemathesisConfig

from bot.web.api.reference import reference
from tests.api import served

#: All requests carry a good token; what happens without one is probed for each operation as well.
_CONFIG = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})


@pytest.fixture(scope="module")
def api_server(history_url: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the address of the API, and the headers of a script that may read all of it."""
    with served(history_url) as server:
        yield server


#: Tables of views take the same parameters as the views, by the same code. What changes something is not for scripts.
schema = (
    schemathesis.openapi.from_dict(json.loads(reference()), config=_CONFIG)
    .exclude(path_regex=r"/(overview|funnel|acceptance|series|noise|flow|gate)\.csv$")
    .exclude(method="POST")
)


@schema.parametrize()
@settings(max_examples=4, derandomize=True, deadline=None)
def test_answers_are_as_documented(case: Any, api_server: tuple[str, dict[str, str]]) -> None:
    """Statuses, types, headers and bodies; what is wrong is refused, what is right is taken."""
    _make_a_window(case.query)
    case.call_and_validate(base_url=api_server[0], headers={"Authorization": api_server[1]["authorization"]})


def _make_a_window(query: Any) -> None:
    """Move days that are days close together: that one is after the other is beyond what a document can say."""
    days = {name: _day(query.get(name)) for name in ("from", "to")} if query else {}
    for number, name in enumerate(name for name, day in days.items() if day is not None):
        today, back = datetime.now(UTC).date(), days[name].toordinal() % 300
        query[name] = (today - timedelta(days=back + (300 if name == "from" else 0) + number)).isoformat()


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        return None
