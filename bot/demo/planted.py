"""Answers that look like a model's, for defects that the demo plants in its merge requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.ollama import Reply

_FILE = re.compile(r'^File: (?P<path>"(?:[^"\\]|\\.)*")$')
_ADDED = re.compile(r"^ *(?P<line>\d+) \+ (?P<text>.*)$")


@dataclass(frozen=True, slots=True)
class _Defect:
    """Tell how a defect looks, and what to say; ``mend`` rewrites the line where that is enough."""

    pattern: re.Pattern[str]
    category: str
    severity: str
    title: str
    message: str
    mend: Callable[[re.Match[str]], str] | None = None

    def finding(self, path: str, line: int, text: str) -> dict[str, Any] | None:
        """Return what to say about a line, None if it has no such defect."""
        match = self.pattern.search(text)
        if match is None:
            return None
        found = {
            "path": path,
            "line": line,
            "end_line": line,
            "quote": text,
            "category": self.category,
            "severity": self.severity,
            "confidence": "high",
            "title": self.title,
            "message": self.message,
        }
        if self.mend is None:
            return found
        mended = text[: match.start()] + self.mend(match) + text[match.end() :]
        return found | {"fix": {"line": line, "end_line": line, "replacement": mended}}


_DEFECTS = (
    _Defect(
        re.compile(r"range\((?P<size>len\([\w.]+\)) *\+ *1\)"),
        "correctness",
        "high",
        "Loop runs one past the end",
        "The last index equals the length, so indexing with it raises IndexError for every input, "
        "even an empty one.",
        lambda match: f"range({match['size']})",
    ),
    _Defect(
        re.compile(r"(?P<operator>[=!]=) *None\b"),
        "correctness",
        "low",
        "None compared by equality",
        "A class that defines `__eq__` can answer anything here, an array answers per element. Identity is meant.",
        lambda match: "is None" if match["operator"] == "==" else "is not None",
    ),
    _Defect(
        re.compile(r"^\s*except\s*(?:Exception)?:\s*(?:pass)?$"),
        "error-handling",
        "medium",
        "Every error is swallowed",
        "A failure here looks like success to the caller, and a typing error in the block does too. "
        "Catch the exception that is expected.",
    ),
    _Defect(
        re.compile(r"verify *= *False"),
        "security",
        "high",
        "TLS certificate is not checked",
        "Anybody between the two hosts can present any certificate and read or change the traffic.",
        lambda _: "verify=True",
    ),
    _Defect(
        re.compile(r"execute\(\s*(?:f[\"']|[\"'].*[\"']\s*[%+])"),
        "security",
        "high",
        "SQL built from values",
        "A value with a quote in it ends the literal, and what follows is run as SQL. Pass values as parameters.",
    ),
    _Defect(
        re.compile(r"def \w+\(.*=\s*(?:\[\]|\{\})"),
        "correctness",
        "medium",
        "Default value is shared between calls",
        "The default is made once; what one call adds is there in the next one.",
    ),
    _Defect(
        re.compile(r"/ *len\("),
        "correctness",
        "medium",
        "Division by zero for an empty input",
        "The length of an empty collection is 0, so the division raises ZeroDivisionError.",
    ),
    _Defect(
        re.compile(r"=\s*open\("),
        "resource-leak",
        "low",
        "File is not closed on errors",
        "An exception before the close leaves the file open. Use a `with` block.",
    ),
)


def mended(text: str) -> str | None:
    """Return a line without its planted defect, None if it has none that its line alone can mend."""
    for defect in _DEFECTS:
        match = defect.pattern.search(text)
        if match and defect.mend:
            return text[: match.start()] + defect.mend(match) + text[match.end() :]
    return None


def planted_review(request: Mapping[str, Any]) -> Reply:
    """Report each planted defect that the prompt shows, at the line that the prompt names."""
    prompt = str(request["messages"][-1]["content"])
    return Reply(json.dumps({"findings": list(_findings(prompt))[:8]}))


def _findings(prompt: str) -> Iterator[dict[str, Any]]:
    path = ""
    for row in prompt.split("\n"):
        if match := _FILE.match(row):
            path = json.loads(match["path"])
        elif path and (match := _ADDED.match(row)):
            found = (defect.finding(path, int(match["line"]), match["text"]) for defect in _DEFECTS)
            yield from (each for each in found if each)
