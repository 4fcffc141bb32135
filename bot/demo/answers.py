"""Answers to questions about planted defects, as a model would give them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.demo.script import Reply, Script

_ABOUT = re.compile(r"^Finding about lines? (?P<line>\d+)(?: to \d+)?: (?P<title>.*)$", re.MULTILINE)
_ROW = re.compile(r"^ *(?P<line>\d+)   (?P<text>.*)$", re.MULTILINE)
_CLAIM = re.compile(r"^Claim (?P<number>\d+): ", re.MULTILINE)
_NOW = re.compile(r"^ *(?P<line>\d+) (?P<sign>[ +]) (?P<text>.*)$", re.MULTILINE)
_WANTED = "A fix for the finding is wanted."

#: Rewrites a line with a planted defect, None where that is not enough.
Mend = Callable[[str], str | None]


def answering(script: Script, mend: Mend) -> Script:
    """Return a script that answers questions about findings, be it after a merge, and leaves all others to *script*."""

    def answer(request: Mapping[str, Any]) -> Reply:
        shape = request.get("format")
        asked = shape.get("properties", {}) if isinstance(shape, Mapping) else {}
        prompt = str(request["messages"][-1]["content"])
        if "rulings" in asked:
            return Reply(json.dumps({"rulings": list(_rulings(prompt, mend))}))
        if "answer" in asked:
            return Reply(json.dumps({"answer": [dict(_answer(prompt, mend))]}))
        return script(request)

    return answer


def _answer(prompt: str, mend: Mend) -> Iterator[tuple[str, Any]]:
    about = _ABOUT.search(prompt)
    line, title = (int(about["line"]), about["title"]) if about else (0, "nothing")
    yield "text", f"It is about {title}: a value that nobody expects ends up there, so the line fails for it."
    shown = {int(row["line"]): row["text"] for row in _ROW.finditer(prompt)}
    mended = mend(shown.get(line, ""))
    if _WANTED in prompt and mended is not None:
        yield "fix", {"line": line, "end_line": line, "replacement": mended}


def _rulings(prompt: str, mend: Mend) -> Iterator[dict[str, Any]]:
    """Yield whether a planted defect is still there: what could be mended in the code of now."""
    _, *parts = _CLAIM.split(prompt)
    for number, about in zip(parts[::2], parts[1::2], strict=True):
        rows = list(_NOW.finditer(about.partition("The code of now.")[2]))
        bad = next((row for row in rows if mend(row["text"]) is not None), None)
        good = next((row for row in rows if row["sign"] == "+"), None)
        if row := bad or good:
            yield {
                "claim": int(number),
                "line": int(row["line"]),
                "quote": row["text"],
                "reason": "It fails as before." if bad else "It was rewritten.",
                "verdict": "still_there" if bad else "mended",
            }
