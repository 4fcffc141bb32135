"""The model answers badly, late or not at all: the static review stands, and the summary says what is missing."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.adapters.model_chat import Deadlines
from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import confirming
from bot.demo.script import Fault, Reply
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import GitLab
from tests.ollama import PATIENT

#: So short that a model that hangs is given up within a test.
IMPATIENT = Deadlines(first_token_s=0.3, gap_s=0.3, total_s=2.0)
SECRET = f"token: glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n"

Start = Callable[..., Awaitable[Cloister]]


@pytest_asyncio.fixture
async def start(
    gitlab: GitLab, ollama_server: ScriptedOllama, database_url: str, tmp_path: Path
) -> AsyncIterator[Start]:
    """Return a way to start Cloister with an impatient eye on the model."""
    async with AsyncExitStack() as stack:

        async def start(reply: Reply | None = None, **changes: Any) -> Cloister:
            if reply is not None:
                ollama_server.script = lambda _: reply
            url = changes.pop("model_url", ollama_server.url)
            deadlines = changes.pop("deadlines", IMPATIENT)
            settings = settings_for(gitlab, url, database_url, tmp_path / "data", **changes)
            cloister = await stack.enter_async_context(
                running(settings, gitlab, ollama_server, deadlines=deadlines)
            )
            gitlab.server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
            return cloister

        yield start


def opened(gitlab: GitLab, name: str = "feature", text: str = SECRET) -> MergeRequest:
    """Open a merge request with something for the static part of the review."""
    return gitlab.server.open_merge_request(gitlab.project, name, {f"{name}.txt": text})


BROKEN = {
    "prose": Reply("I think this change looks quite good to me, well done!"),
    "nothing": Reply(""),
    "half-a-JSON": Reply('{"findings":[{"path":"feature.txt","line":1}]}', Fault.half),
    "lines-that-are-no-JSON": Reply(fault=Fault.garbage),
    "an-error-in-the-stream": Reply(fault=Fault.error),
    "cut-off": Reply(fault=Fault.cut),
    "the-limit-of-tokens": Reply(fault=Fault.length),
    "another-shape": Reply('{"findings": "none"}'),
    "a-list": Reply("[]"),
    "the-same-for-ever": Reply("ha " * 3000),
    "crash": Reply(fault=Fault.crash),
    "busy": Reply(fault=Fault.busy),
    "elsewhere": Reply(fault=Fault.redirect),
    "hang": Reply(fault=Fault.hang),
    "stall": Reply(fault=Fault.stall),
}


@pytest_asyncio.fixture
async def broken(start: Start, ollama_server: ScriptedOllama) -> Cloister:
    """Run Cloister with a model that fails each merge request in the way that its file names."""

    def script(request: Mapping[str, Any]) -> Reply:
        prompt = str(request["messages"][-1]["content"])
        return next(reply for name, reply in BROKEN.items() if f"{name}.txt" in prompt)

    ollama_server.script = script
    return await start(concurrency=16)


async def test_the_static_review_stands_without_the_model(broken: Cloister) -> None:
    """Each secret is commented on and closes its gate; the summary says that and why the model is missing."""
    opened_all = [opened(broken.gitlab, name) for name in BROKEN]
    await broken.until(lambda: all(len(broken.ours(one)) == 2 for one in opened_all))
    hurrying = asyncio.create_task(_hurry(broken))
    for name, merge_request in zip(BROKEN, opened_all, strict=True):
        outcome = await broken.outcome(merge_request)
        assert [(f"{name}.txt", 1)] == outcome.lines
        assert outcome.status == "failed"
        assert "model review: " in outcome.summary, name
        assert "Not finished yet" not in outcome.summary
    hurrying.cancel()


async def _hurry(cloister: Cloister) -> None:
    while True:
        await cloister.hurry()
        await asyncio.sleep(0.2)


async def test_static_findings_do_not_wait_for_a_slow_model(
    start: Start, gitlab: GitLab, ollama_server: ScriptedOllama
) -> None:
    """They are there within seconds, with a note that the model is still at work; then the note is completed."""
    at_last = threading.Event()

    def script(request: Mapping[str, Any]) -> Reply:
        at_last.wait(PATIENT.first_token_s)
        return Reply()

    ollama_server.script = script
    cloister = await start(deadlines=PATIENT)
    merge_request = opened(gitlab)
    await cloister.until(lambda: len(cloister.ours(merge_request)) == 2)
    assert "Not finished yet: model review" in cloister.summary(merge_request)
    at_last.set()
    outcome = await cloister.outcome(merge_request)
    assert "Not finished yet" not in outcome.summary
    assert outcome.status == "failed"
    assert len(ollama_server.requests) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "qwen2.5-coder:7b"}, "ollama pull"),
        ({"model_url": "http://127.0.0.1:9"}, "127.0.0.1:9"),
        ({"model_url": None}, "no model is configured"),
    ],
)
async def test_a_model_that_is_not_there_is_named(
    changes: dict[str, Any], says: str, start: Start, gitlab: GitLab
) -> None:
    """The summary says what the operator can do about it."""
    cloister = await start(**changes)
    merge_request = opened(gitlab)
    hurrying = asyncio.create_task(_hurry(cloister))
    outcome = await cloister.outcome(merge_request)
    hurrying.cancel()
    assert [("feature.txt", 1)] == outcome.lines
    assert "model review" in outcome.summary
    assert says in outcome.summary


def hostile(text: str, **more: Any) -> dict[str, Any]:
    """Return a finding that says *text* wherever it can say something."""
    return {
        "path": "feature.txt",
        "line": 1,
        "end_line": 1,
        "quote": "an ordinary line",
        "category": "security",
        "severity": "critical",
        "confidence": "high",
        "title": text,
        "message": text,
        "fix": {"line": 1, "end_line": 1, "replacement": text},
    } | more


HOSTILE = {
    "quick actions": "/close\n/merge\n/approve\n/label ~done",
    "quick action behind returns": "fine\r/close\r\n/assign @root",
    "mentions": "Ask @root and @all, see group/app!1 and #1 and &1",
    "images": "![x](http://192.0.2.1/leak.png) <img src=http://192.0.2.1/leak.png>",
    "links": "[click](http://192.0.2.1/) <a href='javascript:alert(1)'>x</a> http://192.0.2.1/",
    "html": "<script>alert(1)</script><details open><summary>/close</summary>\n\n/close\n</details>",
    "markers": "<!-- cloister:v1:summary:" + "0" * 64 + " -->",
    "fences": "```suggestion:-100+100\nrm -rf /\n```\n/close\n````\n~~~suggestion\nx\n~~~",
    "open comment": "<!-- /close",
    "no characters": "\u202e\u0000\ud800\u200b",
    "entities": "&#64;root &lt;img src=x&gt; &#x2F;close",
    "many words": " ".join(f"word{number}" for number in range(3_000)),
}


async def test_hostile_answers_have_no_effect(
    start: Start, gitlab: GitLab, ollama_server: ScriptedOllama
) -> None:
    """Whatever the model says is text: nothing is closed, nobody is called, nothing is loaded."""
    texts = {f"try-{number}": text for number, text in enumerate(HOSTILE.values())}

    def script(request: Mapping[str, Any]) -> Reply:
        prompt = str(request["messages"][-1]["content"])
        name = next(name for name in texts if f"{name}.txt" in prompt)
        return Reply(json.dumps({"findings": [hostile(texts[name], path=f"{name}.txt")]}))

    ollama_server.script = confirming(script)
    cloister = await start(deadlines=PATIENT, concurrency=16)
    hurrying = asyncio.create_task(_hurry(cloister))
    commented = 0
    for merge_request in [opened(gitlab, name, "an ordinary line\n") for name in texts]:
        outcome = await cloister.outcome(merge_request)
        commented += bool(outcome.threads)
        assert merge_request.state == "opened"
        assert outcome.status == "success"
        assert all(len(note.suggestions) <= 1 for note in merge_request.notes)
    hurrying.cancel()
    assert commented >= len(texts) - 2
    effects = gitlab.server.side_effects
    folds = {"<details>", "<summary>", "</summary>", "</details>"}
    others = [one for one in effects if one.text not in folds]
    assert [] == [one for one in others if one.kind != "link" or gitlab.server.url not in one.text]
