"""What a page puts on the log when somebody who has signed in asks for a waiver there."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from bot.domain.events import Record, WaiverRequested, delivery_id
from bot.domain.merge_request import MergeRequestRef
from bot.domain.viewer import Viewer

_WORDS_CHARS = 1_000


def waiver_request(
    viewer: Viewer,
    ref: MergeRequestRef,
    *,
    form: uuid.UUID,
    finding: str,
    until: str = "",
    reason: str = "",
    back: bool = False,
    redact: Callable[[str], str],
) -> Record | None:
    """Return the event by which *viewer* asks for a waiver, grants one, or takes one back, for the log.

    It is decided when it is handled, by the same rules as a comment of the same account, and by the role that the
    forge tells then. `bot.domain.waiving` tells a page beforehand what would be answered.

    Args:
        viewer: who asks.
        ref: the merge request.
        form: the number of the form that was sent; sending it twice asks once.
        finding: name of the finding, or its fingerprint.
        until: the day, or a number of days or weeks; empty with *reason* to grant what was asked for.
        reason: why.
        back: take it back instead.
        redact: masks secrets, since the event is kept.

    Returns:
        The event, None where *viewer* may not even see the project.
    """
    if not viewer.reads(ref.project_id):
        return None
    more = f" until {until} because {reason}" if until or reason else ""
    words = finding if back else f"{finding}{more}"
    event = WaiverRequested(
        ref=ref, user_id=viewer.user.id, words=redact(words[:_WORDS_CHARS])[:_WORDS_CHARS], back=back
    )
    return Record.of(event, id=delivery_id("page", f"waiver:{viewer.user.id}:{form}"))
