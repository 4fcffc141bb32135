"""Refusals, in the shapes that GitLab gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """End a request with this answer; a string as *body* goes out as plain text."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def message(status: int, text: Any) -> ApiError:
    """Return the usual refusal, with the text under ``message``."""
    return ApiError(status, {"message": text})


def missing(*names: str) -> ApiError:
    """Return the refusal of a request that lacks parameters, which comes under ``error``."""
    return ApiError(400, {"error": ", ".join(f"{name} is missing" for name in names)})


def invalid(name: str, why: str = "is invalid") -> ApiError:
    """Return the refusal of a parameter of the wrong type or value."""
    return ApiError(400, {"error": f"{name} {why}"})


def bad_note(field: str, *problems: str, ruby: tuple[int, int] = (3, 2)) -> ApiError:
    """Return the refusal of a note: a Ruby hash, printed as the Ruby of the release prints it."""
    listed = ", ".join(f'"{problem}"' for problem in problems)
    shown = f"{{{field}: [{listed}]}}" if ruby >= (3, 4) else f"{{:{field}=>[{listed}]}}"
    return message(400, f"400 Bad request - Note {shown}")


def not_found(what: str = "") -> ApiError:
    """Return the answer for what is not there, or must not be seen."""
    return message(404, f"404 {what} Not Found" if what else "404 Not found")


FORBIDDEN = "403 Forbidden"


def forbidden() -> ApiError:
    """Return the answer for a role that is too low."""
    return message(403, FORBIDDEN)
