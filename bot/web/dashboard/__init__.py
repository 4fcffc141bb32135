"""The dashboards: one file for each page, and what they have in common."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from bot.web.access import overseer
from bot.web.dashboard import (
    audit,
    comments,
    flow,
    gate,
    links,
    mine,
    names,
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
    for page in (quality, trends, noise, comments, flow, gate):
        figures.include_router(page.router(desk))
    site = APIRouter(dependencies=[Depends(names.settled(desk))])
    for router in (figures, *(page.router(desk) for page in (overview, mine, reviews, operations, links))):
        site.include_router(router)
    return [site, names.router(desk)]
