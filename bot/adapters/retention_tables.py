"""Which rows go by their age: one list of tables, each with what makes a row of it old.

What is not here stays until its project is forgotten: docs/operations.md says what that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.domain.session import ABSOLUTE, LINK
from bot.reviewer.quieting import REMEMBERED

#: How far back a replay can go.
KEEP_EVENTS: Final = timedelta(days=7)
#: Longer than events are kept, so that no event outlives the mark that it was handled.
KEEP_MARKS: Final = timedelta(days=14)
#: An answer that was not needed for longer is hardly needed again.
KEEP_ANSWERS: Final = timedelta(days=30)
#: For so long whoever wonders why a script is refused finds its token in the list.
KEEP_TOKENS: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Aged:
    """Hold which rows ``t`` of a table go: those for which ``old`` is true.

    In it, $1 is how long they are kept, and $2 the group that ships events, null where their stages read them here.
    Without ``keep``, that is as long as the raw record of feedback.
    """

    table: str
    keep: timedelta | None
    old: str


#: In this order: marks after events.
AGED: Final = (
    # An event that its group has not passed yet stays, however old it is.
    Aged(
        "event",
        KEEP_EVENTS,
        """t.appended_at < now() - $1::interval AND EXISTS (
            SELECT FROM group_offset o WHERE o.consumer_group = coalesce($2::text, t.stage)
                AND o.partition = t.partition AND t.log_offset < o.next_offset)""",
    ),
    Aged("inbox", KEEP_MARKS, "t.done_at < now() - $1::interval"),
    Aged("model_answer", KEEP_ANSWERS, "t.kept_at < now() - $1::interval"),
    Aged("declined_finding", timedelta(), "t.until < now() - $1::interval"),
    Aged("web_session", ABSOLUTE, "t.began_at < now() - $1::interval"),
    Aged("login_link", LINK, "t.made_at < now() - $1::interval"),
    Aged("api_token", KEEP_TOKENS, "least(t.expires_at, t.revoked_at) < now() - $1::interval"),
    # Whoever compares asks for no older ones; those of comments that are gone help nobody.
    Aged(
        "comment_vector",
        REMEMBERED,
        """NOT EXISTS (
            SELECT FROM comment c WHERE c.id = t.comment_id AND c.posted_at >= now() - $1::interval)""",
    ),
    Aged("suppression", None, "t.at < now() - $1::interval"),
)
