"""What a comment asks of us: lines that begin with our name and a command.

Only what a reader sees as a line of its own counts: nothing in code, quotes, lists, HTML or other markup, and no name
that merely looks like ours.
"""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: The name that works everywhere, whatever the account is called.
NAME = "cloister"
#: What is read of a comment. People write commands at the top, and a parser shall not chew on a megabyte.
READ_CHARS = 20_000
#: Unknown words that are repeated to their author.
_UNKNOWN = 3
_WORDS_CHARS = 1_000
#: Commands that one comment may give for several findings, and how often.
_MANY = 20

_MENTION = re.compile(r"^ {0,3}@[0-9A-Za-z_]", re.MULTILINE)
#: Chinese keyboards write wide spaces, and wide marks without one.
_LINE = re.compile(
    r"@(?P<name>[0-9A-Za-z_][0-9A-Za-z_.-]*)(?:[:,]?(?:[ \t\u3000]+|$)|[：，、][ \t\u3000]*)(?P<rest>.*)",
    re.DOTALL,
)
_BREAK = re.compile(r"\s+|[：，、。]\s*")
_QUOTE = re.compile(r" {0,3}(>{3,})[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class Verb(enum.StrEnum):
    """What we can be asked for, in the order in which the help tells it."""

    review = "review"
    explain = "explain"
    fix = "fix"
    test = "test"
    ignore = "ignore"
    resolve = "resolve"
    waive = "waive"
    unwaive = "unwaive"
    pause = "pause"
    resume = "resume"
    help = "help"


@dataclass(frozen=True, slots=True)
class Command:
    """Hold one command; ``words`` is what follows it on its line: a question, or a reason."""

    verb: Verb
    words: str = ""

    @property
    def commits(self) -> bool:
        """Say whether the result shall be committed, rather than shown."""
        return "--commit" in self.words.split()


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold all that a comment asks: each command once, about one finding at a time, and words that are none."""

    commands: tuple[Command, ...] = ()
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.commands or self.unknown)


def addresses_somebody(text: str) -> bool:
    """Say whether a line of *text* begins with a name, cheaply, so that other comments need not be looked at."""
    return _MENTION.search(text) is not None


def asked(text: str, names: Collection[str]) -> Asked:
    """Return what *text*, a comment in Markdown, asks of whoever answers to *names*.

    A name without a command asks for help. Of a command that is repeated, the first counts; waivers are asked for
    one by one.
    """
    known = {name.lower() for name in names}
    commands: dict[tuple[Verb, str], Command] = {}
    unknown: dict[str, None] = {}
    for line in _lines(text[:READ_CHARS]):
        match = _LINE.fullmatch(line)
        if match is None or match["name"].lower() not in known:
            continue
        word, rest = [*_BREAK.split(match["rest"].strip(), maxsplit=1), "", ""][:2]
        verb = _verb(word)
        if verb is None:
            unknown[word] = None
        else:
            command = Command(verb, rest.strip()[:_WORDS_CHARS])
            several = verb in {Verb.waive, Verb.unwaive} and len(commands) < _MANY
            commands.setdefault((verb, command.words if several else ""), command)
    return Asked(tuple(commands.values()), tuple(unknown)[:_UNKNOWN])


def _verb(word: str) -> Verb | None:
    if not word:
        return Verb.help
    plain = word.rstrip(".,;:!?").lower()
    return Verb(plain) if plain.isascii() and plain in set(Verb) else None


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of plain paragraphs that begin with text, not with markup."""
    # Escapes and entities stay as they are: who writes them wants no mention.
    parser = MarkdownIt("commonmark").disable(["escape", "entity", "reference"])
    tokens = parser.parse(_quoted(text))
    for opening, token in itertools.pairwise(tokens):
        if opening.type == "paragraph_open" and opening.level == 0 and token.children:
            yield from _lines_of(token.children)


def _lines_of(children: list[Token]) -> Iterator[str]:
    line: list[Token] = []
    for child in [*children, Token("softbreak", "br", 0)]:
        if child.type not in {"softbreak", "hardbreak"}:
            line.append(child)
            continue
        if line and line[0].type == "text" and line[0].content.startswith("@"):
            yield "".join(part.content for part in line)
        line = []


def _quoted(text: str) -> str:
    """Return *text* with GitLab's quotes of several lines, between lines of ``>>>``, as quotes of each line.

    One that nobody closes reaches to the end, as GitLab shows it.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    quote = fence = ""
    for at, line in enumerate(lines):
        mark = _QUOTE.fullmatch(line)
        if quote:
            lines[at] = f"> {line}"
            if mark and len(mark[1]) >= len(quote):
                quote = ""
                # What follows is no continuation of the quote.
                lines[at] += "\n"
        elif mark and not fence:
            quote, lines[at] = mark[1], f"> {line}"
        elif found := _FENCE.match(line):
            fence = _fence_after(fence, found[1], line)
    return "\n".join(lines)


def _fence_after(fence: str, found: str, line: str) -> str:
    """Return the fence of code that is open after *line*, which begins with *found*."""
    if not fence:
        return found
    closes = found.startswith(fence) and line.strip() == found
    return "" if closes else fence
