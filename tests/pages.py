"""The pages as people with browsers meet them, on a real database and the GitLab stand-in; time can be moved."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.log_postgres import PostgresLog
from bot.adapters.postgres import connect_pool
from bot.adapters.store_postgres import PostgresStore
from bot.demo.gitlab import User
from bot.settings import Settings
from bot.web.app import application
from bot.web.site import routers
from bot.wiring import Base
from bot.wiring_access import CALLBACK
from tests.gitlab import GitLab
from tests.postgres import create_database

PUBLIC = "https://cloister.example"

_ACCOUNT = re.compile(r'<summary>([^<]*)<span class="soft"> · ([^<]*)</span>')
_FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]*)"')


@dataclass
class MovedClock:
    """Tell the time, later by as much as a test says."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the moved time."""
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        """Return seconds that move along."""
        return self.now().timestamp()


class _Untraced:
    """Telemetry is not asked for by pages."""


async def _ready() -> list[str]:
    return []


@dataclass
class Site:
    """The pages of one Cloister."""

    pool: Any
    store: PostgresStore
    gitlab: GitLab
    settings: Settings
    clock: MovedClock = field(default_factory=MovedClock)
    dev_login: bool = False
    more: tuple[APIRouter, ...] = ()

    async def routers(self) -> list[APIRouter]:
        """Return all routers, wired."""
        parts = Base(
            self.settings,
            _Untraced(),
            self.clock,
            self.pool,
            None,
            None,
            None,
            self.store,  # type: ignore[arg-type]
        )
        made = await routers(parts, dev_login=self.dev_login)
        for router in self.more:
            made[0].include_router(router)
        return made

    def browser(
        self, user: User | None = None, *, base: str = PUBLIC, client: str = "127.0.0.1", **headers: str
    ) -> httpx.AsyncClient:
        """Return a browser, in which *user* has signed in to GitLab; it follows links only when told to."""
        cloister = httpx.ASGITransport(
            app=self._served(), raise_app_exceptions=False, client=(client, 50_000)
        )
        browser = httpx.AsyncClient(mounts={base: cloister}, base_url=base, trust_env=False, headers=headers)
        if user is not None:
            for name, value in self.gitlab.server.browser_of(user).items():
                browser.cookies.set(name, value, domain="127.0.0.1")
        return browser

    def _served(self) -> ASGIApp:
        """Return the application, which is made when it is first asked."""
        made: list[ASGIApp] = []

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            if not made:
                made.append(
                    application(
                        None,
                        routers=await self.routers(),
                        telemetry=_Untraced(),  # type: ignore[arg-type]
                        exposition=lambda: b"",
                        ready=_ready,
                    )
                )
            await made[0](scope, receive, send)

        return served

    def move(self, ahead: timedelta) -> None:
        """Let it be later by *ahead* than it is, here and at GitLab."""
        self.clock.ahead = self.gitlab.server.instance.state.ahead = ahead

    async def audit(self) -> list[tuple[str, str]]:
        """Return who did what, in order."""
        entries = await PostgresAuditLog(self.pool).newest(1_000)
        return [(entry.act.actor, entry.act.action) for entry in reversed(entries)]


def form_token(answer: httpx.Response) -> str:
    """Return the token of a page's forms."""
    match = _FORM_TOKEN.search(answer.text)
    assert match is not None, answer.text
    return match[1]


def account(answer: httpx.Response) -> str:
    """Return who is signed in on a page, and as what."""
    match = _ACCOUNT.search(answer.text)
    assert match is not None, answer.text
    return f"{match[1]}, {match[2]}"


async def sign_in(browser: httpx.AsyncClient, to: str = "/") -> httpx.Response:
    """Sign in with GitLab and return the page that is shown then."""
    answer = await browser.get("/sign-in/gitlab", params={"to": to}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer


MakeSite = Callable[..., Site]


@pytest.fixture(scope="session")
def pages_database_url(postgres_server: str, migrated_template: str) -> str:
    """Return the URL of a database that all tests of pages use, one after the other: making one for each takes long."""
    name = f"pages_{uuid.uuid4().hex[:12]}"
    with ThreadPoolExecutor(1) as threads:
        made = threads.submit(asyncio.run, create_database(postgres_server, name, migrated_template))
        return made.result()


async def _emptied(pool: Any) -> None:
    async with pool.acquire() as connection, connection.transaction():
        # The audit log lets nobody empty it otherwise.
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("TRUNCATE web_session, login_link, api_token, audit_entry")


@pytest_asyncio.fixture
async def make_site(gitlab: GitLab, pages_database_url: str) -> AsyncIterator[MakeSite]:
    """Return what makes sites with other settings, where nobody has signed in yet."""
    application = gitlab.server.create_application(PUBLIC + CALLBACK)
    usual = {
        "gitlab_url": gitlab.server.url,
        "gitlab_token": gitlab.token,
        "public_url": PUBLIC,
        "oauth_client_id": application.id,
        "oauth_client_secret": application.secret,
        "database_url": pages_database_url,
    }
    pool = await connect_pool(pages_database_url, size=4)
    await _emptied(pool)
    async with PostgresLog(pool) as log:
        store = PostgresStore(pool, announce=log.announce)

        def make(*, dev_login: bool = False, more: tuple[APIRouter, ...] = (), **changes: Any) -> Site:
            settings = Settings(**usual | changes)
            return Site(pool, store, gitlab, settings, dev_login=dev_login, more=more)

        yield make
    await pool.close()


@pytest_asyncio.fixture
async def site(make_site: MakeSite) -> Site:
    """Return the pages with GitLab as the way in."""
    return make_site()
