"""What `cloister demo` prints: discussions, the summary and the status, the way a developer sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

_MARKER = re.compile(r"\n*<!-- cloister:.*? -->\s*$", re.DOTALL)
_SUGGESTION = re.compile(r"(?ms)^(`{3,})suggestion:(-\d+\+\d+)\n(.*?)^\1\s*$")
_FOLDED = re.compile(r"(?m)^<details><summary>(.*)</summary>$|^</details>$")
_SUMMARY = "<!-- cloister:v1:summary:"
_STYLES = {"success": "bold green", "failed": "bold red", "pending": "yellow", "running": "yellow"}


def show_discussions(
    console: Console, discussions: Sequence[Mapping[str, Any]], files: Mapping[str, str]
) -> None:
    """Print each thread in the diff, then the comments on the merge request; *files* hold the head's text."""
    for discussion in sorted(discussions, key=_order):
        note = discussion["notes"][0]
        if note.get("position"):
            console.print(_thread(note, files))
    for discussion in discussions:
        note = discussion["notes"][0]
        if not note.get("position") and not note.get("system"):
            title = "summary note, edited in place" if _SUMMARY in note["body"] else "comment"
            console.print(Panel(_body(note["body"]), title=title, title_align="left", border_style="blue"))


def show_threads_in_brief(console: Console, discussions: Sequence[Mapping[str, Any]]) -> None:
    """Print one line for each thread: whether it is resolved, where it is, what it says."""
    for discussion in sorted(discussions, key=_order):
        note = discussion["notes"][0]
        if position := note.get("position"):
            mark, style = ("resolved", "green") if note["resolved"] else ("open", "red")
            headline = _MARKER.sub("", note["body"]).split("\n")[0].strip("*")
            place = f"{position['new_path']}:{position.get('new_line') or position.get('old_line')}"
            console.print(Text.assemble((f"  {mark:9}", style), (f"{place:24}", "cyan"), headline))


def show_status(console: Console, status: Mapping[str, Any]) -> None:
    """Print a commit status."""
    style = _STYLES.get(status["status"], "bold")
    console.print(
        Text.assemble("Commit status ", (status["name"], "bold"), ": ", (status["status"], style))
        + Text(f"  ({status['description']})")
    )


def _order(discussion: Mapping[str, Any]) -> tuple[str, int]:
    position = discussion["notes"][0].get("position") or {}
    return position.get("new_path", ""), position.get("new_line") or 0


def _thread(note: Mapping[str, Any], files: Mapping[str, str]) -> RenderableType:
    path, line = note["position"]["new_path"], note["position"].get("new_line") or 1
    code = Syntax(
        files.get(path, ""),
        "python",
        line_numbers=True,
        line_range=(max(1, line - 2), line + 1),
        highlight_lines={line},
        theme="ansi_dark",
    )
    return Panel(
        Group(code, _body(note["body"])), title=f"{path}:{line}", title_align="left", border_style="cyan"
    )


def _body(body: str) -> RenderableType:
    """Return a note as GitLab would show it: suggestions as a replacement, our marker not at all."""
    opened = _FOLDED.sub(lambda match: f"**{match[1]}**" if match[1] else "", _MARKER.sub("", body))
    shown = _SUGGESTION.sub(
        lambda match: (
            f"*Suggestion ({match[2]}), one click to commit:*\n\n{match[1]}diff\n"
            + "".join(f"+{line}\n" for line in match[3].splitlines())
            + match[1]
        ),
        opened,
    )
    return Markdown(shown)
