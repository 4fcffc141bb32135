"""How fields of a hook are read: a missing one is None, one of the wrong type is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from bot.domain.events import Event

#: GitLab's ids are Postgres bigints.
MAX_ID = 2**63 - 1


class Malformed(ValueError):
    """Say which field of a hook cannot be used and why; the message never repeats much of the body."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Say why a hook does not matter."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hook:
    """Translate the hooks of one ``object_kind``."""

    kind: str
    translate: Callable[[Mapping[str, object], str], Event | Ignored]


def section(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return the object *name*, empty when it is missing or null."""
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _mistyped(name, "an object")
    return cast("Mapping[str, object]", value)


def text(fields: Mapping[str, object], name: str) -> str | None:
    """Return the string *name*; None when it is missing, null or empty."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise _mistyped(name, "a string")
    return value or None


def flag(fields: Mapping[str, object], name: str) -> bool | None:
    """Return the boolean *name*; None when it is missing or null."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise _mistyped(name, "true or false")
    return value


def identifier(fields: Mapping[str, object], name: str) -> int | None:
    """Return the positive number *name*; None when it is missing or null."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_ID:
        raise _mistyped(name, "a positive number")
    return value


def time(fields: Mapping[str, object], name: str) -> datetime | None:
    """Return the time *name* in UTC; None when it is missing or null.

    GitLab writes ``2013-12-03T17:15:43Z`` and ``2013-12-03 17:15:43 UTC``, by release and field.
    """
    value = text(fields, name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r" (UTC|[+-]\d\d:?\d\d)$", _offset, value))
        if moment.tzinfo is None:
            raise _mistyped(name, "a time with its zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _mistyped(name, "a time with its zone, such as 2013-12-03T17:15:43Z") from None


def shown(value: str) -> str:
    """Return *value* short and in ASCII, for messages."""
    return ascii(value if len(value) <= 40 else f"{value[:40]}...")


def _offset(match: re.Match[str]) -> str:
    return "+00:00" if match[1] == "UTC" else match[1]


def _mistyped(name: str, wanted: str) -> Malformed:
    return Malformed(f"{name} is not {wanted}")
