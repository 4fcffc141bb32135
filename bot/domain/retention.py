"""How long what grows for ever is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def gone_before(now: datetime, days: int) -> datetime:
    """Return the first moment of the oldest month (UTC) of which something is not older than *days*.

    Months before it are older as a whole. A month that is only partly so stays until all of it is.
    """
    oldest = (now - timedelta(days=days)).astimezone(UTC)
    return oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
