"""How a change meets code elsewhere: what it calls, and what calls the functions that it changes, found by name.

A name says little about which definition is meant, so a name that many things have says nothing.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.context import Relation, Signature
from bot.domain.diff import Diff, FileDiff
from bot.domain.exclusions import unwritten
from bot.domain.outline import Definition, Syntax
from bot.ports import Occurrence
from bot.syntax import language_of

#: Names that are looked for: those called by the change, and those that it changes.
_MOST_CALLED: Final = 40
_MOST_CHANGED: Final = 20
_LEAST_CHARS: Final = 3
#: More definitions of one name than this, and nobody knows which is meant.
_MOST_HOMONYMS: Final = 3
#: More lines with a name than this, and it is a word rather than a name.
_MOST_LINES: Final = 200
_MOST_CALLERS: Final = 3
_MOST_FILES: Final = 24

#: Languages whose code calls each other.
_FAMILIES: Final = {
    **dict.fromkeys(("javascript", "typescript", "tsx"), "javascript"),
    **dict.fromkeys(("c", "cpp"), "c"),
    **dict.fromkeys(("java", "kotlin", "scala"), "java"),
}
_DEFINING: Final = re.compile(
    r"\b(?:def|class|func|function|fn|fun|struct|interface|trait|type|enum|module|object|const|impl|void|public|"
    r"private|protected|static|async|export|CREATE|sub|template)\b"
)
_TESTING: Final = re.compile(r"(?:^|[/_.-])(?:tests?|spec|testdata)(?=[/_.-]|$)|Tests?\.\w+$")


@dataclass(frozen=True, slots=True)
class Meetings:
    """Hold by which names changed files may meet other code, by path."""

    called: Mapping[str, tuple[str, ...]]
    changed: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names to look for, those that the change calls first."""
        called = _frequent(self.called)[:_MOST_CALLED]
        return tuple(dict.fromkeys([*called, *_frequent(self.changed)[:_MOST_CHANGED]]))


def meetings(diff: Diff, syntaxes: Mapping[str, Syntax]) -> Meetings:
    """Return the names that the added lines of *diff* call, and those of the functions that it changes."""
    called, changed = {}, {}
    for file in diff.files:
        syntax = syntaxes.get(file.new_path)
        if syntax is None:
            continue
        calls = (call.name for call in syntax.all_calls if call.line in file.added_lines)
        called[file.new_path] = tuple(name for name in dict.fromkeys(calls) if len(name) >= _LEAST_CHARS)
        names = (one.name for one in _touched(file, syntax) if len(one.name) >= _LEAST_CHARS)
        changed[file.new_path] = tuple(dict.fromkeys(names))
    return Meetings(called, changed)


def candidates(lines: Sequence[Occurrence], met: Meetings) -> list[str]:
    """Return the files worth parsing, those that seem to define a called name first."""
    wanted = set(met.names)
    families = {_family(path) for path in met.called}
    words = {(one.path, one.line): wanted & set(re.findall(r"\w+", one.text)) for one in lines}
    counts = Counter(name for names in words.values() for name in names)
    near = {path.rpartition("/")[0] for path in met.called}
    scores: dict[str, int] = defaultdict(int)
    for one in lines:
        telling = [name for name in words[one.path, one.line] if counts[name] <= _MOST_LINES]
        if telling and _family(one.path) in families and not unwritten(one.path):
            scores[one.path] += 4 if _DEFINING.search(one.text) else 1
    return sorted(
        scores,
        key=lambda path: (
            bool(_TESTING.search(path)),
            path.rpartition("/")[0] not in near,
            -min(scores[path], 20),
            path,
        ),
    )[:_MOST_FILES]


def signatures(met: Meetings, syntaxes: Mapping[str, Syntax]) -> tuple[Signature, ...]:
    """Return what the changed files call and who calls what they change, as far as *syntaxes* know it."""
    defined: dict[tuple[str, str], list[tuple[str, Definition]]] = defaultdict(list)
    calling: dict[tuple[str, str], list[tuple[str, Definition]]] = defaultdict(list)
    changed = {name for names in met.changed.values() for name in names}
    for path, syntax in sorted(syntaxes.items()):
        family = _family(path)
        for one in syntax.definitions:
            defined[family, one.name].append((path, one))
        for name, caller in _callers(syntax, changed):
            calling[family, name].append((path, caller))
    return (*_called(met, defined), *_calling(met, calling))


def _called(
    met: Meetings, defined: Mapping[tuple[str, str], Sequence[tuple[str, Definition]]]
) -> Iterator[Signature]:
    for of, names in met.called.items():
        for name in names:
            places = defined.get((_family(of), name), ())
            at_home = [place for place in places if place[0] == of]
            for path, one in at_home or (places if len(places) <= _MOST_HOMONYMS else ()):
                yield Signature(of, Relation.called, path, one.line or one.first_line, _titled(one))


def _calling(
    met: Meetings, calling: Mapping[tuple[str, str], Sequence[tuple[str, Definition]]]
) -> Iterator[Signature]:
    for of, names in met.changed.items():
        for name in names:
            places = sorted(
                calling.get((_family(of), name), ()),
                key=lambda place: (bool(_TESTING.search(place[0])), place[0] != of),
            )
            for path, one in places[:_MOST_CALLERS]:
                text = f"{_titled(one)} calls {name}"
                yield Signature(of, Relation.caller, path, one.line or one.first_line, text)


def _callers(syntax: Syntax, names: set[str]) -> Iterator[tuple[str, Definition]]:
    """Yield each of *names* that the file calls, with the function that does."""
    seen = set()
    calls = (call for call in syntax.all_calls if call.name in names)
    for call in itertools.islice(calls, _MOST_LINES):
        around = [one for one in syntax.enclosing(call.line, call.line) if one.kind == "function"]
        if around and around[-1].name != call.name and (call.name, around[-1].first_line) not in seen:
            seen.add((call.name, around[-1].first_line))
            yield call.name, around[-1]


def _touched(file: FileDiff, syntax: Syntax) -> list[Definition]:
    """Return the functions of which *file* changes lines; classes count only by their functions."""
    lines = sorted({line.new for hunk in file.hunks for line in hunk.lines if line.old is None and line.new})
    functions = [one for one in syntax.definitions if one.kind == "function"]
    return [
        one for one in functions if bisect_left(lines, one.first_line) < bisect_right(lines, one.last_line)
    ]


def _titled(one: Definition) -> str:
    return f"{one.signature} in {one.parent}" if one.parent else one.signature


def _frequent(names: Mapping[str, Sequence[str]]) -> list[str]:
    return [name for name, _ in Counter(name for some in names.values() for name in some).most_common()]


def _family(path: str) -> str:
    language = language_of(path) or ""
    return _FAMILIES.get(language, language)
