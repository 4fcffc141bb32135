"""How often somebody may try to sign in."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request

from bot.web.problems import Problem

#: Behind a proxy on another machine all people share one address, and signing in is two: enough for a company that
#: comes to work, and again every hour.
_MOST, _WITHIN_S = 600, 60.0
#: So many addresses are remembered.
_ADDRESSES = 10_000


class Attempts:
    """Count attempts by address, in this process.

    Secrets that could be guessed are 256 random bits: this keeps GitLab and the database from being flooded.
    """

    def __init__(self, monotonic: Callable[[], float], most: int = _MOST) -> None:
        self._monotonic = monotonic
        self._most = most
        #: By address: when its minute began, and how many there were in it.
        self._minutes: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, request: Request) -> None:
        """Count an attempt.

        Raises:
            Problem: there were too many; it says when to try again.
        """
        now = self._monotonic()
        address = request.client.host if request.client else ""
        began, counted = self._minutes.pop(address, (now, 0))
        if now - began >= _WITHIN_S:
            began, counted = now, 0
        self._minutes[address] = began, counted + 1
        if len(self._minutes) > _ADDRESSES:
            self._minutes.popitem(last=False)
        if counted >= self._most:
            wait_s = math.ceil(_WITHIN_S - (now - began))
            raise Problem(
                429,
                "too_many_attempts",
                f"too many attempts to sign in: try again in {wait_s} s",
                headers={"retry-after": str(wait_s)},
            )
