"""What is remembered of waivers."""

from __future__ import annotations

from typing import Protocol

from bot.domain.audit_log import Act
from bot.domain.forge import ForgeMember, ForgeMergeRequest
from bot.domain.merge_request import MergeRequestRef
from bot.domain.waivers import Waiver, WaiverStep


class WaiverBook(Protocol):
    """Read waivers; their steps are written in the transaction that ends an event, and never changed.

    Raises ``Transient`` when the store is out of reach.
    """

    async def of(self, ref: MergeRequestRef) -> list[Waiver]:
        """Return the waivers of *ref*, all of them, and those of the project that have not ended, the oldest first."""

    async def end(self, step: WaiverStep, act: Act) -> None:
        """Add the *step* by which an operator ends a waiver, with *act* in the audit log.

        Every verdict that rests on the waiver is made anew. All of it comes true, or nothing does.
        """


class AsOfNow(Protocol):
    """Tell who asks for a waiver, and on what, as of now.

    Raises ``Transient`` when the forge is out of reach, and ``Refused`` when it does not tell.
    """

    async def member(self, project_id: int, user_id: int) -> ForgeMember:
        """Return the account with its access; see `bot.ports.People`."""

    async def wrote(self, ref: MergeRequestRef, user_id: int) -> bool:
        """Say whether the account may have written a commit of the merge request; see `bot.ports.People`."""

    async def merge_request(self, ref: MergeRequestRef) -> ForgeMergeRequest:
        """Return the merge request; see `bot.ports.Forge`."""
