"""The operator's commands for links, tokens and the audit log, on a real database, and the pages of a running Cloister."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.adapters.api_tokens_postgres import PostgresApiTokens
from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.cli.serving import Entry, serve
from bot.domain.audit_log import Act
from bot.settings import Settings
from tests.ports import free_address
from tests.unit.cli.command import run

#: Text that would clear a terminal and turn around what follows.
HOSTILE = "\x1b[2J\u202eevil\x9b0m"


async def cloister(database_url: str, *arguments: str, **environ: str) -> Any:
    """Run a command on the database."""
    return await asyncio.to_thread(run, *arguments, CLOISTER_DATABASE_URL=database_url, **environ)


async def test_a_token_is_made_listed_and_revoked(database_url: str, pool: Any) -> None:
    """It is printed once, its name is free again afterwards, and the audit log has all of it but the token."""
    arguments = ("token", "create", "nightly", "--scope", "read", "--scope", "export", "--project", "42")
    made = await cloister(database_url, *arguments, "--days", "30")
    twice = await cloister(database_url, *arguments)
    (listed,) = json.loads((await cloister(database_url, "token", "list", "--json")).stdout)
    revoked = await cloister(database_url, "token", "revoke", "nightly")
    again = await cloister(database_url, "token", "revoke", "nightly")
    anew = await cloister(database_url, *arguments)
    table = await cloister(database_url, "token", "list")
    audit = (await cloister(database_url, "audit", "list", "--json")).stdout

    token = made.stdout.strip()
    assert re.fullmatch(r"clst_[\w-]{43}", token)
    assert (listed["scopes"], listed["projects"], listed["state"]) == (["export", "read"], [42], "valid")
    assert (twice.exit_code, again.exit_code, anew.exit_code) == (2, 2, 0)
    assert "take another name" in twice.stderr
    assert revoked.stdout == "revoked nightly\n"
    assert "revoked" in table.stdout
    assert token not in audit + table.stdout
    entries = json.loads(audit)
    assert [entry["action"] for entry in entries] == ["token.create", "token.revoke", "token.create"]
    assert entries[0]["actor"].startswith("command:")
    assert (await PostgresApiTokens(pool).list())[0].name == "nightly"


@pytest.mark.parametrize("name", ["", "-x", "a b", "a" * 64, "a\n", HOSTILE])
def test_odd_names_of_tokens_are_refused(name: str) -> None:
    """Before anything is connected."""
    result = run("token", "create", "--scope", "read", "--", name)

    assert result.exit_code == 2
    assert "letters, digits" in result.stderr


def test_a_token_that_decides_names_its_projects() -> None:
    """Before anything is connected; nobody decides about projects that are still to come."""
    result = run("token", "create", "quiet", "--scope", "noise", "--scope", "read")

    assert result.exit_code == 2
    assert "--project" in result.stderr


async def test_the_audit_log_is_verified(database_url: str, pool: Any) -> None:
    """Whole: 0 and the head. Broken: 1 and the first entry. Cut off: 1, by a head that was kept."""
    log = PostgresAuditLog(pool)
    empty = await cloister(database_url, "audit", "verify")
    for number in range(3):
        await log.append(Act(HOSTILE, "mute", HOSTILE, 7, {"rule": HOSTILE, "number": number}))
    head = (await cloister(database_url, "audit", "head")).stdout.strip()
    whole = await cloister(database_url, "audit", "verify", "--head", head)
    listed = await cloister(database_url, "audit", "list")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("DELETE FROM audit_entry WHERE number = 3")
    unnoticed = await cloister(database_url, "audit", "verify")
    cut = await cloister(database_url, "audit", "verify", "--head", head)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("UPDATE audit_entry SET subject = 'x' WHERE number = 1")
    changed = await cloister(database_url, "audit", "verify")
    nonsense = await cloister(database_url, "audit", "verify", "--head", "x")

    assert (empty.exit_code, empty.stdout) == (0, "the chain is whole: there are no entries\n")
    assert (whole.exit_code, whole.stdout) == (0, f"the chain is whole: {head}\n")
    assert not set("\x1b\x9b\u202e") & set(listed.stdout)
    assert unnoticed.exit_code == 0
    assert (cut.exit_code, cut.stderr.split(":")[0]) == (1, "the chain breaks at entry 3")
    assert (changed.exit_code, changed.stderr.split(":")[0]) == (1, "the chain breaks at entry 1")
    assert (nonsense.exit_code, "NUMBER:HASH" in nonsense.stderr) == (2, True)


async def test_a_link_signs_in_on_a_running_cloister(database_url: str, tmp_path: Path) -> None:
    """The one that is shown at the start, and the one that the command prints."""
    address = free_address()
    settings = Settings(
        gitlab_url="http://127.0.0.1:1",
        webhook_secret="a webhook secret for tests",
        database_url=database_url,
        data_dir=tmp_path,
        listen=address,
    )
    shown: list[str] = []
    stop, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        serve(
            settings, hooks=True, stages=(), stop=stop, started=started, entry=Entry(show_link=shown.append)
        )
    )
    await asyncio.wait_for(started.wait(), 150)
    try:
        printed = (await cloister(database_url, "login-link", CLOISTER_LISTEN=address)).stdout.strip()
        for link in (*shown, printed):
            async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as browser:
                assert (await browser.get("/")).status_code == 303
                form = {"key": httpx.URL(link).params["key"]}
                assert (await browser.get(link)).status_code == 200
                origin = {"origin": f"http://{address}"}
                entered = await browser.post(
                    "/sign-in/link", data=form, headers=origin, follow_redirects=True
                )
                assert 'operator<span class="soft"> · administrator' in entered.text
    finally:
        stop.set()
        await serving


@pytest.mark.parametrize(
    "environ",
    [
        {"CLOISTER_LISTEN": "0.0.0.0:8080"},
        {"CLOISTER_LISTEN": "[::]:8080"},
        {"CLOISTER_LISTEN": "127.0.0.1:8080", "CLOISTER_PUBLIC_URL": "https://cloister.example"},
    ],
    ids=str,
)
def test_the_login_for_development_refuses_to_be_reached(environ: dict[str, str]) -> None:
    """Before anything is started."""
    needed = {
        "CLOISTER_GITLAB_URL": "http://127.0.0.1:1",
        "CLOISTER_WEBHOOK_SECRET": "a webhook secret for tests",
        "CLOISTER_DATABASE_URL": "postgresql://u@127.0.0.1:1/d",
    }
    result = run("web", "--dev-login", **needed, **environ)

    assert result.exit_code == 2
    assert "this machine alone" in result.stderr
