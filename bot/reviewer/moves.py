"""Files that got another name within a merge request: their threads and findings are known by the old one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from bot.domain.diff import Diff
from bot.domain.errors import CloisterError
from bot.domain.findings import Finding
from bot.domain.fingerprint import known_elsewhere
from bot.domain.reconcile import Thread
from bot.domain.records import ThreadRecord
from bot.domain.run import Run
from bot.ports import Store, Workspaces


async def renamed(
    run: Run,
    diff: Diff,
    threads: Iterable[Thread],
    known: Mapping[str, ThreadRecord],
    *,
    store: Store,
    workspaces: Workspaces,
) -> dict[str, str]:
    """Return, by path when a thread was opened, the path at the head of *run*, for files that *diff* knows otherwise.

    A file that the merge request itself adds is an added one under any name, so the head of then is compared with
    that of now. Where the head of then is not to be had any more, nothing is known.
    """
    here = {path for file in diff.files for path in (file.new_path, file.old_path)}
    missing: dict[str, str] = {}
    heads = {
        known[one.fingerprint].run_id for one in threads if one.path not in here and one.fingerprint in known
    }
    for run_id in sorted(heads, key=str):
        try:
            then = (await store.run(run_id)).revision
            assert run.revision is not None, "there are threads to compare with"
            since = then and run.revision.model_copy(update={"base_sha": then.head_sha})
            moved = (await workspaces.diff(since)).files if since else ()
        except CloisterError:
            continue
        missing |= {
            file.old_path: file.new_path
            for file in moved
            if file.old_path != file.new_path and file.old_path not in here
        }
    return missing


def followed(threads: Iterable[Thread], moves: Mapping[str, str]) -> tuple[Thread, ...]:
    """Return *threads* at the paths where their files are now."""
    return tuple(replace(one, path=moves.get(one.path, one.path)) for one in threads)


def under_old_names(
    findings: Mapping[str, Sequence[Finding]],
    moves: Mapping[str, str],
    known: Collection[str],
    *,
    key: bytes,
) -> Mapping[str, Sequence[Finding]]:
    """Return *findings* by step, those in files with another name under the fingerprints that are *known* of them."""
    before = {now: then for then, now in moves.items()}
    return {
        step: [
            known_elsewhere(one, before[one.path], known, key=key) if one.path in before else one
            for one in found
        ]
        for step, found in findings.items()
    }
