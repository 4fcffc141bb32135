"""When to look again at a merge request for what people did with our comments, ever more rarely.

Hooks tell most of it. GitLab fires none for a thread that is resolved, a suggestion that is applied or a note that is
deleted, and some installations have no hooks for reactions, so somebody has to look.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from bot.domain.merge_request import MergeRequestRef, Value

#: Time until the next look at an open merge request on which nothing happens, look by look.
_OPEN = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=6),
    *[timedelta(days=1)] * 30,
    timedelta(days=7),
)
#: The looks at reactions cost a request for each comment, so they wait until a merge request is quiet.
REACTIONS_FROM = 3
#: How long after a merge a change of the same lines still counts, and when to look for one.
LATE = (timedelta(days=1), timedelta(days=3), timedelta(days=10), timedelta(days=30))
#: When to ask the model again that did not say after a merge what was mended, look by look.
_JUDGE = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
#: What cannot be read waits, longer each time, and is given up after the last.
_REFUSED = (timedelta(hours=1), timedelta(hours=6), *[timedelta(days=1)] * 6)
_UNREACHED = timedelta(minutes=2)
_LONGEST = timedelta(hours=6)
#: Share of a wait by which looks are spread, so that merge requests opened together are not asked for together.
_SPREAD = 0.2


class Why(enum.StrEnum):
    """What makes another look worth while."""

    posted = "posted"
    pushed = "pushed"
    replied = "replied"
    ended = "ended"
    reopened = "reopened"


#: How soon to look: a moment later there may be more of it, and the head has been fetched.
SOON: Mapping[Why, timedelta] = {
    Why.posted: timedelta(minutes=1),
    Why.pushed: timedelta(seconds=30),
    Why.replied: timedelta(seconds=20),
    Why.ended: timedelta(seconds=5),
    Why.reopened: timedelta(minutes=1),
}


class Seen(Value):
    """Hold what one of our threads looked like at the last look.

    ``turns`` counts how often it was resolved or not. Its lines have ``changed``; ``mended`` and ``unmended`` say what
    was told of the finding then, neither that nobody knew. ``unjudged``: after the merge the model has still to say
    so. ``asked`` grows with each look that asks for reactions to it. ``texts`` tell of each of the ``replies`` whether
    it was edited; they are none where an earlier release has looked.
    """

    resolved: bool = False
    turns: int = 0
    applied: bool = False
    deleted: bool = False
    changed: bool = False
    mended: bool = False
    unmended: bool = False
    unjudged: bool = False
    asked: int = 0
    replies: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    awards: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Hold what is known of a merge request that has comments of ours.

    ``began_at`` never changes. ``state`` is the forge's word, ``ended_at`` when it was merged or closed, ``step`` how
    many looks were taken since something happened, and ``failures`` how many in a row came to nothing. ``head_sha`` is
    the head up to which commented lines were followed, ``seen`` what threads looked like, by fingerprint.
    """

    ref: MergeRequestRef
    began_at: datetime
    author_id: int | None = None
    state: str = "opened"
    ended_at: datetime | None = None
    target_branch: str = ""
    head_sha: str | None = None
    step: int = 0
    failures: int = 0
    seen: Mapping[str, Seen] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Say whether it was merged or closed."""
        return self.state in {"merged", "closed"}


def next_look(watch: Watch, now: AwareDatetime) -> datetime | None:
    """Return when to look again after a look at *now*, None for never."""
    if watch.state == "closed":
        return None
    if watch.state == "merged":
        late = [at for wait in LATE if watch.ended_at and (at := watch.ended_at + wait) > now]
        return min([*late[:1], *_asked_again(watch, now)], default=None)
    wait = _OPEN[min(watch.step, len(_OPEN) - 1)]
    return now + _spread(wait, watch)


def after_failure(
    watch: Watch, now: datetime, *, refused: bool, asked: timedelta = timedelta()
) -> datetime | None:
    """Return when to try again, None for not at all.

    Args:
        watch: as it is after the failure, which ``failures`` counts.
        now: the time.
        refused: the forge said no, which may last: the merge request, its project or our access is gone.
        asked: how long the forge asked us to wait.
    """
    if refused:
        return now + _REFUSED[watch.failures - 1] if watch.failures <= len(_REFUSED) else None
    wait = min(_UNREACHED * 2 ** min(watch.failures - 1, 16), _LONGEST)
    return now + max(min(asked, _LONGEST), _spread(wait, watch))


def _asked_again(watch: Watch, now: datetime) -> Iterator[datetime]:
    """Yield when the model is to be asked once more what was mended, if it is."""
    tries = watch.step - 1
    if any(one.unjudged for one in watch.seen.values()) and tries < len(_JUDGE):
        yield now + _spread(_JUDGE[max(tries, 0)], watch)


def _spread(wait: timedelta, watch: Watch) -> timedelta:
    """Return *wait*, somewhat longer or shorter, and the same for the same look."""
    digest = hashlib.sha256(f"{watch.ref.key} {watch.step} {watch.failures}".encode()).digest()
    return wait * (1 + _SPREAD * (int.from_bytes(digest[:4]) / 2**32 - 0.5))
