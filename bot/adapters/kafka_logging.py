"""What Kafka's client library says about its connections, as log lines of ours."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import structlog

from bot.adapters.recent import Recent

#: A broker that is away is told every 100 ms, by each client anew.
_QUIET_S = 30.0


class _Forward(logging.Handler):
    """Pass records on as warnings, each sort once in a while; what needs an operator, our own errors say."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(logging.WARNING)
        self._clock = clock
        self._told: Recent[str, float] = Recent(100)

    def emit(self, record: logging.LogRecord) -> None:
        """Log *record* unless its like was logged a moment ago."""
        told = self._told.get(str(record.msg))
        if told is not None and self._clock() - told < _QUIET_S:
            return
        self._told.put(str(record.msg), self._clock())
        structlog.get_logger().warning("kafka.client", part=record.name, message=record.getMessage())


def forward_client_logs(*, clock: Callable[[], float] = time.monotonic) -> None:
    """Keep the library's lines off standard error, and those below warnings away: these quote whole requests."""
    logger = logging.getLogger("aiokafka")
    logger.handlers[:] = [_Forward(clock)]
    logger.setLevel(logging.WARNING)
    logger.propagate = False
