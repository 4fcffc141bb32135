"""Work that takes long or is large: no member passes for dead, and no event loop stands still."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.demo.planted import planted_review
from bot.demo.script import Reply
from tests.faults.changes import DEFECTS, THREADS, opened
from tests.faults.checker import Verdict, converged
from tests.faults.cluster import SESSION_S
from tests.faults.conftest import LOGS, LONG, Install
from tests.faults.process import LOOP_VARIABLE
from tests.waiting import until_it_holds

pytestmark = pytest.mark.timeout(900 if LONG else 600)

#: How long the model takes: several times what a silent member would be given.
ANSWER_S = 540 if LONG else 15
#: The answer comes in so many parts: none is late enough to be given up.
PIECES = 30
#: It begins when somebody else has been served, or after so long: somewhat before the model is given up.
FIRST_S = 100
#: A loop that stands still for as long as a session costs the membership.
BLOCKED_S = SESSION_S
#: Files of a change, and their size: five megabytes in all.
FILES, FILE_BYTES = 100, 50_000


async def test_a_slow_answer_costs_no_membership(
    install: Install, settled: Callable[[Verdict], None]
) -> None:
    """The model takes many session time-outs for its answer; it is asked once, and others are served meanwhile."""
    cluster = await install()
    ollama = cluster.cloister.ollama
    other_served = threading.Event()

    def script(request: Mapping[str, Any]) -> Reply:
        reply = planted_review(request)
        if "takes-its-time" not in str(request["messages"][-1]["content"]):
            return reply
        other_served.wait(FIRST_S)
        return Reply(reply.text, pieces=PIECES, delay_s=ANSWER_S / PIECES)

    ollama.script = script
    cluster.start("web", "web")
    # Alone, since a second member that joins late would ask for its share.
    cluster.start("one", "consume", "all")
    await cluster.ready()
    slow = opened(cluster, "takes-its-time")
    await until_it_holds(lambda: bool(ollama.requests), "the model was not asked")
    quick = opened(cluster, "quick")
    await until_it_holds(lambda: len(cluster.cloister.ours(quick)) == THREADS + 1, "nobody served the other")
    assert len(cluster.cloister.ours(slow)) < THREADS + 1
    other_served.set()
    settled(await converged(cluster, [slow, quick], within_s=ANSWER_S + 240))
    assert 2 == len(ollama.asked())


@pytest.mark.parametrize("log", LOGS)
async def test_a_huge_change_never_blocks_an_event_loop(
    log: str, install: Install, settled: Callable[[Verdict], None], tmp_path: Path
) -> None:
    """Five megabytes are parsed, scanned and split into prompts; no step of that keeps a loop busy for a session."""
    cluster = await install(log)
    gitlab = cluster.cloister.gitlab
    report = tmp_path / "loop"
    cluster.start("web", "web")
    cluster.start("all", "consume", "all", environment={LOOP_VARIABLE: str(report)})
    await cluster.ready()
    line = "value = compute(first, second)  # an ordinary line of code\n"
    files = {f"part{number}.py": line * (FILE_BYTES // len(line)) for number in range(FILES)}
    gitlab.server.open_merge_request(gitlab.project, "huge", {**DEFECTS, **files})
    settled(await converged(cluster))
    assert float(report.read_text()) < BLOCKED_S
