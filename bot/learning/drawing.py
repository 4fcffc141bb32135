"""Draw lots among more comments than fit into memory."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter

from bot.learning.selection import MOST_PER_MERGE_REQUEST, MOST_PER_PROJECT, MOST_PER_RULE, Candidate

_LINE = TypeAdapter(Candidate)
#: What a candidate is a part of, in the order in which that is asked, and how much there may be of it.
_MOST = (
    ("merge request", MOST_PER_MERGE_REQUEST),
    ("rule", MOST_PER_RULE),
    ("project", MOST_PER_PROJECT),
)


@dataclass(frozen=True, slots=True)
class _Lot:
    """Hold what a candidate is drawn by, and where in the file it is."""

    comment: uuid.UUID
    run: uuid.UUID
    part_of: tuple[object, ...]
    place: int


class Lots:
    """Hold candidates in a file that nobody else sees, and in memory only what they are drawn by.

    Use as a context manager: the file goes with it.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed on leaving
        self._lots: list[_Lot] = []
        self._known: dict[object, object] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._lots)

    def add(self, one: Candidate) -> None:
        """Put *one* in."""
        comment = one.comment
        names = (
            comment.ref.key,
            (comment.scanner, comment.rule),
            (comment.ref.instance, comment.ref.project_id),
        )
        part_of = tuple(self._known.setdefault(name, name) for name in names)
        self._lots.append(_Lot(comment.id, comment.run_id, part_of, self._file.tell()))
        self._file.write(_LINE.dump_json(one) + b"\n")

    def draw(self, *, whole: bool = False) -> tuple[list[Candidate], Counter[str]]:
        """Return at most so many candidates of each merge request, rule and project, and how many were left out.

        Which ones is as good as drawn by lot, and the same every time. *whole* reviews are never divided: an answer
        without what was left out would be a wrong one. The review that fills a measure is taken, be it more than the
        measure.
        """
        kept: list[_Lot] = []
        left_out: Counter[str] = Counter()
        counts: list[Counter[object]] = [Counter() for _ in _MOST]
        for group in self._in_turn(whole=whole):
            full = next((kind for lot in group if (kind := _full(lot, counts))), None)
            if full:
                left_out[f"there is enough of its {full}"] += len(group)
                continue
            for lot in group:
                for count, name in zip(counts, lot.part_of, strict=True):
                    count[name] += 1
            kept += group
        found = self._read(kept)
        return sorted(found, key=lambda one: (one.merged_at, one.comment.ref.key, one.comment.id)), left_out

    def _in_turn(self, *, whole: bool) -> Iterable[Sequence[_Lot]]:
        """Return what is taken together, in the order of the lot."""
        drawn = sorted(self._lots, key=lambda lot: hashlib.sha256(lot.comment.bytes).digest())
        if not whole:
            return ([lot] for lot in drawn)
        groups: defaultdict[uuid.UUID, list[_Lot]] = defaultdict(list)
        for lot in drawn:
            groups[lot.run].append(lot)
        return groups.values()

    def _read(self, lots: Sequence[_Lot]) -> Iterable[Candidate]:
        for lot in sorted(lots, key=lambda lot: lot.place):
            self._file.seek(lot.place)
            yield _LINE.validate_json(self._file.readline())


def _full(lot: _Lot, counts: Sequence[Counter[object]]) -> str:
    """Return of what there is enough already, empty if of nothing."""
    asked = zip(_MOST, counts, lot.part_of, strict=True)
    return next((kind for (kind, most), count, name in asked if count[name] >= most), "")
