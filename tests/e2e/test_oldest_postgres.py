"""Cloister on the oldest Postgres that is supported, which Debian's packages have; other tests run on the newest."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.postgres import server_version
from bot.cli.checks import Outcome, storage
from bot.demo.ollama import ScriptedOllama
from tests.cloister import WEBHOOK_SECRET, running, settings_for
from tests.gitlab import GitLab
from tests.ports import free_ports
from tests.postgres_tls import require_server, start_server
from tests.waiting import until

FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"


@pytest.fixture
def debian_postgres() -> Iterator[str]:
    """Return the URL of a server that lets in everybody on this machine."""
    programs = require_server()
    with tempfile.TemporaryDirectory(prefix="cloister-postgres-", ignore_cleanup_errors=True) as name:
        (port,) = free_ports(1)
        process = start_server(programs, Path(name), port, "host all all 127.0.0.1/32 trust\n")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        process.send_signal(signal.SIGINT)
        process.wait(150)


async def test_a_review_is_made_labelled_and_counted(
    debian_postgres: str, gitlab: GitLab, ollama_server: ScriptedOllama, tmp_path: Path
) -> None:
    """All migrations, a whole review, what people say to it, its label and the counts of dashboards."""
    version = await server_version(debian_postgres)
    assert storage.server(version).outcome is Outcome.ok
    settings = settings_for(gitlab, ollama_server.url, debian_postgres, tmp_path / "data")
    async with running(settings, gitlab, ollama_server) as cloister:
        gitlab.server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
        opened = gitlab.server.open_merge_request(gitlab.project, "flaw", {"find.py": FLAW})
        assert ("find.py", 2) in (await cloister.outcome(opened)).lines
        (note, *_) = [note for note in cloister.ours(opened) if note.resolvable]
        gitlab.server.react(opened, note, "thumbsdown", user=gitlab.developer)
        gitlab.server.merge(opened, user=gitlab.developer)
        counted = "SELECT FROM rollup WHERE reviews = 1 AND downvoted = 1 AND rejected_strong = 1"
        await until(lambda: cloister.fetch(counted), "not labelled and counted")
        assert [] == await cloister.fetch("SELECT FROM dead_letter")
