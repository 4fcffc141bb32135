"""Text from outside, made inert before it is shown.

The output is generated, not filtered: the input is parsed into fenced code, inline code and words, and
each part is written anew in a form that cannot act. Markup that GitLab interprets after Markdown
(mentions, references, automatic links) ignores backslashes, so a word that holds any of it becomes
inline code, which GitLab leaves alone.

In every text made here no line starts with a slash and a letter (GitLab executes such lines with the
rights of the author, inside code too: https://docs.gitlab.com/user/project/quick_actions/), and there
is no raw HTML, no image, no link, no mention and no reference outside code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

#: Longest text of one kind that a reader of a comment will still read.
PROSE_LIMIT = 4_000
INLINE_LIMIT = 300
CODE_LIMIT = 8_000

#: Info strings that only choose colours. Others make GitLab draw, fetch or offer a commit.
_LANGUAGE = re.compile(
    "bash|c|cpp|csharp|css|dart|diff|dockerfile|elixir|go|groovy|haskell|hcl|html|ini|java|javascript|json"
    "|jsx|kotlin|lua|makefile|nginx|perl|php|powershell|python|ruby|rust|scala|sh|shell|sql|swift|text|toml"
    "|tsx|typescript|vue|xml|yaml"
)

_ELLIPSIS = "…"
_LINE_BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_QUICK_ACTION = re.compile(r"^/(?=[A-Za-z])", re.MULTILINE)
_BACKTICKS = re.compile("`+")
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}(?!.*`)|~{3,})[ \t]*(?P<language>[\w+#-]*)")
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<content>.*?)[ \t#]*$")
_ITEM = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>[-*+]|\d{1,3}[.)])[ \t]+(?P<content>\S.*)$")
_STRONG_OR_CODE = re.compile(
    r"(?<!\S)\*\*(?=\S)(?P<strong>[^*`]+)(?<=\S)\*\*(?![\w*])"
    r"|(?<!`)(?P<ticks>`++)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
)
_EDGES = re.compile(r"""^(?P<before>[("']*)(?P<core>.*?)(?P<after>[)"',.;:?!]*)$""", re.DOTALL)

#: What makes a word more than a word. Wide on purpose: code that reads as code is no loss.
_ACTIVE = re.compile(
    r"""
    [@\#~^$<>\[\]{}|\\`&_]                      # mentions, references, HTML, links, math, tables
    | [!%](?=["\w])                             # merge requests, milestones
    | :(?=["\w/+-])                             # schemes, emoji, iterations
    | ^["'(]*/(?=[A-Za-z])                      # quick actions
    | (?i:www\.) | [\w-]\.[^\W\d]{2}            # links without a scheme
    | (?<![0-9A-Za-z])[0-9A-Fa-f]{7,}(?![0-9A-Za-z])   # commits
    | [A-Za-z]\w*-\d                            # tickets of any tracker
    """,
    re.VERBOSE,
)

#: Where one word ends and the next begins without a space, as between Chinese and Latin letters: only there where
#: nothing that acts can reach across.
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_MARKS = "\u3001-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f"
_JOINT = re.compile(
    rf"(?<=[{_HAN}])(?=[0-9A-Za-z])|(?<=[0-9A-Za-z\])}}\"'])(?=[{_HAN}{_MARKS}])|(?<=[{_MARKS}])(?=[^{_MARKS}])"
)

#: At the start of a line these make headings, rules, lists, front matter and definitions.
_LINE_MARKUP = frozenset("=-+:;")
_NUMBERED = re.compile(r"^\d+(?=[.)](?: |$))")

#: Characters that Unicode counts as letters or marks although nobody can see them.
BLANK = frozenset(
    [*"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"]
    + [chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))]
)


class _Seen(dict[int, str]):
    """Map a code point to what a reader sees of it, for ``str.translate``."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Zs":
            return " "
        if category == "Cs":
            return "\ufffd"
        return "" if category.startswith("C") or char in BLANK else char


_SEEN = _Seen({code: chr(code) for code in (*b"\t\n", *range(0x20, 0x7F))})


class _Fenced(NamedTuple):
    language: str
    code: str


def visible(text: str) -> str:
    r"""Return *text* with every line break as ``\n`` and nothing in it that a reader cannot see.

    Control, zero-width, bidirectional, tag, private and unassigned characters go; spaces of any kind
    become plain ones.
    """
    return _LINE_BREAKS.sub("\n", text).translate(_SEEN)


def one_line(text: str, limit: int = INLINE_LIMIT) -> str:
    """Return *text* as one visible line of at most *limit* characters; no Markdown is neutralised."""
    return _capped(" ".join(visible(text).split()), limit)


def starts_quick_action(text: str) -> bool:
    """Say whether GitLab would execute a line of *text* as a command."""
    forms = (text.replace("\r", ""), _LINE_BREAKS.sub("\n", text), visible(text))
    return any(_QUICK_ACTION.search(form) for form in forms)


def neutral(text: str, limit: int = PROSE_LIMIT) -> str:
    """Return prose from an untrusted source as Markdown that cannot act.

    Paragraphs, lists, bold text and code survive; other markup is shown as it was written. Input beyond
    *limit* characters is cut, with an ellipsis.
    """
    blocks = _blocks(_capped(visible(text), limit))
    return "\n".join(
        code_block(block.code, block.language, limit) if isinstance(block, _Fenced) else _line(block)
        for block in blocks
    ).strip("\n")


def neutral_inline(text: str, limit: int = INLINE_LIMIT) -> str:
    """Return *text* as one line of Markdown without markup of its own, fit to stand inside bold text."""
    return _guarded("".join(_words(one_line(text, limit))))


def cell(text: str, limit: int = INLINE_LIMIT) -> str:
    """Return *text* like ``neutral_inline``, fit for a table, where a bar would split even code."""
    return neutral_inline(text.replace("|", "¦"), limit)


def code_span(text: str, limit: int = INLINE_LIMIT) -> str:
    """Return *text* as inline code on one line; empty if nothing of it is visible."""
    code = one_line(text, limit)
    if not code:
        return ""
    ticks = "`" * (_longest_run(code) + 1)
    pad = " " if "`" in (code[0], code[-1]) else ""
    return f"{ticks}{pad}{code}{pad}{ticks}"


def code_block(text: str, language: str = "", limit: int = CODE_LIMIT) -> str:
    """Return *text* as fenced code, coloured if *language* is one that only chooses colours.

    A line that GitLab would take for a command is moved in by one space.
    """
    code = _QUICK_ACTION.sub(" /", _capped(visible(text), limit))
    ticks = fence(code)
    info = language.lower() if _LANGUAGE.fullmatch(language.lower()) else ""
    return f"{ticks}{info}\n{code}\n{ticks}"


def fence(code: str) -> str:
    """Return a fence of backticks that *code* cannot close."""
    return "`" * max(3, _longest_run(code) + 1)


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)


def _capped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _ELLIPSIS


def _blocks(text: str) -> Iterator[str | _Fenced]:
    lines = iter(text.split("\n"))
    for line in lines:
        opening = _FENCE.match(line)
        if opening is None:
            yield line
            continue
        closing = re.compile(rf"^ {{0,3}}{opening['fence']}{opening['fence'][0]}*[ \t]*$")
        code: list[str] = []
        for inner in lines:
            if closing.match(inner):
                break
            code.append(inner)
        yield _Fenced(opening["language"], "\n".join(code))


def _line(line: str) -> str:
    item = _ITEM.match(line)
    if item is None:
        heading = _HEADING.match(line.strip())
        return _guarded(_inline(heading["content"] if heading else line.strip()))
    # Deeper indents could turn the line into a code block; one level of nesting is enough for a comment.
    indent = "  " if len(item["indent"].expandtabs(4)) > 1 else ""
    mark = item["mark"].replace(")", ".") if item["mark"][0].isdigit() else "-"
    return f"{indent}{mark} {_guarded(_inline(item['content']))}"


def _guarded(line: str) -> str:
    # Lists within lists would nest as deep as the text is long, and renderers give up on what follows.
    return f"\\{line}" if line[:1] in _LINE_MARKUP else _NUMBERED.sub(r"\g<0>\\", line)


def _inline(line: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _STRONG_OR_CODE.finditer(line):
        if match["strong"] is None:
            continue
        parts += [*_words(line[end : match.start()]), "**", *_words(match["strong"]), "**"]
        end = match.end()
    return "".join([*parts, *_words(line[end:])])


def _words(text: str) -> Iterator[str]:
    """Yield words, made inert, and the single spaces between them; code spans never split a word."""
    ended = ""
    for blank, word in _split(text):
        made = _word(word)
        # Two runs of backticks side by side would be one, and end neither of the spans.
        yield " " if ended.endswith("`") and made.startswith("`") else blank
        yield made
        ended = "" if blank and not made else made or ended


def _split(text: str) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Yield the words of *text*, in pieces that are code or not, each with the blank before it."""
    before, word = "", list[tuple[str, bool]]()
    for chunk, is_code in _chunks(text):
        if is_code:
            word.append((chunk, True))
            continue
        for blanks, piece in _pieces(chunk):
            if blanks is not None:
                yield before, word
                before, word = blanks, []
            word.append((piece, False))
    yield before, word


def _pieces(text: str) -> Iterator[tuple[str | None, str]]:
    """Yield the words of *text*, each with what parts it from the one before: None for nothing, as at the start."""
    for at, spaced in enumerate(re.split(r"[ \t]+", text)):
        for within, piece in enumerate(_JOINT.split(spaced)):
            yield ("" if within else " " if at else None), piece


def _chunks(text: str) -> Iterator[tuple[str, bool]]:
    end = 0
    for match in _STRONG_OR_CODE.finditer(text):
        if match["code"] and match["code"].strip():
            yield text[end : match.start()], False
            yield match["code"], True
            end = match.end()
    yield text[end:], False


def _word(pieces: list[tuple[str, bool]]) -> str:
    # A code span counts as a letter, because "$`x`$" is math and "@`x`" should stay in one piece.
    shape = "".join("x" if is_code else piece for piece, is_code in pieces)
    # A piece of text begins anew behind a code span for what GitLab looks for: "`x`deadbee" names a commit.
    if not any(map(_ACTIVE.search, [shape, *(piece for piece, is_code in pieces if not is_code)])):
        return "".join(code_span(piece) if is_code else _escaped(piece) for piece, is_code in pieces)
    if any(is_code for _, is_code in pieces):
        return code_span("".join(piece for piece, _ in pieces), PROSE_LIMIT)
    edges = _EDGES.match(shape)
    if edges is None or not _ACTIVE.search(edges["core"]):
        return code_span(shape, PROSE_LIMIT)
    return edges["before"] + code_span(edges["core"], PROSE_LIMIT) + edges["after"]


def _escaped(text: str) -> str:
    return text.replace("*", r"\*")
