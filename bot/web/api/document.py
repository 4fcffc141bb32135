"""The document of the API (OpenAPI 3.1), made from its routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from bot.web.access import scope_of
from bot.web.api.examples import example

#: Where the API is; another one, which answers otherwise, would have another number.
VERSION = "1"
_DESCRIPTION = """\
What the dashboards show, for scripts. People ask with the session of their browser, scripts with a token
(`cloister token create`). Figures are for those who lead a project, reviews for them and the author. Times are UTC.
What changes something needs a token with the scope that it names or a session, and with a session the `form_token` of
`/api/v1/me` in the header `X-Cloister-Form`.
"""
_SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-cloister",
        "description": "The session of somebody who has signed in; over plain http on this machine it is `cloister`.",
    },
    "token": {"type": "http", "scheme": "bearer", "description": "A token of a script, `clst_...`."},
    "job": {
        "type": "apiKey",
        "in": "header",
        "name": "JOB-TOKEN",
        "description": "`$CI_JOB_TOKEN` of a running job of the project.",
    },
}
_TAGS = {
    "views": "What was counted: figures, shares with intervals, time series.",
    "comments": "The comments behind the figures.",
    "reviews": "Reviews, and each from the inside.",
    "gate": "Verdicts and waivers.",
    "mutes": "Rules that say nothing for a while.",
    "projects": "Projects that were reviewed.",
    "operations": "For administrators and auditors.",
    "about": "Who asks.",
}
_FAILED = {"$ref": "#/components/schemas/Failed"}
_VERDICT = "/api/v1/verdict"
_Operation = dict[str, Any]


def document(*routers: APIRouter) -> dict[str, Any]:
    """Return the document of all routes of *routers* that are part of it."""
    every = APIRouter(generate_unique_id_function=_name)
    for router in routers:
        every.include_router(router)
    found = get_openapi(
        title="Cloister",
        version=VERSION,
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        routes=every.routes,
        tags=[{"name": name, "description": said} for name, said in _TAGS.items()],
        servers=[{"url": "/", "description": "This Cloister."}],
    )
    components = found.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    named, deciding = components["schemas"], set(_deciding(every))
    for path, operation in _operations(found):
        _describe(path, operation, named)
        if "requestBody" in operation and operation["operationId"] not in deciding:
            operation["security"] = [{"session": []}]
    _share(found)
    used = {tag for _, operation in _operations(found) for tag in operation["tags"]}
    found["tags"] = [tag for tag in found["tags"] if tag["name"] in used]
    return found


def _name(route: APIRoute) -> str:
    return route.name


def _deciding(router: APIRouter) -> Iterator[str]:
    """Yield the names of the operations at which tokens may do more than read."""
    for route in iter_route_contexts(router.routes):
        if route.endpoint is not None and scope_of(route.endpoint) is not None:
            yield route.endpoint.__name__


def _operations(found: dict[str, Any]) -> Iterator[tuple[str, _Operation]]:
    for path, item in found["paths"].items():
        for operation in item.values():
            yield path, operation


def _describe(path: str, operation: _Operation, named: dict[str, Any]) -> None:
    ways = ("job", "session", "token") if path == _VERDICT else ("session", "token")
    operation["security"] = [{one: []} for one in ways]
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            # A list as CSV has its errors in JSON, too.
            answer["content"] = {
                "application/json": {**answer["content"]["application/json"], "schema": _FAILED}
            }
        for kind, content in answer.get("content", {}).items():
            if status.startswith("2") and kind == "application/json" and "example" not in content:
                content["example"] = example(content["schema"], named)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        body["example"] = example(body["schema"], named)


def _share(found: dict[str, Any]) -> None:
    """Say once what several operations have in common: parameters, and answers that are no success."""
    parameters: dict[str, Any] = {}
    responses: dict[str, Any] = {}
    for _, operation in _operations(found):
        given = operation.get("parameters", [])
        for at, one in enumerate(given):
            if one["in"] == "query" and parameters.setdefault(one["name"], one) == one:
                given[at] = {"$ref": f"#/components/parameters/{one['name']}"}
        for status, answer in operation["responses"].items():
            if not status.startswith("2") and responses.setdefault(status, answer) == answer:
                operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    found["components"] |= {"parameters": parameters, "responses": responses}
