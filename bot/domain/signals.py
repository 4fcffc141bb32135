"""What people did with a comment of ours: facts that are only ever added, from which labels are derived.

A signal says what happened, when, and who did it; what that means is for `bot.domain.labels` to say, which may
change its mind. Nothing that a person wrote is kept, only what kind of answer it was.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from bot.domain.events import NAMESPACE
from bot.domain.merge_request import MergeRequestRef, Sha, Value

#: Clocks of two machines may differ by this much without anything being said about it.
CLOCKS_DIFFER = timedelta(minutes=1)
#: The key in ``detail`` of a signal whose time was not believed, with the time that the forge gave.
CLOCK = "clock"
#: The key in ``detail`` of a reaction, and of its end, with the forge's number of it.
AWARD = "award"


class SignalKind(enum.StrEnum):
    """What happened."""

    applied = "applied"
    """The suggestion was committed, with GitLab's button or, by the word of git, by hand."""
    reaction_added = "reaction_added"
    reaction_removed = "reaction_removed"
    reply = "reply"
    resolved = "resolved"
    unresolved = "unresolved"
    changed = "changed"
    """A later push, or a commit after the merge, changed the lines that the comment is about."""
    gone = "gone"
    """At the merge the finding was not there any more: a scan did not find it, or the model says that it was mended."""
    merged = "merged"
    closed = "closed"
    reopened = "reopened"
    waived = "waived"
    ignored = "ignored"
    """Somebody wrote the command ``ignore``."""
    deleted = "deleted"
    """The comment was deleted, or a reply to it; ``note_id`` says which."""


class ReplyClass(enum.StrEnum):
    """What a reply says about the comment."""

    agrees = "agrees"
    wrong = "wrong"
    wont_fix = "wont_fix"
    question = "question"
    other = "other"


class Source(enum.StrEnum):
    """How we know of it."""

    hook = "hook"
    poll = "poll"
    git = "git"
    rescan = "rescan"
    command = "command"
    model = "model"


class Signal(Value):
    """Hold one thing that happened to a comment, or to its merge request as a whole.

    The same fact has the same ``id``, from wherever and however often it is told. ``at`` is the forge's time and
    never before the comment; ``seen_at`` is ours.
    """

    id: uuid.UUID
    kind: SignalKind
    at: AwareDatetime
    seen_at: AwareDatetime
    ref: MergeRequestRef
    fingerprint: str = Field(default="", description="empty: about the whole merge request")
    note_id: int | None = Field(default=None, description="the note that was written, or reacted to")
    actor_id: int | None = Field(default=None, description="None where nobody is named")
    actor_is_author: bool = Field(default=False, description="the author of the merge request")
    actor_is_bot: bool = False
    head_sha: Sha | None = Field(default=None, description="the head at that time, as far as we know")
    source: Source
    emoji: str = ""
    reply: ReplyClass | None = None
    judged: bool | None = Field(
        default=None,
        description="changed, gone: whether the code mends what was found, None: nobody has judged",
    )
    detail: dict[str, str] = Field(default_factory=dict)


class Comment(Value):
    """Hold one comment that we opened a thread with, as it was then.

    GitLab tells the ids of its thread only later, so ``discussion_id`` and ``note_id`` are empty until they are seen.
    """

    id: uuid.UUID
    ref: MergeRequestRef
    fingerprint: str = Field(min_length=1)
    discussion_id: str = ""
    note_id: int | None = None
    run_id: uuid.UUID
    head_sha: Sha
    rule: str
    scanner: str
    category: str
    severity: str
    confidence: str
    language: str = Field(default="", description="of the file; empty where we do not know it")
    path: str
    line: int = Field(default=1, gt=0)
    end_line: int = Field(default=1, gt=0)
    model: str = ""
    model_digest: str = ""
    prompt_version: str = ""
    had_suggestion: bool = False
    posted_at: AwareDatetime
    author_is_bot: bool = Field(default=False, description="of the merge request")


def comment_id(ref: MergeRequestRef, fingerprint: str) -> uuid.UUID:
    """Return the id of our comment on a finding: a merge request has at most one."""
    return uuid.uuid5(NAMESPACE, f"comment:{ref.key}:{fingerprint}")


def signal_id(ref: MergeRequestRef, kind: SignalKind, key: Iterable[str | int]) -> uuid.UUID:
    """Return the id of a signal; *key* tells it from others of its kind on *ref*, whoever tells of it."""
    return uuid.uuid5(NAMESPACE, ":".join(["signal", ref.key, kind.value, *map(str, key)]))


def believed(at: datetime, *, posted_at: datetime, seen_at: datetime) -> tuple[datetime, dict[str, str]]:
    """Return *at* between the comment and now, and the detail that says so where it was not.

    The forge's clock and ours may differ; nobody reacts to what is not there yet, nor tomorrow.
    """
    earliest, latest = posted_at, max(seen_at, posted_at)
    within = min(max(at, earliest), latest)
    if abs(within - at) <= CLOCKS_DIFFER:
        return within, {}
    return within, {CLOCK: at.isoformat()}


def pseudonym(key: bytes, instance: str, actor_id: int) -> str:
    """Return what stands for an account outside of the ledger: the same for the same key, and not to be guessed."""
    return hmac.new(key, f"actor v1:{instance}:{actor_id}".encode(), hashlib.sha256).hexdigest()[:24]
