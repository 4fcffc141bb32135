"""Pages of lists: opaque marks of where a page ends, and the address of the next one."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlencode

from fastapi import Request, Response

from bot.domain.dashboard_query import BadFilter, cursor_of, cursor_text
from bot.domain.review_detail import Cursor
from bot.web.api.asked import MOST_LINES
from bot.web.api.shown import Shown
from bot.web.problems import Fault, Problem

T = TypeVar("T")
S = TypeVar("S", bound=Shown)

_NUMBER_BYTES = 8


def moment_of(after: str | None) -> Cursor | None:
    """Return after what a page begins.

    Raises:
        Problem: *after* is no mark of ours.
    """
    try:
        return cursor_of(after) if after else None
    except BadFilter as error:
        fault = Fault("query", "after", "begin at the first page")
        raise Problem(422, "bad_filter", str(error), faults=[fault]) from None


def mark(number: int) -> str:
    """Return *number* as a mark."""
    return base64.urlsafe_b64encode(number.to_bytes(_NUMBER_BYTES, "big", signed=True)).decode().rstrip("=")


def number_of(after: str | None) -> int | None:
    """Return the number that a mark of the right form stands for."""
    if not after:
        return None
    return int.from_bytes(base64.urlsafe_b64decode(f"{after}="), "big", signed=True)


def following(request: Request, response: Response, after: str | None) -> str | None:
    """Return the address of the page that begins after a mark, and put it into a header; None at the end.

    It names no host: only whoever asks knows by which one we are reached.
    """
    if after is None:
        return None
    kept: Mapping[str, str] = {**request.query_params, "after": after}
    url = f"{request.url.path}?{urlencode(kept)}"
    response.headers["link"] = f'<{url}>; rel="next"'
    return url


#: Returns so many lines beyond a number, None for the first.
Part = Callable[[int | None, int], Awaitable[Sequence[T]]]


class Lines(Generic[T]):
    """Go through a list by the number of each line.

    Args:
        part: reads a part of it.
        number: tells the number of a line.
    """

    def __init__(self, part: Part[T], number: Callable[[T], int]) -> None:
        self._part = part
        self._number = number

    async def page(
        self, request: Request, response: Response, after: str | None, limit: int
    ) -> tuple[list[T], str | None]:
        """Return the lines of a page, and the address of the next."""
        found = await self._part(number_of(after), limit + 1)
        page = list(found[:limit])
        more = mark(self._number(page[-1])) if len(found) > limit else None
        return page, following(request, response, more)

    async def all(self) -> AsyncIterator[Sequence[T]]:
        """Yield all lines, part by part."""
        last = None
        while True:
            found = await self._part(last, MOST_LINES)
            yield found
            if len(found) < MOST_LINES:
                return
            last = self._number(found[-1])


class Page(Protocol):
    """A page of a list in which each line has its moment; ``following`` is where the next one begins."""

    @property
    def lines(self) -> Sequence[Any]:
        """Return what is on it."""

    @property
    def following(self) -> Cursor | None:
        """Return None at the end."""


class TimedLines(Generic[S]):
    """Go through a list by the moment of each line.

    Args:
        part: reads a page of so many lines after a moment, None for the first.
        model: how a line is shown.
    """

    def __init__(self, part: Callable[[Cursor | None, int], Awaitable[Page]], model: type[S]) -> None:
        self._part = part
        self._model = model

    async def page(
        self, request: Request, response: Response, after: str | None, limit: int
    ) -> tuple[list[S], str | None]:
        """Return the lines of a page, and the address of the next."""
        found = await self._part(moment_of(after), limit)
        more = cursor_text(found.following) if found.following else None
        return self._shown(found), following(request, response, more)

    async def all(self) -> AsyncIterator[list[S]]:
        """Yield all lines, page by page."""
        after = None
        while True:
            found = await self._part(after, MOST_LINES)
            yield self._shown(found)
            after = found.following
            if after is None:
                return

    def _shown(self, found: Page) -> list[S]:
        return [self._model.model_validate(line) for line in found.lines]
