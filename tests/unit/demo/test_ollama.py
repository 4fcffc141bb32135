"""The scripted server speaks as Ollama does, and its planted review says what a reviewer would."""

from pathlib import Path

import httpx
import ollama
import pytest

from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from bot.demo.script import Fault, Reply, ScriptedModel
from bot.domain.answer import read_answer
from bot.domain.diff import Change, Diff, DiffLine, FileDiff, Hunk, Sign
from bot.domain.prompt import Limits, build, instructions

CODE = """\
import requests


def totals(items, seen=[]):
    for i in range(len(items) + 1):
        seen.append(items[i])
    return seen


def mean(items):
    return sum(items) / len(items)


def load(session, name):
    session.execute(f"SELECT * FROM cart WHERE name = '{name}'")
    page = requests.get("https://warehouse/", verify=False)
    if page == None:
        return None
    try:
        return page.json()
    except Exception:
        pass"""


def chat(server: ScriptedOllama, **body: object) -> httpx.Response:
    """Send a chat request that is not streamed."""
    usual = {"model": "deepseek-coder:6.7b", "messages": [{"role": "user", "content": "hi"}], "stream": False}
    return httpx.post(f"{server.url}/api/chat", json=usual | body, trust_env=False)


def test_the_vendors_client_understands_it(ollama_server: ScriptedOllama):
    """Lists, details and both kinds of answers parse as Ollama's own."""
    ollama_server.script = lambda request: Reply("four", pieces=2)
    client = ollama.Client(ollama_server.url, trust_env=False)
    messages = [{"role": "user", "content": "2 + 2?"}]

    with client:
        assert [model.model for model in client.list().models] == ["deepseek-coder:6.7b"]
        assert client.show("deepseek-coder:6.7b").capabilities == ["completion"]
        whole = client.chat("deepseek-coder:6.7b", messages)
        parts = list(client.chat("deepseek-coder:6.7b", messages, stream=True))
        assert client.ps().models[0].context_length == 4096

    assert (whole.message.content, whole.done_reason) == ("four", "stop")
    assert [part.message.content for part in parts] == ["fo", "ur", ""]
    assert parts[-1].prompt_eval_count == 12 + 2
    assert len(ollama_server.requests) == 2


def test_an_unknown_model_is_not_found(ollama_server: ScriptedOllama):
    """With Ollama's words."""
    response = chat(ollama_server, model="llama9")

    assert (response.status_code, response.json()) == (404, {"error": "model 'llama9' not found"})


def test_thinking_is_refused_where_there_is_none(ollama_server: ScriptedOllama):
    """True is an error, false is not."""
    assert chat(ollama_server, think=True).json() == {
        "error": '"deepseek-coder:6.7b" does not support thinking'
    }
    assert chat(ollama_server, think=False).status_code == 200


def test_thinking_is_on_where_it_exists():
    """Unless it is switched off."""
    with ScriptedOllama(models=(ScriptedModel("r1:8b", capabilities=("completion", "thinking")),)) as server:
        httpx_lines = [
            httpx.post(
                f"{server.url}/api/chat",
                json={"model": "r1:8b", "messages": [], **extra},
                trust_env=False,
            ).text.count("thinking")
            for extra in ({}, {"think": False})
        ]
    assert httpx_lines == [1, 0]


def test_an_overlong_prompt_is_cut_in_silence_unless_forbidden(ollama_server: ScriptedOllama):
    """By default half of the context is kept and nobody told; both switches off make it an error."""
    long = [{"role": "user", "content": "word " * 4_000}]

    assert chat(ollama_server, messages=long).json()["prompt_eval_count"] == 2049
    assert chat(ollama_server, messages=long, truncate=False).json()["prompt_eval_count"] == 2049
    refused = chat(ollama_server, messages=long, truncate=False, shift=False)
    assert refused.status_code == 400
    assert "request (5727 tokens) exceeds the available context size (4096 tokens)" in refused.json()["error"]


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.busy, 503), (Fault.crash, 500), (Fault.redirect, 307), (Fault.length, 200)]
)
def test_scripted_faults_have_ollamas_status(ollama_server: ScriptedOllama, fault: Fault, status: int):
    """So that clients see them where they would see real ones."""
    ollama_server.script = lambda request: Reply(fault=fault)

    assert chat(ollama_server).status_code == status


def test_unknown_paths_and_bodies_are_refused(ollama_server: ScriptedOllama):
    """The compatible API, which ignores the context, is not there on purpose."""
    with httpx.Client(base_url=ollama_server.url, trust_env=False) as client:
        assert client.post("/v1/chat/completions", json={}).status_code == 404
        assert client.get("/").status_code == 404
        assert client.post("/api/chat", json=[]).status_code == 400
        assert client.post("/api/chat", content=b"{").status_code == 400


def test_the_planted_review_finds_what_is_planted():
    """Every finding holds against the prompt, at the right line, and its fixes are kept."""
    lines = CODE.split("\n")
    hunk = Hunk(
        0, 0, 1, len(lines), "", tuple(DiffLine(Sign.added, None, n + 1, t) for n, t in enumerate(lines))
    )
    rules = instructions({path.name: path.read_text() for path in Path("rules/review").glob("*.md")})
    prompts = build(
        Diff((FileDiff("shop/cart.py", "shop/cart.py", Change.added, hunks=(hunk,)),)),
        {},
        title="Add totals",
        description="",
        system=rules.system,
        limits=Limits(8_192),
        estimate=lambda text: len(text) // 3,
        redact=lambda text: text,
    )

    request = {"messages": [{"role": "user", "content": prompts.parts[0].prompt}]}
    answer = read_answer(planted_review(request).text, prompts.parts[0].excerpts)

    assert answer.rejected == ()
    assert {finding.line: finding.fix and finding.fix.replacement.strip() for finding in answer.findings} == {
        4: None,
        5: "for i in range(len(items)):",
        11: None,
        15: None,
        16: 'page = requests.get("https://warehouse/", verify=True)',
        17: "if page is None:",
        21: None,
    }
