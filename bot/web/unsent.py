"""What somebody wrote into a form of ours: where it is not taken, it is shown, so that nobody writes it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request

from bot.domain.own_path import own_path

#: Fields that people fill in, as the forms call them; a page fills in the others.
_TITLES = {"until": "Until", "why": "Why", "because": "Because"}
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Unsent:
    """Hold what was written, by title, and the page that it was written on, empty where that is not known."""

    back: str = ""
    written: Mapping[str, str] = field(default_factory=dict)


async def unsent(request: Request) -> Unsent:
    """Return what a form of one of our pages holds; whoever calls knows that it came from there."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Unsent(_back(request))
    form = await request.form()
    found = {title: form.get(name) for name, title in _TITLES.items()}
    written = {title: text[:_LONGEST] for title, text in found.items() if isinstance(text, str) and text}
    return Unsent(_back(request), written)


def _back(request: Request) -> str:
    """Return the page that sent *request*."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    return own_path(f"{parts.path}?{parts.query}" if parts.query else parts.path) if parts.path else ""
