"""Filters come out of a URL whole, or with an error that says what to write."""

import string
import uuid
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dashboard import Dimension, Filters
from bot.domain.dashboard_query import (
    MOST_DAYS,
    BadFilter,
    cursor_of,
    cursor_text,
    filters_of,
    query_of,
    window_before,
)
from bot.domain.review_detail import Cursor

TODAY = date(2026, 3, 10)
SEGMENT = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=9)
WORD = (
    st.text(string.ascii_letters + string.digits + " &=%+#/?é中\"'<>", min_size=1).map(str.strip).filter(bool)
)


@st.composite
def filters(draw: st.DrawFn) -> Filters:
    """Return any filters that there can be."""
    until = draw(st.dates(date(2005, 1, 1), date(2100, 1, 1)))
    return Filters(
        visible=draw(st.none() | st.frozensets(st.integers(1, 99))),
        since=until - timedelta(days=draw(st.integers(0, MOST_DAYS - 1))),
        until=until,
        project_id=draw(st.none() | st.integers(1, 10**18 - 1)),
        group="/".join(draw(st.lists(SEGMENT, max_size=4))),
        only=draw(st.dictionaries(st.sampled_from(Dimension), WORD, max_size=3)),
    )


def parsed(query: str) -> Filters:
    """Return the filters of a query as a browser sends it."""
    return filters_of(dict(parse_qsl(query)), visible=None, today=TODAY)


@given(filters())
def test_what_a_query_says_is_read_back(chosen: Filters) -> None:
    """Filters in a URL are the same filters, for the viewer who opens it."""
    assert filters_of(dict(parse_qsl(query_of(chosen))), visible=chosen.visible, today=TODAY) == chosen


@given(
    st.dictionaries(st.sampled_from(["from", "to", "project", "group", *Dimension]), st.text(max_size=300))
)
def test_hostile_queries_are_filters_or_an_error(query: dict[str, str]) -> None:
    """Whatever stands in a URL, nothing widens what the viewer may see, and no other error comes."""
    with suppress(BadFilter):
        found = filters_of(query, visible=frozenset({1}), today=TODAY)
        assert found.visible == frozenset({1})
        assert found.since <= found.until
        assert window_before(found).days == found.days


def test_nothing_said_is_the_last_thirty_days() -> None:
    """Parameters that are empty or unknown do not count."""
    assert parsed("rule=&page=3") == Filters(visible=None, since=date(2026, 2, 9), until=TODAY)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("from=2026-03-11&to=2026-03-10", "from"),
        ("from=2020-01-01", "from"),
        ("to=2026-02-30", "to"),
        ("to=20260310", "to"),
        ("to=0001-01-01", "to"),
        ("project=0", "project"),
        ("project=-1", "project"),
        ("project=1%202", "project"),
        ("project=%D9%A3", "project"),
        ("group=../x", "group"),
        ("group=a%2F%2Fb", "group"),
        ("rule=%00", "rule"),
        ("rule=" + "x" * 256, "rule"),
    ],
)
def test_what_is_wrong_is_named(query: str, named: str) -> None:
    """The error names the parameter."""
    with pytest.raises(BadFilter) as caught:
        parsed(query)
    assert caught.value.name == named


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.uuids(),
)
def test_a_cursor_is_read_back(at: datetime, run_id: uuid.UUID) -> None:
    """A page goes on exactly where the one before ended."""
    assert cursor_of(cursor_text(Cursor(at, run_id))) == Cursor(at, run_id)


@given(st.text() | st.binary(max_size=40).map(lambda raw: raw.hex()))
def test_any_text_is_a_cursor_or_an_error(text: str) -> None:
    """Nothing but `BadFilter` comes of it."""
    with suppress(BadFilter):
        assert cursor_of(cursor_text(cursor_of(text))) == cursor_of(text)


def test_the_window_before_ends_where_this_one_begins() -> None:
    """Both have the same number of days."""
    before = window_before(parsed("from=2026-03-01&to=2026-03-10"))
    assert (before.since, before.until) == (date(2026, 2, 19), date(2026, 2, 28))
