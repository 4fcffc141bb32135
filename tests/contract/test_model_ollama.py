"""What Ollama makes hard to give: whole prompts, no thoughts, one load, models that run here, safe servers."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.adapters.model_ollama import OllamaModel
from bot.adapters.model_pool import PooledModel
from bot.demo.ollama import ScriptedOllama
from bot.demo.openai import ScriptedOpenAI
from bot.demo.script import Fault, Reply, Script, ScriptedModel
from bot.domain.answer import SCHEMA
from bot.domain.errors import Permanent, Transient
from bot.ports import ModelRequest
from tests.openai import AWAY

Make = Callable[..., OllamaModel]

REQUEST = ModelRequest(system="Review.", prompt="+ x = 1", schema=SCHEMA, max_output_tokens=256)


def answering(**reply: object) -> Script:
    """Return a script that always gives the same reply."""
    return lambda request: Reply(**reply)


def in_turn(*replies: Reply) -> Script:
    """Return a script that gives one reply after the other, the last one forever."""
    left = itertools.chain(replies, itertools.repeat(replies[-1]))
    return lambda request: next(left)


async def test_a_request_forbids_every_silent_cut(ollama_server: ScriptedOllama, ollama_model: Make):
    """The body asks for the schema, no truncation, no shifting, and one fixed context."""
    await ollama_model().answer(replace(REQUEST, seed=7))

    body = ollama_server.requests[0]
    assert (body["truncate"], body["shift"], body["stream"]) == (False, False, True)
    assert body["format"] == SCHEMA
    assert body["options"] == {"num_ctx": 4096, "num_predict": 256, "seed": 7, "temperature": 0.1}
    assert "think" not in body
    assert [(m["role"], m["content"]) for m in body["messages"]] == [
        ("system", "Review."),
        ("user", "+ x = 1"),
    ]


async def test_thinking_is_off_where_it_exists(ollama_server: ScriptedOllama, ollama_model: Make):
    """Left out, a thinking model would think, and its thoughts cost minutes."""
    ollama_server.models = (ScriptedModel("deepseek-r1:8b", capabilities=("completion", "thinking")),)

    reply = await ollama_model("deepseek-r1:8b").answer(REQUEST)

    assert ollama_server.requests[0]["think"] is False
    assert json.loads(reply.text) == {"findings": []}


async def test_the_model_is_loaded_once(ollama_server: ScriptedOllama, ollama_model: Make):
    """Different seeds and lengths of answer do not make the server reload."""
    model = ollama_model()
    for seed in range(3):
        await model.answer(replace(REQUEST, seed=seed, max_output_tokens=100 + seed))

    assert ollama_server.loads == ["deepseek-coder:6.7b"]


async def test_a_model_that_stays_lost_is_unloaded(ollama_server: ScriptedOllama, ollama_model: Make):
    """The next request finds a freshly loaded model."""
    ollama_server.script = in_turn(Reply("ab " * 2000, pieces=50), Reply("ab " * 2000, pieces=50), Reply())
    model = ollama_model()

    with pytest.raises(Transient, match="repeats itself; the model was unloaded"):
        await model.answer(REQUEST)
    await model.answer(REQUEST)

    name = "deepseek-coder:6.7b"
    assert [name, f"-{name}", name] == ollama_server.loads


@pytest.mark.parametrize("honours", [True, False])
async def test_a_prompt_is_never_truncated_silently(
    ollama_server: ScriptedOllama, ollama_model: Make, honours: bool
):
    """An answer to half of a prompt is an error, even if the server ignores what it is told."""
    ollama_server.honours_truncate = honours

    with pytest.raises(Permanent, match=r"read only 2049 tokens|exceeds the available context"):
        await ollama_model().answer(replace(REQUEST, prompt="x = 1; " * 2_200))


@pytest.mark.parametrize("counted", [0, 100, 2049, 2050, 2051])
async def test_a_count_that_smells_of_truncation_is_refused(
    ollama_server: ScriptedOllama, ollama_model: Make, counted: int
):
    """Too few tokens for the bytes sent, or half of the context and a bit."""
    ollama_server.script = answering(prompt_tokens=counted)

    with pytest.raises(Permanent, match=f"read only {counted} tokens"):
        await ollama_model().answer(replace(REQUEST, prompt="x = 1; " * 1_400))


async def test_a_missing_model_says_how_to_get_it(ollama_model: Make):
    """The message is the command to run."""
    with pytest.raises(Permanent, match=r"`ollama pull qwen2\.5-coder:7b`"):
        await ollama_model("qwen2.5-coder:7b").answer(REQUEST)


@pytest.mark.parametrize(
    "name", ["deepseek-v3.1:671b-cloud", "glm-4.6:cloud", "gpt-oss:120b-CLOUD", "my-cloud:latest"]
)
def test_cloud_models_are_refused_by_name(name: str):
    """Nothing is asked of the ollama_server."""
    with pytest.raises(Permanent, match="leave the building"):
        OllamaModel("http://127.0.0.1:9", name)


async def test_cloud_models_are_refused_under_any_name(ollama_server: ScriptedOllama, ollama_model: Make):
    """A copy under another name still tells where it runs."""
    ollama_server.models = (ScriptedModel("inhouse:latest", remote_host="https://ollama.com:443"),)

    with pytest.raises(Permanent, match="leave the building"):
        await ollama_model("inhouse").answer(REQUEST)


@pytest.mark.parametrize("version", ["0.17.0", "0.9.6", "0.17.1-rc1", "0.0.0", "yesterday's"])
async def test_unsafe_servers_are_refused(ollama_server: ScriptedOllama, ollama_model: Make, version: str):
    """Servers that leak memory get no code."""
    ollama_server.version = version

    with pytest.raises(Permanent, match=r"install 0\.17\.1 or newer"):
        await ollama_model().answer(REQUEST)
    assert ollama_server.requests == []


@pytest.mark.parametrize("version", ["0.17.1", "0.33.0-rc2", "1.0.0"])
async def test_safe_servers_are_used(ollama_server: ScriptedOllama, ollama_model: Make, version: str):
    """The fixed version and later ones, previews of them included."""
    ollama_server.version = version

    assert (await ollama_model().answer(REQUEST)).text


def test_no_url_is_not_the_environments_url():
    """The vendor's client would take an empty URL from the environment."""
    with pytest.raises(Permanent, match="no URL"):
        OllamaModel("", "deepseek-coder:6.7b")


async def test_check_tells_the_doctor(ollama_server: ScriptedOllama, ollama_model: Make):
    """Version, digest, context and capabilities, and the context it is loaded with."""
    model = ollama_model(num_ctx=1_000_000)
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


async def test_another_server_is_not_taken_for_ollama(ollama_server: ScriptedOllama, ollama_model: Make):
    """A wrong type in an answer is an error with a hint, not a crash."""
    ollama_server.version = json.loads("[1]")

    with pytest.raises(Transient, match="is it an Ollama server"):
        await ollama_model().answer(REQUEST)


async def test_a_replaced_model_is_noticed(ollama_server: ScriptedOllama, ollama_model: Make):
    """The digest in a reply is at most a minute old."""
    now = 0.0
    model = ollama_model(monotonic=lambda: now)
    await model.answer(REQUEST)
    ollama_server.models = (ScriptedModel(digest="b" * 64),)
    now = 61.0

    assert (await model.answer(REQUEST)).digest == "b" * 64


@pytest.mark.parametrize("counted", [2049, 2050, 2051])
async def test_half_of_the_context_is_fine_for_a_prompt_of_that_length(
    ollama_server: ScriptedOllama, ollama_model: Make, counted: int
):
    """Where there was nothing to cut, the count is a coincidence."""
    ollama_server.script = answering(prompt_tokens=counted)

    assert (await ollama_model().answer(replace(REQUEST, prompt="x = 1; " * 1_000))).prompt_tokens == counted


async def test_the_preset_says_how_to_sample(ollama_server: ScriptedOllama, ollama_model: Make):
    """A thinking model gets the temperature that keeps it from loops."""
    ollama_server.models = (ScriptedModel("deepseek-r1:8b"),)
    await ollama_model("deepseek-r1:8b").answer(REQUEST)

    options = ollama_server.requests[0]["options"]
    assert (options["temperature"], options["top_p"]) == (0.6, 0.95)


async def test_a_loop_that_fills_the_answer_is_a_loop(ollama_server: ScriptedOllama, ollama_model: Make):
    """An answer that was cut because it never ended gets another seed, and then a fresh model."""
    ollama_server.script = in_turn(Reply("ab " * 600, Fault.length), Reply())

    assert (await ollama_model().answer(REQUEST)).text == '{"findings":[]}'
    assert len(ollama_server.requests) == 2


async def test_the_server_decides_how_long_a_model_stays(ollama_server: ScriptedOllama, ollama_model: Make):
    """A request that named a time would undo the operator's OLLAMA_KEEP_ALIVE."""
    await ollama_model().answer(REQUEST)

    assert "keep_alive" not in ollama_server.requests[0]


async def test_a_server_of_another_kind_says_how_to_name_it(
    openai_server: ScriptedOpenAI, ollama_model: Make
):
    """Without its kind before the URL, vLLM is taken for Ollama, which has everything elsewhere."""
    with pytest.raises(Permanent, match=rf"no Ollama server.*openai\+{openai_server.url}"):
        await ollama_model(url=openai_server.url).answer(REQUEST)


async def test_a_pool_does_not_wait_for_a_silent_server_each_time(
    ollama_server: ScriptedOllama, ollama_model: Make
):
    """It is asked what it has every half minute; meanwhile its last word counts, or the others' alone."""
    now = 0.0
    there, away = ollama_model(), ollama_model()
    pool = PooledModel([(there, 1), (away, 1)], monotonic=lambda: now)
    both = await pool.identity()
    lookups = len(ollama_server.calls)
    assert both == await there.identity()

    ollama_server.models = (ScriptedModel("other"),)
    alone = PooledModel([(ollama_model(), 1), (ollama_model(url=AWAY), 1)], monotonic=lambda: now)
    with pytest.raises(Transient, match="out of reach"):
        await alone.identity()
    assert len(ollama_server.calls) == lookups + 2
    ollama_server.models = (ScriptedModel(),)
    now = 31.0
    assert await alone.identity() == both
