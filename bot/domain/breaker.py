"""Stop calling a service that keeps failing, and probe it now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.domain.errors import Permanent, Transient


class Breaker:
    """Refuse calls at once while a service is down.

    Opens after *failures* transient failures in a row. While open, one call each *probe_s* seconds is let
    through; its success closes the breaker. A permanent error is an answer, so it counts as success;
    a cancelled call counts as nothing.
    """

    def __init__(
        self, what: str, *, monotonic: Callable[[], float], failures: int = 5, probe_s: float = 30.0
    ) -> None:
        self._what = what
        self._monotonic = monotonic
        self._limit = failures
        self._probe_s = probe_s
        self._failed = 0
        self._reason = ""
        self._next_probe_at = 0.0

    @property
    def open(self) -> bool:
        """Say whether calls are refused but for probes."""
        return self._failed >= self._limit

    def check(self) -> None:
        """Refuse if a call would be refused.

        Raises:
            Transient: open, and it is not yet time for a probe; ``retry_after_s`` says when.
        """
        wait_s = self._next_probe_at - self._monotonic()
        if self.open and wait_s > 0:
            times = f"{self._what} failed {self._failed} times in a row"
            msg = f"{self._reason}; {times}, and is tried again every {self._probe_s:g} s"
            raise Transient(msg, retry_after_s=wait_s)

    def failed(self, error: Transient) -> None:
        """Count a failure, of a call or noticed beside the calls; the last one is told to whoever is refused."""
        self._failed += 1
        self._reason = str(error)
        self._next_probe_at = self._monotonic() + self._probe_s

    @contextmanager
    def call(self) -> Iterator[None]:
        """Watch the call that the block makes.

        Raises:
            Transient: as ``check``, or from the block.
        """
        self.check()
        # Whoever comes while a probe runs waits for the next one.
        self._next_probe_at = self._monotonic() + self._probe_s
        try:
            yield
        except Transient as error:
            self.failed(error)
            raise
        except Permanent:
            self._failed = 0
            raise
        self._failed = 0
