"""The scripted Ollama server and a model behind it."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from bot.adapters.model_chat import Deadlines
from bot.adapters.model_ollama import OllamaModel
from bot.demo.ollama import ScriptedOllama

#: Never reached by a server that answers, not even on a busy machine.
PATIENT = Deadlines(first_token_s=60, gap_s=60, total_s=120)


@pytest.fixture
def ollama_server() -> Iterator[ScriptedOllama]:
    """Serve one model that sees no defects; a test may replace ``script``."""
    with ScriptedOllama() as server:
        yield server


@pytest_asyncio.fixture
async def ollama_model(ollama_server: ScriptedOllama) -> AsyncIterator[Callable[..., OllamaModel]]:
    """Return a maker of models behind ``ollama_server``; what it makes is closed at the end."""
    made: list[OllamaModel] = []

    def make(name: str = "deepseek-coder:6.7b", **options: object) -> OllamaModel:
        options = {"num_ctx": 4096, "deadlines": PATIENT} | options
        made.append(OllamaModel(options.pop("url", ollama_server.url), name, **options))
        return made[-1]

    yield make
    for model in made:
        await model.close()
