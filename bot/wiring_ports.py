"""Put together what stages use: settings -> adapters -> ports, by the names of the parameters that want them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, TypeVar

from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.answers_postgres import PostgresAnswers
from bot.adapters.audit_postgres import PostgresAudit
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.model_chat import Deadlines
from bot.adapters.policy_versions_postgres import PostgresPolicyVersions
from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner
from bot.adapters.telemetry import mask_logs
from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.adapters.waivers_postgres import PostgresWaivers
from bot.domain.marker import Marker
from bot.domain.records import Task
from bot.ports import Runner, Workspaces
from bot.reviewer.announcing import Announcing
from bot.reviewer.answering import Answering
from bot.reviewer.answering import guide as answering_guide
from bot.reviewer.asking import Asker
from bot.reviewer.conversing import Conversing
from bot.reviewer.guides import guides
from bot.reviewer.publishing import Publishing
from bot.reviewer.reviewing import Reviewing
from bot.runtime.rulebook import Rulebook
from bot.wiring_base import Base, revealed
from bot.wiring_feedback import feedback_ports
from bot.wiring_forge import forge_of, forge_ports, workspaces_of
from bot.wiring_models import models_of
from bot.wiring_noise import quieting_of
from bot.wiring_policy import levels_of
from bot.wiring_rules import masking, rulebook
from bot.wiring_unit_tests import unit_testing
from bot.wiring_verdicts import links_of

Bundle = TypeVar("Bundle", Publishing, Conversing)

#: How often rules of the organisation are looked for changes.
_RULES_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class _Core:
    """Hold what all other ports are made from."""

    base: Base
    forge: GitLabForge
    workspaces: Workspaces
    runner: Runner
    rules: Rulebook
    redact: Callable[[str], str]
    marker: Marker
    fingerprint_key: bytes


async def ports_of(
    base: Base, stack: AsyncExitStack, deadlines: Deadlines | None, *, scanning: bool
) -> Mapping[str, Any]:
    """Return the ports of all stages, which *stack* closes; *scanning* keeps tools started ahead."""
    core = await _core(base, stack, scanning=scanning)
    common = {
        "store": base.store,
        "clock": base.clock,
        "telemetry": base.telemetry,
        "workspaces": core.workspaces,
        "runner": core.runner,
        "scanners": core.rules,
        "redact": core.redact,
        "marker": core.marker,
        "fingerprint_key": core.fingerprint_key,
        "instance_url": str(base.settings.gitlab_url),
        "debounce": timedelta(seconds=base.settings.debounce_s),
        "deadline": timedelta(seconds=base.settings.review_deadline_s),
    }
    forge, minds = forge_ports(core.forge), _minds(core, stack, deadlines)
    ports = {**common, **forge, **minds, **await _gate(core, forge)}
    return {
        **ports,
        "publishing": _made(Publishing, ports),
        "conversing": _made(Conversing, ports),
        **feedback_ports(
            base.pool,
            core.forge,
            base.store,
            core.workspaces,
            minds["asker"],
            core.redact,
            marker=core.marker,
            fingerprint_key=core.fingerprint_key,
        ),
    }


def beside(stack: AsyncExitStack, work: Coroutine[Any, Any, None], *, name: str) -> None:
    """Let *work* run until *stack* is left."""
    stack.callback(asyncio.create_task(work, name=name).cancel)


async def _core(base: Base, stack: AsyncExitStack, *, scanning: bool) -> _Core:
    settings = base.settings
    forge = forge_of(settings)
    stack.push_async_callback(forge.aclose)
    fingerprint_key = await base.store.secret("fingerprints")
    runner = AheadRunner(ProcessRunner(), keep=2 if scanning else 0)  # one scan uses two
    stack.push_async_callback(runner.close)
    rules = rulebook(settings, fingerprint_key, runner)
    await rules.open()
    beside(stack, rules.keep_fresh(every_s=_RULES_EVERY_S, scanning=scanning), name="rules")
    redact = masking(rules)
    mask_logs(redact)
    given_key = revealed(settings.marker_key).encode()
    marker = Marker(given_key or await base.store.secret("markers"))
    return _Core(base, forge, workspaces_of(settings, forge), runner, rules, redact, marker, fingerprint_key)


def _minds(core: _Core, stack: AsyncExitStack, deadlines: Deadlines | None) -> Mapping[str, Any]:
    """Return the model, and what asks it; without a model there is nothing that asks."""
    base, settings = core.base, core.base.settings
    models, answers = models_of(settings, deadlines), MemoryAnswers(PostgresAnswers(base.pool))
    stack.push_async_callback(models.close)
    asker = (
        Asker(models.by_task, answers, base.telemetry, PostgresAudit(base.pool)) if models.by_task else None
    )
    return {
        "model": models.by_task.get(Task.review),
        "embeddings": models.embeddings,
        "quieting": quieting_of(base.pool, base.instance, models.embeddings),
        "asker": asker,
        "unit_testing": asker and unit_testing(settings, asker, core.workspaces, core.redact),
        "answering": asker
        and Answering(asker, answering_guide(), core.workspaces, core.rules, core.runner, core.redact),
        "reviewing": asker and Reviewing(asker, guides(), core.fingerprint_key, core.redact),
    }


async def _gate(core: _Core, forge: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return policies, waivers and verdicts, and what says them."""
    base, settings = core.base, core.base.settings
    levels = levels_of(settings, core.forge.api, PostgresPolicyVersions(base.pool), core.redact)
    await levels.check()
    links = await links_of(settings, base.store)
    return {
        "levels": levels,
        "verdicts": PostgresVerdicts(base.pool),
        "waivers": PostgresWaivers(base.pool),
        "announcing": Announcing(core.forge, forge["approvals"], links),
    }


def _made(bundle: type[Bundle], ports: Mapping[str, Any]) -> Bundle:
    """Return *bundle* with its ports filled in by the names of its fields."""
    return bundle(**{one.name: ports[one.name] for one in fields(bundle)})
