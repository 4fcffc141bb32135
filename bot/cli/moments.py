"""Times as an operator writes them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import typer

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime) -> datetime:
    """Return the time that *text* names: ISO 8601, local unless it has an offset, or a span back from *now*.

    Raises:
        typer.BadParameter: it names none, or one that is still to come.
    """
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            found = now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        else:
            found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time: say 2026-05-31T14:00, with +02:00 for another zone, or 2h, 3d"
        ) from None
    if found > now:
        raise typer.BadParameter(f"{text!r} is still to come")
    return found


def ahead(text: str, now: datetime) -> datetime:
    """Return the time that lies a span such as ``7d`` or ``2w`` ahead of *now*.

    Raises:
        typer.BadParameter: it is no span.
    """
    span = _SPAN.fullmatch(text)
    if span is not None:
        with suppress(OverflowError):
            return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    raise typer.BadParameter(f"{text!r} is no span of time: say 7d or 2w")
