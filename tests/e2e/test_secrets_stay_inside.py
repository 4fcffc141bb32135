"""A secret in a change is reported without being repeated anywhere."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import structlog

from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from tests.cloister import Cloister

SECRETS = {
    "gitlab": f"glpat-{'q7Zt4LwX9bNc2RfK8vYd'}",
    "aws": f"AKIA{'Q3ZLWX5NB2RFKYVD'}",
    "github": f"ghp_{'Zq7Lt4Xw9Bn2Cf8Rk3Vy6Dm1Hs5Jp0GaTeUi'}",
}
CODE = (
    "".join(f'{name}_token = "{secret}"\n' for name, secret in SECRETS.items())
    + "def find(db, name):\n"
    + f"    return db.execute(f\"SELECT '{SECRETS['gitlab']}' FROM users WHERE name = '{{name}}'\")\n"
)


async def _everything(cloister: Cloister) -> str:
    """Return all tables as text."""
    tables = await cloister.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows: list[Any] = []
    for table in tables:
        rows += await cloister.fetch(f'SELECT t::text FROM "{table["tablename"]}" t')
    return "\n".join(row[0] for row in rows)


async def test_a_secret_goes_nowhere(
    cloister: Cloister,
    ollama_server: ScriptedOllama,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not into the database, the model, GitLab, the log or standard output; but everybody is told of it."""
    caplog.set_level(logging.DEBUG)
    ollama_server.script = planted_review
    server = cloister.gitlab.server
    server.faults.add("POST", "/draft_notes$", status=500)
    with structlog.testing.capture_logs() as logged:
        merge_request = server.open_merge_request(
            cloister.gitlab.project,
            "feature",
            {"settings.py": CODE},
            title=f"Use {SECRETS['gitlab']}",
            description=f"The key is {SECRETS['aws']}, or try {SECRETS['github']}",
        )
        outcome = await cloister.outcome(merge_request)
        await cloister.idle()
    written = capfd.readouterr()
    places = {
        "database": await _everything(cloister),
        "model": json.dumps(ollama_server.requests),
        "notes": "\n".join(note.body for note in cloister.ours(merge_request)),
        "statuses": "\n".join(str(status.description) for status in cloister.gitlab.project.statuses),
        "logs": f"{logged}{caplog.text}{written.out}{written.err}",
    }
    leaks = [
        (place, name) for place, text in places.items() for name, secret in SECRETS.items() if secret in text
    ]
    assert [] == leaks
    assert {("settings.py", line) for line in (1, 2, 3)} <= set(outcome.lines)
    assert outcome.status == "failed"
    assert "[secret:" in places["model"]
    assert all(places.values())
