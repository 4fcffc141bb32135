"""Errors as answers: one JSON shape for the API, one page for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Match

from bot.domain.dashboard import TooSlow
from bot.domain.errors import Transient
from bot.domain.own_path import own_path
from bot.web.pages import page
from bot.web.unsent import Unsent

API = "/api/"
_RETRY_AFTER_S = 5
#: What was too much for the database will be so in a moment, too.
_SLOW_RETRY_AFTER_S = 30
#: Parameters that people see in a form, and the one that leads on in a list that begins anew.
_FIELDS, _CURSOR = ("from", "to", "group", "project"), "after"
#: What people are told in place of a status' own words.
_HEADINGS = {401: "Sign in again", 410: "Not kept any more", 422: "This cannot be taken"}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REFUSALS = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_MOST_FAULTS, _LONGEST_NAME = 5, 100
_PLAIN = {
    404: "There is nothing at this address.",
    405: "This address does not take requests of that kind.",
}

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """Hold what is wrong with one part of a request: ``where`` is query, path, header, cookie or body."""

    where: str
    name: str
    message: str

    @property
    def place(self) -> str:
        """Return where it is, as people read it."""
        return f"{self.where}.{self.name}" if self.name else self.where


class Problem(Exception):
    """Say why a request cannot be answered: ``code`` is for programs, ``message`` says what to do.

    ``faults`` say which parts of the request are wrong, where it is the request that is. People are shown ``page``,
    where there is one.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
        page: Response | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.faults = tuple(faults)
        self.page = page


def explain_problems(app: FastAPI) -> None:
    """Make *app* answer every error in the one form: ``{"error": {"code", "message"}}`` below ``/api/``."""
    app.add_exception_handler(Problem, explained)
    app.add_exception_handler(HTTPException, explained)
    app.add_exception_handler(RequestValidationError, explained)
    app.add_exception_handler(Transient, explained)
    app.add_exception_handler(Exception, explained)


async def explained(request: Request, error: Exception) -> Response:
    """Return the answer that says what is wrong."""
    if getattr(error, "status_code", None) == HTTPStatus.NOT_FOUND and (there := _slash(request)):
        return RedirectResponse(there, HTTPStatus.TEMPORARY_REDIRECT)
    problem = _of_the_session(request, _problem(error))
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        problem.headers["Allow"] = _allowed(request)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _logger.error("request.failed", path=request.url.path, error=str(error), exc_info=error)
    if request.url.path.startswith(API):
        content: dict[str, Any] = {"code": problem.code, "message": problem.message}
        if problem.faults:
            content["places"] = [asdict(fault) for fault in problem.faults]
        return JSONResponse(
            {"error": content}, problem.status, {**problem.headers, "cache-control": "no-store"}
        )
    if problem.page is not None:
        return problem.page
    answer = page(
        _template(request, error),
        status=problem.status,
        phrase=_HEADINGS.get(problem.status) or HTTPStatus(problem.status).phrase,
        message=_sentence(problem.message),
        action=request.url.path,
        asked=_asked(request),
        sign_in=problem.code == "sign_in",
        unsent=getattr(request.state, "unsent", Unsent()),
        unchanged=problem.status < HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    answer.headers.update(problem.headers)
    if request.method == "POST":
        # Where forms are sent is no page that could be loaded again.
        answer.headers["hx-push-url"] = "false"
    return answer


def _template(request: Request, error: Exception) -> str:
    if isinstance(error, TooSlow):
        return "too_slow.html"
    return "not_taken.html" if request.method == "POST" else "problem.html"


def _of_the_session(request: Request, problem: Problem) -> Problem:
    """Return *problem*, or that an old session is the reason: what only administrators may do was refused for it."""
    if problem.status not in _REFUSALS or not getattr(request.state, "lapsed", False):
        return problem
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "session_stale",
        "it is over an hour since GitLab said that you may do this: load the page again, which asks it, then send it"
        " once more",
    )


def _problem(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case RequestValidationError():
            faults = _faults(error)
            said = "; ".join(f"{fault.place}: {fault.message}" for fault in faults)
            return Problem(422, "invalid_request", said, faults=faults)
        case HTTPException(__cause__=Problem() as cause):
            # What reading the body has met is called a body that cannot be read.
            return cause
        case HTTPException(status_code=HTTPStatus.BAD_REQUEST):
            # Only bodies are refused with this, by the framework: text in no encoding, numbers or depths beyond measure.
            unread = Fault("body", "", "it cannot be read")
            return Problem(
                422, "invalid_request", f"the body cannot be read: {error.detail}", faults=[unread]
            )
        case HTTPException():
            phrase = HTTPStatus(error.status_code).phrase
            code = phrase.lower().replace(" ", "_").replace("-", "_")
            said = _PLAIN.get(error.status_code, str(error.detail))
            return Problem(error.status_code, code, said, headers=error.headers)
        case TooSlow():
            return Problem(503, "too_slow", str(error), headers={"retry-after": str(_SLOW_RETRY_AFTER_S)})
        case Transient():
            again = {"retry-after": str(_RETRY_AFTER_S)}
            return Problem(503, "unavailable", f"{error}; try again in a moment", headers=again)
    return Problem(500, "internal_error", "this is a fault of ours; the log says more")


def _allowed(request: Request) -> str:
    """Return the methods that the address takes; the router names those of its first route only."""
    fits = [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]
    return ", ".join(fits)


def _slash(request: Request) -> str:
    """Return the address without the slash at the end that none of ours has; empty where that is nothing to try.

    It names no host and no scheme: behind a proxy neither is known, and `http` would send a link in the clear.
    """
    path, query = request.url.path.rstrip("/"), request.url.query
    if request.method != "GET" or not request.url.path.endswith("/"):
        return ""
    found = own_path(f"{path}?{query}" if query else path)
    return "" if found == "/" else found


def _asked(request: Request) -> dict[str, str]:
    """Return the filters of *request*, those that people fill in first."""
    query = request.query_params
    return {name: query.get(name, "") for name in dict.fromkeys([*_FIELDS, *query]) if name != _CURSOR}


def _sentence(message: str) -> str:
    """Return *message*, which programs read as it is, as people write."""
    ends = message.endswith((".", "!", "?"))
    return message[:1].upper() + message[1:] + ("" if ends else ".")


def _faults(error: RequestValidationError) -> list[Fault]:
    """Return where the request is wrong and why; never the value, which may be hostile or secret."""
    return [
        Fault(str(one["loc"][0]), ".".join(map(str, one["loc"][1:]))[:_LONGEST_NAME], one["msg"])
        for one in error.errors()[:_MOST_FAULTS]
    ]
