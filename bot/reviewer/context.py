"""Gather what a model should know besides the change: its syntax, code that it meets, and the project's advice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.context import Context, Guideline
from bot.domain.diff import Diff
from bot.domain.exclusions import unwritten
from bot.domain.merge_request import Revision
from bot.domain.outline import Syntax
from bot.domain.policy import Policy
from bot.ports import Blob, Occurrences, Workspaces
from bot.reviewer.neighbours import Meetings, candidates, meetings, signatures
from bot.syntax import parse

#: Reading the syntax of all files of one merge request ends after this; the others go without.
_PARSING_S: Final = 15.0
#: Of a guideline file more is never shown.
_GUIDELINE_BYTES: Final = 20_000
#: Files elsewhere that are larger define too much to be worth reading for a signature.
_NEIGHBOUR_BYTES: Final = 300_000

Parse = Callable[[str, bytes], Syntax | None]


@dataclass(frozen=True)
class Site:
    """Say where the code of one change is.

    Args:
        read: returns files of a side, ``head`` or ``start``, up to a size, as `Workspaces.read` does.
        search: returns the lines at the head that hold one of some names, as `Workspaces.search` does.
    """

    read: Callable[[Sequence[str], str, int], Awaitable[Mapping[str, Blob]]]
    search: Callable[[Sequence[str]], Awaitable[Occurrences]]

    @classmethod
    def of(cls, workspaces: Workspaces, revision: Revision) -> Site:
        """Return the site of *revision*."""

        async def read(paths: Sequence[str], side: str, max_bytes: int) -> Mapping[str, Blob]:
            return await workspaces.read(revision, paths, side=side, max_bytes=max_bytes)

        async def search(names: Sequence[str]) -> Occurrences:
            return await workspaces.search(revision, names)

        return cls(read, search)


async def gather(
    diff: Diff, heads: Mapping[str, bytes], policy: Policy, site: Site, *, parse: Parse = parse
) -> Context:
    """Return what is known about *diff* besides itself.

    What cannot be read or found costs orientation, not the review. Nothing here is masked: `build` does that.

    Args:
        diff: what is reviewed.
        heads: the changed files at the head.
        policy: of the target branch.
        site: where the code is; guideline files come from its side ``start``, the target branch.
        parse: reads syntax; it waits, so it runs in threads.

    Raises:
        Transient: the code is out of reach.
    """
    written = {path: content for path, content in heads.items() if not unwritten(path)}
    syntaxes, guidelines = await asyncio.gather(
        asyncio.to_thread(_parsed, written, parse), _guidelines(policy, site)
    )
    met = await asyncio.to_thread(meetings, diff, syntaxes)
    found = await site.search(met.names) if met.names else Occurrences()
    others = await _neighbours(found, met, site, parse, known=syntaxes)
    return Context(
        syntaxes=syntaxes,
        signatures=await asyncio.to_thread(signatures, met, {**others, **syntaxes}),
        guidelines=guidelines,
        instructions=policy.review.instructions,
        missing=found.missing,
    )


async def _neighbours(
    found: Occurrences, met: Meetings, site: Site, parse: Parse, *, known: Mapping[str, Syntax]
) -> Mapping[str, Syntax]:
    seeming = await asyncio.to_thread(candidates, found.lines, met)
    paths = [path for path in seeming if path not in known]
    if not paths:
        return {}
    blobs = await site.read(paths, "head", _NEIGHBOUR_BYTES)
    contents = {path: blob.content for path, blob in blobs.items() if blob.content is not None}
    return await asyncio.to_thread(_parsed, contents, parse)


async def _guidelines(policy: Policy, site: Site) -> tuple[Guideline, ...]:
    names = policy.review.guidelines
    blobs = await site.read(names, "start", 1_000_000) if names else {}
    texts = {path: blob.content[:_GUIDELINE_BYTES] for path, blob in blobs.items() if blob.content}
    return tuple(Guideline(name, texts[name].decode(errors="replace")) for name in names if name in texts)


def _parsed(contents: Mapping[str, bytes], parse: Parse) -> dict[str, Syntax]:
    until = time.monotonic() + _PARSING_S
    syntaxes = {}
    for path, content in contents.items():
        if time.monotonic() > until:
            break
        syntax = parse(path, content)
        if syntax is not None:
            syntaxes[path] = syntax
    return syntaxes
