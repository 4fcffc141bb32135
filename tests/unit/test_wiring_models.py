"""From settings to models: one per task, shared where it is the same, on every server."""

import json
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bot.adapters.machine import cards_of
from bot.adapters.model_ollama import OllamaModel
from bot.adapters.model_openai import OpenAIModel
from bot.adapters.model_pool import PooledModel
from bot.demo.ollama import ScriptedOllama
from bot.demo.openai import ScriptedOpenAI
from bot.demo.script import ScriptedModel
from bot.domain.records import Task
from bot.ports import ModelRequest
from bot.settings import Settings
from bot.wiring_models import Models, models_of
from tests.openai import AWAY

Make = Callable[..., Models]

REQUEST = ModelRequest("Review.", "+ x = 1", {"type": "object"}, max_output_tokens=64)


@pytest_asyncio.fixture
async def make() -> AsyncIterator[Make]:
    """Return a maker of models from settings; what it makes is closed at the end."""
    made: list[Models] = []

    def make(**settings: object) -> Models:
        made.append(models_of(Settings(**settings)))
        return made[-1]

    yield make
    for models in made:
        await models.close()


def test_without_a_server_there_are_no_models(make: Make):
    """Reviews say so."""
    models = make(model_embeddings="bge-m3")

    assert (models.by_task, models.embeddings, models.servers) == ({}, None, {})


def test_tasks_share_a_model_unless_they_have_their_own(make: Make):
    """A model of its own has places of its own."""
    models = make(model_url="http://m", model="deepseek-coder-v2:16b", model_judge="deepseek-r1:14b")

    assert models.by_task.keys() == set(Task)
    assert models.by_task[Task.tests] is models.by_task[Task.review]
    assert models.by_task[Task.judge].name == "deepseek-r1:14b"
    assert set(models.servers) == {"deepseek-coder-v2:16b", "deepseek-r1:14b"}


def test_the_preset_gives_the_window_unless_a_setting_does(make: Make):
    """Known or not."""
    assert make(model_url="http://m").by_task[Task.review].window_tokens == 16_384
    assert make(model_url="http://m", model="mine").by_task[Task.review].window_tokens == 16_384
    assert make(model_url="openai+http://m", model="deepseek-v3").by_task[Task.review].window_tokens == 32_768
    configured = make(model_url="http://m", model_context_tokens=8192)
    assert configured.by_task[Task.review].window_tokens == 8192


def test_each_kind_of_server_has_its_adapter(make: Make):
    """Alone or in a pool."""
    assert isinstance(make(model_url="http://m").by_task[Task.review], OllamaModel)
    assert isinstance(make(model_url="openai+http://m").by_task[Task.review], OpenAIModel)
    both = make(model_url="http://m,openai+http://n").by_task[Task.review]
    assert isinstance(both, PooledModel)
    assert [type(member) for member in both.members] == [OllamaModel, OpenAIModel]


async def test_work_goes_on_while_one_server_is_away(
    ollama_server: ScriptedOllama, openai_server: ScriptedOpenAI, make: Make
):
    """Of three servers one is away, one lacks the model, one answers; the key goes where keys go."""
    ollama_server.models = (ScriptedModel("other:1b"),)
    openai_server.models = (ScriptedModel("deepseek-coder-v2:16b"),)
    openai_server.key = "sekrit"
    url = f"{AWAY},{ollama_server.url},openai+{openai_server.url}"
    model = make(model_url=url, model_api_key="sekrit").by_task[Task.review]

    replies = [await model.answer(REQUEST) for _ in range(3)]

    assert [json.loads(reply.text) for reply in replies] == [{"findings": []}] * 3
    assert len(openai_server.requests) == 3
    assert ollama_server.requests == []
    assert not any("authorization" in headers for _, headers in ollama_server.calls)


async def test_a_deadline_is_a_setting(ollama_server: ScriptedOllama, make: Make):
    """How long a model may read depends on the machine."""
    from bot.demo.script import Fault, Reply
    from bot.domain.errors import Transient

    ollama_server.models = (ScriptedModel("deepseek-coder-v2:16b"),)
    ollama_server.script = lambda request: Reply(fault=Fault.hang)
    model = make(model_url=ollama_server.url, model_first_token_s=1).by_task[Task.review]

    with pytest.raises(Transient, match="has not begun to answer for 1 s"):
        await model.answer(REQUEST)


def test_cards_are_read_from_the_drivers_tool():
    """One line each, in MiB; what is no number is no card."""
    assert cards_of("24564\n81559\n") == (24.0, 79.6)
    assert cards_of("") == ()
    assert cards_of("NVIDIA-SMI has failed\n[N/A]\n") == ()
