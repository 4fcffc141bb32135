"""How figures read: short, in the units of people, and the same on every page."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from bot.domain.evaluation.intervals import Share

#: What stands where nothing was counted; a screen reader says it, unlike a dash.
NONE = "none yet"

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_STEP = 1000.0


def percent(share: float | None) -> str:
    """Return *share* in percent, with a decimal where it is small and a whole number would hide it."""
    if share is None:
        return NONE
    small = 0 < share < 0.095 or 0.995 <= share < 1
    return f"{100 * share:.1f}%" if small else f"{100 * share:.0f}%"


def between(share: Share) -> str:
    """Return between what *share* probably lies."""
    low, high = share.interval
    return f"{100 * low:.0f} to {100 * high:.0f}%"


def count(number: float) -> str:
    """Return a number with its thousands apart, with a decimal where it has one."""
    return f"{number:,.0f}" if number == int(number) or number >= _STEP else f"{number:,.1f}"


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{seconds:.1f} s" if 0 < seconds < 9.95 and seconds != whole else f"{whole} s"
    if whole < _HOUR_S:
        return _two(whole, _MINUTE_S, "min", 1, "s")
    if whole < _DAY_S:
        return _two(whole, _HOUR_S, "h", _MINUTE_S, "min")
    return _two(whole, _DAY_S, "d", _HOUR_S, "h")


def _two(whole: int, large: int, larges: str, small: int, smalls: str) -> str:
    first, rest = divmod(whole, large)
    second = rest // small
    return f"{first} {larges} {second} {smalls}" if second else f"{first} {larges}"


def size(number: int) -> str:
    """Return a number of bytes in the largest unit that it fills."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < _STEP:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= _STEP
    return f"{amount:,.1f} TB"


def moment(at: datetime) -> str:
    """Return a time to the minute; pages say once that all times are UTC."""
    return f"{at:%Y-%m-%d %H:%M}"


def merge_request_url(gitlab_url: str, project: str, iid: int) -> str:
    """Return the address of a merge request on the configured GitLab, empty where the project's path is unknown."""
    return f"{gitlab_url.rstrip('/')}/{quote(project)}/-/merge_requests/{iid}" if project else ""


#: By these names templates call them.
FILTERS = {
    "percent": percent,
    "between": between,
    "count": count,
    "duration": duration,
    "size": size,
    "moment": moment,
}
