"""What somebody wrote after ``waive`` or ``unwaive``: which finding, until when, and why."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.markdown import one_line

_EXAMPLE_DAYS = 30

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile("[0-9]{1,5}")
_DAYS = {"day": 1, "days": 1, "week": 7, "weeks": 7}
_UNTIL = frozenset({"until", "for"})
#: Marks of Chinese keyboards need no space beside them, and neither does what is written in Chinese.
_NARROW = str.maketrans({"，": ", ", "：": ": ", "；": "; ", "、": ", ", "。": ". "})
_BECAUSE = re.compile(r"(?<![^\s,;，；、。])because(?![0-9a-z_])[\s:,：，]*", re.IGNORECASE)
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


def example(max_days: int = _EXAMPLE_DAYS) -> str:
    """Return what may follow the finding, as people are shown it in every language.

    It asks for no more than *max_days*, and does not grow old as a date would.
    """
    return f"for {min(_EXAMPLE_DAYS, max_days)} days because REASON"


#: The same where nobody knows how much is allowed.
EXAMPLE = example()


def read_wish(words: str, *, today: date) -> Wish:
    """Read ``[FINDING] until DAY because REASON``; DAY is a date, or a number of days or weeks from *today*.

    What is understood comes along with the flaw, so that the answer can be about it. The reason is one line of what
    a reader can see.
    """
    asked, because, why = _parted(words)
    parts = asked.split()
    at = next((n for n, part in enumerate(parts[:2]) if part.casefold() in _UNTIL), None)
    named = parts[0][:_NAME_CHARS].strip("`#.,:;").lower() if parts and at != 0 else ""
    if at is None:
        return Wish(named, flaw=Flaw.form if because or len(parts) > 1 else Flaw.bare)
    reason = one_line(why, _REASON_CHARS)
    until = _day(" ".join(parts[at + 1 :]).strip(" ,;"), today)
    if until is None and not because:
        # Whoever says why without our word for it needs to be told of that, not of the day.
        until = next(
            (day for end in (2, 3) if (day := _day(" ".join(parts[at + 1 : at + end]), today))), None
        )
    if until is None:
        return Wish(named, flaw=Flaw.day, reason=reason)
    if until < today:
        return Wish(named, until, reason, Flaw.past)
    return Wish(named, until, reason, None if reason else Flaw.reason)


def named_in(words: str) -> str:
    """Return the finding that stands first in *words*, empty if nothing does."""
    return next(iter(words.split()), "")[:_NAME_CHARS].strip("`#.,:;").lower()


def _parted(words: str) -> tuple[str, str, str]:
    """Return what stands before the word that a reason begins with, that word, and what follows it."""
    found = _BECAUSE.search(words)
    if found is None:
        return words.translate(_NARROW), "", ""
    return words[: found.start()].translate(_NARROW), found[0], words[found.end() :]


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
