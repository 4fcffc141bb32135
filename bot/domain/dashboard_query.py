"""Read the filters of a dashboard out of the query of a URL, and write them into one."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from bot.domain.dashboard import Dimension, Filters
from bot.domain.errors import Permanent
from bot.domain.review_detail import Cursor
from bot.domain.viewer import Own

#: How many days are shown where nobody says.
DAYS = 30
#: Two years: what is older has been forgotten.
MOST_DAYS = 731
#: No name of a rule, a file's language or a model is longer.
_LONGEST = 255

#: Segments of GitLab's paths.
_GROUP = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]*(?:/[0-9A-Za-z_][0-9A-Za-z_.-]*)*")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadFilter(Permanent):
    """Say that a filter cannot be read; ``name`` is the parameter, ``remedy`` says what to write."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"{name}: {remedy}")
        self.name = name
        self.remedy = remedy


def filters_of(
    query: Mapping[str, str], *, visible: frozenset[int] | None, today: date, own: Own | None = None
) -> Filters:
    """Return the filters that *query* names; parameters that are no filter are left aside, as are empty ones.

    Args:
        query: the parameters, one value each.
        visible: the projects that the viewer oversees, None for all.
        today: the last day, where the query names none.
        own: the merge requests that are the viewer's own.

    Raises:
        BadFilter: a parameter cannot be read, or the window is none.
    """
    given = {name: value.strip() for name, value in query.items() if value.strip()}
    until = day_of("to", given["to"]) if "to" in given else today
    since = day_of("from", given["from"]) if "from" in given else _back(until, DAYS - 1)
    if since > until:
        raise BadFilter("from", "it is after `to`")
    if (until - since).days >= MOST_DAYS:
        raise BadFilter("from", f"at most {MOST_DAYS} days can be shown at a time")
    return Filters(
        visible=visible,
        since=since,
        until=until,
        project_id=_project(given["project"]) if "project" in given else None,
        group=_group(given["group"]) if "group" in given else "",
        only={one: word_of(one, given[one]) for one in Dimension if one in given},
        own=own,
    )


def query_of(filters: Filters) -> str:
    """Return the query that names *filters*, whoever the viewer is."""
    pairs = {"from": filters.since.isoformat(), "to": filters.until.isoformat()}
    if filters.project_id is not None:
        pairs["project"] = str(filters.project_id)
    if filters.group:
        pairs["group"] = filters.group
    return urlencode({**pairs, **{one.value: value for one, value in filters.only.items()}})


def window_before(filters: Filters) -> Filters:
    """Return *filters* for the window before."""
    since, until = filters.before
    return replace(filters, since=since, until=until)


def cursor_of(text: str) -> Cursor:
    """Return the cursor that *text* is.

    Raises:
        BadFilter: it is none that `cursor_text` made.
    """
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        at = _EPOCH + timedelta(microseconds=int.from_bytes(raw[:-16], "big"))
        line = uuid.UUID(bytes=raw[-16:])
    except (ValueError, OverflowError):
        raise BadFilter("after", "it is no cursor; begin at the first page") from None
    return Cursor(at, line)


def cursor_text(cursor: Cursor) -> str:
    """Return *cursor* for a URL."""
    microseconds = (cursor.at - _EPOCH) // timedelta(microseconds=1)
    raw = max(0, microseconds).to_bytes(8, "big") + cursor.id.bytes
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(name: str, text: str) -> date:
    """Return the day that *text* is.

    Raises:
        BadFilter: it is none, or far from our time; *name* is that of the parameter.
    """
    try:
        found = date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise BadFilter(name, "say a day as 2026-05-31") from None
    # The window before must be one too.
    if not 2000 <= found.year <= 9000:
        raise BadFilter(name, "say a day between the years 2000 and 9000")
    return found


def _back(day: date, days: int) -> date:
    return day - timedelta(days=days)


def _project(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadFilter("project", "say its number, which GitLab shows below the project's name")
    return int(text)


def _group(text: str) -> str:
    path = text.strip("/")
    if len(path) > _LONGEST or not _GROUP.fullmatch(path):
        raise BadFilter("group", "say its path, such as company/team")
    return path


def word_of(name: str, text: str) -> str:
    """Return *text* if it can be a name of something.

    Raises:
        BadFilter: it is too long, or has what nobody can read, such as a zero byte; *name* is that of the parameter.
    """
    if len(text) > _LONGEST or not text.isprintable():
        raise BadFilter(name, f"say at most {_LONGEST} characters that can be read")
    return text
