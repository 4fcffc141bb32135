"""What a comment's text does in GitLab: quick actions, mentions, references, images, links, suggestions."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

#: Quick actions that change a merge request; GitLab knows more, and every one it knows it runs.
_KNOWN = """
approve assign assign_reviewer award cc clear_time_spent close copy_metadata done draft due
duplicate epic estimate label labels lock merge milestone move react ready rebase relabel
relate remove_due_date remove_estimate remove_milestone remove_time_spent reopen
request_changes request_review reviewer run_pipeline ship shrug spend spend_time spent
submit_review subscribe tableflip target_branch title todo unapprove unassign unassign_reviewer
unlabel unlock unsubscribe wip
"""
KNOWN = frozenset(_KNOWN.split())

_COMMAND = re.compile(r"^/([A-Za-z][A-Za-z0-9_]*)(?:[ \t]+(.*?))?[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_SUGGESTION = re.compile(r"^suggestion(?::-(\d+)\+(\d+))?\s*$")
_INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")
_EFFECTS = {
    "mention": re.compile(r"(?<![\w/.+@-])@[A-Za-z0-9_][\w.-]*"),
    "reference": re.compile(r"(?<![\w&/])[#!~%$&]\d+\b|(?<!\w)~[A-Za-z][\w-]*"),
    "image": re.compile(r"!\[[^\]]*\](?:\(|\[)|<img\b", re.IGNORECASE),
    "link": re.compile(r"(?<!!)\[[^\]]+\]\([^)]*\)|\b(?:https?|ftp)://[^\s<>)]+|\bwww\.\w", re.IGNORECASE),
    "html": re.compile(r"</?[A-Za-z][^>]*>"),
}


@dataclass(frozen=True, slots=True)
class QuickAction:
    """One line that GitLab took, or would take, for a command; ``known`` ones were carried out."""

    user_id: int
    merge_request_id: int
    command: str
    argument: str
    known: bool


@dataclass(frozen=True, slots=True)
class SideEffect:
    """Something that a body does to people or other hosts: ``kind`` is mention, reference, image, link or html."""

    user_id: int
    kind: str
    text: str
    body: str


@dataclass(frozen=True, slots=True)
class SuggestionBlock:
    """A suggestion as written: lines above and below the commented one, and the replacement."""

    above: int
    below: int
    content: str


def commands(body: str) -> tuple[list[tuple[str, str]], str]:
    """Return the commands of a body and what is left of it.

    Carriage returns go first and fences are not honoured: what the fence rules of GitLab protect has been
    bypassed often enough.
    """
    found = []
    kept = []
    for line in body.replace("\r", "").split("\n"):
        match = _COMMAND.match(line)
        if match:
            found.append((match[1].lower(), match[2] or ""))
        if not match or match[1].lower() not in KNOWN:
            kept.append(line)
    return found, "\n".join(kept) if len(kept) != body.count("\n") + 1 else body


def side_effects(user_id: int, body: str) -> list[SideEffect]:
    """Return the mentions, references, images, links and HTML of a body outside of code and comments."""
    prose = _prose(body)
    # Mentions and references are looked for in rendered text, where entities are characters again.
    text = html.unescape(prose)
    texts = {"mention": text, "reference": text}
    return [
        SideEffect(user_id, kind, match[0], body)
        for kind, pattern in _EFFECTS.items()
        for match in pattern.finditer(texts.get(kind, prose))
    ]


def _prose(body: str) -> str:
    lines: list[str] = []
    fence = ""
    for line in body.replace("\r\n", "\n").split("\n"):
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            fence = match[1]
        else:
            lines.append(line)
    text = _INLINE_CODE.sub(" ", "\n".join(lines))
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)
    return _ESCAPED.sub("\u00b7", text)


def suggestions(body: str) -> list[SuggestionBlock]:
    """Return the suggestion blocks of a body, offsets clamped to 100 without a word."""
    found = []
    fence = ""
    block: list[str] | None = None
    above = below = 0
    for line in body.replace("\r\n", "\n").split("\n"):
        match = _FENCE.match(line)
        if not fence and match:
            fence = match[1]
            head = _SUGGESTION.match(match[2])
            block = [] if head else None
            above, below = (min(int(number or 0), 100) for number in (head.groups() if head else (0, 0)))
        elif fence and match and match[1].startswith(fence) and not match[2].strip():
            if block is not None:
                found.append(SuggestionBlock(above, below, "\n".join(block)))
            fence, block = "", None
        elif block is not None:
            block.append(line)
    return found
