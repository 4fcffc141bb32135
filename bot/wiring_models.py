"""Put the models together: settings -> servers -> one model per task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bot.adapters.embeddings import OllamaEmbeddings, OpenAIEmbeddings
from bot.adapters.model_chat import ChatModel, Deadlines
from bot.adapters.model_ollama import OllamaModel, ollama_client
from bot.adapters.model_openai import OpenAIModel
from bot.adapters.model_pool import PooledEmbeddings, PooledModel
from bot.adapters.ollama_client import translated as ollama_translated
from bot.adapters.openai_client import OpenAIClient
from bot.adapters.openai_client import translated as openai_translated
from bot.domain.records import Task
from bot.ports import Embeddings, Model
from bot.settings import Settings
from bot.settings_model import ModelEndpoint

_LOOKUP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Models:
    """Hold the models of an installation; close them at the end.

    Args:
        by_task: empty when no server is configured.
        embeddings: None when no model for them is configured.
        servers: the models one server each, by name, for those who look after them.
    """

    by_task: Mapping[Task, Model]
    embeddings: Embeddings | None
    servers: Mapping[str, tuple[ChatModel, ...]]
    _vectors: tuple[OllamaEmbeddings | OpenAIEmbeddings, ...] = ()

    async def close(self) -> None:
        """Close all connections."""
        for models in self.servers.values():
            for model in models:
                await model.close()
        for one in self._vectors:
            await one.close()


def models_of(settings: Settings, deadlines: Deadlines | None = None) -> Models:
    """Return the models that *settings* name; tasks with the same model share its places on the servers.

    Args:
        settings: the settings.
        deadlines: instead of those in the settings.

    Raises:
        SettingsError: the file with the servers' authority cannot be used.
        Permanent: a server or a model is outside of the building.
    """
    if not settings.model_endpoints:
        return Models({}, None, {})
    bounds = deadlines or Deadlines(
        settings.model_first_token_s, settings.model_gap_s, settings.model_total_s
    )
    names = models_by_task(settings)
    servers = {name: tuple(_servers(settings, name, bounds)) for name in dict.fromkeys(names.values())}
    made = {name: _shared(models, settings.model_parallel) for name, models in servers.items()}
    by_task = {task: made[name] for task, name in names.items()}
    vectors = tuple(_vectors(settings, settings.model_embeddings) if settings.model_embeddings else ())
    embeddings = PooledEmbeddings([(one, settings.model_parallel) for one in vectors]) if vectors else None
    return Models(by_task, embeddings, servers, vectors)


def models_by_task(settings: Settings) -> dict[Task, str]:
    """Return the name of the model for each task."""
    own = {Task.judge: settings.model_judge, Task.tests: settings.model_tests}
    return {task: own.get(task) or settings.model for task in Task}


def model_at(
    settings: Settings, endpoint: ModelEndpoint, name: str, deadlines: Deadlines | None = None
) -> ChatModel:
    """Return the model called *name* on the server at *endpoint*."""
    bounds = deadlines or Deadlines()
    if endpoint.kind == "ollama":
        return OllamaModel(
            endpoint.url,
            name,
            num_ctx=settings.model_context_tokens,
            deadlines=bounds,
            parallel=settings.model_parallel,
            verify=settings.model_tls(),
        )
    return OpenAIModel(
        endpoint.url,
        name,
        key=_key(settings),
        window_tokens=settings.model_context_tokens,
        deadlines=bounds,
        parallel=settings.model_parallel,
        verify=settings.model_tls(),
    )


async def listed(settings: Settings, endpoint: ModelEndpoint) -> list[str]:
    """Return the names of the models that the server at *endpoint* has.

    Raises:
        Transient: it is out of reach.
        Permanent: it cannot be used.
    """
    if endpoint.kind == "openai":
        client = OpenAIClient(endpoint.url, _LOOKUP_S, key=_key(settings), verify=settings.model_tls())
        try:
            with openai_translated(endpoint.url):
                return [served.id for served in await client.models()]
        finally:
            await client.close()
    ollama = ollama_client(endpoint.url, settings.model, _LOOKUP_S, verify=settings.model_tls())
    try:
        with ollama_translated(endpoint.url, settings.model):
            await ollama.version()
            return [each.name for each in await ollama.listed()]
    finally:
        await ollama.close()


def _servers(settings: Settings, name: str, deadlines: Deadlines) -> Iterator[ChatModel]:
    for endpoint in settings.model_endpoints:
        yield model_at(settings, endpoint, name, deadlines)


def _shared(models: tuple[ChatModel, ...], parallel: int) -> Model:
    return models[0] if len(models) == 1 else PooledModel([(model, parallel) for model in models])


def _vectors(settings: Settings, name: str) -> Iterator[OllamaEmbeddings | OpenAIEmbeddings]:
    parallel, verify = settings.model_parallel, settings.model_tls()
    for endpoint in settings.model_endpoints:
        if endpoint.kind == "ollama":
            yield OllamaEmbeddings(endpoint.url, name, parallel=parallel, verify=verify)
        else:
            yield OpenAIEmbeddings(endpoint.url, name, key=_key(settings), parallel=parallel, verify=verify)


def _key(settings: Settings) -> str:
    return settings.model_api_key.get_secret_value() if settings.model_api_key else ""
