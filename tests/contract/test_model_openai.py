"""What OpenAI-compatible servers differ in, and what none of them may be trusted with."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.adapters.model_openai import OpenAIModel
from bot.adapters.openai_client import OpenAIClient
from bot.demo.ollama import ScriptedOllama
from bot.demo.openai import ScriptedOpenAI
from bot.demo.script import Fault, Reply, ScriptedModel
from bot.domain.answer import SCHEMA
from bot.domain.errors import Permanent, Transient
from bot.ports import ModelRequest

Make = Callable[..., OpenAIModel]

REQUEST = ModelRequest(system="Review.", prompt="+ x = 1", schema=SCHEMA, max_output_tokens=256)


async def test_a_request_binds_the_answer_to_the_schema(openai_server: ScriptedOpenAI, openai_model: Make):
    """Schema, seed, limit, stream and counts; nothing about thoughts for a model without."""
    await openai_model().answer(replace(REQUEST, seed=7))

    assert openai_server.requests == [
        {
            "model": "deepseek-coder:6.7b",
            "messages": [
                {"role": "system", "content": "Review."},
                {"role": "user", "content": "+ x = 1"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 256,
            "temperature": 0.1,
            "seed": 7,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            },
        }
    ]


@pytest.mark.parametrize(
    ("formats", "asked"),
    [
        (("json_schema",), ["json_schema"]),
        (("json_object",), ["json_schema", "json_object"]),
        ((), ["json_schema", "json_object", None]),
    ],
)
async def test_less_is_asked_of_a_server_that_knows_less(
    openai_server: ScriptedOpenAI, openai_model: Make, formats: tuple[str, ...], asked: list[str | None]
):
    """What it refuses once is not asked for again; the schema then stands in the prompt."""
    openai_server.formats = formats
    model = openai_model()
    await model.answer(REQUEST)
    await model.answer(REQUEST)

    sent = [body.get("response_format", {}).get("type") for body in openai_server.requests]
    assert sent == [*asked, asked[-1]]
    told = '"findings"' in openai_server.requests[-1]["messages"][1]["content"]
    assert told == (asked[-1] != "json_schema")


@pytest.mark.parametrize(
    ("field", "refusal", "instead"),
    [
        (
            "max_tokens",
            "Unsupported parameter: use 'max_completion_tokens' instead.",
            "max_completion_tokens",
        ),
        ("seed", "[{'type': 'extra_forbidden', 'loc': ['body', 'seed']}]", None),
    ],
)
async def test_a_server_that_wants_other_fields_gets_them(
    openai_server: ScriptedOpenAI, openai_model: Make, field: str, refusal: str, instead: str | None
):
    """One refusal is enough to learn it."""
    openai_server.refuses = {field: refusal}
    model = openai_model()
    await model.answer(REQUEST)
    await model.answer(REQUEST)

    assert [field in body for body in openai_server.requests] == [True, False, False]
    assert instead is None or openai_server.requests[-1][instead] == REQUEST.max_output_tokens


async def test_requests_side_by_side_learn_it_once(openai_server: ScriptedOpenAI, openai_model: Make):
    """Two refusals of the same kind are one lesson, not two."""
    openai_server.formats = ("json_object",)
    model = openai_model(parallel=4)
    await asyncio.gather(*(model.answer(REQUEST) for _ in range(4)))

    await model.answer(REQUEST)
    assert openai_server.requests[-1]["response_format"] == {"type": "json_object"}


async def test_a_schema_in_the_instructions_is_not_repeated(
    openai_server: ScriptedOpenAI, openai_model: Make
):
    """Ours have it already, and tokens cost time."""
    openai_server.formats = ()
    system = f"Review.\n{json.dumps(SCHEMA, separators=(',', ':'))}"
    await openai_model().answer(replace(REQUEST, system=system))

    assert openai_server.requests[-1]["messages"][1]["content"] == "+ x = 1"


async def test_a_server_that_does_not_count_is_estimated(openai_server: ScriptedOpenAI, openai_model: Make):
    """Audit rows have plausible numbers, and no prompt is taken for a cut one."""
    openai_server.tells_usage = False

    reply = await openai_model().answer(replace(REQUEST, prompt="x = 1; " * 300))

    assert 600 <= reply.prompt_tokens <= 1200
    assert reply.output_tokens > 0


async def test_thinking_is_switched_off_where_there_is_a_switch(
    openai_server: ScriptedOpenAI, openai_model: Make
):
    """Templates of large DeepSeek models have one."""
    name = "deepseek-ai/DeepSeek-V3.1"
    openai_server.models = (ScriptedModel(name, capabilities=("completion", "thinking", "template")),)

    reply = await openai_model(name).answer(REQUEST)

    assert openai_server.requests[0]["chat_template_kwargs"] == {"thinking": False, "enable_thinking": False}
    assert openai_server.requests[0]["max_tokens"] == 256
    assert reply.thought_chars == 0


async def test_a_model_that_must_think_gets_room_for_it(openai_server: ScriptedOpenAI, openai_model: Make):
    """Thoughts count against the answer's tokens on such servers, and against the window."""
    name = "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"
    openai_server.models = (ScriptedModel(name, capabilities=("completion", "thinking")),)
    model = openai_model(name, window_tokens=16_384)
    reply = await model.answer(REQUEST)

    assert openai_server.requests[0]["max_tokens"] == 256 + 4096
    assert model.window_tokens == 16_384 - 4096
    assert (json.loads(reply.text), reply.thought_chars > 0) == ({"findings": []}, True)


async def test_a_missing_switch_is_done_without(openai_server: ScriptedOpenAI, openai_model: Make):
    """A server that refuses the field gets the request without it."""
    openai_server.models = (ScriptedModel("deepseek-ai/DeepSeek-V3"),)

    assert (await openai_model("deepseek-ai/DeepSeek-V3").answer(REQUEST)).text


async def test_a_missing_model_says_which_there_are(openai_model: Make):
    """The message is what to choose from."""
    with pytest.raises(Permanent, match=r"does not have mine, only deepseek-coder:6\.7b: set the model"):
        await openai_model("mine").answer(REQUEST)


@pytest.mark.parametrize("kind", ["vllm", "llama.cpp"])
async def test_the_servers_context_bounds_the_window(
    openai_server: ScriptedOpenAI, openai_model: Make, kind: str
):
    """Where it is told, at one place or another; what the model was trained for does not count then."""
    openai_server.tells_context = kind
    model = openai_model(window_tokens=1_000_000)
    facts = await model.check()

    assert (facts.context_tokens, facts.loaded_tokens, model.window_tokens) == (16_384, 16_384, 16_384)


async def test_a_context_that_is_not_told_is_the_trained_one(
    openai_server: ScriptedOpenAI, openai_model: Make
):
    """Better than nothing."""
    openai_server.tells_context = ""

    assert (await openai_model().check()).context_tokens == 32_768


async def test_the_key_goes_to_the_server_alone(openai_server: ScriptedOpenAI, openai_model: Make):
    """It opens the server, it is in no message, and a wrong one says which setting to correct."""
    openai_server.key = "sekrit-1"
    await openai_model(key="sekrit-1").answer(REQUEST)

    with pytest.raises(Permanent, match="CLOISTER_MODEL_API_KEY") as refused:
        await openai_model(key="sekrit-2").answer(REQUEST)
    assert "sekrit" not in str(refused.value)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("99999999", 3600, 3600),
        ("-3", 0, 0),
        (format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True), 3600, 3600),
    ],
    ids=["seconds", "many seconds", "negative", "a time"],
)
async def test_a_busy_server_says_when(
    openai_server: ScriptedOpenAI, openai_model: Make, header: str, least: float, most: float
):
    """As a number or as a date, and never longer than an hour."""
    openai_server.retry_after = header
    openai_server.script = lambda request: Reply(fault=Fault.busy)

    with pytest.raises(Transient, match="busy") as busy:
        await openai_model().answer(REQUEST)
    assert busy.value.retry_after_s is not None
    assert least <= busy.value.retry_after_s <= most


@pytest.mark.parametrize("header", ["soon", "nan", ""])
async def test_a_busy_server_that_does_not_say_when(
    openai_server: ScriptedOpenAI, openai_model: Make, header: str
):
    """Nonsense is no time."""
    openai_server.retry_after = header
    openai_server.script = lambda request: Reply(fault=Fault.busy)

    with pytest.raises(Transient, match="busy") as busy:
        await openai_model().answer(REQUEST)
    assert busy.value.retry_after_s is None


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://API.DeepSeek.com",
        "https://x.openai.azure.com",
        "https://openrouter.ai/api",
    ],
)
def test_vendors_servers_are_refused(url: str):
    """Nothing is asked of them."""
    with pytest.raises(Permanent, match="leave the building"):
        OpenAIModel(url, "m")


async def test_a_url_may_end_with_the_version(openai_server: ScriptedOpenAI, openai_model: Make):
    """As such servers print it at their start."""
    assert (await openai_model(url=f"{openai_server.url}/v1/").answer(REQUEST)).text


async def test_another_server_is_not_taken_for_one(ollama_server: ScriptedOllama, openai_model: Make):
    """A server without the protocol."""
    with pytest.raises((Permanent, Transient), match=r"correct its URL|is it a model server"):
        await openai_model(url=ollama_server.url).answer(REQUEST)


async def test_ollamas_imitation_is_refused(openai_server: ScriptedOpenAI, openai_model: Make):
    """It would cut the front off a prompt without a word; its own protocol can be told not to."""
    openai_server.tells_context = "ollama"

    with pytest.raises(Permanent, match=r"leave out openai\+"):
        await openai_model().answer(REQUEST)
    assert openai_server.requests == []


async def test_no_url_is_not_the_environments_url():
    """There is no default server."""
    with pytest.raises(Permanent, match="no URL"):
        OpenAIClient("", 1)
