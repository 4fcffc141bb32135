"""A reviewer for many cases: rules are read, and the model is checked, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields, replace

from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.process import ProcessRunner
from bot.adapters.telemetry import OpenTelemetry
from bot.cli.evaluation.observed import ObservedModel, Tally
from bot.cli.local_review import Reviewer
from bot.cli.packs import rulebook
from bot.domain.errors import Permanent
from bot.domain.records import Task
from bot.reviewer.asking import Asker
from bot.reviewer.guides import guides
from bot.reviewer.reviewing import Reviewing
from bot.scanners.secrets import redactor_of
from bot.settings import Settings
from bot.wiring_models import models_of

#: Fingerprints tell findings of one evaluation apart, and are not reported.
_KEY = b"cloister eval, without a key of its own"


@asynccontextmanager
async def reviewing(
    settings: Settings, tally: Tally, *, with_model: bool, warn: Callable[[str], None]
) -> AsyncIterator[tuple[Reviewer, Mapping[str, str]]]:
    """Give a reviewer that counts in *tally* what it asks, and the versions of its prompts by task.

    Raises:
        Permanent: there is no such model, or no server is configured; half an evaluation would look like a bad one.
        Transient: the server is out of reach.
    """
    runner = ProcessRunner()
    scanners = await rulebook(settings, _KEY, runner)
    for problem in scanners.problems:
        warn(f"warning: {problem}")
    mask = redactor_of(scanners)
    reviewer = Reviewer(
        scanners=tuple(scanners.values()),
        runner=runner,
        key=_KEY,
        redact=lambda text: mask.redact(text).text,
    )
    if not with_model:
        yield reviewer, {}
        return
    if settings.model_url is None:
        raise Permanent("no model server is configured; name one with --url, or use --no-model")
    models = models_of(settings)
    told = guides()
    observed = {task: ObservedModel(model, tally) for task, model in models.by_task.items()}
    asker = Asker(observed, MemoryAnswers(), OpenTelemetry(None))
    try:
        await observed[Task.review].identity()
        versions = {each.name: getattr(told, each.name).version for each in fields(told)}
        yield replace(reviewer, reviewing=Reviewing(asker, told, _KEY, reviewer.redact)), versions
    finally:
        await models.close()
