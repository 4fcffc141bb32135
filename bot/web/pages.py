"""Pages for people: templates that escape whatever they show, and headers under which nothing foreign runs."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.domain.markdown import visible
from bot.web.figures import FILTERS

_OURS = Path(__file__).parent / "static"
_STATIC = "/static"
#: Scripts that come with packages, by the name that pages know them by. The packages are not imported.
_OF_PACKAGES = {
    "htmx.js": ("django_htmx", "static/django_htmx/htmx-2.min.js"),
    "chart.js": ("chartkick", "django/static/chartkick/Chart.bundle.js"),
}
#: No inline script and no inline style: what gets into a page as text stays text. Nothing is fetched from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@lru_cache
def _files() -> dict[str, Path]:
    """Return all bundled files by name."""
    files = {file.name: file for file in _OURS.iterdir()}
    for name, (package, path) in _OF_PACKAGES.items():
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        files[name] = Path(spec.submodule_search_locations[0], path)
    return files


@lru_cache
def asset(name: str) -> str:
    """Return the URL of a bundled file; it changes with the content, so that browsers may keep it for good."""
    return f"{_STATIC}/{name}?{hashlib.sha256(_files()[name].read_bytes()).hexdigest()[:12]}"


def static_files() -> Route:
    """Return the route to the bundled files."""

    async def serve(request: Request) -> FileResponse:
        file = _files().get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        return FileResponse(file)

    return Route(f"{_STATIC}/{{name}}", serve)


def _seen(value: object) -> object:
    """Return *value* without what nobody sees: characters that turn a name around or hide in it."""
    return visible(value) if type(value) is str else value


@lru_cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("bot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["asset"] = asset
    templates.filters.update(FILTERS)
    return templates


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Return the page that *template* makes of *values*; no browser or proxy keeps it."""
    body = _templates().get_template(template).render(values)
    return HTMLResponse(body, status, {"cache-control": "no-store"})


class Guarded:
    """Add headers that keep browsers from running, framing or telling on what an application serves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(f"{_STATIC}/") and message["status"] == 200:
                    kept = "public, max-age=31536000, immutable" if scope["query_string"] else "no-cache"
                    headers["cache-control"] = kept
                # What leads on sets cookies and names pages: no proxy may hand it to somebody else.
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, guarded)
