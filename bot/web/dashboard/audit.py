"""What people and scripts did with their privileges, for those who see all; the chain is checked when asked for."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from bot.domain.audit_log import Checked
from bot.domain.dashboard_query import BadFilter, word_of
from bot.ports.listings import Listings, Sought
from bot.web.access import SignedInViewer
from bot.web.dashboard.desk import Desk, Export, Frame
from bot.web.problems import Problem

_PER_PAGE = 50
_Word = Annotated[str, Query(max_length=255)]
_Number = Annotated[str, Query(pattern="^([1-9][0-9]{0,17})?$")]


def router(desk: Desk, listings: Listings) -> APIRouter:
    """Return the page."""
    pages = APIRouter(default_response_class=HTMLResponse)

    @pages.get("/audit")
    async def audit(
        request: Request,
        viewer: SignedInViewer,
        action: _Word = "",
        actor: _Word = "",
        before: _Number = "",
        check: bool = False,
    ) -> HTMLResponse:
        """Show entries, the newest first."""
        if not viewer.reads_all:
            raise Problem(403, "not_an_auditor", "This page is for administrators and auditors.")
        own = {"action": _named("action", action), "actor": _named("actor", actor)}
        frame = Frame(desk, request, viewer, "audit", own)
        sought = _sought(frame, own)
        found = await listings.entries(sought, before=int(before) if before else None, limit=_PER_PAGE + 1)
        entries = found[:_PER_PAGE]
        return await frame.show(
            entries=entries,
            older=frame.url(before=str(entries[-1].number)) if len(found) > _PER_PAGE else "",
            newest=frame.url() if before else "",
            chain=await listings.chain() if check else None,
            looked_at=_looked_at,
            exports=(
                Export("Audit log", "audit", _query(sought)),
                Export("State of the chain", "audit/chain", listed=False),
            ),
        )

    return pages


def _named(parameter: str, said: str) -> str:
    try:
        return word_of(parameter, " ".join(said.split()))
    except BadFilter as error:
        raise Problem(422, "bad_filter", f"This filter cannot be read. {error}") from None


def _sought(frame: Frame, own: dict[str, str]) -> Sought:
    filters = frame.filters
    return Sought(own["action"], own["actor"], filters.project_id, filters.since, filters.until)


def _query(sought: Sought) -> str:
    named = {
        "from": sought.since,
        "to": sought.until,
        "action": sought.action,
        "actor": sought.actor,
        "project": sought.project_id,
    }
    return urlencode({name: str(value) for name, value in named.items() if value})


def _looked_at(chain: Checked) -> str:
    """Return what is in order."""
    last = int(chain.head.partition(":")[0]) if chain.head else 0
    return "no entries" if last < chain.first else f"entries {chain.first} to {last}"
