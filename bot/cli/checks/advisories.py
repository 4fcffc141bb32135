"""Are the advisories about packages there, and young enough to be of use."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from bot.cli.checks import Check, ok, skipped, warn
from bot.scanners.advisories.index import is_imported, opened

NAME = "advisories"


def advisories(directory: Path, now: datetime, max_age: timedelta) -> list[Check]:
    """Judge the imported advisories.

    Raises:
        Permanent: the index cannot be read; the message says what to do.
    """
    remedy = "import newer ones with: cloister advisories import"
    if not is_imported(directory):
        return [skipped(NAME, f"none are imported in {directory}: dependencies are not checked", remedy)]
    with opened(directory) as index:
        status = index.status()
    if not status:
        return [warn(NAME, "none of those imported is in force", remedy)]
    old = [one for one in status if now - one.newest > max_age]
    if old:
        listed = ", ".join(f"{one.ecosystem} ({(now - one.newest).days} days)" for one in old)
        return [warn(NAME, f"nothing newer than {max_age.days} days for {listed}", remedy)]
    return [ok(NAME, ", ".join(f"{one.advisories} for {one.ecosystem}" for one in status))]
