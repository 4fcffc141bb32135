"""The API on a real, small database: a history of two projects, and everybody who may ask."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from bot.adapters.api_tokens_postgres import PostgresApiTokens
from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.postgres import connect_pool
from bot.adapters.rollups_postgres import roll_up
from bot.adapters.sessions_postgres import PostgresSessions
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.waivers_postgres import add
from bot.domain.audit_log import Act
from bot.domain.findings import Severity
from bot.domain.forge import ForgeUser
from bot.domain.merge_request import MergeRequestRef
from bot.domain.token_names import Scope
from bot.domain.viewer import Viewer
from bot.domain.waivers import About, Deed, Source, WaiverStep
from bot.settings import Settings
from bot.web.app import application
from bot.web.site import routers
from bot.wiring import Base
from tests.history import INSTANCE, History, Reviewed, Said
from tests.pages import PUBLIC, MovedClock
from tests.postgres import create_database

SHOP, BANK = 101, 102
PATHS = {SHOP: "retail/shop", BANK: "bank/ledger"}
#: In each project the developer made this merge request, and somebody else the others.
OWN, OTHERS = 1, 3
COOKIE = "__Host-cloister"
BEGAN = datetime.now(UTC) - timedelta(days=3)


class HurriedClock(MovedClock):
    """Let seconds pass in a moment: nobody waits, and nobody asks too often."""

    def monotonic(self) -> float:
        """Return seconds that fly."""
        return super().monotonic() * 100_000


class _Untraced:
    """Telemetry is not asked for by pages."""


async def _ready() -> list[str]:
    return []


def waiver_step(number: int, project_id: int, *, rule: str = "sql", deed: Deed = Deed.granted) -> WaiverStep:
    """Return a step of a waiver of its own."""
    return WaiverStep(
        waiver=uuid.uuid5(uuid.NAMESPACE_URL, f"waiver {project_id} {number}"),
        deed=deed,
        ref=MergeRequestRef(instance=INSTANCE, project_id=project_id, iid=number),
        about=About(
            fingerprint=f"{number:032x}",
            scanner="semgrep",
            rule=rule,
            severity=Severity.high,
            path="app.py",
            line=3,
            title="SQL from a name",
        ),
        branch="main",
        at=BEGAN,
        source=Source.comment,
        by=7,
        name="lea",
        until=datetime.now(UTC).date() + timedelta(days=5),
        reason="=HYPERLINK(1)",
    )


async def park(pool: Any, number: int, *, project_id: int = SHOP) -> None:
    """Give up an event."""
    await pool.execute(
        "INSERT INTO dead_letter (consumer_group, event_id, attempts, error, reason, record, parked_at)"
        " VALUES ('scan', $1, 5, 'Permanent', 'the report is not JSON', $2, now())",
        uuid.uuid5(uuid.NAMESPACE_URL, f"letter {number}"),
        {"kind": "scan.requested", "key": f"{INSTANCE}:{project_id}:{number}"},
    )


def number_of(name: str) -> int:
    """Return the number of an account."""
    return sum(name.encode())


def run_of(project_id: int, number: int) -> uuid.UUID:
    """Return the id of a review."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"review {project_id} {number}")


async def happen(pool: Any, project_id: int, *, reviews: int = 5) -> None:
    """Give a project a history."""
    history = History(pool)
    await history.project(project_id, PATHS[project_id])
    for number in range(1, reviews + 1):
        at = BEGAN + timedelta(hours=number)
        said = Said(project_id, number, at, model="m", digest="0123456789abcdef", prompt="review v7")
        await history.said(said)
        await history.label(said, "accepted_strong" if number % 2 else "rejected_strong")
        filtered = {"mild": number}
        await history.reviewed(
            Reviewed(
                project_id,
                number,
                at,
                timedelta(minutes=2),
                filtered,
                1,
                standing=True,
                author=number_of("developer") if number == OWN else number_of("somebody else"),
                run_id=run_of(project_id, number),
            )
        )
        async with pool.acquire() as connection:
            await add(connection, [waiver_step(number, project_id)])
    while await roll_up(pool):
        pass


async def app_on(pool: Any, clock: MovedClock | None = None) -> ASGIApp:
    """Return the whole application on a database."""
    settings = Settings(
        gitlab_url=f"https://{INSTANCE}",
        public_url=PUBLIC,
        oauth_client_id="cloister",
        oauth_client_secret="0123456789abcdef",
    )
    async with PostgresLog(pool) as log:
        store = PostgresStore(pool, announce=log.announce)
    parts = Base(settings, _Untraced(), clock or MovedClock(), pool, None, None, None, store)  # type: ignore[arg-type]
    return application(
        None,
        routers=await routers(parts),
        telemetry=_Untraced(),  # type: ignore[arg-type]
        exposition=lambda: b"",
        ready=_ready,
    )


def client_of(app: ASGIApp, **headers: str) -> httpx.AsyncClient:
    """Return what asks the application, and follows no links."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=PUBLIC, headers=headers)


async def with_token(
    pool: Any, *scopes: Scope, projects: tuple[int, ...] = (), until: timedelta = timedelta(days=1)
) -> dict[str, str]:
    """Return the headers of a script with a token."""
    now = datetime.now(UTC)
    token = await PostgresApiTokens(pool).create(
        uuid.uuid4().hex, scopes, projects, now - timedelta(days=30), now + until, "command:0:root"
    )
    return {"authorization": f"Bearer {token}"}


async def with_session(
    pool: Any, name: str, levels: dict[int, int] | None = None, **roles: bool
) -> dict[str, str]:
    """Return the headers of a browser in which somebody has signed in."""
    viewer = Viewer(ForgeUser(number_of(name), name), levels=levels or {}, **roles)
    session = await PostgresSessions(pool).begin(viewer, datetime.now(UTC))
    return {"cookie": f"{COOKIE}={session}"}


async def fill(pool: Any) -> None:
    """Give both projects a history."""
    await happen(pool, SHOP)
    await happen(pool, BANK, reviews=3)
    for number in range(1, 6):
        await park(pool, number)
        await PostgresAuditLog(pool).append(Act("gitlab:7:lea", "mute", "@sum", SHOP, {"why": "noise"}))


@pytest.fixture(scope="session")
def history_url(postgres_server: str, migrated_template: str) -> str:
    """Return the URL of a database with the history, which tests of what is read share."""

    async def make() -> str:
        name = f"history_{uuid.uuid4().hex[:12]}"
        url = await create_database(postgres_server, name, migrated_template)
        pool = await connect_pool(url, size=2)
        try:
            await fill(pool)
        finally:
            await pool.close()
        return url

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(lambda: asyncio.run(make())).result()


@contextmanager
def served(database_url: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve the application over a real socket, in a thread with all that it needs; return address and token."""
    ready: list[tuple[str, dict[str, str]]] = []
    servers: list[uvicorn.Server] = []

    async def main() -> None:
        pool = await connect_pool(database_url, size=4)
        try:
            headers = await with_token(pool, Scope.read)
            server = uvicorn.Server(
                uvicorn.Config(await app_on(pool, HurriedClock()), port=0, log_config=None, lifespan="off")
            )
            servers.append(server)
            running = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            ready.append((f"http://127.0.0.1:{port}", headers))
            await running
        finally:
            await pool.close()

    thread = Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    while not ready and thread.is_alive():
        thread.join(0.01)
    try:
        yield ready[0]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()
