"""Settings -> what every process needs: the database with log and store, time, and telemetry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import SecretStr

from bot.adapters.clock import SystemClock
from bot.adapters.kafka_connection import KafkaConnection, Login
from bot.adapters.kafka_tokens import ClientCredentials, TokenFile
from bot.adapters.kafka_topics import Topics
from bot.adapters.log_kafka import KafkaLog
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.postgres import close_pool, connect_pool, translated
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.telemetry import OpenTelemetry
from bot.domain.errors import Blocked, Transient
from bot.gitlab.instance import instance_name
from bot.ports import EventLog, EventSink
from bot.runtime.spool import Spool
from bot.settings import Settings
from bot.settings_kafka import tls_context
from bot.settings_tls import trusting

logger = structlog.get_logger()


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


def revealed(secret: SecretStr | None) -> str:
    """Return what *secret* holds, nothing where there is none."""
    return secret.get_secret_value() if secret is not None else ""


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
    password = revealed(settings.kafka_password)
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
