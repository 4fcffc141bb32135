"""The scripted OpenAI-compatible server, models behind it, and pools of models."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from bot.adapters.model_ollama import OllamaModel
from bot.adapters.model_openai import OpenAIModel
from bot.adapters.model_pool import PooledModel
from bot.demo.openai import ScriptedOpenAI
from tests.ollama import PATIENT

#: Nobody listens there.
AWAY = "http://127.0.0.1:9"


@pytest.fixture
def openai_server() -> Iterator[ScriptedOpenAI]:
    """Serve one model that sees no defects; a test may replace ``script``."""
    with ScriptedOpenAI() as server:
        yield server


@pytest_asyncio.fixture
async def openai_model(openai_server: ScriptedOpenAI) -> AsyncIterator[Callable[..., OpenAIModel]]:
    """Return a maker of models behind ``openai_server``; what it makes is closed at the end."""
    made: list[OpenAIModel] = []

    def make(name: str = "deepseek-coder:6.7b", **options: object) -> OpenAIModel:
        options = {"window_tokens": 4096, "deadlines": PATIENT} | options
        made.append(OpenAIModel(options.pop("url", openai_server.url), name, **options))
        return made[-1]

    yield make
    for model in made:
        await model.close()


@pytest.fixture
def pooled_model(ollama_model: Callable[..., OllamaModel]) -> Callable[..., PooledModel]:
    """Return a maker of pools: a server that is away, and ``ollama_server``."""

    def make(name: str = "deepseek-coder:6.7b", **options: object) -> PooledModel:
        parallel = options.get("parallel", 1)
        there, away = ollama_model(name, **options), ollama_model(name, **{**options, "url": AWAY})
        clock = {"monotonic": options["monotonic"]} if "monotonic" in options else {}
        return PooledModel([(away, parallel), (there, parallel)], **clock)

    return make
