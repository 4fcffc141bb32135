"""What every model adapter owes its callers; what one protocol makes hard to give is tested beside this."""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.adapters.model_chat import Deadlines
from bot.demo.ollama import ScriptedOllama
from bot.demo.openai import ScriptedOpenAI
from bot.demo.script import Fault, Reply, Script, ScriptedModel
from bot.domain.answer import SCHEMA
from bot.domain.errors import Permanent, Transient
from bot.domain.said import CutAnswer
from bot.ports import Model, ModelRequest
from tests.openai import AWAY

Make = Callable[..., Model]
Server = ScriptedOllama | ScriptedOpenAI

REQUEST = ModelRequest(system="Review.", prompt="+ x = 1", schema=SCHEMA, max_output_tokens=256)
#: What stands for a model that answers, and the fixtures of server and maker; a pool has one server that is away.
ADAPTERS = {
    "ollama": ("ollama_server", "ollama_model"),
    "openai": ("openai_server", "openai_model"),
    "pool": ("ollama_server", "pooled_model"),
}


def answering(**reply: object) -> Script:
    """Return a script that always gives the same reply."""
    return lambda request: Reply(**reply)


def in_turn(*replies: Reply) -> Script:
    """Return a script that gives one reply after the other, the last one forever."""
    left = itertools.chain(replies, itertools.repeat(replies[-1]))
    return lambda request: next(left)


def seeds(server: Server) -> list[int]:
    """Return the seeds of all requests."""
    return [body.get("options", body)["seed"] for body in server.requests]


@pytest.fixture(params=list(ADAPTERS))
def adapter(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return the names of the fixtures of one adapter."""
    return ADAPTERS[request.param]


@pytest.fixture
def server(request: pytest.FixtureRequest, adapter: tuple[str, str]) -> Server:
    """Return the scripted server behind the adapter under test."""
    return request.getfixturevalue(adapter[0])


@pytest.fixture
def make_model(request: pytest.FixtureRequest, adapter: tuple[str, str]) -> Make:
    """Return a maker of the adapter under test."""
    return request.getfixturevalue(adapter[1])


async def test_a_reply_is_whole_and_says_what_it_cost(server: Server, make_model: Make):
    """Text in many pieces arrives as one, with the model's digest and the counts of the server."""
    server.script = answering(text='{"findings":[]}', pieces=7)

    reply = await make_model().answer(REQUEST)

    assert reply.text == '{"findings":[]}'
    assert reply.model == "deepseek-coder:6.7b"
    assert reply.digest
    assert reply.prompt_tokens > 0
    assert reply.output_tokens > 0
    assert reply.duration_s > 0


async def test_an_answer_may_hold_what_ends_lines_elsewhere(server: Server, make_model: Make):
    """Models quote code, and JSON lets such characters through as they are."""
    text = '{"findings":[],"quoted":"a\u2028b\u2029c\x85d"}'
    server.script = answering(text=text)

    assert (await make_model().answer(REQUEST)).text == text


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.hang, "has not begun to answer for 0.4 s"),
        (Fault.stall, "has stopped answering for 0.3 s"),
        (Fault.cut, "broke"),
        (Fault.garbage, "is it (an Ollama|a model) server"),
        (Fault.error, "unexpected EOF"),
        (Fault.length, "cut at 256 tokens"),
        (Fault.busy, "busy"),
        (Fault.crash, "exit status 2"),
        (Fault.half, "useless, its JSON does not end"),
    ],
)
async def test_a_fault_is_transient_and_named(server: Server, make_model: Make, fault: Fault, message: str):
    """Whatever breaks an answer, the caller may try again and learns what happened."""
    server.script = answering(fault=fault)

    short = {Fault.hang: Deadlines(0.4, 60, 120), Fault.stall: Deadlines(60, 0.3, 120)}
    with pytest.raises(Transient, match=message):
        await make_model(deadlines=short.get(fault, Deadlines(60, 60, 120))).answer(REQUEST)


@pytest.mark.parametrize("fault", [Fault.length, Fault.half])
async def test_what_a_broken_answer_said_comes_with_the_error(server: Server, make_model: Make, fault: Fault):
    """Whole findings in it are worth reading."""
    text = json.dumps({"findings": [{"path": f"file_{number}.py"} for number in range(20)]})
    server.script = answering(text=text, fault=fault)

    with pytest.raises(CutAnswer) as broken:
        await make_model().answer(REQUEST)

    assert len(broken.value.text) > len(text) // 3
    assert text.startswith(broken.value.text)


async def test_drops_of_tokens_end_at_the_total_deadline(server: Server, make_model: Make):
    """A token before each gap runs out does not keep an answer alive for ever."""
    server.script = answering(text="x" * 100, pieces=100, delay_s=0.1)

    with pytest.raises(Transient, match=r"did not finish in 0\.5 s"):
        await make_model(deadlines=Deadlines(10, 10, 0.5)).answer(REQUEST)


async def test_cancelling_ends_the_generation(server: Server, make_model: Make):
    """A superseded review frees the model: the server sees the connection close."""
    server.script = answering(text="x" * 2000, pieces=200, delay_s=0.5)
    task = asyncio.create_task(make_model().answer(REQUEST))
    while not server.requests:
        await asyncio.sleep(0.02)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(1000):
        if server.abandoned:
            break
        await asyncio.sleep(0.02)
    assert server.abandoned == 1


@pytest.mark.parametrize("text", ["", "  \n", '{"findings": [' + "ab " * 400, '{"findings": [{"path": "a'])
async def test_a_lost_model_gets_another_seed(server: Server, make_model: Make, text: str):
    """Silence, loops and open ends are asked for once more before anybody hears of them."""
    server.script = in_turn(Reply(text), Reply())

    reply = await make_model().answer(replace(REQUEST, seed=3))

    assert reply.text == '{"findings":[]}'
    assert len(set(seeds(server))) == 2
    once = await make_model().answer(REQUEST)
    assert reply.prompt_tokens > once.prompt_tokens


async def test_blanks_after_an_answer_do_not_spoil_it(server: Server, make_model: Make):
    """Nobody waits for their end, and nobody is asked again."""
    server.script = answering(text='{"findings":[]}' + "\n" * 3_000, pieces=100)

    assert (await make_model().answer(REQUEST)).text.rstrip() == '{"findings":[]}'
    assert len(seeds(server)) == 1


async def test_an_endless_answer_is_left(server: Server, make_model: Make):
    """More text than was asked for is not collected."""
    server.script = lambda request: Reply(" ".join(map(str, range(20_000))), pieces=2000)

    with pytest.raises(Transient, match="more than it was asked for"):
        await make_model().answer(REQUEST)


async def test_prose_is_the_readers_business(server: Server, make_model: Make):
    """Text that is no JSON but ends is handed over."""
    server.script = answering(text="All fine.")

    assert (await make_model().answer(REQUEST)).text == "All fine."


async def test_a_prompt_that_cannot_fit_is_not_sent(server: Server, make_model: Make):
    """What is certain to overflow costs no request."""
    with pytest.raises(Permanent, match="does not fit"):
        await make_model().answer(replace(REQUEST, prompt="word " * 10_000))
    assert server.requests == []


async def test_a_prompt_that_does_not_fit_is_refused_by_the_server(server: Server, make_model: Make):
    """Where only the server can count, its refusal names the tokens."""
    name = "num_ctx" if isinstance(server, ScriptedOllama) else "window_tokens"
    with pytest.raises(Permanent, match=r"does not fit into the model's context: .*\d+ tokens"):
        await make_model(**{name: 16_384}).answer(replace(REQUEST, prompt="x = 1; " * 8_200))


async def test_redirects_are_not_followed(server: Server, make_model: Make):
    """A server cannot send code elsewhere."""
    with type(server)() as elsewhere:
        server.redirect_to = f"{elsewhere.url}{server.chat_path}"
        server.script = answering(fault=Fault.redirect)

        with pytest.raises((Permanent, Transient), match="redirects, which is not followed"):
            await make_model().answer(REQUEST)
        assert elsewhere.calls == []


async def test_the_environment_sends_nothing_elsewhere(
    server: Server, make_model: Make, monkeypatch: pytest.MonkeyPatch
):
    """Neither a proxy nor a key for Ollama's cloud is taken from the environment."""
    with type(server)() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        monkeypatch.setenv("OLLAMA_HOST", proxy.url)
        monkeypatch.setenv("OLLAMA_API_KEY", "sk-cloud")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-cloud")
        monkeypatch.setenv("OPENAI_BASE_URL", proxy.url)
        await make_model().answer(REQUEST)

        assert proxy.calls == []
    assert all("authorization" not in headers for _, headers in server.calls)


async def test_out_of_reach_is_transient(make_model: Make):
    """Nobody listens: the message says what to look at."""
    with pytest.raises(Transient, match="out of reach"):
        await make_model(url=AWAY).answer(REQUEST)


async def test_the_breaker_opens_and_probes(server: Server, make_model: Make):
    """After five failures calls fail at once; each 30 s one is let through, and success closes it."""
    now = 0.0
    model = make_model(monotonic=lambda: now)
    server.script = answering(fault=Fault.crash)
    for _ in range(5):
        with pytest.raises(Transient, match="exit status 2"):
            await model.answer(REQUEST)
    for _ in range(3):
        with pytest.raises(Transient, match=r"exit status 2; .* failed 5 times in a row") as refused:
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


async def test_no_more_requests_at_a_time_than_allowed(server: Server, make_model: Make):
    """The server is never asked to queue."""
    busy, most = 0, 0
    pair = threading.Barrier(2)

    def script(request: object):
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        pair.wait(60)
        time.sleep(0.02)
        busy -= 1
        return Reply()

    server.script = script
    model = make_model(parallel=2)
    await asyncio.gather(*(model.answer(REQUEST) for _ in range(6)))

    assert most == 2


async def test_estimates_are_never_below_what_the_server_counts(server: Server, make_model: Make):
    """Cautious before the first reply and after it, and the same where the model is as was assumed."""
    model = make_model()
    text = "def total(items):\n    return sum(item.price for item in items)\n" * 40
    before = model.estimate_tokens(text)
    counted = (await model.answer(replace(REQUEST, prompt=text))).prompt_tokens
    after = model.estimate_tokens(text)

    assert counted <= after == before


async def test_an_identity_changes_with_the_model(server: Server, make_model: Make):
    """What was answered by one model is not taken for an answer of its successor."""
    now = 0.0
    model = make_model(monotonic=lambda: now)
    first, same = await model.identity(), await model.identity()
    server.models = (ScriptedModel(digest="b" * 64),)
    now = 61.0

    assert first == same
    assert await model.identity() != first


async def test_an_identity_changes_with_the_window(server: Server, make_model: Make):
    """What fits is a part of what decides an answer."""
    name = "num_ctx" if isinstance(server, ScriptedOllama) else "window_tokens"

    assert await make_model(**{name: 2048}).identity() != await make_model(**{name: 4096}).identity()


async def test_an_identity_tells_the_real_window(server: Server, make_model: Make):
    """A model made for less than was asked for is known to be, before the first prompt is built."""
    name = "num_ctx" if isinstance(server, ScriptedOllama) else "window_tokens"
    model = make_model(**{name: 1_000_000})
    await model.identity()

    assert model.window_tokens <= 16_384


async def test_thoughts_are_not_in_the_text(server: Server, make_model: Make):
    """Whether the server tells them apart or leaves them in the answer."""
    server.models = (ScriptedModel(capabilities=("completion", "thinking")),)
    server.script = answering(
        text='<think>{"findings": "a trap"}</think>\n{"findings":[]}', thought="Hm. " * 50
    )

    reply = await make_model().answer(REQUEST)

    assert reply.text.strip() == '{"findings":[]}'
    assert reply.thought_chars > 0


async def test_the_first_token_is_timed(server: Server, make_model: Make):
    """How long the model was silent tells how fast it reads."""
    server.script = answering(text="x" * 40 + "{}", pieces=2, delay_s=0.1)

    reply = await make_model().answer(REQUEST)

    assert 0.09 < reply.first_token_s < reply.duration_s


async def test_the_identity_of_a_server_that_is_down_is_not_asked_each_time(server: Server, make_model: Make):
    """Whoever asks about a merge request in many parts does not wait for each of them."""
    now = 0.0
    model = make_model(url=AWAY, monotonic=lambda: now)
    for _ in range(5):
        with pytest.raises(Transient, match="out of reach"):
            await model.identity()
    with pytest.raises(Transient, match="failed 5 times in a row"):
        await model.identity()

    now = 31.0
    with pytest.raises(Transient, match="out of reach"):
        await model.identity()
