"""From where we look at what happened to our comments: at which merge request, as whom, and by whose clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.merge_request import Sha
from bot.domain.signals import CLOCKS_DIFFER, Comment, Signal, SignalKind, Source, believed, signal_id
from bot.domain.watching import Watch


@dataclass(frozen=True, slots=True)
class Scene:
    """Hold what all signals of one look have in common.

    ``me`` is our own account, ``ahead`` how far the forge's clock is ahead of ours. ``just_ended``: it is the first
    look since the merge request was merged or closed.
    """

    watch: Watch
    me: int
    now: datetime
    head_sha: Sha | None
    ahead: timedelta = timedelta()
    just_ended: bool = False

    def ours(self, at: datetime | None) -> datetime | None:
        """Return by our clock what the forge says by its own."""
        return None if at is None else at - self.ahead

    @property
    def pushed_by(self) -> datetime:
        """Return when the code of the merge request had become what it is now, at the latest: by the merge.

        Whoever looks late, because a hook was lost or the forge out of reach, must not take that for a later change.
        """
        watch = self.watch
        return min(self.now, watch.ended_at) if watch.state == "merged" and watch.ended_at else self.now

    @property
    def gone_by(self) -> datetime:
        """Return when what the forge does not show any more was taken away: it does not say so, and fires no hook.

        What went since the last look went before the end, so that a late look has no word stand that nobody stood by.
        Clocks may differ: it comes after what was said just before the end, and still counts.
        """
        ended_at = self.watch.ended_at
        return min(self.now, ended_at + CLOCKS_DIFFER / 2) if self.just_ended and ended_at else self.now

    def signal(
        self,
        kind: SignalKind,
        comment: Comment | None,
        at: datetime | None,
        *key: str | int,
        source: Source = Source.poll,
        actor: int | None = None,
        bot: bool = False,
        **more: object,
    ) -> Signal:
        """Return a signal; *key* tells it from others of its kind on the same comment. No time means now."""
        watch = self.watch
        began = comment.posted_at if comment else watch.began_at
        when, detail = believed(at or self.now, posted_at=began, seen_at=self.now)
        mark = comment.fingerprint if comment else ""
        given = more.pop("detail", {})
        assert isinstance(given, dict), "details are named"
        return Signal(
            id=signal_id(watch.ref, kind, (mark, *key)),
            kind=kind,
            at=when,
            seen_at=self.now,
            ref=watch.ref,
            fingerprint=mark,
            actor_id=actor or None,
            actor_is_author=bool(actor) and actor == watch.author_id,
            actor_is_bot=bot or actor == self.me,
            head_sha=self.head_sha,
            source=source,
            detail={**detail, **given},
            **more,  # type: ignore[arg-type]
        )
