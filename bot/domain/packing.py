"""Which excerpts share a prompt: what belongs together goes together, as long as there is room."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.domain.context import Context
from bot.domain.diff import FileDiff
from bot.domain.excerpt import Excerpt, Source, Unshowable, header
from bot.domain.exclusions import header_line
from bot.domain.surroundings import Ground, Span, excerpts, halves, wishes

#: A single excerpt may exceed the size of a part by half before it is split.
_STRETCH: Final = 1.5
#: What surrounds one hunk takes at most this share of a part, and all that surrounds hunks this share of them.
_WIDENED_SHARE: Final = 0.25
_SURROUNDINGS_SHARE: Final = 0.4
#: Prompts are never quite full, and split excerpts repeat what encloses them.
_FILLED_SHARE: Final = 0.8
#: What number and sign add to a line; and what its file's name and what encloses it add to a hunk.
_ROW_CHARS: Final = 8
_HUNK_CHARS: Final = 120

_TEST_WORDS: Final = re.compile(r"^tests?[_-]|[._-](?:tests?|spec)$|(?<=[a-z])(?:Tests?|Spec|IT)$")
#: Names that many unrelated files have.
_COMMON_STEMS: Final = frozenset({"", "__init__", "index", "main", "mod", "lib", "util", "utils", "types"})


#: A name that more files define or call says nothing about who belongs together.
_MOST_RELATIVES: Final = 3


@dataclass(frozen=True, slots=True)
class Skipped:
    """Say that the model does not see a file, or some lines of it, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Hold one file that is to be shown."""

    file: FileDiff
    ground: Ground

    @property
    def path(self) -> str:
        """Return where it is at the head."""
        return self.file.new_path


@dataclass(frozen=True)
class Kin:
    """Hold what tells which files belong together."""

    directories: frozenset[str] = frozenset()
    stems: frozenset[str] = frozenset()
    defines: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()

    @classmethod
    def of(cls, subject: Subject) -> Kin:
        """Return what is known of one file."""
        directory, _, name = subject.path.rpartition("/")
        stem = _TEST_WORDS.sub("", name.rpartition(".")[0] or name).lower()
        syntax = subject.ground.syntax
        return cls(
            frozenset({directory}),
            frozenset({stem} - _COMMON_STEMS),
            frozenset(one.name for one in syntax.definitions) if syntax else frozenset(),
            frozenset(call.name for call in syntax.all_calls if call.line in subject.file.added_lines)
            if syntax
            else frozenset(),
        )

    def __or__(self, other: Kin) -> Kin:
        """Return both together."""
        return Kin(
            self.directories | other.directories,
            self.stems | other.stems,
            self.defines | other.defines,
            self.calls | other.calls,
        )

    def closeness(self, other: Kin) -> int:
        """Return 3 for a file and its test or header, 2 where one calls the other, 1 for neighbours, else 0."""
        if self.stems & other.stems:
            return 3
        if self.defines & other.calls or self.calls & other.defines:
            return 2
        return int(bool(self.directories & other.directories))


@dataclass
class Group:
    """Hold the excerpts of one prompt."""

    kin: Kin = Kin()
    excerpts: list[Excerpt] = field(default_factory=list)
    tokens: int = 0

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the files that it shows, in order."""
        return tuple(dict.fromkeys(excerpt.path for excerpt in self.excerpts))


@dataclass
class Packer:
    """Put files into groups, one group per prompt, and say what fits into none.

    Args:
        room: tokens that excerpts may take in one prompt.
        part_tokens: what they should take.
        max_parts: how many prompts there may be.
        estimate: tokens in a text, never too few.
        redact: masks secrets and keeps the number of lines.
    """

    room: int
    part_tokens: int
    max_parts: int
    estimate: Callable[[str], int]
    redact: Callable[[str], str]
    groups: list[Group] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def pack(self, files: Sequence[FileDiff], heads: Mapping[str, str], context: Context) -> None:
        """Place *files*, the least telling ones last, so that they are what does not fit."""
        subjects = []
        for file in files:
            try:
                source = Source.of(heads.get(file.new_path), self.redact)
            except Unshowable as error:
                self.skipped.append(Skipped(file.new_path, str(error)))
            else:
                subjects.append(Subject(file, Ground(source, context.syntaxes.get(file.new_path))))
        bare = sum(self._bare(subject.file) for subject in subjects)
        self._stretch(bare)
        granted = self._granted(subjects, bare)
        for subject, kin in _ordered(subjects):
            self._add(subject, kin, granted.get(subject.path, {}))

    def _bare(self, file: FileDiff) -> int:
        lines = [line.text for hunk in file.hunks for line in hunk.lines]
        around = _ROW_CHARS * len(lines) + _HUNK_CHARS * len(file.hunks)
        return self.estimate("\n".join([*lines, " " * around]))

    def _stretch(self, bare: int) -> None:
        """Make parts as large as the number of prompts demands: a long prompt is better than lines that nobody sees."""
        needed = int(bare / (self.max_parts * _FILLED_SHARE))
        self.part_tokens = min(self.room, max(self.part_tokens, needed))

    def _granted(self, subjects: Sequence[Subject], bare: int) -> Mapping[str, Mapping[int, Span]]:
        """Return which surroundings are worth their tokens: the cheapest first, as long as the change itself fits."""
        spare = self.max_parts * self.part_tokens * _FILLED_SHARE - bare
        left = min(max(self.part_tokens, bare) * _SURROUNDINGS_SHARE, spare)
        wanted = [
            (wish, subject.path)
            for subject in subjects
            for wish in wishes(subject.file, subject.ground, self.estimate)
            if wish.tokens <= self.part_tokens * _WIDENED_SHARE
        ]
        granted: dict[str, dict[int, Span]] = {}
        for wish, path in sorted(wanted, key=lambda one: one[0].tokens):
            if wish.tokens > left:
                break
            left -= wish.tokens
            granted.setdefault(path, {})[wish.hunk] = wish.span
        return granted

    def _add(self, subject: Subject, kin: Kin, granted: Mapping[int, Span]) -> None:
        try:
            whole = excerpts(subject.file, subject.ground, self.redact, granted)
        except Unshowable as error:
            self.skipped.append(Skipped(subject.path, str(error)))
            return
        pieces = [piece for excerpt in whole for piece in self._fitting(excerpt, subject.ground)]
        sizes = [self._tokens(piece) for piece in pieces]
        apart = sum(sizes) > self.part_tokens
        left_out = [
            piece.span or "removed lines"
            for number, piece in enumerate(pieces)
            if not self._place(piece, kin, sizes[number], 0 if apart else sum(sizes[number + 1 :]))
        ]
        if left_out:
            reason = f"more than {self.max_parts} prompts for one merge request: lines {', '.join(left_out)}"
            self.skipped.append(Skipped(subject.path, reason))

    def _fitting(self, excerpt: Excerpt, ground: Ground) -> Iterator[Excerpt]:
        tokens = self._tokens(excerpt)
        if tokens <= min(self.room, self.part_tokens * _STRETCH):
            yield excerpt
            return
        cut = halves(excerpt, ground)
        if cut is not None:
            for half in cut:
                yield from self._fitting(half, ground)
        elif tokens <= self.room:
            yield excerpt
        else:
            self.skipped.append(Skipped(excerpt.path, f"line {excerpt.span} is too long for the model"))

    def _place(self, excerpt: Excerpt, kin: Kin, tokens: int, following: int) -> bool:
        """Put *excerpt* where there is room, for the *following* tokens of its file too as long as prompts are left."""
        open_ = [
            (
                excerpt.path in group.paths,
                group.tokens + tokens + following <= self.part_tokens,
                group.kin.closeness(kin),
                number,
            )
            for number, group in enumerate(self.groups)
            if group.tokens + tokens <= self.part_tokens
        ]
        known, whole, _, best = max(open_, default=(False, False, 0, -1))
        plenty = len(self.groups) * 2 < self.max_parts
        if open_ and (known or whole or not plenty):
            group = self.groups[best]
        elif len(self.groups) < self.max_parts:
            group = Group()
            self.groups.append(group)
        else:
            return False
        group.kin |= kin
        group.excerpts.append(excerpt)
        group.tokens += tokens
        return True

    def _tokens(self, excerpt: Excerpt) -> int:
        return self.estimate(f"\n{header(excerpt.path)}\n{excerpt.text}\n")


def _ordered(subjects: Sequence[Subject]) -> Iterator[tuple[Subject, Kin]]:
    """Yield *subjects*, each followed by its relatives: code first, what a tool seems to have written last."""
    kins = [Kin.of(subject) for subject in subjects]
    family = _Family(kins)
    waiting = dict.fromkeys(
        sorted(range(len(subjects)), key=lambda number: (_rank(subjects[number]), number))
    )
    while waiting:
        first = next(iter(waiting))
        for number in [first, *(one for one in family.relatives(first) if one in waiting and one != first)]:
            del waiting[number]
            yield subjects[number], kins[number]


class _Family:
    """Find the relatives of files without comparing all with all."""

    def __init__(self, kins: Sequence[Kin]) -> None:
        self._kins = kins
        self._stems, self._definers, self._callers = (
            _index(sets)
            for sets in ([k.stems for k in kins], [k.defines for k in kins], [k.calls for k in kins])
        )

    def relatives(self, number: int) -> list[int]:
        """Return the files that share a name with file *number*, are called by it, or call it."""
        kin = self._kins[number]
        found = {one for stem in kin.stems for one in self._stems[stem]}
        for names, index in ((kin.calls, self._definers), (kin.defines, self._callers)):
            for name in names:
                if len(others := index.get(name, ())) <= _MOST_RELATIVES:
                    found.update(others)
        return sorted(found)


def _index(sets: Iterable[frozenset[str]]) -> Mapping[str, list[int]]:
    index: dict[str, list[int]] = {}
    for number, names in enumerate(sets):
        for name in names:
            index.setdefault(name, []).append(number)
    return index


def _rank(subject: Subject) -> int:
    if header_line(subject.ground.source.lines) is not None:
        return 2
    syntax = subject.ground.syntax
    return int(not (syntax and syntax.definitions))
