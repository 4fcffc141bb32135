"""What a thread of ours is about, as a run has found it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.domain.errors import Permanent
from bot.domain.findings import Finding
from bot.domain.fingerprint import recognise
from bot.domain.publication import explained
from bot.domain.reconcile import Thread
from bot.domain.run import Run
from bot.domain.signals import Comment
from bot.ports import Store, Workspaces
from bot.reviewer.moves import renamed, under_old_names


async def finding_of(
    fingerprint: str, run: Run, *, store: Store, workspaces: Workspaces, key: bytes
) -> Finding | None:
    """Return the finding of the thread *fingerprint* as *run* has it, None if it has none.

    The finding comes under the thread's fingerprint, though the code around it or the name of its file may have
    changed since the thread was opened. *key* is the secret of fingerprints.

    Raises:
        Transient: the change of the run is not to be had.
    """
    steps = explained(await store.findings(run.id))
    threads = await store.threads(run.ref)
    # Beside all threads: of equal findings each has its own.
    known = [*threads, fingerprint]
    found = _named(fingerprint, steps, known)
    record = threads.get(fingerprint)
    if found is not None or record is None or run.revision is None:
        return found
    diff = await workspaces.diff(run.revision)
    thread = Thread(record.discussion_id or "", 0, fingerprint, path=record.path)
    moves = await renamed(run, diff, [thread], threads, store=store, workspaces=workspaces)
    return _named(fingerprint, under_old_names(steps, moves, known, key=key), known) if moves else None


async def finding_behind(
    comment: Comment, *, store: Store, workspaces: Workspaces, key: bytes
) -> Finding | None:
    """Return the finding that *comment* was made for, None if it is not kept any more; see `finding_of`."""
    try:
        run = await store.run(comment.run_id)
    except Permanent:
        return None
    return await finding_of(comment.fingerprint, run, store=store, workspaces=workspaces, key=key)


def _named(
    fingerprint: str, steps: Mapping[str, Sequence[Finding]], known: Collection[str]
) -> Finding | None:
    named = recognise([one for name in sorted(steps) for one in steps[name]], known)
    return next((one for one in named if one.fingerprint == fingerprint), None)
