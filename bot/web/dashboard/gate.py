"""What the gate stopped, what was waived, and which waivers end soon."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from bot.domain.comment_lines import Which
from bot.domain.evaluation.intervals import Share
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Export, Frame
from bot.web.dashboard.reviews import behind
from bot.web.dashboard.wording import WHICH


def router(desk: Desk) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/gate")
    async def gate(request: Request, viewer: SignedInViewer) -> HTMLResponse:
        """Show what the gate did."""
        frame = Frame(desk, request, viewer, "gate")
        found = await desk.dashboard.gate(frame.filters)
        passed = max(0, found.reviews - found.blocked - found.undecided)
        return await frame.show(
            mentioned={waived.ref.project_id for waived in found.expiring},
            gate=found,
            titles=WHICH,
            behind=lambda which: behind(frame.filters, which=which),
            outcomes=(
                (Which.passed, "Nothing stood in the way.", Share(passed, found.reviews)),
                (
                    Which.blocked,
                    "Findings or limits of the policy stopped it.",
                    Share(found.blocked, found.reviews),
                ),
                (
                    Which.undecided,
                    "A part that the gate needs gave no result, which stops a merge request too.",
                    Share(found.undecided, found.reviews),
                ),
                (
                    Which.waived,
                    "Something that would have blocked was waived.",
                    Share(found.waived, found.reviews),
                ),
            ),
            exports=(frame.export("Gate", "gate"), _waivers(frame)),
        )

    return pages


def _waivers(frame: Frame) -> Export:
    """Return the export of all waivers, whatever their days are."""
    kept = {"project": frame.filters.project_id or "", "group": frame.filters.group}
    return Export("Waivers", "waivers", urlencode({name: value for name, value in kept.items() if value}))
