"""What a text would do in GitLab, judged without any of our own code: Markdown is read by a CommonMark parser.

Stricter than GitLab where its version, licence or settings decide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: https://docs.gitlab.com/api/notes/ allows a million characters; nobody reads a tenth of that.
_MAX_CHARS = 100_000
_MAX_DEPTH = 30

_PARSER = MarkdownIt("commonmark", {"html": True, "maxNesting": 200}).enable(["table", "strikethrough"])

_COMMAND = re.compile(r"^/[a-z]", re.IGNORECASE)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_REFERENCES = {
    "a mention": r"(?<![\w.])@[\w\"'`*_~]",
    "an issue": r"(?<![\w&])#[\d\"]|GL-\d",
    "a merge request": r"(?<!\w)![\d]",
    "a label": r"(?<!\w)~[\w\"]",
    "a milestone": r"(?<![\w\d])%[\w\"]",
    "an epic or snippet": r"(?<!\w)[&$]\d",
    "an alert": r"\^alert#",
    "something elsewhere": r"\w/[\w.-]+(?:[#!&$%~]\w|@[0-9a-f]{7})",
    "something by its kind": r"\[(?:issue|epic|vulnerability|feature_flag|work_item|contact|wiki_page):|\*iteration:",
    "a ticket": r"\b[A-Z][A-Z0-9_]+-\d",
    "a commit": r"\b[0-9a-f]{7,40}\b",
    "an address": r"[a-z][a-z0-9+.-]*://|\bwww\.|\bmailto:|\w@[\w-]+\.\w",
    "a wiki link": r"\[\[",
    "a table of contents": r"^\[TOC\]$|\[\[_TOC_\]\]",
    "an emoji": r":[a-z0-9_+-]+:",
    "math": r"\$`|\$\$|(?<!\w)\$[^\s$][^$]*\$",
    "an inline diff": r"[{\[][+-]\s",
    "a footnote": r"\[\^",
    "a task": r"^\[[ xX~]\]",
    "an include": r"^::\w",
}
_PATTERNS = {what: re.compile(pattern, re.IGNORECASE | re.MULTILINE) for what, pattern in _REFERENCES.items()}
_COLOURS = re.compile(r"[a-z+#]{0,12}")
_DRAWN = {
    "mermaid",
    "math",
    "plantuml",
    "kroki",
    "graphviz",
    "suggestion",
    "dot",
    "ditaa",
    "d2",
    "vega",
    "latex",
    "tex",
}
#: Our own beginning and end of what is folded away.
_FOLD = {False: re.compile(r"<details><summary>[^<>@#!~%&`\n]*</summary>"), True: re.compile(r"</details>")}
_ACTING = {
    "link_open": "a link",
    "image": "an image",
    "html_inline": "HTML",
    "html_block": "HTML",
    "heading_open": "a heading",
    "hr": "a rule",
    "s_open": "struck text",
    "blockquote_open": "a quote",
    "table_open": "a table",
}


def acting(
    body: str,
    *,
    marker: str = "",
    links: str = "",
    suggestions: Collection[str] = (),
    ours: Collection[str] = (),
    folds: int = 0,
) -> list[str]:
    """Return what *body* would do besides being read.

    Args:
        body: as we post it.
        marker: our own last line, the only HTML that may be there.
        links: what the address of every link begins with.
        suggestions: what may be offered to be committed.
        ours: kinds of tokens that our own frame has, such as ``table_open``.
        folds: how many parts our own frame folds away; -1 for any number, as long as each one ends.
    """
    return [
        *_commands(body),
        *(f"{match[0]!r}, which nobody sees" for match in _UNSEEN.finditer(body)),
        *(["more than anybody reads"] if len(body) > _MAX_CHARS else []),
        *(["front matter"] if re.match(r"(?:---|\+\+\+|;;;)", body.lstrip()) else []),
        *_markup(body, marker, links, suggestions, ours),
        *_folded(body, folds),
        *_last_line(body, marker),
    ]


def _commands(body: str) -> Iterator[str]:
    seen = re.sub(r"[^\S\n]+$", "", body.replace("\r", ""), flags=re.MULTILINE)
    for text in (seen, _UNSEEN.sub("", seen), "\n".join(body.splitlines())):
        yield from (f"the command {line[:40]!r}" for line in text.split("\n") if _COMMAND.match(line))


def _folded(body: str, folds: int) -> Iterator[str]:
    html = [token.content.strip() for token in _flat(_PARSER.parse(body)) if token.type == "html_block"]
    opened, closed = (sum(bool(_FOLD[end].fullmatch(one)) for one in html) for end in (False, True))
    if opened != closed or folds not in {-1, opened}:
        yield f"{opened} folds, of which {closed} end"


def _last_line(body: str, marker: str) -> Iterator[str]:
    if body.rpartition("\n")[2] != marker and marker:
        yield "another last line than our marker"


def _markup(
    body: str, marker: str, links: str, suggestions: Collection[str], ours: Collection[str]
) -> Iterator[str]:
    offered = []
    for token in _flat(_PARSER.parse(body)):
        if token.level > _MAX_DEPTH:
            yield "nesting that renderers give up on"
        if token.type == "fence":
            info = token.info.strip().lower()
            if info.startswith("suggestion") and suggestions:
                offered.append(token.content.removesuffix("\n"))
            elif not _COLOURS.fullmatch(info) or info in _DRAWN:
                yield f"a fence of {info!r}"
        elif token.type == "text":
            yield from (f"{what} in {token.content[:60]!r}" for what in _referred(token.content))
        elif token.type in _ACTING and token.type not in ours and not _allowed(token, marker, links):
            yield f"{_ACTING[token.type]}: {str(token.attrs or token.content)[:80]}"
    if sorted(offered) != sorted(suggestions):
        yield f"suggestions {offered}"


def _allowed(token: Token, marker: str, links: str) -> bool:
    if token.type == "link_open":
        return bool(links) and str(token.attrs.get("href", "")).startswith(links)
    if token.type != "html_block":
        return False
    content = token.content.strip()
    return content in {marker} - {""} or any(fold.fullmatch(content) for fold in _FOLD.values())


def _referred(text: str) -> Iterator[str]:
    return (what for what, pattern in _PATTERNS.items() if pattern.search(text))


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(_joined(token.children or []))


def _joined(children: list[Token]) -> list[Token]:
    """Join neighbouring text, which the parser splits at escapes, as GitLab sees it."""
    joined: list[Token] = []
    for child in children:
        if child.type.startswith("text") and joined and joined[-1].type == "text":
            joined[-1] = joined[-1].copy(content=joined[-1].content + child.content)
        else:
            joined.append(child.copy(type="text") if child.type == "text_special" else child)
    return joined
