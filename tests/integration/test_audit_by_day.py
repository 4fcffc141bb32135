"""Entries of the audit log are found by their days, wherever these lie."""

from datetime import date, timedelta
from itertools import product
from typing import Any

from bot.adapters.listings_postgres import PostgresListings
from bot.ports.listings import Sought
from tests.history import INSTANCE

FIRST = date(2026, 1, 1)
DAYS, EACH = 30, 4


async def test_days_of_long_ago_are_found_as_those_of_late_are(pool: Any) -> None:
    """In every half of the log, page by page; what a clock that went back has written is not passed over."""
    days = [FIRST + timedelta(days=number // EACH) for number in range(DAYS * EACH)]
    days[-3] = days[40] = FIRST + timedelta(days=2)
    await pool.executemany(
        "INSERT INTO audit_entry (number, at, actor, action, subject, previous, hash)"
        " VALUES ($1, $2::date + interval '23 hours 59 minutes', 'a', $3, '', '', '')",
        [(number, day, f"act.{number % 2}") for number, day in enumerate(days, 1)],
    )
    listings = PostgresListings(pool, INSTANCE)
    around = [FIRST + timedelta(days=number) for number in (-1, 0, 2, 14, 16, DAYS - 1, DAYS)]
    for until, since, action, before in product(around, (None, FIRST), ("", "act.1"), (None, 12, 118)):
        wanted = [
            number
            for number, day in enumerate(days, 1)
            if day <= until and (before is None or number < before) and (not action or number % 2)
        ]
        found = await listings.entries(Sought(action, since=since, until=until), before=before, limit=50)
        assert [entry.number for entry in found] == wanted[::-1][:50]
