"""Lists as CSV: cells that no spreadsheet runs, and lines that every reader takes apart the same."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dashboard import AcceptanceRow, Labels, NoiseRow
from bot.web.api import shown
from bot.web.api.tables import Csv, cell, cells, columns, table

_SIGNS = ("=", "+", "-", "@", "\uff1d")


async def _text(answer: Csv) -> str:
    return "".join([str(part) async for part in answer.body_iterator])


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_a_cell_is_no_formula(sign: str):
    """Whatever a spreadsheet would run gets a quote before it."""
    assert cell(f"{sign}SUM(1)") == f"'{sign}SUM(1)"


def test_numbers_stay_numbers():
    """Below zero too; nothing is empty, and truth is a word."""
    assert [cell(value) for value in (-0.25, -3, None, True, [1, 2])] == ["-0.25", "-3", "", "true", "1 2"]


@given(st.lists(st.text(), min_size=1, max_size=4))
async def test_what_was_written_is_read(said: list[str]):
    """Quotes, commas, ends of lines and every script come back; only what cannot be stored is replaced."""
    rows = [shown.Count(name=name, count=number) for number, name in enumerate(said)]
    text = await _text(await table(shown.Count, "x", rows))
    read = list(csv.reader(io.StringIO(text, newline="")))

    def kept(text: str) -> str:
        return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()

    assert [row[0].replace("'", "") for row in read[1:]] == [kept(name).replace("'", "") for name in said]
    assert text.endswith("\r\n")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@given(said=st.lists(st.text(st.sampled_from("=+-@;,|\t\n\r\v\x85\"' a5\uff1d")), min_size=1, max_size=4))
async def test_no_reader_finds_a_formula(separator: str, said: list[str]):
    """Some separate by other signs than commas, and then cells begin in the middle of ours; numbers are as they were."""
    rows = [shown.Count(name=name, count=-number) for number, name in enumerate(said, 1)]
    text = await _text(await table(shown.Count, "x", rows))
    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))

    numbers = {str(row.count) for row in rows}
    begun = [
        cell for row in read for cell in row if cell not in numbers and cell.strip(' "').startswith(_SIGNS)
    ]
    assert begun == []
    if separator == ",":
        assert [row[1] for row in read[1:]] == [str(row.count) for row in rows]


def test_text_that_is_no_formula_stays_as_it_is():
    """Semicolons, quotes and signs within words are common in what people write."""
    for said in ("a; b", "it's", 'say "x-1"; then y', "1-2\n3", "x = 1; y = 2"):
        assert cell(said) == said


def test_values_within_values_have_columns_of_their_own():
    """As many cells as names, and in the same order; lists are one cell."""
    labels = Labels(3, 1, 1, 4)
    row = shown.AcceptanceRow.model_validate(AcceptanceRow("secrets", labels, 2))
    named = dict(zip(columns(shown.AcceptanceRow), cells(row), strict=True))
    samples = (uuid.UUID(int=1), uuid.UUID(int=2))
    noise = shown.NoiseRow.model_validate(NoiseRow("semgrep", "sql", labels, 0, samples))

    assert (named["value"], named["labels_strict_count"], named["labels_strict_of"]) == ("secrets", "3", "5")
    assert cells(noise)[-1] == f"{samples[0]} {samples[1]}"


async def test_parts_are_sent_as_they_come():
    """The first part is read before the answer begins, so that what fails then is an error like others."""
    read: list[int] = []

    async def parts() -> AsyncIterator[list[shown.Count]]:
        for number in range(3):
            read.append(number)
            yield [shown.Count(name="n", count=number)]

    answer = await table(shown.Count, "counts", parts())
    assert read == [0]
    assert await _text(answer) == "name,count\r\nn,0\r\nn,1\r\nn,2\r\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="counts.csv"'
