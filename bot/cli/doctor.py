"""`cloister doctor`: is everything there that Cloister needs, and what to do if not."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.context import FOUND, print_json, print_table, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.cli.checks import Check
    from bot.ports import Runner
    from bot.settings import Settings

_REINSTALL = "install Cloister again, with its dependencies"
#: A first scan also reads all rules.
_SCAN_LIMIT_S = 60.0
_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "dim"}


def doctor(
    ctx: typer.Context,
    project: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Also check the bot's role in this project, e.g. group/app."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check settings, GitLab, model, database, event log, scanners; say what to do about what is wrong.

    Exits with 1 if anything fails. Nothing is changed anywhere.

    Example: `cloister doctor --project group/app`
    """
    import asyncio

    settings = settings_of(ctx)
    quiet_logs()
    checks = asyncio.run(examine(settings, project))
    if as_json:
        print_json([dataclasses.asdict(check) for check in checks])
    else:
        rows = [[check.outcome, check.name, check.detail, check.remedy] for check in checks]
        print_table(["", "Check", "Found", "What to do"], rows, styles=_STYLES)
    if any(check.outcome == "fail" for check in checks):
        raise typer.Exit(FOUND)


async def examine(settings: Settings, project: str | None) -> list[Check]:
    """Make all checks side by side; return them in the order in which one would mend things."""
    import asyncio

    groups = [
        _completeness(settings),
        _gitlab(settings, project),
        _policies(settings, project),
        _model(settings),
        _database(settings),
        _event_log(settings),
        _tools(settings),
        _sandbox(settings),
        _advisories(settings),
    ]
    return [check for group in await asyncio.gather(*groups) for check in group]


async def _completeness(settings: Settings) -> list[Check]:
    from bot.cli.checks import delivery

    return [
        delivery.settings(settings.missing("gitlab_url", "gitlab_token", "webhook_secret")),
        delivery.secret(settings.webhook_secrets),
        delivery.listen(settings.listen, settings.host, settings.gitlab_url),
    ]


async def _gitlab(settings: Settings, project: str | None) -> list[Check]:
    from bot.cli.checks import gitlab, skipped

    if settings.gitlab_url is None or settings.gitlab_token is None:
        return [skipped("gitlab", "CLOISTER_GITLAB_URL or CLOISTER_GITLAB_TOKEN is not set")]
    from bot.adapters.forge_gitlab_admin import GitLabAdmin

    token = settings.gitlab_token.get_secret_value()
    admin = GitLabAdmin(settings.gitlab_url, token, verify=settings.gitlab_tls())
    try:
        today = datetime.now(UTC).date()
        return [gitlab.transport(settings.gitlab_url), *await gitlab.inspect(admin, project, today)]
    finally:
        await admin.aclose()


async def _policies(settings: Settings, project: str | None) -> list[Check]:
    from bot.cli.checks import guarded, skipped
    from bot.cli.checks.policies import NAME, REMEDY, policies
    from bot.cli.policy import levels_at

    if settings.policy_file is None and settings.policy_project is None:
        return []
    if settings.gitlab_url is None or settings.gitlab_token is None:
        return [skipped(NAME, "CLOISTER_GITLAB_URL or CLOISTER_GITLAB_TOKEN is not set")]
    async with levels_at(settings) as (_, levels):
        return await guarded(NAME, policies(levels, project), remedy=REMEDY)


async def _model(settings: Settings) -> list[Check]:
    from bot.cli.checks import fail, skipped
    from bot.cli.checks.model import models
    from bot.domain.errors import CloisterError
    from bot.wiring_models import models_of

    if settings.model_url is None:
        return [skipped("model", "CLOISTER_MODEL_URL is not set: reviews have no model part")]
    try:
        made = models_of(settings)
    except CloisterError as error:
        return [fail("model", str(error), "correct CLOISTER_MODEL_URL, or the name of the model")]
    try:
        return await models(made.servers, settings.model_context_tokens)
    finally:
        await made.close()


async def _database(settings: Settings) -> list[Check]:
    from bot.cli.checks import guarded, ok
    from bot.cli.checks.storage import data_directory, mounted

    checks = data_directory(settings.data_dir, mounted())
    if settings.database_url is None:
        checks.append(ok("database", "embedded: it starts with Cloister, in the data directory"))
    else:
        url = settings.database_url.get_secret_value()
        checks += await guarded("database", _server(url), remedy="start it, or correct its URL")
        if checks[-1].outcome != "fail":
            checks += await guarded("database transport", _encryption(url), remedy="start it")
    return checks


async def _server(url: str) -> list[Check]:
    from bot.adapters.postgres import server_version
    from bot.cli.checks.storage import server

    version = server(await server_version(url))
    return [version] if version.outcome == "fail" else [version, *await _schema("database", url)]


async def _schema(name: str, url: str) -> list[Check]:
    from bot.adapters.migrations import current_revision, newest_revision
    from bot.cli.checks.storage import schema

    return [schema(name, await current_revision(url), newest_revision())]


async def _encryption(url: str) -> list[Check]:
    from bot.adapters.postgres import encrypted
    from bot.cli.checks.storage import transport

    return [transport(url, encrypted=await encrypted(url))]


async def _event_log(settings: Settings) -> list[Check]:
    from bot.cli.checks import guarded, ok

    if settings.log_url is None:
        return [ok("event log", "in the database")]
    remedy = "correct CLOISTER_LOG_URL"
    if settings.kafka_bootstrap is None:
        url = settings.log_url.get_secret_value()
        return await guarded("event log", _schema("event log", url), remedy=remedy)
    checks = await guarded("event log", _kafka(settings), remedy=remedy)
    if checks[0].outcome != "fail":
        checks += await guarded("kafka topics", _topics(settings), remedy="grant Describe on topics")
    return checks


async def _kafka(settings: Settings) -> list[Check]:
    from bot.adapters.kafka_probe import probe
    from bot.cli.checks import kafka
    from bot.domain.errors import CloisterError
    from bot.wiring import kafka_connection

    try:
        connection = kafka_connection(settings)
        cluster = await probe(connection)
    except CloisterError as error:
        return kafka.unreachable(str(error))
    hosts = [host for host, _ in connection.addresses]
    return [*kafka.brokers(cluster), kafka.transport(hosts, encrypted=connection.tls is not None)]


async def _topics(settings: Settings) -> list[Check]:
    from bot.adapters.kafka_topics import Layout, Topics, topic_admin
    from bot.cli.checks import kafka
    from bot.wiring import kafka_connection

    async with topic_admin(kafka_connection(settings), Topics(settings.kafka_prefix)) as admin:
        return kafka.topics(await admin.init(Layout(), dry_run=True))


async def _tools(settings: Settings) -> list[Check]:
    import asyncio

    from bot.adapters.process import ProcessRunner
    from bot.adapters.process_ahead import AheadRunner
    from bot.cli.checks import guarded, tools
    from bot.cli.checks.isolation import isolation

    runner = AheadRunner(ProcessRunner(), keep=0)
    groups = [
        guarded("git", tools.git(runner), remedy="install git"),
        *await _scanners(settings, runner),
        guarded("scanner isolation", isolation(runner), remedy="install util-linux"),
    ]
    return [check for group in await asyncio.gather(*groups) for check in group]


async def _sandbox(settings: Settings) -> list[Check]:
    from bot.cli.checks import guarded
    from bot.cli.checks.sandbox import NAME, sandbox
    from bot.wiring_unit_tests import sandbox_of

    return await guarded(NAME, sandbox(sandbox_of(settings)), remedy="see docs/unit-tests.md", limit_s=15.0)


async def _advisories(settings: Settings) -> list[Check]:
    import asyncio

    from bot.cli.checks import guarded
    from bot.cli.checks.advisories import NAME, advisories

    max_age = timedelta(days=settings.advisories_max_age_days)
    checks = asyncio.to_thread(advisories, settings.advisories, datetime.now(UTC), max_age)
    return await guarded(NAME, checks, remedy="import them with: cloister advisories import --fresh")


async def _scanners(settings: Settings, runner: Runner) -> list[Awaitable[list[Check]]]:
    from bot.cli.checks import fail, guarded, tools
    from bot.cli.packs import rulebook
    from bot.domain.errors import CloisterError

    try:
        plugs = await rulebook(settings, b"doctor", runner)
    except CloisterError as error:
        return [_known([fail("scanners", str(error), _REINSTALL)])]
    return [
        *(
            guarded(f"scanner {name}", tools.scanner(plug, runner), remedy=_REINSTALL, limit_s=_SCAN_LIMIT_S)
            for name, plug in plugs.items()
        ),
        _known([tools.rules(plugs, plugs.problems)]),
    ]


async def _known(checks: list[Check]) -> list[Check]:
    return checks
