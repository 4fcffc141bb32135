"""What every adapter that makes vectors owes its callers."""

import math
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bot.adapters.embeddings import OllamaEmbeddings, OpenAIEmbeddings
from bot.adapters.model_pool import PooledEmbeddings
from bot.demo.ollama import ScriptedOllama
from bot.demo.openai import ScriptedOpenAI
from bot.demo.script import ScriptedModel
from bot.domain.errors import Permanent, Transient
from bot.ports import Embeddings
from tests.openai import AWAY

Make = Callable[..., Embeddings]
Server = ScriptedOllama | ScriptedOpenAI

MODEL = ScriptedModel("embeddinggemma:latest", context_tokens=512, capabilities=("embedding",))


@pytest.fixture(params=["ollama_server", "openai_server"])
def server(request: pytest.FixtureRequest) -> Server:
    """Return a scripted server that makes vectors."""
    server: Server = request.getfixturevalue(request.param)
    server.models = (MODEL,)
    return server


@pytest_asyncio.fixture(params=["alone", "pooled"])
async def make(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Make]:
    """Return a maker of the adapter under test, alone or beside a server that is away."""
    made: list[OllamaEmbeddings | OpenAIEmbeddings] = []
    kind = OllamaEmbeddings if isinstance(server, ScriptedOllama) else OpenAIEmbeddings

    def make(name: str = MODEL.name, url: str = "") -> Embeddings:
        made.append(kind(url or server.url, name))
        if request.param == "alone":
            return made[-1]
        made.append(kind(AWAY, name))
        return PooledEmbeddings([(made[-1], 1), (made[-2], 1)])

    yield make
    for one in made:
        await one.close()


async def test_each_text_gets_its_vector(make: Make):
    """In order, whatever order the server answers in, and over several requests."""
    embeddings = make()
    texts = [f"text {number}" for number in range(40)]
    vectors = await embeddings.embed(texts)

    assert len(vectors) == 40
    assert [vectors[7]] == await embeddings.embed([texts[7]])
    assert len(set(vectors)) == 40


async def test_vectors_have_one_length_and_one_size(make: Make):
    """So that their product is their likeness."""
    embeddings = make()
    (vector,) = await embeddings.embed(["x"])

    assert math.hypot(*vector) == pytest.approx(1)
    assert await embeddings.dimension() == len(vector) == MODEL.dimension


async def test_the_size_is_found_out_without_a_text(make: Make):
    """A table can be made before there is anything to put into it."""
    assert await make().dimension() == MODEL.dimension


async def test_no_text_is_no_vector(server: Server, make: Make):
    """And no request."""
    assert await make().embed([]) == []
    assert not any("embed" in call for call, _ in server.calls)


async def test_a_text_is_never_cut(make: Make):
    """The vector of half a text would pass for that of the whole."""
    with pytest.raises(Permanent, match="context"):
        await make().embed(["short", "word " * 600])


async def test_an_identity_changes_with_the_model(server: Server, make: Make):
    """Vectors of two models cannot be compared."""
    embeddings = make()
    before = await embeddings.identity()
    assert before == await embeddings.identity()
    server.models = (ScriptedModel(MODEL.name, digest="b" * 64, capabilities=("embedding",)),)

    assert await embeddings.identity() != before


async def test_a_missing_model_is_named(make: Make):
    """With what to do about it."""
    with pytest.raises((Permanent, Transient), match=r"ollama pull nomic|does not have nomic|does not exist"):
        await make("nomic-embed-text").embed(["x"])


async def test_a_model_for_answers_makes_no_vectors(server: Server, make: Make):
    """Whatever such a server would answer, it is not used."""
    server.models = (ScriptedModel(MODEL.name),)

    with pytest.raises((Permanent, Transient), match=r"makes no embeddings|does not support Embeddings"):
        await make().embed(["x"])


async def test_out_of_reach_is_transient(make: Make):
    """Another try may work."""
    with pytest.raises(Transient, match="out of reach"):
        await make(url=AWAY).embed(["x"])


@pytest.mark.parametrize("dimension", [0, 5])
async def test_vectors_that_are_none_are_refused(server: Server, make: Make, dimension: int):
    """Empty ones, and of another size than before."""
    embeddings = make()
    await embeddings.embed(["x"])
    server.models = (ScriptedModel(MODEL.name, capabilities=("embedding",), dimension=dimension),)

    with pytest.raises(Transient, match="some that are none"):
        await embeddings.embed(["x"])


def test_cloud_models_and_vendors_are_refused():
    """Texts of reviews stay inside too."""
    with pytest.raises(Permanent, match="leave the building"):
        OllamaEmbeddings("http://m", "embed:cloud")
    with pytest.raises(Permanent, match="leave the building"):
        OpenAIEmbeddings("https://api.openai.com", "text-embedding-3-small")
