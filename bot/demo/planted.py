"""Answers that look like a model's, for defects that the demo plants in its merge requests."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo.script import Reply, asked_for

_FILE = re.compile(r'^File: (?P<path>"(?:[^"\\]|\\.)*")$')
_POINT = re.compile(r'^(?P<number>\d+)\. File: (?P<path>"(?:[^"\\]|\\.)*"), line (?P<line>\d+)(?P<said>.*)$')
_SHOWN = re.compile(r"^ *(?P<line>\d+) [+ ] (?P<text>.*)$")
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
            "evidence": [{"line": line, "quote": text}],
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
    """Answer whatever is asked: report planted defects, confirm them, explain what scanners found."""
    prompt = str(request["messages"][-1]["content"])
    asked = asked_for(request)
    if asked == "verdicts":
        return confirmation(request)
    if asked == "explanations":
        return Reply(json.dumps({asked: list(_explanations(prompt))}))
    if asked == "findings":
        findings = list(_findings(prompt))[:8]
        return Reply(json.dumps({asked: findings, "changes": list(_changes(prompt))}))
    return Reply(json.dumps({asked: []}))


def confirmation(request: Mapping[str, Any], refuted: Collection[tuple[str, int]] = ()) -> Reply:
    """Confirm every claim but those on *refuted* lines, with the line that it is about for evidence."""
    lines, points = _read(str(request["messages"][-1]["content"]))
    verdicts = [
        {
            "claim": number,
            "line": line,
            "quote": lines.get((path, line), ""),
            **_verdict(wrong=(path, line) in refuted),
        }
        for number, path, line, _ in points
    ]
    return Reply(json.dumps({"verdicts": verdicts}))


def _verdict(*, wrong: bool) -> dict[str, str]:
    if wrong:
        return {"reason": "The line does what it should.", "verdict": "refuted", "severity": "info"}
    return {"reason": "The line fails as claimed.", "verdict": "confirmed", "severity": "high"}


def confirming(
    script: Callable[[Mapping[str, Any]], Reply], refuted: Collection[tuple[str, int]] = ()
) -> Callable[[Mapping[str, Any]], Reply]:
    """Return a script that answers by *script* what is found, confirms it but for *refuted* lines, and explains nothing."""

    def answer(request: Mapping[str, Any]) -> Reply:
        asked = asked_for(request)
        if asked == "findings":
            return script(request)
        return confirmation(request, refuted) if asked == "verdicts" else Reply(json.dumps({asked: []}))

    return answer


def _explanations(prompt: str) -> Iterator[dict[str, Any]]:
    lines, points = _read(prompt)
    for number, path, line, said in points:
        text = lines.get((path, line), "")
        defect = next((one for one in _DEFECTS if one.pattern.search(text)), None)
        if defect is not None:
            found = defect.finding(path, line, text) or {}
            fix = {"fix": found["fix"]} if "fix" in found else {}
            yield {"finding": number, "why": defect.message, "false_positive": False, **fix}
        elif names := re.findall(r"[A-Za-z_]\w{2,}", text):
            where = " and ".join(f"`{name}`" for name in dict.fromkeys(names[:2]))
            why = f"Whoever calls this code reaches {where} without another check in between."
            if "time.sleep(" in text:
                why = "While one call sleeps, everything else that this event loop does waits for it."
            yield {"finding": number, "why": why, "false_positive": "test" in path and "secret" in said}


def _changes(prompt: str) -> Iterator[dict[str, Any]]:
    added: Counter[str] = Counter()
    path = ""
    for row in prompt.split("\n"):
        if match := _FILE.match(row):
            path = json.loads(match["path"])
        elif path and _ADDED.match(row):
            added[path] += 1
    for name, count in list(added.items())[:12]:
        yield {"path": name, "summary": f"Adds {count} line{'' if count == 1 else 's'}."}


def _read(prompt: str) -> tuple[dict[tuple[str, int], str], list[tuple[int, str, int, str]]]:
    """Return the lines that *prompt* shows, and the numbered points about them."""
    lines: dict[tuple[str, int], str] = {}
    points: list[tuple[int, str, int, str]] = []
    path = ""
    for row in prompt.split("\n"):
        if match := _POINT.match(row):
            points.append(
                (int(match["number"]), json.loads(match["path"]), int(match["line"]), match["said"])
            )
        elif match := _FILE.match(row):
            path = json.loads(match["path"])
        elif path and (match := _SHOWN.match(row)):
            lines[path, int(match["line"])] = match["text"]
    return lines, points


def _findings(prompt: str) -> Iterator[dict[str, Any]]:
    path = ""
    for row in prompt.split("\n"):
        if match := _FILE.match(row):
            path = json.loads(match["path"])
        elif path and (match := _ADDED.match(row)):
            found = (defect.finding(path, int(match["line"]), match["text"]) for defect in _DEFECTS)
            yield from (each for each in found if each)
