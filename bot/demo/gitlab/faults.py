"""Faults on demand: refusals, delays, dropped connections, and GitLab's throttle."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass


@dataclass(slots=True)
class Fault:
    """What happens to the next ``times`` requests that match; ``times`` None means all.

    ``status`` is answered instead of, or with *after_commit* after, the real work; None leaves the answer
    alone. ``drop`` resets the connection. ``delay_s`` passes before the work.
    """

    method: str
    path: re.Pattern[str]
    status: int | None = None
    after_commit: bool = False
    times: int | None = 1
    delay_s: float = 0.0
    drop: bool = False
    retry_after: float | None = None
    body: str | None = None
    hits: int = 0


class Faults:
    """Hold the faults that wait for a request."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(
        self,
        method: str,
        path_regex: str,
        *,
        status: int | None = None,
        after_commit: bool = False,
        times: int | None = 1,
        delay_s: float = 0.0,
        drop: bool = False,
        retry_after: float | None = None,
        body: str | None = None,
    ) -> Fault:
        """Add a fault for a method (``*`` is any) and a pattern searched in the raw path, and return it."""
        pattern = re.compile(path_regex)
        fault = Fault(method, pattern, status, after_commit, times, delay_s, drop, retry_after, body)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault for a request and count it."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                spent = fault.times is not None and fault.hits >= fault.times
                if not spent and fault.method in ("*", method) and fault.path.search(path):
                    fault.hits += 1
                    return fault
        return None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Allow ``requests`` per user and period, as the throttle of an administrator does."""

    requests: int
    period_s: float = 60.0


class Throttle:
    """Count requests per user in fixed periods."""

    def __init__(self) -> None:
        self.limit: RateLimit | None = None
        self._lock = threading.Lock()
        self._counts: defaultdict[tuple[str, int, float], int] = defaultdict(int)

    def check(self, user: str) -> tuple[dict[str, str], bool]:
        """Count one request and return the headers to send, and whether it is one too many."""
        limit = self.limit
        if limit is None:
            return {}, False
        now = time.time()
        period = int(now // limit.period_s)
        with self._lock:
            self._counts[user, period, limit.period_s] += 1
            observed = self._counts[user, period, limit.period_s]
        reset = (period + 1) * limit.period_s
        if observed <= limit.requests:
            return {}, False
        return {
            "Retry-After": str(max(1, int(reset - now) + 1)),
            "RateLimit-Limit": str(round(limit.requests * 60 / limit.period_s)),
            "RateLimit-Name": "throttle_authenticated_api",
            "RateLimit-Observed": str(observed),
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": str(int(reset)),
            "RateLimit-ResetTime": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(reset)),
        }, True
