"""The main job: a merge request event comes in as a webhook and leaves as a posted review."""

import asyncio
import json

from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from tests.cloister import Cloister

DEFECTS = """import time


def find(db, name):
    return db.execute(f"SELECT * FROM users WHERE name = '{name}'")


def add(item, items=[]):
    items.append(item)
    return items


async def wait():
    time.sleep(5)


def total(values):
    result = 0
    for i in range(len(values) + 1):
        result += values[i]
    return result
"""

FIXED = """import asyncio


def find(db, name):
    return db.execute("SELECT * FROM users WHERE name = ?", (name,))


def add(item, items=None):
    return [*(items or []), item]


async def wait():
    await asyncio.sleep(5)


def total(values):
    return sum(values)
"""


async def reviewed(cloister: Cloister, ollama_server: ScriptedOllama) -> MergeRequest:
    """Return a merge request with the defects, after its first review."""
    ollama_server.script = planted_review
    merge_request = cloister.gitlab.server.open_merge_request(
        cloister.gitlab.project, "feature", {"src/shop.py": DEFECTS}
    )
    await cloister.reviewed(merge_request)
    return merge_request


async def test_defects_become_threads_a_summary_and_a_status(
    cloister: Cloister, ollama_server: ScriptedOllama
) -> None:
    """Each planted defect gets one thread on its line, the summary lists them, the gate closes."""
    server = cloister.gitlab.server
    merge_request = await reviewed(cloister, ollama_server)
    threads = await asyncio.to_thread(cloister.threads, merge_request)
    lines = {note["position"]["new_line"] for note in threads}
    assert {5, 8, 14} <= lines
    assert lines & {19, 20}
    assert len(set(cloister.markers(merge_request))) == len(threads)
    assert "Blocked by" in cloister.summary(merge_request)
    assert cloister.status(merge_request) == "failed"
    (fact,) = await cloister.fetch("SELECT * FROM review_fact JOIN project USING (instance, project_id)")
    assert (fact["posted"], fact["path"]) == (len(threads), merge_request.project.path)
    assert fact["generated"] == fact["posted"] + sum(json.loads(fact["filtered"]).values())
    assert fact["commented_at"] >= fact["created_at"]
    assert server.unknown_requests == []
    assert server.quick_actions == []


async def test_a_fix_resolves_its_threads_and_posts_nothing_twice(
    cloister: Cloister, ollama_server: ScriptedOllama
) -> None:
    """After a push that mends everything all threads are resolved, none is new, and the gate opens."""
    server = cloister.gitlab.server
    merge_request = await reviewed(cloister, ollama_server)
    before = cloister.markers(merge_request)
    server.push(merge_request, {"src/shop.py": FIXED}, "Fix")
    await cloister.reviewed(merge_request)
    assert cloister.markers(merge_request) == before
    assert all(note["resolved"] for note in cloister.threads(merge_request))
    assert "No blocking findings" in cloister.summary(merge_request)
    assert cloister.status(merge_request) == "success"


async def test_a_defect_that_comes_back_reopens_its_thread(
    cloister: Cloister, ollama_server: ScriptedOllama
) -> None:
    """What was mended and is broken again is raised where it was raised before."""
    server = cloister.gitlab.server
    merge_request = await reviewed(cloister, ollama_server)
    before = cloister.markers(merge_request)
    for text in (FIXED, DEFECTS):
        server.push(merge_request, {"src/shop.py": text}, "Change my mind")
        await cloister.reviewed(merge_request)
    assert cloister.markers(merge_request) == before
    assert not any(note["resolved"] for note in cloister.threads(merge_request))
    assert cloister.status(merge_request) == "failed"
