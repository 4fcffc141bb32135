"""Spans and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol


class Telemetry(Protocol):
    """Make the work visible: spans and metrics, never payloads, source or tokens."""

    def span(
        self, name: str, *, parent: Mapping[str, str] | None = None, **attributes: str | int | float
    ) -> AbstractContextManager[None]:
        """Measure a piece of work; *parent* is the trace context that came with an event."""

    def trace_context(self) -> dict[str, str]:
        """Return the trace context of the running span, to travel with an event."""

    def count(self, metric: str, value: int = 1, **labels: str) -> None:
        """Add to a counter of ``bot.runtime.metrics``."""

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Record a value in a histogram of ``bot.runtime.metrics``."""

    def gauge(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge of ``bot.runtime.metrics``."""
