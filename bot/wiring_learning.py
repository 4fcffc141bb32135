"""Put together what makes data sets: settings -> database, mirror, rules for secrets and the model's measure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.adapters.labels_postgres import PostgresLabels
from bot.adapters.learning_postgres import PostgresLearning
from bot.adapters.postgres import close_pool, connect_pool
from bot.adapters.process import ProcessRunner
from bot.adapters.store_postgres import PostgresStore
from bot.domain.errors import Permanent
from bot.domain.records import Task
from bot.learning.formats import Format
from bot.learning.gathering import Gathering
from bot.learning.remaking import Mind
from bot.learning.scrubbing import Scrubber
from bot.reviewer.guides import guides
from bot.settings import Settings
from bot.wiring_forge import forge_of, workspaces_of
from bot.wiring_models import models_of
from bot.wiring_rules import masking, rulebook

_CONNECTIONS = 4
#: Names that are the same on every machine say nothing about this one.
_EVERYWHERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - not bound, only known


@dataclass(frozen=True, slots=True)
class Learner:
    """Hold what gathers material, and what scrubs it."""

    gathering: Gathering
    scrubber: Scrubber


@asynccontextmanager
async def learner(
    settings: Settings, database_url: str, format_: Format, *, told: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Learner]:
    """Connect what makes data sets of *format_*.

    Raises:
        SettingsError: GitLab is not configured.
        Permanent: prompts are needed, and no model is configured.
        Transient: the database is out of reach, or the model server, whose window decides what a prompt holds.
    """
    settings.require("gitlab_url", "gitlab_token")
    async with AsyncExitStack() as stack:
        pool = await connect_pool(database_url, size=_CONNECTIONS)
        stack.push_async_callback(close_pool, pool)
        store = PostgresStore(pool)
        forge = forge_of(settings)
        stack.push_async_callback(forge.aclose)
        rules = rulebook(settings, await store.secret("fingerprints"), ProcessRunner())
        await rules.open()
        redact, workspaces = masking(rules), workspaces_of(settings, forge)
        mind = await _mind(settings, stack, redact) if format_.asks else None
        gathering = Gathering(PostgresLabels(pool), PostgresLearning(pool), store, workspaces, mind, told)
        # Who reads a data set cannot tell an example from a secret.
        strict = masking(rules, examples=True)
        yield Learner(gathering, Scrubber(strict, await store.secret("exports"), hosts_of(settings)))


def hosts_of(settings: Settings) -> frozenset[str]:
    """Return the names of the machines that the settings name, those aside that every machine has."""
    urls = [settings.gitlab_url, settings.public_url, settings.otlp_endpoint, *settings.model_endpoints]
    if settings.database_url:
        urls.append(settings.database_url.get_secret_value())
    names = {urlsplit(str(getattr(url, "url", url))).hostname for url in urls if url}
    brokers = (settings.kafka_bootstrap or "").split(",")
    names |= {broker.rpartition(":")[0] for broker in brokers}
    return frozenset(name for name in names if name and name not in _EVERYWHERE)


async def _mind(settings: Settings, stack: AsyncExitStack, redact: Callable[[str], str]) -> Mind:
    models = models_of(settings)
    stack.push_async_callback(models.close)
    model = models.by_task.get(Task.review)
    if model is None:
        raise Permanent(
            "prompts are made for the window of the model that was asked: set CLOISTER_MODEL_URL and CLOISTER_MODEL as"
            " for the reviews, or export with `--format classifier`, which needs no prompts"
        )
    await model.identity()  # only then the window is known
    return Mind(model, guides(), redact)
