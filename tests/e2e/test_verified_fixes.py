"""Fixes on the merge request: one click gives exactly the file that was checked, and what does not hold has no button."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import confirming
from bot.demo.script import Reply
from tests.cloister import Cloister

TOKEN = f"glpat-{'q7Zt4LwX9bNc2RfK8vYd'}"
LOAD = "import yaml\n\n\ndef read(text):\n    return yaml.load(text)\n"
COUNT = "def count(values):\n    return values.lenght"
RETURNS = "function count(v) {\r\n\treturn v.lenght;\r\n}\r\n"

#: File -> content, line, what the model puts there, and what the file is to become; None where nothing may be offered.
CASES: dict[str, tuple[str, int, str, str | None]] = {
    "good.py": (COUNT, 2, "    return values.length", "def count(values):\n    return values.length"),
    "returns.js": (RETURNS, 2, "\treturn v.length;", RETURNS.replace("lenght", "length")),
    "broken.py": (COUNT, 2, "    return values.length(", None),
    "worse.py": (COUNT, 2, "    return eval(values)", None),
    "leak.py": (COUNT, 2, f"    return login('{TOKEN}')", None),
    "quiet.py": (COUNT, 2, "    return values.length  # noqa", None),
    "deeper.py": (COUNT, 2, "        return values.length", None),
}


def mending(request: Mapping[str, Any]) -> Reply:
    """Say something about the one line of each file, with a fix."""
    prompt = str(request["messages"][-1]["content"])
    found = [
        {
            "path": path,
            "line": line,
            "end_line": line,
            "quote": content.splitlines()[line - 1],
            "category": "correctness",
            "severity": "high",
            "confidence": "high",
            "title": "No such attribute",
            "message": "It is spelled `length`, so this raises AttributeError.",
            "fix": {"line": line, "end_line": line, "replacement": replacement},
        }
        for path, (content, line, replacement, _) in CASES.items()
        if f'"{path}"' in prompt
    ]
    return Reply(json.dumps({"findings": found[:8]}))


def note_on(cloister: Cloister, merge_request: MergeRequest, path: str) -> Any:
    """Return our note on a file."""
    (note,) = [
        note for note in cloister.ours(merge_request) if note.position and note.position["new_path"] == path
    ]
    return note


async def test_only_proven_fixes_can_be_applied(cloister: Cloister, ollama_server: ScriptedOllama) -> None:
    """The comment says what was checked, and applying it gives that file; the others say why not."""
    ollama_server.script = confirming(mending)
    server, project = cloister.gitlab.server, cloister.gitlab.project
    server.commit(project, "main", {".cloister.yml": "comments:\n  max_inline: 20\n"})
    merge_request = server.open_merge_request(
        project,
        "feature",
        {"load.py": LOAD, **{path: case[0] for path, case in CASES.items()}},
    )
    await cloister.outcome(merge_request)
    reviewed = merge_request.head_sha
    wanted = {path: case[3] for path, case in CASES.items() if case[3] is not None}
    wanted["load.py"] = LOAD.replace("yaml.load", "yaml.safe_load")
    notes = {path: note_on(cloister, merge_request, path) for path in [*CASES, "load.py"]}
    assert set(wanted) == {path for path, note in notes.items() if note.suggestions}
    for path, note in notes.items():
        assert ("Checked: applies to" in note.body) == (path in wanted), path
        assert ("to be made by hand because" in note.body) == (path not in {*wanted, "leak.py"}), path
        assert TOKEN not in note.body
    said = f"Checked: applies to `{reviewed[:8]}`, parses, secrets and semgrep report nothing new."
    assert said in notes["good.py"].body
    assert "parses, semgrep no longer reports it," in notes["load.py"].body
    ids = [suggestion.id for path in wanted for suggestion in notes[path].suggestions]
    with cloister.gitlab.client(server.create_token(cloister.gitlab.developer)) as client:
        answer = await asyncio.to_thread(client.put, "suggestions/batch_apply", json={"ids": ids})
    assert answer.status_code == 200, answer.text
    for path, content in wanted.items():
        assert content.encode() == project.repository.blob(merge_request.head_sha, path)
    assert re.fullmatch("[0-9a-f]{40}", merge_request.head_sha)
