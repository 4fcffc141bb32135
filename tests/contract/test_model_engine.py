"""A real inference engine behind the adapters: its stream, its grammar, its counts and its refusals."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio

from bot.adapters.embeddings import OpenAIEmbeddings
from bot.adapters.model_ollama import OllamaModel
from bot.adapters.model_openai import OpenAIModel
from bot.demo.ollama import ScriptedOllama
from bot.demo.script import ScriptedModel
from bot.domain.errors import Permanent, Transient
from bot.domain.said import CutAnswer
from bot.ports import ModelRequest
from bot.reviewer.guides import guides
from tests.llama import CONTEXT_TOKENS, NAME, through
from tests.ollama import PATIENT

SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"enum": ["confirmed", "refuted"]},
        "line": {"type": "integer", "minimum": 10, "maximum": 99},
    },
    "required": ["verdict", "line"],
    "additionalProperties": False,
}
REQUEST = ModelRequest("Judge.", "+ x = 1 / 0", SCHEMA, max_output_tokens=128)

#: As many words keep the engine busy for many seconds.
LONG = {"type": "array", "items": {"enum": ["some words", "other words"]}, "minItems": 150, "maxItems": 150}


@pytest_asyncio.fixture
async def direct(engine: str) -> AsyncIterator[OpenAIModel]:
    """Return the model by the engine's own protocol."""
    model = OpenAIModel(engine, NAME, deadlines=PATIENT)
    yield model
    await model.close()


@pytest.fixture
def by_ollama(
    engine: str, ollama_server: ScriptedOllama, ollama_model: Callable[..., OllamaModel]
) -> OllamaModel:
    """Return the model by Ollama's protocol, whose server asks the engine."""
    ollama_server.models = (ScriptedModel(NAME, context_tokens=CONTEXT_TOKENS),)
    ollama_server.script = lambda request: through(engine, request)
    return ollama_model(NAME, num_ctx=CONTEXT_TOKENS)


@pytest.fixture(params=["direct", "by_ollama"])
def model(request: pytest.FixtureRequest, engine: str) -> OpenAIModel | OllamaModel:
    """Return the model by both protocols."""
    return request.getfixturevalue(request.param)


async def test_the_answer_is_bound_to_the_schema_and_counted(model: OpenAIModel | OllamaModel):
    """A model that knows nothing cannot but comply."""
    reply = await model.answer(REQUEST)

    answer = json.loads(reply.text)
    assert answer.keys() == {"verdict", "line"}
    assert answer["verdict"] in {"confirmed", "refuted"}
    assert 10 <= answer["line"] <= 99
    sent = len(REQUEST.system + REQUEST.prompt)
    assert sent <= reply.prompt_tokens <= sent + 64
    assert reply.output_tokens >= 10
    assert reply.digest


async def test_a_prompt_that_does_not_fit_is_refused_not_cut(model: OpenAIModel | OllamaModel):
    """A token of this model is a byte, so the engine alone can know."""
    long = ModelRequest("Judge.", "x = 1; " * 400, SCHEMA, max_output_tokens=64)

    with pytest.raises(Permanent, match="does not fit into the model's context"):
        await model.answer(long)


async def test_estimates_learn_from_real_counts(model: OpenAIModel | OllamaModel):
    """After one long prompt the estimate is not too small for a vocabulary of bytes."""
    text = "total = total + price\n" * 60
    counted = (await model.answer(ModelRequest("", text, SCHEMA, max_output_tokens=64))).prompt_tokens

    assert model.estimate_tokens(text) >= counted - 64


async def test_an_answer_that_needs_more_tokens_is_cut_and_said_to_be(direct: OpenAIModel):
    """Half an object never passes for an answer."""
    with pytest.raises(Transient, match="cut at 8 tokens"):
        await direct.answer(ModelRequest("Judge.", "+ x = 1 / 0", SCHEMA, max_output_tokens=8))


@pytest.mark.parametrize("guide", ["find", "judge", "explain"])
async def test_the_engine_takes_the_schema_of_each_pass(direct: OpenAIModel, guide: str):
    """Its grammar is refused when lengths and lists multiply too far; a beginning of an answer proves it is not."""
    schema = getattr(guides(), guide).schema
    (wanted, *_) = schema["properties"]

    try:
        text = (await direct.answer(ModelRequest("Judge.", "+ x = 1", schema, max_output_tokens=96))).text
    except CutAnswer as error:
        text = error.text

    assert "".join(text.split()).startswith(f'{{"{wanted}":[')


async def test_the_context_is_that_of_a_slot(direct: OpenAIModel):
    """Neither what the model was trained for nor what all slots share."""
    facts = await direct.check()

    assert (facts.context_tokens, direct.window_tokens) == (CONTEXT_TOKENS, CONTEXT_TOKENS)
    assert "llamacpp" in facts.version


async def test_the_same_question_gets_the_same_answer(direct: OpenAIModel):
    """By seed, and under one identity."""
    first, again = await direct.answer(REQUEST), await direct.answer(REQUEST)

    assert (first.text, first.digest) == (again.text, again.digest)
    assert await direct.identity() == await direct.identity()


async def test_leaving_ends_the_generation(engine: str):
    """The engine's slots are free again once the answers were broken off, before it has written most of them."""
    schema = {"type": "object", "properties": {"all": LONG}, "required": ["all"]}
    model = OpenAIModel(engine, NAME, deadlines=PATIENT, parallel=2)
    async with httpx.AsyncClient(base_url=engine, trust_env=False) as client:

        async def written() -> list[int]:
            slots = (await client.get("/slots")).json()
            return [slot["next_token"][0]["n_decoded"] for slot in slots if slot["is_processing"]]

        tasks = [
            asyncio.create_task(model.answer(ModelRequest("Judge.", f"+ {n}", schema, 1900)))
            for n in range(2)
        ]
        async with asyncio.timeout(150):
            while len(await written()) < 2:
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            while tokens := await written():
                assert max(tokens) < 1700
                await asyncio.sleep(0.01)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)
    await model.close()


async def test_vectors_are_made_and_long_texts_refused(embedding_engine: str):
    """One for each text, of length 1; none for half a text."""
    embeddings = OpenAIEmbeddings(embedding_engine, NAME)
    try:
        one, two = await embeddings.embed(["alpha", "beta"])
        assert len(one) == await embeddings.dimension() == 64
        assert sum(number * number for number in one) == pytest.approx(1, abs=1e-3)
        assert one != pytest.approx(two, abs=1e-3)
        with pytest.raises((Permanent, Transient)):
            await embeddings.embed(["x" * 5_000])
    finally:
        await embeddings.close()
