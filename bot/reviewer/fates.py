"""What became of the code under our comments: changed by a push, gone at the merge, or changed after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.domain.applying import by_hand
from bot.domain.errors import CloisterError
from bot.domain.findings import MODEL
from bot.domain.fingerprint import lines_of
from bot.domain.merge_request import Revision, Sha
from bot.domain.publication import analysed
from bot.domain.reconcile import Thread
from bot.domain.run import Run
from bot.domain.scene import Scene
from bot.domain.signals import Comment, Signal, SignalKind, Source
from bot.domain.tracking import Fate
from bot.domain.watching import Seen
from bot.ports import Store, Workspaces
from bot.reviewer.threads import finding_behind, finding_of
from bot.reviewer.tracking import Followed, followed, versions

log = structlog.get_logger()

_CHANGED = frozenset({Fate.changed, Fate.removed})


@dataclass(frozen=True)
class Fates:
    """Compare code with git, and findings with what the scanners said of it; *key* is the secret of fingerprints."""

    store: Store
    workspaces: Workspaces
    key: bytes

    async def changed(
        self, scene: Scene, run: Run, comments: Sequence[Comment], seen: Mapping[str, Seen]
    ) -> list[Signal]:
        """Return which commented lines the head of *run* has changed, and whether that mended what was found.

        What was *seen* to change before is told again only if more is known now, or something else: a later push
        mends it, or undoes what did.
        """
        assert run.revision is not None, "only a fetched run has code"
        fates = await followed(comments, run.revision, self.workspaces)
        signals = []
        for comment in comments:
            end, before = fates.get(comment.fingerprint), seen[comment.fingerprint]
            if end is None or (end.fate not in _CHANGED and not before.changed):
                continue
            judged = await self._mended(comment, run, end.path)
            if end.fate not in _CHANGED and comment.scanner == MODEL:
                judged = False  # they read again as they did
            if not _news(before, judged):
                continue
            signals.append(
                scene.signal(
                    SignalKind.changed,
                    comment,
                    scene.pushed_by,
                    *(["unmended"] if judged is False else []),
                    *([run.head_sha] if before.changed else []),
                    source=Source.git,
                    judged=judged,
                    detail={"how": end.fate.value, "head": run.head_sha},
                )
            )
        return signals

    async def gone(self, scene: Scene, run: Run, comments: Iterable[Comment]) -> list[Signal]:
        """Return which findings of scanners the last run before the merge did not find any more.

        The model does not repeat itself, so its silence proves nothing; it is asked, see `bot.reviewer.mending`.
        """
        signals = []
        for comment in comments:
            path = None if comment.scanner == MODEL else await self._path(comment, run)
            if path is None or await self._stands(comment, run):
                continue
            if await self._knows(comment.scanner, path, run):
                signals.append(
                    scene.signal(
                        SignalKind.gone,
                        comment,
                        scene.watch.ended_at,
                        source=Source.rescan,
                        judged=True,
                        detail={"head": run.head_sha},
                    )
                )
        return signals

    async def by_hand(self, scene: Scene, run: Run, comments: Iterable[Comment]) -> list[Signal]:
        """Return whose suggestion stands in the code at the head of *run*, of *comments* that have one."""
        return [
            scene.signal(
                SignalKind.applied,
                comment,
                scene.pushed_by,
                "by hand",
                source=Source.git,
                note_id=comment.note_id,
                detail={"how": "by_hand", "head": run.head_sha},
            )
            for comment in comments
            if await self._taken(comment, run)
        ]

    async def late(self, scene: Scene, run: Run, comments: Sequence[Comment], tip: Sha) -> list[Signal]:
        """Return which commented lines were changed on the target branch after the merge."""
        assert run.revision is not None, "only a fetched run has code"
        here = Revision(ref=run.ref, base_sha=run.revision.base_sha, start_sha=tip, head_sha=tip)
        fates = await followed(comments, here, self.workspaces)
        return [
            scene.signal(
                SignalKind.changed,
                comment,
                None,
                "late",
                source=Source.git,
                detail={"how": end.fate.value, "head": tip, "late": "true"},
            )
            for comment in comments
            if (end := fates.get(comment.fingerprint)) is not None and end.fate in _CHANGED
        ]

    async def _taken(self, comment: Comment, run: Run) -> bool:
        assert run.revision is not None, "only a fetched run has code"
        try:
            found = await finding_behind(comment, store=self.store, workspaces=self.workspaces, key=self.key)
            file = await versions(comment, run.revision, self.workspaces)
        except CloisterError as error:
            log.info("feedback.not_followed", head=comment.head_sha, error=str(error))
            return False
        if file is None or found is None or found.fix is None or not found.fix.verified:
            return False
        before, now = lines_of(file.then), lines_of(file.now)
        return await asyncio.to_thread(by_hand, found.fix, before=before, now=now)

    async def _mended(self, comment: Comment, run: Run, path: str) -> bool | None:
        """Say whether the finding is gone from *run*; None where that proves nothing."""
        if await self._stands(comment, run):
            return False
        if comment.scanner == MODEL or not await self._knows(comment.scanner, path, run):
            return None
        return True

    async def _stands(self, comment: Comment, run: Run) -> bool:
        found = await finding_of(
            comment.fingerprint, run, store=self.store, workspaces=self.workspaces, key=self.key
        )
        return found is not None

    async def _knows(self, scanner: str, path: str, run: Run) -> bool:
        """Say whether *scanner* has looked at all of *path*."""
        assert run.revision is not None, "only a fetched run has code"
        diff = await self.workspaces.diff(run.revision)
        return (scanner, path) in analysed(run, diff, [Thread("", 0, "", path=path)])

    async def _path(self, comment: Comment, run: Run) -> str | None:
        """Return the path of the commented file at the head of *run*, None where that cannot be told."""
        if run.revision is None:
            return None
        ends: dict[str, Followed] = await followed([comment], run.revision, self.workspaces)
        end = ends.get(comment.fingerprint)
        return end.path if end else None


def _news(before: Seen, judged: bool | None) -> bool:
    """Say whether that lines changed, *judged* so, is more than was known or something else."""
    if not before.changed or (before.unmended and judged is not False):
        return True
    return judged is not None and judged is not (
        True if before.mended else False if before.unmended else None
    )
