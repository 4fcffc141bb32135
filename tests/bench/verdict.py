"""From a push to the verdict on what scanners found, while a model that takes its time is still reviewing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.demo.script import Reply, silent
from bot.resources import resource
from bot.scanners import Source
from bot.scanners.semgrep_rules import Pack
from tests.bench.figures import Figure, median, percentile
from tests.bench.product import Product, listening
from tests.bench.scanning import plain
from tests.bench.workload import CHANGED_LINES, FILES, changes
from tests.gitlab import GitLab

_MERGE_REQUESTS = 20
#: How much later than the scanners the model answers, at least.
_MODEL_S = 3.0
_LIMIT_S = 60.0
_POLL_S = 0.005
#: Names of other measurements are not met.
_FIRST, _AGAIN = 50_000, 60_000


async def verdict(gitlab: GitLab, _: ScriptedOllama, data_dir: Path) -> list[Figure]:
    """Measure pushes to merge requests that were reviewed before, one after the other."""
    own = data_dir / "verdict"
    own.mkdir()
    with ScriptedOllama(_slowly) as model, Product(gitlab, model, own) as product, listening(product):
        opened = []
        for number in range(_MERGE_REQUESTS):
            opened.append(await asyncio.to_thread(product.open_merge_request, _FIRST + number))
            await _decided(opened[-1])
        times = [await _pushed(gitlab, one, number) for number, one in enumerate(opened)]
    pack = Pack(resource("rules"))
    sources = [Source(Path(path).name, text.encode(), frozenset()) for path, text in changes(_AGAIN).items()]
    bare_s = await asyncio.to_thread(plain, pack, sources)
    size = f"{_MERGE_REQUESTS} merge requests, {CHANGED_LINES} lines in {FILES} files each"
    return [
        Figure("push to verdict, p50", median(times), "s", goal=2, baseline=bare_s, note=size),
        Figure(
            "push to verdict, p95",
            percentile(times, 0.95),
            "s",
            baseline=bare_s,
            note="baseline: semgrep scan of the same files and rules",
        ),
    ]


def _slowly(request: Mapping[str, Any]) -> Reply:
    return replace(silent(request), pieces=1, delay_s=_MODEL_S)


async def _pushed(gitlab: GitLab, merge_request: MergeRequest, number: int) -> float:
    """Push something else into every file, and return the seconds until the commit status is a verdict on it."""
    changed = dict(zip(changes(_FIRST + number), changes(_AGAIN + number).values(), strict=True))
    began = time.perf_counter()
    await asyncio.to_thread(gitlab.server.push, merge_request, changed)
    await _decided(merge_request)
    return time.perf_counter() - began


async def _decided(merge_request: MergeRequest) -> None:
    async with asyncio.timeout(_LIMIT_S):
        while not any(
            status.pipeline.sha == merge_request.head_sha and status.state in ("failed", "success")
            for status in merge_request.project.statuses[-50:]
        ):
            await asyncio.sleep(_POLL_S)
