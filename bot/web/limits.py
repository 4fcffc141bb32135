"""How often somebody may ask the API: a bucket of tokens each, which fills again at a steady rate."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from bot.domain.viewer import Viewer
from bot.web.access import Access
from bot.web.problems import API, Problem

#: So many are remembered; whoever is forgotten has a full bucket again.
_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """Hold how many requests somebody may send at once, and how many a second in the long run."""

    burst: int
    per_s: float


#: A page of a dashboard is one request; a script that pages through a list sends a few a second.
OF_VIEWERS = Allowance(120, 10.0)
#: Jobs of a whole company may wait for verdicts behind one address.
OF_ADDRESSES = Allowance(600, 40.0)
#: Answers to those who are nobody, or may not.
_REFUSED = frozenset({401, 403})


class Buckets:
    """Count requests by sender, in this process and in bounded memory."""

    def __init__(self, monotonic: Callable[[], float], allowance: Allowance, most: int = _BUCKETS) -> None:
        self._monotonic = monotonic
        self._allowance = allowance
        self._most = most
        #: How much was left at a time.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, sender: str) -> float:
        """Return 0 for a request that may pass, or after how many seconds the next may."""
        now, allowed = self._monotonic(), self._allowance
        left, since = self._left.pop(sender, (float(allowed.burst), now))
        left = min(float(allowed.burst), left + max(0.0, now - since) * allowed.per_s)
        passes = left >= 1
        self._left[sender] = (left - passes, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return 0 if passes else (1 - left) / allowed.per_s


class Turnstile:
    """Check who makes a request, and count it if it is for the API.

    A person or a token has a bucket wherever they ask from. Who is refused, or asks for what is for everybody,
    counts by address. Pages are made for people, who are slow.

    Args:
        access: says who makes a request.
        viewers: the buckets of those who are known.
        addresses: the buckets of those who are not.
    """

    def __init__(self, access: Access, viewers: Buckets, addresses: Buckets) -> None:
        self.access = access
        self._viewers = viewers
        self._addresses = addresses

    async def guard(self, request: Request) -> None:
        """Refuse *request*, or remember for the route who makes it; see `Access.guard`."""
        if not request.url.path.startswith(API):
            await self.access.guard(request)
            return
        try:
            await self.access.guard(request)
        except Problem as problem:
            if problem.status in _REFUSED:
                _pass(self._addresses, _address(request))
            raise
        viewer: Viewer | None = request.state.viewer
        if viewer is None:
            _pass(self._addresses, _address(request))
        else:
            _pass(self._viewers, viewer.actor)


def _pass(buckets: Buckets, sender: str) -> None:
    wait_s = math.ceil(buckets.take(sender))
    if wait_s:
        raise Problem(
            429,
            "too_many_requests",
            f"too many requests: try again in {wait_s} s",
            headers={"retry-after": str(wait_s)},
        )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
