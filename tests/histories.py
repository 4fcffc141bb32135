"""Histories of merge requests whose labels are known, because they are told from the label backwards.

Whoever generates at scale and whoever checks labels use the same recipes; nothing here asks `bot.domain.labels` what
it would say.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.labels import Censored, Label, Push
from bot.domain.merge_request import MergeRequestRef
from bot.domain.signals import Comment, ReplyClass, Signal, SignalKind, Source, comment_id

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Told:
    """Hold the history of one comment, and what its label has to be."""

    comment: Comment
    label: Label
    signals: list[Signal] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    why: Censored | None = None
    contradictory: bool = False
    late: bool = False
    merged_at: datetime | None = None


@dataclass
class Telling:
    """Tell one history: the comment stands at hour 0, a push follows at hour 5, the merge at hour 10."""

    ref: MergeRequestRef
    random: random.Random
    posted_at: datetime
    serial: int = 0
    author: int = 1
    comment: Comment = field(init=False)

    def __post_init__(self) -> None:
        fingerprint = f"{self.random.getrandbits(128):032x}"
        self.comment = Comment(
            id=comment_id(self.ref, fingerprint),
            ref=self.ref,
            fingerprint=fingerprint,
            run_id=uuid.UUID(int=self.random.getrandbits(128)),
            head_sha="a" * 40,
            rule=self.random.choice(["python-sql", "model", "python-eval"]),
            scanner=self.random.choice(["semgrep", "model"]),
            category="security",
            severity="high",
            confidence="medium",
            path="a.py",
            posted_at=self.posted_at,
        )

    def signal(self, kind: SignalKind, hours: float = 1, **values: Any) -> Signal:
        """Return something that happened so many hours after the comment."""
        self.serial += 1
        at = self.posted_at + hours * HOUR
        usual: dict[str, Any] = {
            "id": uuid.UUID(int=self.random.getrandbits(128)),
            "kind": kind,
            "at": at,
            "seen_at": at + timedelta(seconds=self.random.randint(0, 600)),
            "ref": self.ref,
            "fingerprint": self.comment.fingerprint,
            "source": Source.poll,
        }
        return Signal(**{**usual, **values})

    def up(self, who: int | None = 2, hours: float = 1, **values: Any) -> Signal:
        """Return a thumb up."""
        return self.signal(SignalKind.reaction_added, hours, actor_id=who, **{"emoji": "thumbsup", **values})

    def down(self, who: int | None = 2, hours: float = 1, **values: Any) -> Signal:
        """Return a thumb down."""
        return self.signal(
            SignalKind.reaction_added, hours, actor_id=who, **{"emoji": "thumbsdown", **values}
        )

    def reply(self, said: ReplyClass, who: int = 2, hours: float = 1, **values: Any) -> Signal:
        """Return a reply."""
        return self.signal(SignalKind.reply, hours, actor_id=who, reply=said, **values)

    def changed(self, hours: float = 5, judged: bool | None = None, **values: Any) -> Signal:
        """Return a change of the commented lines."""
        return self.signal(
            SignalKind.changed,
            hours,
            **{"judged": judged, "head_sha": "b" * 40, "source": Source.git, **values},
        )

    def life(self, kind: SignalKind, hours: float = 10) -> Signal:
        """Return something that happened to the whole merge request."""
        return self.signal(kind, hours, fingerprint="", source=Source.hook)

    def pushes(self, *, rebase: bool = False) -> list[Push]:
        """Return the head that was commented on, and a later one."""
        return [
            Push(self.posted_at - HOUR / 2, "a" * 40),
            Push(self.posted_at + 5 * HOUR, "b" * 40, rebase=rebase),
        ]

    def merged(self, label: Label, *signals: Signal, pushes: list[Push] | None = None, **truth: Any) -> Told:
        """Return the history that ends with a merge."""
        merge = self.life(SignalKind.merged)
        heads = self.pushes() if pushes is None else pushes
        return Told(self.comment, label, [*signals, merge], heads, merged_at=merge.at, **truth)


def _applied(tell: Telling) -> Told:
    return tell.merged(Label.accepted_strong, tell.signal(SignalKind.applied, 2))


def _applied_after_a_refusal(tell: Telling) -> Told:
    said = tell.reply(ReplyClass.wrong, who=3, hours=1)
    return tell.merged(Label.accepted_strong, said, tell.signal(SignalKind.applied, 2, actor_id=3))


def _mended(tell: Telling) -> Told:
    return tell.merged(Label.accepted_strong, tell.changed(4, judged=False), tell.changed(judged=True))


def _gone(tell: Telling) -> Told:
    return tell.merged(Label.accepted_strong, tell.changed(), tell.signal(SignalKind.gone, 10.001))


def _liked_and_changed(tell: Telling) -> Told:
    return tell.merged(Label.accepted_strong, tell.up(), tell.changed())


def _changed(tell: Telling) -> Told:
    return tell.merged(Label.accepted_weak, tell.changed(), tell.signal(SignalKind.resolved, 6, actor_id=1))


def _liked(tell: Telling) -> Told:
    taken_back = tell.signal(SignalKind.reaction_removed, 1.5, actor_id=2, emoji="thumbsdown")
    return tell.merged(Label.accepted_weak, tell.down(), taken_back, tell.up(hours=2))


def _agreed(tell: Telling) -> Told:
    return tell.merged(Label.accepted_weak, tell.reply(ReplyClass.agrees))


def _disliked(tell: Telling) -> Told:
    return tell.merged(Label.rejected_strong, *[tell.down(hours=hour) for hour in range(1, 10)])


def _wrong(tell: Telling) -> Told:
    return tell.merged(Label.rejected_strong, tell.reply(ReplyClass.wrong), tell.changed())


def _not_to_be_mended(tell: Telling) -> Told:
    return tell.merged(Label.rejected_strong, tell.up(), tell.reply(ReplyClass.wont_fix, hours=3))


def _ignored(tell: Telling) -> Told:
    return tell.merged(Label.rejected_strong, tell.signal(SignalKind.ignored, actor_id=2))


def _argued(tell: Telling) -> Told:
    return tell.merged(Label.unknown, tell.up(2), tell.down(3), contradictory=True)


def _applied_and_wrong(tell: Telling) -> Told:
    said = tell.reply(ReplyClass.wrong, hours=7)
    return tell.merged(Label.unknown, tell.signal(SignalKind.applied, 2), said, contradictory=True)


def _silent(tell: Telling) -> Told:
    resolved = tell.signal(SignalKind.resolved, 6, actor_id=1)
    return tell.merged(Label.unknown, tell.reply(ReplyClass.question), resolved)


def _praised_by_bots(tell: Telling) -> Told:
    return tell.merged(Label.unknown, tell.up(9, actor_is_bot=True), tell.down(8, actor_is_bot=True))


def _waived(tell: Telling) -> Told:
    return tell.merged(Label.unknown, tell.signal(SignalKind.waived, actor_id=2))


def _too_late(tell: Telling) -> Told:
    return tell.merged(Label.unknown, tell.down(hours=11), tell.changed(24 * 20), late=True)


def _much_too_late(tell: Telling) -> Told:
    return tell.merged(Label.unknown, tell.changed(24 * 40))


def _without_a_push(tell: Telling) -> Told:
    return tell.merged(Label.censored, pushes=tell.pushes()[:1], why=Censored.no_push)


def _rebased(tell: Telling) -> Told:
    return tell.merged(Label.censored, pushes=tell.pushes(rebase=True), why=Censored.only_rebases)


def _open(tell: Telling) -> Told:
    signals = [tell.up(), tell.changed(), tell.life(SignalKind.closed, 2), tell.life(SignalKind.reopened, 3)]
    return Told(tell.comment, Label.censored, signals, tell.pushes(), Censored.open)


def _closed(tell: Telling) -> Told:
    signals = [tell.down(), tell.life(SignalKind.closed)]
    return Told(tell.comment, Label.censored, signals, tell.pushes(), Censored.closed)


def _of_a_bot(tell: Telling) -> Told:
    tell.comment = tell.comment.model_copy(update={"author_is_bot": True})
    return tell.merged(Label.censored, tell.up(), why=Censored.bot_author)


RECIPES: Sequence[Callable[[Telling], Told]] = (
    _applied,
    _applied_after_a_refusal,
    _mended,
    _gone,
    _liked_and_changed,
    _changed,
    _liked,
    _agreed,
    _disliked,
    _wrong,
    _not_to_be_mended,
    _ignored,
    _argued,
    _applied_and_wrong,
    _silent,
    _praised_by_bots,
    _waived,
    _too_late,
    _much_too_late,
    _without_a_push,
    _rebased,
    _open,
    _closed,
    _of_a_bot,
)


def telling(iid: int = 1, *, seed: int = 0, project_id: int = 7) -> Telling:
    """Return what tells the history of a comment on a merge request."""
    ref = MergeRequestRef(instance="gitlab.example", project_id=project_id, iid=iid)
    return Telling(ref, random.Random(f"{seed}:{project_id}:{iid}"), START + iid % 100_000 * HOUR / 60)


def histories(count: int, *, seed: int = 0, projects: int = 3) -> Iterator[Told]:
    """Yield *count* histories, each of a merge request of its own, every recipe as often as the others."""
    for iid in range(1, count + 1):
        recipe = RECIPES[iid % len(RECIPES)]
        yield recipe(telling(iid, seed=seed, project_id=1 + iid % projects))
