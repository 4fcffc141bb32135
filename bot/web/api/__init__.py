"""The API behind the dashboards: every view as JSON, and what is a list as CSV too; `docs/api.md` is for its users."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import Response

from bot.web.api import about, comments, muted, mutes, operations, registers, reviews, views
from bot.web.api.asked import once
from bot.web.api.errors import ERRORS, NOT_FOUND
from bot.web.api.office import Office

__all__ = ["Office", "api", "of_verdicts"]

PREFIX = "/api/v1"


def api(office: Office) -> APIRouter:
    """Return all of the API but the verdict, which jobs of GitLab ask for."""
    router = APIRouter(prefix=PREFIX, responses=ERRORS, dependencies=[Depends(_not_kept), Depends(once)])
    for part in (views, comments, muted, reviews, registers, operations, about):
        router.include_router(part.router(office))
    if office.muting is not None:
        router.include_router(mutes.router(office, office.muting))
    return router


def of_verdicts(verdicts: APIRouter) -> APIRouter:
    """Return the verdict with what may go wrong as the rest of the API has it."""
    router = APIRouter(responses={**ERRORS, **NOT_FOUND})
    router.include_router(verdicts)
    return router


def _not_kept(response: Response) -> None:
    """Have no browser or proxy keep what only some may see."""
    response.headers["cache-control"] = "no-store"
