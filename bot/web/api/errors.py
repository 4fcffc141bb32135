"""Errors as the document of the API describes them; `bot.web.problems` makes them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class Place(BaseModel):
    """Say what is wrong with one part of a request."""

    where: Literal["query", "path", "header", "cookie", "body"]
    name: str = Field(description="The parameter, or the path of the field.")
    message: str


class Failure(BaseModel):
    """Say why a request cannot be answered, and what to do about it."""

    code: str = Field(description="A word for programs; it does not change.")
    message: str = Field(description="A sentence for people; it may change.")
    places: list[Place] = Field(
        default=[], description="What is wrong with the request, where that is known."
    )


class Failed(BaseModel):
    """Every answer that is no success."""

    error: Failure


_RETRY = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds after which to try again."}
_BEARER = {"schema": {"type": "string"}, "description": "How to say who you are."}


def failing(status: int, description: str, code: str, message: str, **more: Any) -> dict[int | str, Any]:
    """Return how an answer with *status* is described."""
    error: dict[str, Any] = {"code": code, "message": message}
    if status == 422:
        error["places"] = [{"where": "query", "name": "from", "message": "say a day as 2026-05-31"}]
    example = {"error": error}
    content = {"application/json": {"example": example}}
    return {status: {"model": Failed, "description": description, "content": content, **more}}


#: What any route may answer.
ERRORS: dict[int | str, Any] = {
    **failing(
        401,
        "Nobody has signed in, the session is old, or the token is not valid.",
        "invalid_token",
        "the token is unknown, expired or revoked: make one with `cloister token create`",
        headers={"WWW-Authenticate": _BEARER},
    ),
    **failing(
        403,
        "Whoever asks may not.",
        "insufficient_scope",
        "the token lacks the scope read: make another one",
    ),
    **failing(
        422,
        "A parameter cannot be read; `places` says which.",
        "bad_filter",
        "from: say a day as 2026-05-31",
    ),
    **failing(
        429,
        "Too many requests.",
        "too_many_requests",
        "too many requests: try again in 2 s",
        headers={"Retry-After": _RETRY},
    ),
    **failing(
        503,
        "The database, or GitLab, is out of reach for the moment, or a view took too long (`too_slow`).",
        "unavailable",
        "the database does not answer; try again in a moment",
        headers={"Retry-After": _RETRY},
    ),
}
NOT_FOUND = failing(
    404,
    "There is none, or it is of a project that you cannot see.",
    "no_review",
    "there is no such review, or it is of a project that you cannot see",
)
NOT_JSON = failing(
    415,
    "The body is not sent as JSON.",
    "not_json",
    "send JSON, with the header Content-Type: application/json",
)
TOO_LARGE = failing(413, "The body is too large.", "too_large", "the body is over 65536 bytes")
