"""Waivers that end soon, as the dashboard shows them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from bot.domain.dashboard import Filters, Waived

#: What ends within so many days is shown.
SOON = timedelta(days=14)


async def expiring(connection: Any, instance: str, filters: Filters, today: date) -> tuple[Waived, ...]:
    """Return the waivers in force that end soon, the soonest first; none, until there are waivers."""
    return ()
