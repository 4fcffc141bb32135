"""What people are told when the database cannot be reached."""

import socket

import asyncpg
import pytest

from bot.adapters.postgres import connection_error
from bot.domain.errors import Transient


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "nothing listens there"),
        (socket.gaierror(-2, "Name or service not known"), "its host is not known"),
        (TimeoutError(), "no answer in time"),
        (
            asyncpg.TooManyConnectionsError("sorry, too many clients already"),
            "sorry, too many clients already",
        ),
        (OSError("Multiple exceptions: [Errno 111], [Errno 113]"), "OSError"),
    ],
)
def test_a_database_out_of_reach_is_told_in_words(error: Exception, why: str):
    """Names of exceptions mean nothing to who runs it."""
    told = connection_error(error)

    assert isinstance(told, Transient)
    assert str(told) == f"the database is out of reach ({why}): check CLOISTER_DATABASE_URL and that it runs"
