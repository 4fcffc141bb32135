"""What every model adapter owes its callers, and what Ollama makes hard to give."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.adapters.model_ollama import Deadlines, OllamaModel
from bot.demo.ollama import Fault, Reply, Script, ScriptedModel, ScriptedOllama
from bot.domain.answer import SCHEMA
from bot.domain.errors import Permanent, Transient
from bot.ports import ModelRequest

Make = Callable[..., OllamaModel]

REQUEST = ModelRequest(system="Review.", prompt="+ x = 1", schema=SCHEMA, max_output_tokens=256)


def answering(**reply: object) -> Script:
    """Return a script that always gives the same reply."""
    return lambda request: Reply(**reply)


def in_turn(*replies: Reply) -> Script:
    """Return a script that gives one reply after the other, the last one forever."""
    left = itertools.chain(replies, itertools.repeat(replies[-1]))
    return lambda request: next(left)


@pytest.fixture(params=["ollama"])
def server(request: pytest.FixtureRequest, ollama_server: ScriptedOllama):
    """Return the scripted server behind the adapter under test."""
    return ollama_server


@pytest.fixture
def make_model(server: ScriptedOllama, ollama_model: Make):
    """Return a maker of the adapter under test."""
    return ollama_model


async def test_a_reply_is_whole_and_says_what_it_cost(server: ScriptedOllama, make_model: Make):
    """Text in many pieces arrives as one, with the digest and the counts of the server."""
    server.script = answering(text='{"findings":[]}', pieces=7)

    reply = await make_model().answer(REQUEST)

    assert reply.text == '{"findings":[]}'
    assert reply.model == "deepseek-coder:6.7b"
    assert ScriptedModel().digest == reply.digest
    assert reply.prompt_tokens > 0
    assert reply.output_tokens > 0
    assert reply.duration_s > 0


async def test_a_request_forbids_every_silent_cut(server: ScriptedOllama, make_model: Make):
    """The body asks for the schema, no truncation, no shifting, and one fixed context."""
    await make_model().answer(replace(REQUEST, seed=7))

    body = server.requests[0]
    assert (body["truncate"], body["shift"], body["stream"]) == (False, False, True)
    assert body["format"] == SCHEMA
    assert body["options"] == {"num_ctx": 4096, "num_predict": 256, "seed": 7, "temperature": 0.1}
    assert "think" not in body
    assert [(m["role"], m["content"]) for m in body["messages"]] == [
        ("system", "Review."),
        ("user", "+ x = 1"),
    ]


async def test_thinking_is_off_where_it_exists(server: ScriptedOllama, make_model: Make):
    """Left out, a thinking model would think, and its thoughts cost minutes."""
    server.models = (ScriptedModel("deepseek-r1:8b", capabilities=("completion", "thinking")),)

    reply = await make_model("deepseek-r1:8b").answer(REQUEST)

    assert server.requests[0]["think"] is False
    assert reply.text == '{"findings":[]}'


async def test_the_model_is_loaded_once(server: ScriptedOllama, make_model: Make):
    """Different seeds and lengths of answer do not make the server reload."""
    model = make_model()
    for seed in range(3):
        await model.answer(replace(REQUEST, seed=seed, max_output_tokens=100 + seed))

    assert server.loads == ["deepseek-coder:6.7b"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.hang, "has not begun to answer for 0.4 s"),
        (Fault.stall, "has stopped answering for 0.3 s"),
        (Fault.cut, "broke"),
        (Fault.garbage, "is it an Ollama server"),
        (Fault.error, "unexpected EOF"),
        (Fault.length, "cut at 256 tokens"),
        (Fault.busy, "busy"),
        (Fault.crash, "exit status 2"),
        (Fault.half, "useless, its JSON does not end"),
    ],
)
async def test_a_fault_is_transient_and_named(
    server: ScriptedOllama, make_model: Make, fault: Fault, message: str
):
    """Whatever breaks an answer, the caller may try again and learns what happened."""
    server.script = answering(fault=fault)

    with pytest.raises(Transient, match=message):
        await make_model(deadlines=Deadlines(0.4, 0.3, 10)).answer(REQUEST)


async def test_drops_of_tokens_end_at_the_total_deadline(server: ScriptedOllama, make_model: Make):
    """A token before each gap runs out does not keep an answer alive for ever."""
    server.script = answering(text="x" * 100, pieces=100, delay_s=0.1)

    with pytest.raises(Transient, match=r"did not finish in 0\.5 s"):
        await make_model(deadlines=Deadlines(10, 10, 0.5)).answer(REQUEST)


async def test_cancelling_ends_the_generation(server: ScriptedOllama, make_model: Make):
    """A superseded review frees the model: the server sees the connection close."""
    server.script = answering(text="x" * 2000, pieces=200, delay_s=0.01)
    task = asyncio.create_task(make_model().answer(REQUEST))
    await asyncio.sleep(0.2)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if server.abandoned:
            break
        await asyncio.sleep(0.02)
    assert server.abandoned == 1


@pytest.mark.parametrize("text", ["", "  \n", '{"findings": [' + "ab " * 400, '{"findings": [{"path": "a'])
async def test_a_lost_model_gets_another_seed(server: ScriptedOllama, make_model: Make, text: str):
    """Silence, loops and open ends are asked for once more before anybody hears of them."""
    server.script = in_turn(Reply(text), Reply())

    reply = await make_model().answer(replace(REQUEST, seed=3))

    assert reply.text == '{"findings":[]}'
    seeds = [body["options"]["seed"] for body in server.requests]
    assert len(set(seeds)) == 2


async def test_a_model_that_stays_lost_is_unloaded(server: ScriptedOllama, make_model: Make):
    """The next request finds a freshly loaded model."""
    server.script = in_turn(Reply("ab " * 2000, pieces=50), Reply("ab " * 2000, pieces=50), Reply())
    model = make_model()

    with pytest.raises(Transient, match="repeats itself; the model was unloaded"):
        await model.answer(REQUEST)
    await model.answer(REQUEST)

    name = "deepseek-coder:6.7b"
    assert [name, f"-{name}", name] == server.loads


async def test_an_endless_answer_is_left(server: ScriptedOllama, make_model: Make):
    """More text than was asked for is not collected."""
    server.script = lambda request: Reply(" ".join(map(str, range(20_000))), pieces=2000)

    with pytest.raises(Transient, match="more than it was asked for"):
        await make_model().answer(REQUEST)


async def test_prose_is_the_readers_business(server: ScriptedOllama, make_model: Make):
    """Text that is no JSON but ends is handed over."""
    server.script = answering(text="All fine.")

    assert (await make_model().answer(REQUEST)).text == "All fine."


async def test_a_prompt_that_cannot_fit_is_not_sent(server: ScriptedOllama, make_model: Make):
    """What is certain to overflow costs no request."""
    with pytest.raises(Permanent, match="does not fit"):
        await make_model().answer(replace(REQUEST, prompt="word " * 10_000))
    assert server.requests == []


async def test_a_prompt_that_does_not_fit_is_refused_by_the_server(server: ScriptedOllama, make_model: Make):
    """Where only the server can count, its refusal names the tokens."""
    with pytest.raises(Permanent, match=r"request \(\d+ tokens\) exceeds the available context size"):
        await make_model().answer(replace(REQUEST, prompt="x = 1; " * 2_200))


@pytest.mark.parametrize("honours", [True, False])
async def test_a_prompt_is_never_truncated_silently(server: ScriptedOllama, make_model: Make, honours: bool):
    """An answer to half of a prompt is an error, even if the server ignores what it is told."""
    server.honours_truncate = honours

    with pytest.raises(Permanent, match=r"read only 2049 tokens|exceeds the available context"):
        await make_model().answer(replace(REQUEST, prompt="x = 1; " * 2_200))


@pytest.mark.parametrize("counted", [0, 100, 2049, 2050, 2051])
async def test_a_count_that_smells_of_truncation_is_refused(
    server: ScriptedOllama, make_model: Make, counted: int
):
    """Too few tokens for the bytes sent, or half of the context and a bit."""
    server.script = answering(prompt_tokens=counted)

    with pytest.raises(Permanent, match=f"read only {counted} tokens"):
        await make_model().answer(replace(REQUEST, prompt="x = 1; " * 1_000))


async def test_a_missing_model_says_how_to_get_it(make_model: Make):
    """The message is the command to run."""
    with pytest.raises(Permanent, match=r"`ollama pull qwen2\.5-coder:7b`"):
        await make_model("qwen2.5-coder:7b").answer(REQUEST)


@pytest.mark.parametrize(
    "name", ["deepseek-v3.1:671b-cloud", "glm-4.6:cloud", "gpt-oss:120b-CLOUD", "my-cloud:latest"]
)
def test_cloud_models_are_refused_by_name(name: str):
    """Nothing is asked of the server."""
    with pytest.raises(Permanent, match="leave the building"):
        OllamaModel("http://127.0.0.1:9", name)


async def test_cloud_models_are_refused_under_any_name(server: ScriptedOllama, make_model: Make):
    """A copy under another name still tells where it runs."""
    server.models = (ScriptedModel("inhouse:latest", remote_host="https://ollama.com:443"),)

    with pytest.raises(Permanent, match="leave the building"):
        await make_model("inhouse").answer(REQUEST)


@pytest.mark.parametrize("version", ["0.17.0", "0.9.6", "0.17.1-rc1", "0.0.0", "yesterday's"])
async def test_unsafe_servers_are_refused(server: ScriptedOllama, make_model: Make, version: str):
    """Servers that leak memory get no code."""
    server.version = version

    with pytest.raises(Permanent, match=r"install 0\.17\.1 or newer"):
        await make_model().answer(REQUEST)
    assert server.requests == []


@pytest.mark.parametrize("version", ["0.17.1", "0.33.0-rc2", "1.0.0"])
async def test_safe_servers_are_used(server: ScriptedOllama, make_model: Make, version: str):
    """The fixed version and later ones, previews of them included."""
    server.version = version

    assert (await make_model().answer(REQUEST)).text


async def test_redirects_are_not_followed(server: ScriptedOllama, make_model: Make):
    """A server cannot send code elsewhere."""
    with ScriptedOllama() as elsewhere:
        server.redirect_to = f"{elsewhere.url}/api/chat"
        server.script = answering(fault=Fault.redirect)

        with pytest.raises(Permanent, match="redirects are not followed"):
            await make_model().answer(REQUEST)
        assert elsewhere.calls == []


async def test_the_environment_sends_nothing_elsewhere(
    server: ScriptedOllama, make_model: Make, monkeypatch: pytest.MonkeyPatch
):
    """Neither a proxy nor a key for Ollama's cloud is taken from the environment."""
    with ScriptedOllama() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        monkeypatch.setenv("OLLAMA_HOST", proxy.url)
        monkeypatch.setenv("OLLAMA_API_KEY", "sk-cloud")
        await make_model().answer(REQUEST)

        assert proxy.calls == []
    assert all("authorization" not in headers for _, headers in server.calls)


def test_no_url_is_not_the_environments_url():
    """The vendor's client would take an empty URL from the environment."""
    with pytest.raises(Permanent, match="no URL"):
        OllamaModel("", "deepseek-coder:6.7b")


async def test_out_of_reach_is_transient(make_model: Make):
    """Nobody listens: the message says what to look at."""
    with pytest.raises(Transient, match="out of reach"):
        await make_model(url="http://127.0.0.1:9").answer(REQUEST)


async def test_the_breaker_opens_and_probes(server: ScriptedOllama, make_model: Make):
    """After five failures calls fail at once; each 30 s one is let through, and success closes it."""
    now = 0.0
    model = make_model(monotonic=lambda: now)
    server.script = answering(fault=Fault.crash)
    for _ in range(5):
        with pytest.raises(Transient, match="exit status 2"):
            await model.answer(REQUEST)
    for _ in range(3):
        with pytest.raises(Transient, match="failed 5 times in a row") as refused:
            await model.answer(REQUEST)
    assert refused.value.retry_after_s == 30.0
    assert len(server.requests) == 5

    now = 30.0
    with pytest.raises(Transient, match="exit status 2"):
        await model.answer(REQUEST)
    with pytest.raises(Transient, match="failed 6 times in a row"):
        await model.answer(REQUEST)

    now, server.script = 60.0, answering()
    await model.answer(REQUEST)
    await model.answer(REQUEST)
    assert len(server.requests) == 8


async def test_no_more_requests_at_a_time_than_allowed(server: ScriptedOllama, make_model: Make):
    """The server is never asked to queue."""
    busy, most = 0, 0

    def script(request: object):
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        time.sleep(0.02)
        busy -= 1
        return Reply()

    server.script = script
    model = make_model(parallel=2)
    await asyncio.gather(*(model.answer(REQUEST) for _ in range(6)))

    assert most == 2


async def test_check_tells_the_doctor(server: ScriptedOllama, make_model: Make):
    """Version, digest, context and capabilities, and the context it is loaded with."""
    model = make_model(num_ctx=1_000_000)
    before = await model.check()
    await model.answer(REQUEST)
    after = await model.check()

    assert ("0.33.0", ScriptedModel().digest, 16_384) == (
        before.version,
        before.digest,
        before.context_tokens,
    )
    assert frozenset({"completion"}) == before.capabilities
    assert (before.loaded_tokens, after.loaded_tokens) == (None, 16_384)
    assert model.window_tokens == 16_384


async def test_a_replaced_model_is_noticed(server: ScriptedOllama, make_model: Make):
    """The digest in a reply is at most a minute old."""
    now = 0.0
    model = make_model(monotonic=lambda: now)
    await model.answer(REQUEST)
    server.models = (ScriptedModel(digest="b" * 64),)
    now = 61.0

    assert (await model.answer(REQUEST)).digest == "b" * 64


async def test_estimates_are_never_below_what_the_server_counts(server: ScriptedOllama, make_model: Make):
    """Cautious before the first reply, and closer but still cautious after it."""
    model = make_model()
    text = "def total(items):\n    return sum(item.price for item in items)\n" * 40
    before = model.estimate_tokens(text)
    counted = (await model.answer(replace(REQUEST, prompt=text))).prompt_tokens
    after = model.estimate_tokens(text)

    assert counted <= after <= before


async def test_another_server_is_not_taken_for_ollama(server: ScriptedOllama, make_model: Make):
    """A wrong type in an answer is an error with a hint, not a crash."""
    server.version = json.loads("[1]")

    with pytest.raises(Transient, match="is it an Ollama server"):
        await make_model().answer(REQUEST)
