"""The dashboards: one file for each page, and what they have in common."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from bot.web.dashboard import (
    comments,
    flow,
    gate,
    links,
    names,
    noise,
    operations,
    overview,
    quality,
    reviews,
    trends,
)
from bot.web.dashboard.desk import Desk

__all__ = ["Desk", "dashboards"]


def dashboards(desk: Desk) -> list[APIRouter]:
    """Return all pages of the dashboards."""
    site = APIRouter(dependencies=[Depends(names.settled(desk))])
    for page in (overview, quality, trends, noise, comments, flow, gate, reviews, operations, links):
        site.include_router(page.router(desk))
    return [site, names.router(desk)]
