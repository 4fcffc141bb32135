"""Which three commits a gate looks at: names and variables -> commits that are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.adapters.git_borrowed import EMPTY_TREES, BorrowedClone
from bot.domain.errors import CloisterError, Permanent
from bot.domain.merge_request import Revision
from bot.domain.pipeline import COMMIT_ID, Pipeline, Scope, Target

#: Where a change is compared with if nobody says, in a clone that is no CI job's.
DEFAULT_BASES = ("refs/remotes/origin/HEAD", "origin/main", "origin/master", "main", "master")


@dataclass(frozen=True, slots=True)
class Located:
    """Hold the commits, and in words what they are of."""

    revision: Revision
    why: str


@dataclass(frozen=True)
class Locator:
    """Find the commits in *clone*, for the job of *pipeline*; *say* is told what had to be done otherwise."""

    clone: BorrowedClone
    pipeline: Pipeline
    say: Callable[[str], None]

    async def located(self, base: str | None, head: str | None) -> Located:
        """Return what to compare: *base* and *head* as somebody named them, else what the job is about.

        Raises:
            Transient: a commit must be fetched, and the origin is out of reach.
            Permanent: there is no such commit, or the variables make no sense.
        """
        scope = await self._scope(base, head)
        await self.clone.bring([scope.head])
        target = await self._target(scope)
        start = await self._base(scope, target)
        revision = Revision(
            ref=self.pipeline.ref, base_sha=start, start_sha=target or start, head_sha=scope.head
        )
        alone = target and start in EMPTY_TREES.values()
        return Located(revision, "everything, since the target has none of it" if alone else scope.why)

    async def _scope(self, base: str | None, head: str | None) -> Scope:
        if self.pipeline.present and not (base or head):
            return self.pipeline.scope()
        tip = await self._named(head or self.pipeline.head or "HEAD", "--head")
        for candidate in (base,) if base else DEFAULT_BASES:
            if commit := await self.clone.commit(candidate):
                return Scope(tip, target=Target(commit), why=f"what is added to {candidate}")
        if base:
            return Scope(tip, target=await self._elsewhere(base), why=f"what is added to {base}")
        raise Permanent("no default branch found (origin/HEAD, main or master); name one with --base REF")

    async def _elsewhere(self, base: str) -> Target:
        """Return what *base* names where the clone has it not: clones of jobs have no branches."""
        if self.clone.origin and not _is_commit_id(base):
            return Target(branch=base.removeprefix("origin/"))
        return Target(await self._named(base, "--base"))

    async def _named(self, name: str, option: str) -> str:
        if commit := await self.clone.commit(name):
            return commit
        if _is_commit_id(name):
            return name  # to be fetched
        raise Permanent(f"{name!r} is not a commit here; fetch it, or name another with {option} REF")

    async def _target(self, scope: Scope) -> str:
        """Return the commit whose policy holds, empty for that of the base."""
        target = scope.target
        if not target.trusted:
            self.say("the pipeline is that of a fork: the policy is that of the place where the change began")
            return ""
        try:
            if target.sha:
                await self.clone.bring([target.sha])
                return target.sha
            return await self.clone.tip(target.branch) if target.branch else ""
        except CloisterError as error:
            if not scope.base:
                raise
            self.say(f"the policy is that of the place where the change began: {error}")
            return ""

    async def _base(self, scope: Scope, target: str) -> str:
        if scope.base:
            try:
                await self.clone.bring([scope.base])
            except Permanent:
                if scope.base != scope.target.sha:
                    raise
                # A force-push took the commit before away; what is left of it is nowhere.
                self.say(
                    f"the commit before the push, {scope.base[:12]}, is gone: the last commit is looked at"
                )
                return await self._before(scope.head)
            return scope.base
        if target:
            return await self.clone.merge_base(target, scope.head) or EMPTY_TREES[len(scope.head)]
        return await self._before(scope.head) if scope.parent else EMPTY_TREES[len(scope.head)]

    async def _before(self, head: str) -> str:
        return await self.clone.parent(head) or EMPTY_TREES[len(head)]


def _is_commit_id(name: str) -> bool:
    return bool(COMMIT_ID.fullmatch(name))
