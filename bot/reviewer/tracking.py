"""Follow the lines that comments are about from the head of then to a later one, by git alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.errors import CloisterError
from bot.domain.fingerprint import lines_of
from bot.domain.merge_request import Revision, Sha
from bot.domain.signals import Comment
from bot.domain.tracking import Fate, fate
from bot.ports import Blob, Workspaces

log = structlog.get_logger()

#: Files that code may have moved to, at most; who changes more at once did not move a few lines.
_MOST_OTHERS = 40

Lines = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Followed:
    """Hold what became of the lines of a comment, and the path of their file now."""

    fate: Fate
    path: str


async def followed(
    comments: Iterable[Comment], revision: Revision, workspaces: Workspaces
) -> dict[str, Followed]:
    """Return by fingerprint what became of commented lines up to the head of *revision*.

    A comment whose head is not to be had any more, as after a garbage collection of the forge, is left out.
    """
    by_head: defaultdict[str, list[Comment]] = defaultdict(list)
    for comment in comments:
        by_head[comment.head_sha].append(comment)
    found: dict[str, Followed] = {}
    for head, group in sorted(by_head.items()):
        try:
            found |= await _since(head, revision, group, workspaces)
        except CloisterError as error:
            log.info("feedback.not_followed", head=head, error=str(error))
    return found


async def _since(
    head: Sha, revision: Revision, comments: Sequence[Comment], workspaces: Workspaces
) -> dict[str, Followed]:
    since = revision.model_copy(update={"base_sha": head})
    diff = await workspaces.diff(since)
    changed = {file.old_path: file for file in diff.files}
    touched = [one for one in comments if one.path in changed]
    if not touched:
        return {one.fingerprint: Followed(Fate.kept, one.path) for one in comments}
    here = {changed[one.path].new_path for one in touched}
    # What a rebase brought from the target branch is the work of others: no code of ours moved there.
    others = _others(diff, await workspaces.diff(revision), here)
    paths = {one.path for one in touched} | {file.old_path for file in others}
    before = await workspaces.read(since, sorted(paths), side="base")
    now = await workspaces.read(since, sorted(here | {file.new_path for file in others}))
    return await asyncio.to_thread(_fates, comments, changed, before, now, others)


@dataclass(frozen=True, slots=True)
class Versions:
    """Hold a file when a comment was made on it, as it is now, and how it changed between."""

    file: FileDiff
    then: bytes
    now: bytes


async def versions(comment: Comment, revision: Revision, workspaces: Workspaces) -> Versions | None:
    """Return the commented file then and at the head of *revision*; None where it is gone, the same, or too large.

    Raises:
        Transient: the head of then is not to be had any more.
    """
    since = revision.model_copy(update={"base_sha": comment.head_sha})
    files = (await workspaces.diff(since)).files
    file = next((one for one in files if one.old_path == comment.path), None)
    if file is None:
        return None
    then = (await workspaces.read(since, [file.old_path], side="base")).get(file.old_path)
    now = (await workspaces.read(since, [file.new_path])).get(file.new_path)
    if then is None or now is None or then.content is None or now.content is None:
        return None
    return Versions(file, then.content, now.content)


def _fates(
    comments: Sequence[Comment],
    changed: Mapping[str, FileDiff],
    before: Mapping[str, Blob],
    now: Mapping[str, Blob],
    others: Sequence[FileDiff],
) -> dict[str, Followed]:
    then, there = _lines(before), _lines(now)
    elsewhere = [
        (then.get(file.old_path, ()) if file.change is not Change.added else (), there[file.new_path])
        for file in others
        if file.new_path in there
    ]
    found: dict[str, Followed] = {}
    for one in comments:
        file = changed.get(one.path)
        if file is None:
            found[one.fingerprint] = Followed(Fate.kept, one.path)
        elif one.path in then:
            lines = there.get(file.new_path, ())
            end = fate(one.line, one.end_line, file, before=then[one.path], now=lines, others=elsewhere)
            found[one.fingerprint] = Followed(end, file.new_path)
    return found


def _others(diff: Diff, own: Diff, here: set[str]) -> list[FileDiff]:
    gained = {file.new_path for file in own.files if file.added_lines}
    return [
        file
        for file in diff.files
        if file.added_lines and file.new_path in gained and file.new_path not in here
    ][:_MOST_OTHERS]


def _lines(blobs: Mapping[str, Blob]) -> Lines:
    return {path: lines_of(blob.content) for path, blob in blobs.items() if blob.content is not None}
