"""The page that a commit status leads to: what the gate says, why, and what to do about it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from bot.domain.gate_verdict import Blocking, GateVerdict, Standing, VerdictState
from bot.domain.summary import permalink
from bot.domain.verdict_links import VerdictLinks
from bot.ports import Verdicts
from bot.web.access import page_for, public, viewer
from bot.web.problems import Problem
from bot.web.verdict_api import steps_of

#: How often the page loads itself anew while there is no verdict.
_REFRESH_S = 5


@dataclass(frozen=True, slots=True)
class _Look:
    """How a state looks: a word, a sign beside it, and a class that colours both."""

    word: str
    sign: str
    colour: str


_LOOKS = {
    VerdictState.waiting: _Look("Waiting", "…", "doubt"),
    VerdictState.passed: _Look("Passed", "✓", "good"),
    VerdictState.blocked: _Look("Blocked", "✕", "bad"),
    VerdictState.undecided: _Look("Undecided", "?", "doubt"),
    VerdictState.superseded: _Look("Superseded", "↷", "soft"),
}


def verdict_page(verdicts: Verdicts, links: VerdictLinks) -> APIRouter:
    """Return the route of the page.

    Args:
        verdicts: where verdicts are kept.
        links: addresses of the pages; a signed one opens its page.
    """
    router = APIRouter()

    @router.get("/verdicts/{run_id}")
    @public
    async def show(request: Request, run_id: str, key: str = "") -> Response:
        """Show what the gate says to one run."""
        name = _uuid(run_id)
        reader = None if name and links.opens(name, key) else viewer(request)
        standing = await verdicts.of_run(name) if name else None
        if standing is None or (reader and not reader.reads(standing.run.ref.project_id)):
            raise Problem(404, "not_found", "there is no such verdict, or you may not see it")
        return page_for(request, "verdict.html", **_values(standing, links))

    return router


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if len(text) == len(str(uuid.NAMESPACE_OID)) else None
    except ValueError:
        return None


def _values(standing: Standing, links: VerdictLinks) -> dict[str, Any]:
    run = standing.run
    verdict = standing.verdict or GateVerdict(run_id=run.id, ref=run.ref, head_sha=run.head_sha)
    not_looked_at = {**run.skipped}
    for step in run.steps.values():
        not_looked_at |= step.not_analysed
    return {
        "look": _LOOKS[standing.state],
        "refresh_s": 0 if standing.final else _REFRESH_S,
        "description": standing.description,
        "final": standing.final,
        "verdict": verdict,
        "title": run.title,
        "sha": run.head_sha,
        "ref": run.ref,
        "changed_at": standing.changed_at,
        "closed": standing.closed,
        "newer": links.path(standing.successor) if standing.successor else "",
        "blocking": [_row(one, verdict) for one in verdict.blocking],
        "suppressed": [_row(one, verdict) for one in verdict.suppressed],
        "more": verdict.blocking_count - len(verdict.blocking),
        "not_looked_at": sorted(not_looked_at.items())[:100],
        "steps": steps_of(run),
    }


def _row(one: Blocking, verdict: GateVerdict) -> dict[str, Any]:
    sha = one.commit or verdict.head_sha
    return {
        "id": verdict.ids[one.fingerprint],
        "finding": one,
        "url": permalink(verdict.project_url, sha, one.path, one.line, one.end_line),
    }
