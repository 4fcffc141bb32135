"""Whether files that fixes were put into can still be parsed."""

from __future__ import annotations

import asyncio
import enum
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.domain.outline import Syntax
from bot.ports import Command, Runner
from bot.reviewer.edit import Edit
from bot.scanners.semgrep_needs import python_needs
from bot.syntax import parse

#: Tells for each file, in order, whether Python takes it; compiling finds more than parsing.
_COMPILE = """
import sys, warnings
warnings.simplefilter("ignore")
for name in sys.argv[1:]:
    try:
        compile(open(name, "rb").read(), name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        print("no", flush=True)
    else:
        print("yes", flush=True)
"""
_PYTHON = frozenset({".py", ".pyw"})
_LIMIT_S = 20.0
_MEMORY_BYTES = 500_000_000


class Parsing(enum.Enum):
    """What is known of an edited file."""

    proven = "proven"
    unknown = "unknown"
    poorer = "poorer"
    broken = "broken"


@dataclass(frozen=True)
class Parses:
    """Compare files before and after their edits.

    The grammars forgive what an editor's user is about to mend, such as indentation that fits nowhere. So Python,
    where that matters most, is asked itself; what it does not take before the edit is written for another release.

    Args:
        runner: runs Python on hostile files.
        parse: reads the syntax of a file, if there is a grammar for it.
        limit_s: for all files; a thread cannot be broken off. What is left then counts as broken.
    """

    runner: Runner
    parse: Callable[[str, bytes], Syntax | None] = parse
    limit_s: float = 60.0

    async def judge(self, edits: Sequence[Edit]) -> list[Parsing]:
        """Return what is known of each of *edits*."""
        end = time.monotonic() + self.limit_s
        compiled, judged = await asyncio.gather(
            self._compiles(edits), asyncio.to_thread(lambda: [self._judged(one, end) for one in edits])
        )
        return [
            _answer(parsing, compiled.get(one.after, False)) if compiled.get(one.before) else parsing
            for one, parsing in zip(edits, judged, strict=True)
        ]

    def _judged(self, edit: Edit, end: float) -> Parsing:
        if time.monotonic() > end:
            return Parsing.broken
        before = self.parse(edit.path, edit.before)
        if before is None:
            return Parsing.unknown
        after = self.parse(edit.path, edit.after)
        if after is None or _worse(edit, before, after):
            return Parsing.broken
        return Parsing.poorer if _lost(before, after) else Parsing.proven

    async def _compiles(self, edits: Iterable[Edit]) -> dict[bytes, bool]:
        """Return which contents of Python files Python takes; of what is missing nothing is known."""
        python = [one for one in edits if PurePosixPath(one.path).suffix in _PYTHON]
        contents = list(dict.fromkeys(content for one in python for content in (one.before, one.after)))
        if not contents:
            return {}
        files = {f"{number}.py": content for number, content in enumerate(contents)}
        done = await self.runner.run(
            Command(
                (sys.executable, "-IS", "-c", _COMPILE, *files),
                files,
                limit_s=_LIMIT_S,
                memory_bytes=_MEMORY_BYTES,
                reads=python_needs(),
            )
        )
        answers = done.stdout.decode(errors="replace").split()
        return {content: answer == "yes" for content, answer in zip(contents, answers, strict=False)}


def _answer(parsing: Parsing, taken: bool) -> Parsing:
    """Return what is known of a file that Python takes, or not, whatever the grammar says of its parts."""
    if not taken:
        return Parsing.broken
    return parsing if parsing is Parsing.poorer else Parsing.proven


def _lost(before: Syntax, after: Syntax) -> set[str]:
    """Return the names that can be used elsewhere and are not defined any more; those in functions cannot."""
    return _offered(before) - _offered(after)


def _offered(syntax: Syntax) -> set[str]:
    inner, names = 0, set[str]()
    for one in sorted(syntax.definitions, key=lambda one: (one.first_line, -one.last_line)):
        if one.kind == "block" or one.last_line <= inner:
            continue
        names.add(one.name)
        if one.kind == "function":
            inner = max(inner, one.last_line)
    return names


def _worse(edit: Edit, before: Syntax, after: Syntax) -> bool:
    origins = {edit.origin(line) for line in after.errors}
    inside = any(edit.fix.line <= line <= edit.fix.end_line for line in before.errors)
    return after.error_count > before.error_count or not origins <= (
        before.errors | ({None} if inside else set())
    )
