"""What somebody wrote after ``waive`` or ``unwaive``: which finding, until when, and why."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.markdown import one_line

#: What may follow the finding, as people are shown it, in every language; it does not grow old as a date would.
EXAMPLE = "for 30 days because REASON"

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile("[0-9]{1,5}")
_DAYS = {"day": 1, "days": 1, "week": 7, "weeks": 7}
_UNTIL = frozenset({"until", "for"})
_BECAUSE = "because"
_REASON_CHARS = 300
_NAME_CHARS = 64


class Flaw(enum.StrEnum):
    """What is wrong with a wish."""

    #: Neither a day nor a reason: only a finding is named, or nothing.
    bare = "bare"
    form = "form"
    day = "day"
    past = "past"
    reason = "reason"


@dataclass(frozen=True, slots=True)
class Wish:
    """Hold what is wished for; ``finding`` is empty where the thread says it."""

    finding: str = ""
    until: date | None = None
    reason: str = ""
    flaw: Flaw | None = None


def read_wish(words: str, *, today: date) -> Wish:
    """Read ``[FINDING] until DAY because REASON``; DAY is a date, or a number of days or weeks from *today*.

    What is understood comes along with the flaw, so that the answer can be about it. The reason is one line of what
    a reader can see.
    """
    parts = words.split()
    at = next((n for n, part in enumerate(parts[:2]) if part.casefold() in _UNTIL), None)
    named = parts[0][:_NAME_CHARS].strip("`#.,:;").lower() if parts and at != 0 else ""
    if at is None:
        return Wish(named, flaw=Flaw.bare if len(parts) < 2 else Flaw.form)
    rest = parts[at + 1 :]
    because = next((n for n, part in enumerate(rest) if part.casefold().strip(",:") == _BECAUSE), None)
    until = _day(" ".join(rest[:because]).strip(" ,;"), today)
    reason = one_line(" ".join(rest[because + 1 :]), _REASON_CHARS) if because is not None else ""
    if until is None:
        return Wish(named, flaw=Flaw.day, reason=reason)
    if until < today:
        return Wish(named, until, reason, Flaw.past)
    return Wish(named, until, reason, None if reason else Flaw.reason)


def named_in(words: str) -> str:
    """Return the finding that stands first in *words*, empty if nothing does."""
    return next(iter(words.split()), "")[:_NAME_CHARS].strip("`#.,:;").lower()


def _day(text: str, today: date) -> date | None:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        number, _, unit = text.partition(" ")
        if _NUMBER.fullmatch(number) and unit.casefold() in _DAYS:
            return today + timedelta(days=int(number) * _DAYS[unit.casefold()])
    except (ValueError, OverflowError):
        pass
    return None
