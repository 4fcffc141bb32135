"""Put the parts together: settings -> adapters -> consumers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.answers_postgres import PostgresAnswers
from bot.adapters.audit_postgres import PostgresAudit
from bot.adapters.clock import SystemClock
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.forge_gitlab_approvals import GitLabApprovals
from bot.adapters.forge_gitlab_people import GitLabPeople
from bot.adapters.forge_gitlab_pipelines import GitLabPipelines
from bot.adapters.forge_gitlab_proposals import GitLabProposals
from bot.adapters.forge_gitlab_rules import GitLabMergeRules
from bot.adapters.forge_gitlab_updates import GitLabUpdates
from bot.adapters.git_mirror import GitMirror
from bot.adapters.git_process import Git
from bot.adapters.kafka_connection import KafkaConnection, Login
from bot.adapters.kafka_tokens import ClientCredentials, TokenFile
from bot.adapters.kafka_topics import Topics
from bot.adapters.labels_postgres import PostgresLabels
from bot.adapters.log_kafka import KafkaLog
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.model_chat import Deadlines
from bot.adapters.policy_versions_postgres import PostgresPolicyVersions
from bot.adapters.postgres import close_pool, connect_pool, translated
from bot.adapters.process import ProcessRunner
from bot.adapters.process_ahead import AheadRunner
from bot.adapters.reconciliation_postgres import PostgresReconciliations
from bot.adapters.retention_postgres import prune_regularly
from bot.adapters.rollups_postgres import roll_up
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.telemetry import OpenTelemetry, mask_logs
from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.adapters.waivers_postgres import PostgresWaivers
from bot.adapters.workspace_api import ApiWorkspaces
from bot.adapters.workspace_fallback import FallbackWorkspaces
from bot.domain.errors import Blocked, Transient
from bot.domain.events import Stage
from bot.domain.marker import Marker
from bot.domain.records import Task
from bot.gitlab.instance import instance_name
from bot.ports import EventLog, EventSink
from bot.reviewer.answering import Answering
from bot.reviewer.answering import guide as answering_guide
from bot.reviewer.asking import Asker
from bot.reviewer.guides import guides
from bot.reviewer.reviewing import Reviewing
from bot.runtime.consumer import Consumer
from bot.runtime.feedback_poller import FeedbackPoller
from bot.runtime.loop import ConsumeLoop
from bot.runtime.reckoner import Reckoner
from bot.runtime.reconciler import Reconciler
from bot.runtime.relay import GROUP, Relay
from bot.runtime.spool import Spool
from bot.scanners.secrets import redactor_of
from bot.settings import Settings
from bot.settings_kafka import tls_context
from bot.settings_tls import trusting
from bot.wiring_feedback import feedback_ports
from bot.wiring_models import models_of
from bot.wiring_policy import levels_of
from bot.wiring_rules import rulebook
from bot.wiring_unit_tests import unit_testing
from bot.wiring_verdicts import links_of
from consumers.collect import collect
from consumers.converse import converse
from consumers.feedback import feedback
from consumers.fetch import fetch
from consumers.intake import intake
from consumers.publish import publish
from consumers.report import report
from consumers.review import review
from consumers.scan import scan
from consumers.tests import tests
from consumers.verify import verify

logger = structlog.get_logger()

CONSUMERS: dict[Stage, Consumer] = {
    one.stage: one
    for one in (intake, fetch, scan, report, review, collect, verify, publish, converse, tests, feedback)
}

#: Connections of the consumers: each stage holds one for its partitions, and one waits to be woken up.
CONSUMER_CONNECTIONS = 24
#: Connections of the receiver: one waits, one appends, the rest answer whether the database is there.
RECEIVER_CONNECTIONS = 4
#: How often rules of the organisation are looked for changes.
_RULES_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class Base:
    """Hold what every process needs: the database with log and store, time, and telemetry."""

    settings: Settings
    telemetry: OpenTelemetry
    clock: SystemClock
    pool: Any
    #: The log that consumers read.
    log: EventLog
    #: Where stages put what they emit: the log itself, unless that is Kafka.
    outbox: PostgresLog
    #: Where webhooks go.
    sink: EventSink
    store: PostgresStore

    @property
    def instance(self) -> str:
        """Return the name of the configured GitLab instance."""
        return instance_name(str(self.settings.gitlab_url))

    async def ready(self) -> list[str]:
        """Return what keeps this process from working, nothing when all is well."""
        try:
            async with translated(), asyncio.timeout(3):
                await self.pool.fetchval("SELECT 1")
        except Transient as error:
            return [str(error)]
        return []

    async def ready_for_hooks(self) -> list[str]:
        """Return what keeps webhooks from being stored; either of Kafka and the database is enough."""
        problems = await self.ready()
        return [] if isinstance(self.sink, Spool) and not self.sink.spooling else problems


def telemetry_of(settings: Settings) -> OpenTelemetry:
    """Return the telemetry of this process; there is one, whatever runs in it."""
    return OpenTelemetry(str(settings.otlp_endpoint) if settings.otlp_endpoint else None)


def kafka_connection(settings: Settings) -> KafkaConnection:
    """Return how to reach the Kafka that the settings name; each event loop needs its own.

    Raises:
        SettingsError: a file with a certificate or a key cannot be used.
    """
    return KafkaConnection(
        str(settings.kafka_bootstrap), tls=tls_context(settings), login=_kafka_login(settings)
    )


def _kafka_login(settings: Settings) -> Login | None:
    if settings.kafka_sasl == "none":
        return None
    mechanism, user = settings.kafka_sasl.upper(), settings.kafka_user or ""
    password = _reveal(settings.kafka_password)
    if settings.kafka_token_url:
        trusted = trusting("kafka_ca_file", settings.kafka_ca_file)
        tokens = ClientCredentials(settings.kafka_token_url, user, password, trusted=trusted)
        return Login(mechanism, tokens=tokens)
    if settings.kafka_token_file:
        return Login(mechanism, tokens=TokenFile(settings.kafka_token_file))
    return Login(mechanism, user, password)


@asynccontextmanager
async def base(
    settings: Settings, database_url: str, telemetry: OpenTelemetry, *, connections: int
) -> AsyncIterator[Base]:
    """Connect the running event loop to database and log; the schema must be up to date.

    Raises:
        Blocked: Kafka refuses us. When it is only out of reach, work begins once it is not.
        Permanent: its topics are missing.
    """
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        pool = await connect_pool(database_url, size=connections)
        stack.push_async_callback(close_pool, pool)
        outbox = await stack.enter_async_context(PostgresLog(pool))
        store = PostgresStore(pool, announce=outbox.announce, trace_context=telemetry.trace_context)
        if settings.kafka_bootstrap is None:
            yield Base(settings, telemetry, clock, pool, outbox, outbox, outbox, store)
            return
        log = KafkaLog(kafka_connection(settings), Topics(settings.kafka_prefix), clock=clock)
        await stack.enter_async_context(log)
        try:
            await log.check()
        except Blocked:
            raise
        except Transient as error:
            logger.warning("log.out_of_reach", error=str(error))
        spool = Spool(log, outbox, monotonic=clock.monotonic)
        yield Base(settings, telemetry, clock, pool, log, outbox, spool, store)


async def run_consumers(
    base: Base, stages: Collection[Stage], stop: asyncio.Event, *, deadlines: Deadlines | None = None
) -> None:
    """Run the consumers of *stages* until *stop* is set; *deadlines* bound the model's answers."""
    async with AsyncExitStack() as stack:
        kafka = base.log if isinstance(base.log, KafkaLog) else None
        pruning = asyncio.create_task(
            prune_regularly(base.pool, shipped_by=GROUP if kafka else None), name="retention"
        )
        stack.callback(pruning.cancel)
        reckoner = Reckoner(PostgresLabels(base.pool), lambda batch: roll_up(base.pool, batch=batch))
        reckoning = asyncio.create_task(reckoner.run(), name="labels and counts")
        stack.callback(reckoning.cancel)
        scanning = not {Stage.scan, Stage.verify}.isdisjoint(stages)
        ports = await _ports(base, stack, deadlines, scanning=scanning)
        if Stage.intake in stages and base.settings.reconcile != "off":
            reconciling = asyncio.create_task(reconciler(base, ports["forge"].api).run(), name="reconciler")
            stack.callback(reconciling.cancel)
        if Stage.feedback in stages and base.settings.feedback_per_minute:
            polling = asyncio.create_task(_feedback_poller(base, ports).run(), name="feedback")
            stack.callback(polling.cancel)
        suspects = asyncio.Lock()
        loops = [
            ConsumeLoop(
                CONSUMERS[stage].bind(ports),
                event_log=base.log,
                store=base.store,
                telemetry=base.telemetry,
                clock=base.clock,
                concurrency=base.settings.concurrency,
                suspects=suspects,
            )
            for stage in stages
        ]
        async with asyncio.TaskGroup() as group:
            # The first use compiles the rules for most of a second: now and in a thread, not in this loop later.
            group.create_task(asyncio.to_thread(ports["redact"], "warm up"), name="warm up")
            for loop in loops:
                group.create_task(loop.run(stop))
            if kafka is not None:
                group.create_task(kafka.move_retries(stop), name="retries")
                relay = Relay(base.outbox, kafka, base.store, base.telemetry)
                group.create_task(relay.run(stop), name="relay")


def reconciler(base: Base, api: GitLabApi) -> Reconciler:
    """Return what finds merge requests whose event never came, by asking GitLab through *api*."""
    return Reconciler(
        forge=GitLabUpdates(api, base.instance),
        reconciliations=PostgresReconciliations(base.pool),
        sink=base.outbox,
        telemetry=base.telemetry,
        clock=base.clock,
        instance=base.instance,
        members=base.settings.reconcile == "member",
    )


def _feedback_poller(base: Base, ports: Mapping[str, Any]) -> FeedbackPoller:
    return FeedbackPoller(
        feedback=ports["feedback"],
        sink=base.outbox,
        telemetry=base.telemetry,
        per_minute=base.settings.feedback_per_minute,
    )


async def _ports(
    base: Base, stack: AsyncExitStack, deadlines: Deadlines | None, *, scanning: bool
) -> Mapping[str, Any]:
    settings = base.settings
    url, token = str(settings.gitlab_url), _reveal(settings.gitlab_token)
    forge = GitLabForge(url, token, verify=settings.gitlab_tls())
    stack.push_async_callback(forge.aclose)
    fingerprint_key = await base.store.secret("fingerprints")
    given_marker_key = _reveal(settings.marker_key).encode()
    runner = AheadRunner(ProcessRunner(), keep=2 if scanning else 0)  # one scan uses two
    stack.push_async_callback(runner.close)
    rules = rulebook(settings, fingerprint_key, runner)
    await rules.open()
    freshness = asyncio.create_task(rules.keep_fresh(every_s=_RULES_EVERY_S, scanning=scanning), name="rules")
    stack.callback(freshness.cancel)

    def redact(text: str) -> str:
        return redactor_of(rules).redact(text).text

    mask_logs(redact)
    levels = levels_of(settings, forge.api, PostgresPolicyVersions(base.pool), redact)
    await levels.check()
    models, answers = models_of(settings, deadlines), MemoryAnswers(PostgresAnswers(base.pool))
    stack.push_async_callback(models.close)
    asker = (
        Asker(models.by_task, answers, base.telemetry, PostgresAudit(base.pool)) if models.by_task else None
    )
    mirror = GitMirror(
        settings.data_dir / "mirrors",
        forge_url=url,
        clone_url=forge.clone_url,
        token=token,
        ca_file=settings.gitlab_ca_file,
    )
    workspaces = FallbackWorkspaces(mirror, ApiWorkspaces(forge.api, git=Git(forge_url=url)))
    marker = Marker(given_marker_key or await base.store.secret("markers"))
    return {
        **feedback_ports(
            base.pool,
            forge,
            base.store,
            workspaces,
            asker,
            redact,
            marker=marker,
            fingerprint_key=fingerprint_key,
        ),
        "forge": forge,
        "approvals": GitLabApprovals(forge.api),
        "verdicts": PostgresVerdicts(base.pool),
        "links": await links_of(settings, base.store),
        "levels": levels,
        "people": GitLabPeople(forge.api),
        "pipelines": GitLabPipelines(forge.api),
        "merge_rules": GitLabMergeRules(forge.api),
        "workspaces": workspaces,
        "waivers": PostgresWaivers(base.pool),
        "store": base.store,
        "clock": base.clock,
        "telemetry": base.telemetry,
        "runner": runner,
        "scanners": rules,
        "redact": redact,
        "model": models.by_task.get(Task.review),
        "asker": asker,
        "embeddings": models.embeddings,
        "proposals": GitLabProposals(forge.api),
        "unit_testing": asker and unit_testing(settings, asker, workspaces, redact),
        "answering": asker and Answering(asker, answering_guide(), workspaces, rules, runner, redact),
        "reviewing": asker and Reviewing(asker, guides(), fingerprint_key, redact),
        "marker": marker,
        "fingerprint_key": fingerprint_key,
        "instance_url": url,
        "debounce": timedelta(seconds=settings.debounce_s),
        "deadline": timedelta(seconds=settings.review_deadline_s),
    }


def _reveal(secret: Any) -> str:
    return secret.get_secret_value() if secret is not None else ""
