"""The dashboards: one file for each page, and what they have in common."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from bot.web.access import overseer
from bot.web.dashboard import (
    audit,
    flow,
    gate,
    links,
    mine,
    noise,
    operations,
    overview,
    quality,
    reviews,
    trends,
)
from bot.web.dashboard.desk import Desk

__all__ = ["Desk", "audit", "dashboards"]


def dashboards(desk: Desk) -> list[APIRouter]:
    """Return all pages of the dashboards."""
    figures = APIRouter(dependencies=[Depends(overseer)])
    for page in (quality, trends, noise, flow, gate):
        figures.include_router(page.router(desk))
    return [figures, *(page.router(desk) for page in (overview, mine, reviews, operations, links))]
