"""Answers to questions about planted defects, as a model would give them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.demo.script import Reply, Script

_ABOUT = re.compile(r"^Finding about lines? (?P<line>\d+)(?: to \d+)?: (?P<title>.*)$", re.MULTILINE)
_ROW = re.compile(r"^ *(?P<line>\d+)   (?P<text>.*)$", re.MULTILINE)
_WANTED = "A fix for the finding is wanted."

#: Rewrites a line with a planted defect, None where that is not enough.
Mend = Callable[[str], str | None]


def answering(script: Script, mend: Mend) -> Script:
    """Return a script that answers questions about findings, and leaves all other requests to *script*."""

    def answer(request: Mapping[str, Any]) -> Reply:
        shape = request.get("format")
        if not isinstance(shape, Mapping) or "answer" not in shape.get("properties", {}):
            return script(request)
        prompt = str(request["messages"][-1]["content"])
        return Reply(json.dumps({"answer": [dict(_answer(prompt, mend))]}))

    return answer


def _answer(prompt: str, mend: Mend) -> Iterator[tuple[str, Any]]:
    about = _ABOUT.search(prompt)
    line, title = (int(about["line"]), about["title"]) if about else (0, "nothing")
    yield "text", f"It is about {title}: a value that nobody expects ends up there, so the line fails for it."
    shown = {int(row["line"]): row["text"] for row in _ROW.finditer(prompt)}
    mended = mend(shown.get(line, ""))
    if _WANTED in prompt and mended is not None:
        yield "fix", {"line": line, "end_line": line, "replacement": mended}
