"""What of a change the model has not seen yet, and what it said about the rest."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bot.domain.diff import Diff
from bot.domain.errors import CloisterError, Permanent, Transient
from bot.domain.findings import Finding
from bot.domain.incremental import increment, merged
from bot.domain.policy import Policy
from bot.domain.run import REVIEW_STEP, Run
from bot.ports import Model, Store, Workspaces

log = structlog.get_logger()


@dataclass(frozen=True)
class Unseen:
    """Hold what to show the model.

    Args:
        diff: what it has not seen.
        basis: what decides its answers besides the change, as `basis_of` gives it; to be stored with the step.
        since: the head that it has seen; empty when it is shown everything.
        carried: what it said then about code that still stands, where that stands now.
        walkthrough: what it said then about files that are still changed, by their path now.
        mostly_seen: the files of which it has seen the most.
    """

    diff: Diff
    basis: str
    since: str = ""
    carried: Sequence[Finding] = ()
    walkthrough: Mapping[str, str] = field(default_factory=dict)
    mostly_seen: frozenset[str] = frozenset()

    def with_carried(self, fresh: Sequence[Finding]) -> list[Finding]:
        """Return *fresh* findings and those carried that they do not say anew."""
        return merged(fresh, self.carried)

    def retold(self, fresh: Mapping[str, str]) -> dict[str, str]:
        """Return what changes in each file; *fresh* speaks only of what is shown now, which may be little of it."""
        kept = {path: text for path, text in self.walkthrough.items() if path in self.mostly_seen}
        return {**self.walkthrough, **fresh, **kept}


async def basis_of(models: Iterable[Model], versions: Iterable[str], policy: Policy) -> str:
    """Return a digest of what decides answers besides the change; empty while a model does not tell who it is.

    Title and description of the merge request and guidelines of the project have no part in it: they change often,
    and what they change about an answer is seldom worth asking about everything once more.
    """
    try:
        who = [(model.name, await model.identity()) for model in models]
    except (Transient, Permanent):
        return ""
    parts = [who, list(versions), policy.review.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


async def unseen(run: Run, diff: Diff, *, store: Store, workspaces: Workspaces, basis: str) -> Unseen:
    """Return what of *diff* the model did not see when it reviewed the merge request last.

    That is all of it when the run is to be full, when it is a repeat of itself, when another *basis* decides now, and
    when what was reviewed then is not to be had any more. An empty *basis* is taken for the one of then: without a
    model nothing can be asked anyhow, and what it has said stays.

    Args:
        run: the review.
        diff: its change, without files that nobody looks at.
        store: remembers what was reviewed.
        workspaces: has the change of then.
        basis: see `basis_of`.
    """
    last = None if run.full else await store.last_reviewed(run.ref)
    if last is None or last.revision is None or last.id == run.id:
        return Unseen(diff, basis)
    step = last.steps[REVIEW_STEP]
    if basis not in {"", step.basis}:
        log.info("review.in_full", reason="the model, its instructions or the policy changed")
        return Unseen(diff, basis)
    try:
        before = await workspaces.diff(last.revision)
    except CloisterError as error:
        log.info("review.in_full", reason=str(error))
        return Unseen(diff, basis)
    unknown = {*last.skipped, *step.not_analysed}
    found = await asyncio.to_thread(increment, before, diff, unseen=unknown)
    said = (await store.findings(last.id)).get(REVIEW_STEP, [])
    carried = [moved for finding in said if (moved := found.carry(finding)) is not None]
    walkthrough = {
        found.moves[path][0]: text for path, text in step.walkthrough.items() if path in found.moves
    }
    return Unseen(found.diff, step.basis, last.head_sha, carried, walkthrough, _mostly_seen(diff, found.diff))


def _mostly_seen(whole: Diff, left: Diff) -> frozenset[str]:
    added = {file.new_path: len(file.added_lines) for file in left.files}
    return frozenset(
        file.new_path for file in whole.files if 2 * added.get(file.new_path, 0) < len(file.added_lines)
    )
