"""From material to the files of a data set: byte for byte the same from the same material."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bot.domain.labels import LABEL_VERSION
from bot.domain.quoting import folded, folded_lines
from bot.learning.formats import Format
from bot.learning.gates import check
from bot.learning.rows import Material, Row, rows_of
from bot.learning.scrubbing import Scrubber, Unclean
from bot.learning.selection import consistent, decided
from bot.learning.splitting import Split, split

CARD: Final = "README.md"
SUMS: Final = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Window:
    """Hold from when to when a data set looks: comments posted at *since* or later, what was seen until *until*."""

    since: datetime | None
    until: datetime


@dataclass
class Dataset:
    """Hold what a data set is, before it is written."""

    format: Format
    window: Window
    lines: dict[str, list[str]] = field(default_factory=dict)
    begins: dict[str, str] = field(default_factory=dict)
    sources: list[Material] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    scrubbed: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> dict[str, int]:
        """Return the number of rows of each part."""
        return {name: len(lines) for name, lines in self.lines.items()}


def assemble(
    format_: Format,
    material: Sequence[Material],
    *,
    window: Window,
    scrubber: Scrubber,
    left_out: Mapping[str, int],
    gates: bool = True,
) -> Dataset:
    """Return the data set that *material* makes.

    Args:
        format_: kind of the rows.
        material: comments with clear labels, in any order.
        window: what was looked at.
        scrubber: cleans every text; it counts what it takes out.
        left_out: what is not in *material*, by the reason.
        gates: False lets too little pass, for tests of what comes after.

    Raises:
        Refused: there is too little.
    """
    found = Dataset(format_, window, left_out=Counter(left_out))
    kept, dropped = consistent(material)
    found.left_out += dropped
    if format_.whole:
        kept, dropped = decided(kept)
        found.left_out += dropped
    parts = split(rows_of(format_, kept))
    found.left_out += parts.left_out
    clean = {name: _clean(rows, scrubber, found.left_out) for name, rows in parts.parts.items()}
    if gates:
        check(format_, [row for rows in clean.values() for row, _ in rows], found.left_out)
    found.lines = {name: [line for _, line in rows] for name, rows in clean.items()}
    found.sources = [one for rows in clean.values() for row, _ in rows for one in row.sources]
    found.begins = _begins(parts)
    found.scrubbed = scrubber.counts
    return found


def files_of(dataset: Dataset, card: str) -> dict[str, bytes]:
    """Return the files of *dataset* by name: rows, card, and checksums over both."""
    files = {f"{name}.jsonl": "".join(lines).encode() for name, lines in dataset.lines.items() if lines}
    files[CARD] = card.encode()
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    return {**files, SUMS: "".join(sums).encode()}


def _begins(parts: Split) -> dict[str, str]:
    return {name: moment.isoformat() for name, moment in parts.begins.items()}


def _clean(rows: Sequence[Row], scrubber: Scrubber, left_out: Counter[str]) -> list[tuple[Row, str]]:
    clean = []
    for row in rows:
        try:
            content = _scrubbed(row.content, scrubber)
            _check_quotes(content)
        except Unclean as error:
            left_out[str(error)] += 1
            continue
        values = {**content, "provenance": provenance(row, scrubber)}
        clean.append((row, f"{_compact(values)}\n"))
    return clean


def _check_quotes(content: Mapping[str, Any]) -> None:
    """Check that answers still quote what the prompt shows.

    Raises:
        Unclean: something was taken out of one and not of the other, as where what surrounds it gives it away.
    """
    shown = folded("\n".join(one["content"] for one in content.get("prompt", ())))
    answers = [one for name in ("completion", "chosen", "rejected") for one in content.get(name, ())]
    quotes = [quote for one in answers for quote in _quotes(json.loads(one["content"]))]
    if any(line.removesuffix("…") not in shown for quote in quotes for line in folded_lines(quote)):
        raise Unclean("scrubbing made its answer quote what its prompt does not show")


def _quotes(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, one in value.items():
                yield from [one] if key == "quote" else _quotes(one)
        case list():
            for one in value:
                yield from _quotes(one)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _scrubbed(value: Any, scrubber: Scrubber) -> Any:
    match value:
        case str():
            return scrubber.scrub(value)
        case {"role": "assistant", "content": str(answer)}:
            # Escapes of JSON hide where words begin, and are not to be cut in two.
            return {**value, "content": _compact(_scrubbed(json.loads(answer), scrubber))}
        case dict():
            return {key: one if key == "role" else _scrubbed(one, scrubber) for key, one in value.items()}
        case list():
            return [_scrubbed(one, scrubber) for one in value]
    return value


def provenance(row: Row, scrubber: Scrubber) -> dict[str, Any]:
    """Say where *row* comes from, for whoever has the ledger; for others it is opaque.

    Every row has the same keys with values of the same types, as loaders want it.
    """
    comments = [one.comment for one in row.sources]
    prompt = row.sources[0].prompt
    project = f"{comments[0].ref.instance}:{comments[0].ref.project_id}"
    return {
        "comments": [str(one.id) for one in comments],
        "signals": [str(reason) for one in row.sources for reason in one.reasons],
        "merge_request": scrubber.pseudonym("merge-request", row.merge_request),
        "project": scrubber.pseudonym("project", project),
        # As a number: loaders take a text that looks like a date for one.
        "merged_at": int(row.merged_at.timestamp()),
        "head_sha": comments[0].head_sha,
        "input_sha256": prompt.sha256 if prompt else "",
        "model": comments[0].model,
        "model_digest": comments[0].model_digest,
        "prompt_version": comments[0].prompt_version,
        "rules": [f"{one.scanner}/{one.rule}" for one in comments],
        "labels": [one.label.value for one in row.sources],
        "label_version": LABEL_VERSION,
        "people": sum(one.people for one in row.sources),
    }
