"""Which pages and parts of the API there are, and what each of them is given."""

from __future__ import annotations

from fastapi import APIRouter

from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.domain.viewer import Viewer
from bot.web.verdict_api import VerdictApi
from bot.web.verdict_page import verdict_page
from bot.wiring import Base
from bot.wiring_verdicts import jobs_of, links_of


async def routers(parts: Base) -> list[APIRouter]:
    """Return all pages and parts of the API, wired to *parts*."""
    return [*await _verdicts(parts)]


async def _verdicts(parts: Base) -> list[APIRouter]:
    verdicts, links = PostgresVerdicts(parts.pool), await links_of(parts.settings, parts.store)
    jobs = jobs_of(parts.settings, parts.clock)
    api = VerdictApi(verdicts, jobs, _nobody, links, instance=parts.instance, clock=parts.clock)
    return [api.router(), verdict_page(verdicts, _nobody, links)]


async def _nobody(_: object) -> Viewer | None:
    """Return who has signed in, or whose token it is: nobody can, yet."""
    return None
