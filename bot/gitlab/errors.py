"""What an HTTP answer of GitLab means for the caller.

GitLab reports errors as ``{"message": ...}`` (a text, or lists of texts by field), as ``{"error": ...}`` from
its parameter checks, as the plain text ``Retry later`` when it throttles, and as an HTML page from whatever
stands in front of it. See https://docs.gitlab.com/api/rest/troubleshooting/ and
https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.domain.errors import Blocked, CloisterError, Permanent, Refused, Transient

_REMEDY_401 = (
    "GitLab does not accept the token: it is wrong, expired or revoked. Rotate it or create a new one"
    " (scope api, role Developer) and set CLOISTER_GITLAB_TOKEN"
)
#: What each transition of a commit status leads to (``Ci::Processable`` in GitLab).
_TRANSITIONS = {
    "enqueue": "pending",
    "run": "running",
    "success": "success",
    "succeed": "success",
    "drop": "failed",
    "cancel": "canceled",
}
_TRANSITION = re.compile(r"Cannot transition status via :(\w+) from :(\w+)")
_BY_NUMBER = re.compile(r"/api/v4/projects/([1-9][0-9]{0,17})(?:[/?]|$)")
_MAX_REASON_CHARS = 300
#: Times outside are a fault, and close to the ends of the calendar they cannot be calculated with.
MIN_TIME, MAX_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


class TokenRejected(Blocked):
    """Say that no request can succeed until the operator gives us another token."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def is_json(self) -> bool:
        """Say whether the body claims to be JSON."""
        return "json" in self.headers.get("content-type", "").partition(";")[0].lower()


def problem(answer: Answer, request: str, *, now: datetime, writes: bool = False) -> CloisterError | None:
    """Return what went wrong, None if nothing did.

    A 409 comes from the lock that GitLab holds while it updates the pipeline of a commit, so it passes. A
    404 cannot be told from missing access, which the message says.

    Args:
        answer: what GitLab sent.
        request: method and path, for the message.
        now: the current time, for reset times.
        writes: whether the request changes something; a server error leaves open whether it did.
    """
    if 200 <= answer.status < 300:
        return None
    # GitLab's own words often begin with the status: "404 Project Not Found".
    said = f"{request}: {answer.status} {reason(answer).removeprefix(str(answer.status)).lstrip()}".rstrip()
    if answer.status >= 500:
        return Transient(said, retry_after_s=retry_after_s(answer, now), outcome_unknown=writes)
    if answer.status in {408, 409, 425, 429}:
        return Transient(said, retry_after_s=retry_after_s(answer, now))
    if is_moved(answer):
        return Permanent(
            f"{said}: the project was renamed or transferred; name it by its new path, which its page on GitLab shows"
        )
    if answer.status < 400:
        where = _one_line(answer.headers.get("location", "nowhere"))
        return Permanent(
            f"{said} (to {where}); redirects are not followed, set CLOISTER_GITLAB_URL to the end"
        )
    if answer.status == 401:
        return TokenRejected(f"{said}. {_REMEDY_401}")
    if answer.status == 403:
        return Refused(
            f"{said}. The token needs the scope api, and its user the role Developer in the project"
            " (Maintainer to look after webhooks)"
        )
    if answer.status == 404:
        return Refused(f"{said}. It does not exist, or the token's user has no access to it")
    return Refused(said)


def reason(answer: Answer) -> str:
    """Return GitLab's own words on one short line, empty if there are none."""
    if not answer.is_json:
        text = answer.body[:4096].decode("utf-8", "replace")
        return "an HTML page" if "<html" in text.lower() else _one_line(text)
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return "broken JSON"
    said = body.get("message") or body.get("error") if isinstance(body, dict) else body
    return _one_line(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))


def retry_after_s(answer: Answer, now: datetime) -> float | None:
    """Return how many seconds GitLab asks us to wait, from ``Retry-After`` or else ``RateLimit-Reset``."""
    stated = answer.headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdecimal():
        return float(stated)
    until = _http_date(stated) or (
        _epoch(answer.headers.get("ratelimit-reset", "")) if answer.status == 429 else None
    )
    return None if until is None else max(0.0, (until - now).total_seconds())


def sent_at(answer: Answer) -> datetime | None:
    """Return when GitLab sent *answer*, by its own clock; None when it says no time, or an absurd one."""
    moment = _http_date(answer.headers.get("date", ""))
    return moment if moment is not None and MIN_TIME <= moment < MAX_TIME else None


def refuses_position(answer: Answer) -> bool:
    """Say whether GitLab found no place for a note.

    The message is Ruby's print-out of the validation errors, which changes with Ruby's version, hence the
    substrings. A merge request whose diff is not ready refuses every position; that one passes, see
    `is_unprepared`.
    """
    text = answer.body.decode("utf-8", "replace").lower()
    return (
        answer.status in {400, 422}
        and not is_unprepared(answer)
        and ("line_code" in text or "position" in text)
    )


def is_unprepared(answer: Answer) -> bool:
    """Say whether GitLab still prepares the diff of the merge request, as right after it was opened."""
    return answer.status == 400 and b"support new-style diff notes" in answer.body


def moved_to(answer: Answer) -> int | None:
    """Return the number of the project that was asked for by a path which it had before.

    GitLab answers what only reads with a redirect to the number, see ``lib/api/helpers.rb``; another redirect is none.
    """
    found = _BY_NUMBER.search(answer.headers.get("location", "")) if answer.status == 301 else None
    return int(found[1]) if found else None


def is_moved(answer: Answer) -> bool:
    """Say whether a project was asked for by a path which it had before; what writes is refused there."""
    return moved_to(answer) is not None or (answer.status == 405 and b"moved projects" in answer.body)


def is_taken_branch(answer: Answer) -> bool:
    """Say whether a commit was refused because the branch that it was to begin is there already."""
    return answer.status == 400 and b"already exists. Switch to that branch" in answer.body


def is_same_state(answer: Answer, state: str) -> bool:
    """Say whether a commit status was refused because it is in *state* already.

    ``pending`` on a running status counts too: the check is under way, which is all it would say.
    """
    found = _TRANSITION.search(answer.body.decode("utf-8", "replace")) if answer.status == 400 else None
    if found is None or _TRANSITIONS.get(found[1]) != state:
        return False
    return found[2] == state or (found[2], state) == ("running", "pending")


def is_taken_name(answer: Answer) -> bool:
    """Say whether a commit status was refused because a job of the pipeline has its name.

    See ``name_uniqueness_across_types`` of ``GenericCommitStatus`` in GitLab.
    """
    if answer.status != 400:
        return False
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    said = body.get("message") if isinstance(body, dict) else None
    return isinstance(said, dict) and set(said) == {"name"}


def _one_line(text: str) -> str:
    clean = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return clean if len(clean) <= _MAX_REASON_CHARS else f"{clean[:_MAX_REASON_CHARS]}..."


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _epoch(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None
