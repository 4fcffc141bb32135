"""What is remembered of our threads from one look to the next, beside what the forge shows of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from bot.domain.findings import MODEL
from bot.domain.policy import Policy
from bot.domain.signals import Comment, Signal, SignalKind
from bot.domain.watching import Seen, Watch


def offered(watch: Watch, comments: Iterable[Comment]) -> list[Comment]:
    """Return the comments whose suggestion somebody may have taken by hand."""
    return [
        one
        for one in comments
        if one.had_suggestion and (known := watch.seen[one.fingerprint]).changed and not known.applied
    ]


def taken(watch: Watch, signals: Iterable[Signal]) -> Watch:
    """Return *watch* with the threads marked whose suggestion was taken by hand, as *signals* say."""
    return _told(watch, {one.fingerprint for one in signals}, {"applied": True})


def marked(watch: Watch, signals: Iterable[Signal]) -> Watch:
    """Return *watch* with the threads marked whose lines have changed, and what was told of the finding."""
    for one in signals:
        if one.kind is SignalKind.changed:
            told = {"changed": True, "mended": one.judged is True, "unmended": one.judged is False}
            watch = _told(watch, {one.fingerprint}, told)
    return watch


def to_judge(watch: Watch, comments: Iterable[Comment], policy: Policy) -> Watch:
    """Return *watch* with the threads marked about which the model is to be asked now that it is merged.

    That is what it had found itself, where the lines have changed and nobody has said what that comes to.
    """
    if not (policy.review.model and policy.learning.judge):
        return watch
    marks = {
        one.fingerprint
        for one in comments
        if one.scanner == MODEL and not one.author_is_bot and _open(watch.seen[one.fingerprint])
    }
    return _told(watch, marks, {"unjudged": True})


def judged(watch: Watch, later: Collection[str]) -> Watch:
    """Return *watch* with those threads marked that are to be asked about *later*, and no other."""
    left = _told(watch, set(watch.seen) - set(later), {"unjudged": False})
    return _told(left, later, {"unjudged": True})


def whose_turn(comments: Iterable[Comment], seen: Mapping[str, Seen], most: int) -> list[Comment]:
    """Return the *most* comments whose reactions have not been asked for for the longest."""
    return sorted(comments, key=lambda one: seen[one.fingerprint].asked)[:most]


def next_turn(seen: Mapping[str, Seen]) -> int:
    """Return what ``asked`` is for those whose turn is now."""
    return 1 + max((one.asked for one in seen.values()), default=0)


def _open(seen: Seen) -> bool:
    return seen.changed and not (seen.applied or seen.unmended)


def _told(watch: Watch, marks: Collection[str], known: dict[str, bool]) -> Watch:
    seen = {mark: one.model_copy(update=known) if mark in marks else one for mark, one in watch.seen.items()}
    return replace(watch, seen=seen)
