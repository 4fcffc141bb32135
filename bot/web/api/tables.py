"""Lists as CSV (RFC 4180), which spreadsheets open without running what a cell says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any, get_args

from pydantic import BaseModel
from starlette.responses import StreamingResponse

from bot.web.api.shown import Shown

#: With these a spreadsheet takes a cell for a formula; so do some with the wide forms of East Asian scripts.
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20-"
#: Where a cell begins: at its text, and within it wherever a reader that separates by `;`, tabs or lines begins another.
_FORMULA = re.compile(
    rf"(\A(?=[\t\r\n])|(?:\A|[;|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029])(?=[\s\"']*[{_SIGNS}]))"
)


class Csv(StreamingResponse):
    """An answer in CSV, sent while it is made."""

    media_type = "text/csv"


#: How the document of the API describes it.
DESCRIBED: dict[int | str, Any] = {
    200: {
        "description": "The list as CSV, names of columns first; cells that look like formulas begin with `'`.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


async def table(
    model: type[Shown], name: str, parts: AsyncIterator[Iterable[Shown]] | Iterable[Shown]
) -> Csv:
    """Return rows of *model* as a file of that *name*; the first part is there before anything is sent."""
    source = parts if isinstance(parts, AsyncIterator) else _at_once(parts)
    first = [row async for row in _one(source)]

    async def lines() -> AsyncIterator[str]:
        yield _line(columns(model))
        yield "".join(_line(cells(row)) for row in first)
        async for part in source:
            yield "".join(_line(cells(row)) for row in part)

    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "cache-control": "no-store"}
    return Csv(lines(), headers=headers)


def columns(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return the names of the columns: those of values within values are joined."""
    names: list[str] = []
    for name, field in model.model_fields.items():
        inner = _inner(field.annotation)
        names += columns(inner, f"{prefix}{name}_") if inner else [f"{prefix}{name}"]
    return names


def cells(row: BaseModel) -> list[str]:
    """Return the cells of *row*, in the order of `columns`."""
    found: list[str] = []
    for name, field in type(row).model_fields.items():
        value, inner = getattr(row, name), _inner(field.annotation)
        if inner is None:
            found.append(cell(value))
        else:
            found += [""] * len(columns(inner)) if value is None else cells(value)
    return found


def cell(value: Any) -> str:
    """Return *value* as text; text that could be a formula gets a quote before it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float() if not isinstance(value, Enum):
            return repr(value)
        case datetime() | date():
            return value.isoformat()
        case list():
            return _harmless(" ".join(map(str, value)))
        case dict():
            return _harmless(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return _harmless(str(value))


def _harmless(text: str) -> str:
    kept = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return _FORMULA.sub(r"\1'", kept)


def _inner(annotation: Any) -> type[BaseModel] | None:
    """Return the model in an annotation such as ``Share | None``; lists are one cell."""
    candidates = [
        annotation,
        *(() if getattr(annotation, "__origin__", None) is list else get_args(annotation)),
    ]
    return next((one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _line(values: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.getvalue()


async def _at_once(rows: Iterable[Shown]) -> AsyncIterator[Iterable[Shown]]:
    yield rows


async def _one(source: AsyncIterator[Iterable[Shown]]) -> AsyncIterator[Shown]:
    for row in await anext(source, ()):
        yield row
