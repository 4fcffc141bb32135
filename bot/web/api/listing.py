"""The document of the API for programs, and a page that lists what is in it for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse

from bot.web.access import page_for, public


@dataclass(frozen=True, slots=True)
class _Line:
    method: str
    path: str
    says: str
    parameters: tuple[str, ...]


def listing(make: Callable[[], Mapping[str, Any]]) -> APIRouter:
    """Return the routes of both; they say nothing that is not in the source, and are for everybody.

    Args:
        make: returns the document. That takes a third of a second, so it is called once somebody asks, in a thread.
    """
    pages = APIRouter(include_in_schema=False)
    document = cache(make)

    @pages.get("/api/v1/openapi.json")
    @public
    def openapi() -> JSONResponse:
        """Return the document."""
        return JSONResponse(document(), headers={"cache-control": "no-cache"})

    @pages.get("/api")
    @public
    def listed(request: Request) -> HTMLResponse:
        """List the operations."""
        return page_for(request, "api.html", parts=_parts(document()))

    return pages


def _parts(document: Mapping[str, Any]) -> list[tuple[str, list[_Line]]]:
    """Return the operations by what they are about."""
    said = {tag["name"]: tag["description"] for tag in document["tags"]}
    parts: dict[str, list[_Line]] = {name: [] for name in said}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            names = tuple(_query(document, operation))
            parts[operation["tags"][0]].append(
                _Line(method.upper(), path, operation["description"].partition("\n")[0], names)
            )
    return [(said[name], lines) for name, lines in parts.items()]


def _query(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the parameters of an operation, those that it shares with others too."""
    shared = document["components"]["parameters"]
    for one in operation.get("parameters", ()):
        parameter = shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        if parameter["in"] == "query":
            yield parameter["name"]
