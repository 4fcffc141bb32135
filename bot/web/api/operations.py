"""For those who keep the service running, and for auditors: health, dead letters and the audit log."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from bot.web.access import SignedInViewer
from bot.web.api import shown_lists as shown
from bot.web.api.asked import EntriesAsked, EntriesChosen, ListAsked, nothing
from bot.web.api.office import Office, all_seeing
from bot.web.api.paging import Lines
from bot.web.api.tables import DESCRIBED, Csv, table

_Asked = Annotated[ListAsked, Query()]


def router(office: Office) -> APIRouter:
    """Return the routes."""
    operations = APIRouter(tags=["operations"])

    @operations.get("/health", response_model=shown.Health, dependencies=[Depends(nothing)])
    async def health(viewer: SignedInViewer) -> Any:
        """Return queues, dead letters and the state of the counts."""
        all_seeing(viewer)
        return await office.dashboard.health()

    _letters(operations, office)
    _audit(operations, office)
    return operations


def _letters(operations: APIRouter, office: Office) -> None:
    async def part(before: int | None, limit: int) -> list[shown.DeadLetter]:
        found = await office.listings.letters(before=before, limit=limit)
        return [shown.DeadLetter.model_validate(one) for one in found]

    lines = Lines(part, lambda one: one.number)

    @operations.get("/dead-letters")
    async def list_dead_letters(
        request: Request, response: Response, asked: _Asked, viewer: SignedInViewer
    ) -> shown.DeadLetters:
        """Return a page of the events that were given up, the newest first."""
        all_seeing(viewer)
        found, more = await lines.page(request, response, asked.after, asked.limit)
        return shown.DeadLetters(letters=found, next=more)

    @operations.get(
        "/dead-letters.csv", response_class=Csv, responses=DESCRIBED, dependencies=[Depends(nothing)]
    )
    async def list_dead_letters_csv(viewer: SignedInViewer) -> Csv:
        """Return all events that were given up as CSV."""
        all_seeing(viewer)
        return await table(shown.DeadLetter, "dead-letters", lines.all())


def _audit(operations: APIRouter, office: Office) -> None:
    def lines(asked: EntriesChosen) -> Lines[shown.AuditEntry]:
        sought = asked.sought()

        async def part(before: int | None, limit: int) -> list[shown.AuditEntry]:
            found = await office.listings.entries(sought, before=before, limit=limit)
            return [shown.AuditEntry.model_validate(one) for one in found]

        return Lines(part, lambda one: one.number)

    @operations.get("/audit")
    async def list_audit_entries(
        request: Request, response: Response, asked: Annotated[EntriesAsked, Query()], viewer: SignedInViewer
    ) -> shown.Audit:
        """Return a page of the audit log, the newest first."""
        all_seeing(viewer)
        found, more = await lines(asked).page(request, response, asked.after, asked.limit)
        return shown.Audit(entries=found, next=more)

    @operations.get("/audit.csv", response_class=Csv, responses=DESCRIBED)
    async def list_audit_entries_csv(asked: Annotated[EntriesChosen, Query()], viewer: SignedInViewer) -> Csv:
        """Return the audit log as CSV, the newest first."""
        all_seeing(viewer)
        return await table(shown.AuditEntry, "audit", lines(asked).all())

    @operations.get("/audit/chain", dependencies=[Depends(nothing)])
    async def check_audit_chain(viewer: SignedInViewer) -> shown.Chain:
        """Check the chain of the newest 10,000 entries; `cloister audit verify` checks all of it."""
        all_seeing(viewer)
        return shown.Chain.model_validate(await office.listings.chain())
