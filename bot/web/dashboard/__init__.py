"""The dashboards: one file for each page, and what they have in common."""

from __future__ import annotations

from fastapi import APIRouter

from bot.web.dashboard import (
    comments,
    flow,
    gate,
    links,
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
    pages = (overview, quality, trends, noise, comments, flow, gate, reviews, operations, links)
    return [page.router(desk) for page in pages]
