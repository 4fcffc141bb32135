"""Which pages and parts of the API there are, and what each of them is given."""

from __future__ import annotations

from fastapi import APIRouter

from bot.wiring import Base


def routers(parts: Base) -> list[APIRouter]:  # noqa: ARG001 - there is none yet that asks for it
    """Return all pages and parts of the API, wired to *parts*."""
    return []
