"""The pages by which people sign in and out."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from bot.domain.audit_log import Act
from bot.domain.errors import Permanent, Refused
from bot.domain.forge import ForgeUser
from bot.domain.own_path import own_path
from bot.domain.viewer import Identity, Via, Viewer, promoted
from bot.ports import AuditLog, SignIn
from bot.web.access import Access, SignedInViewer, page_for, public
from bot.web.attempt_cookie import LIFE, name_of, over, seal, unseal
from bot.web.attempts import Attempts
from bot.web.problems import Problem

_log = structlog.get_logger(__name__)

_To = Annotated[str | None, Query(max_length=4_000)]


@dataclass(frozen=True, slots=True)
class Entrance:
    """Hold what signing in needs.

    Args:
        access: who may make a request, and the sessions.
        audit: where it is written down.
        gitlab: has GitLab say who somebody is; None where no application is set.
        key: returns what signs the cookie of an attempt.
        admins: user names, in lower case, of those who may do everything.
        auditors: and of those who may see everything.
    """

    access: Access
    audit: AuditLog
    gitlab: SignIn | None
    key: Callable[[], Awaitable[bytes]]
    admins: frozenset[str] = frozenset()
    auditors: frozenset[str] = frozenset()

    async def let_in(self, request: Request, viewer: Viewer, to: str) -> Response:
        """Begin a session, with a new id, instead of the one that the browser had."""
        if not self.access.origin.keeps_cookies_safe(request):
            raise Problem(
                403,
                "needs_https",
                "a session could be read on the network: set CLOISTER_PUBLIC_URL to an https address, or come from"
                " this machine itself",
            )
        before: Viewer | None = request.state.viewer
        if before is None or before.actor != viewer.actor:
            # Not once an hour, when memberships are told anew.
            await self.audit.append(Act(viewer.actor, "sign_in", viewer.role))
        session_id = await self.access.sessions.begin(
            viewer, self.access.clock.now(), instead_of=request.cookies.get(self.access.cookie)
        )
        return self.access.signed_in(RedirectResponse(to, 303), session_id)

    async def came_back(self, request: Request, code: str, state: str) -> tuple[Identity, str]:
        """Return who comes back from GitLab, and the page that they want."""
        assert self.gitlab is not None
        value = request.cookies.get(name_of(self.access.cookie, state), "")
        kept = unseal(await self.key(), value, self.access.clock.now())
        if kept is None or not hmac.compare_digest(kept[0].state.encode(), state.encode()):
            _log.warning("sign_in.refused", reason="the attempt was not begun in this browser, or is too old")
            raise Problem(
                400, "unknown_attempt", "this sign-in was not begun here, or took too long: start again"
            )
        try:
            identity = await self.gitlab.finish(code, kept[0])
        except Refused as error:
            _log.warning("sign_in.refused", reason=str(error))
            raise Problem(403, "refused", str(error)) from error
        except Permanent as error:
            raise _impossible(error) from error
        return promoted(identity, self.admins, self.auditors), kept[1]


def _impossible(error: Permanent) -> Problem:
    """Tell the operator what to mend; whoever wants to sign in cannot do anything about it."""
    _log.error("sign_in.impossible", error=str(error))
    return Problem(
        503,
        "sign_in_impossible",
        "signing in with GitLab is not set up right: ask the operator, the log says more",
    )


def router(entrance: Entrance) -> APIRouter:
    """Return the pages of signing in and out."""
    pages = APIRouter()
    attempts = Attempts(entrance.access.clock.monotonic)
    _add_entry(pages, entrance)
    _add_gitlab(pages, entrance, attempts)
    _add_link(pages, entrance, attempts)
    return pages


def _add_entry(pages: APIRouter, entrance: Entrance) -> None:
    @pages.get("/sign-in")
    @public
    async def choose(request: Request, to: _To = None) -> Response:
        """Show the ways in."""
        return page_for(
            request,
            "sign_in.html",
            gitlab=entrance.gitlab is not None,
            development=entrance.access.development,
            safe=entrance.access.origin.keeps_cookies_safe(request),
            to=own_path(to),
        )

    @pages.post("/sign-out")
    async def leave(request: Request, _viewer: SignedInViewer) -> Response:
        """End the session, on the server too."""
        await entrance.access.sessions.end(request.cookies.get(entrance.access.cookie, ""))
        request.state.viewer = None
        answer = page_for(request, "signed_out.html")
        entrance.access.keep(answer, entrance.access.cookie, "", 0)
        answer.headers["clear-site-data"] = '"cache"'
        return answer


def _add_gitlab(pages: APIRouter, entrance: Entrance, attempts: Attempts) -> None:
    access, gitlab = entrance.access, entrance.gitlab
    if gitlab is None:
        return

    @pages.get("/sign-in/gitlab")
    @public
    async def begin(request: Request, to: _To = None) -> Response:
        """Send the browser to GitLab."""
        attempts.count(request)
        try:
            address, attempt = await gitlab.begin()
        except Permanent as error:
            raise _impossible(error) from error
        answer = RedirectResponse(address, 303)
        sealed = seal(await entrance.key(), attempt, own_path(to), access.clock.now())
        for name in over(access.cookie, request.cookies):
            access.keep(answer, name, "", 0)
        access.keep(answer, name_of(access.cookie, attempt.state), sealed, int(LIFE.total_seconds()))
        return answer

    @pages.get("/sign-in/callback")
    @public
    async def finish(
        request: Request,
        code: Annotated[str, Query(max_length=1_000)] = "",
        state: Annotated[str, Query(max_length=200)] = "",
        error: Annotated[str, Query(max_length=1_000)] = "",
    ) -> Response:
        """Let in whom GitLab sends back."""
        attempts.count(request)
        if error or not code:
            _log.warning("sign_in.refused", reason=f"GitLab says {error[:100]!r}")
            raise Problem(403, "refused", "GitLab did not let you in, or you declined: start again")
        identity, to = await entrance.came_back(request, code, state)
        viewer = Viewer(identity.user, admin=identity.admin, auditor=identity.auditor, levels=identity.levels)
        answer = await entrance.let_in(request, viewer, to)
        access.keep(answer, name_of(access.cookie, state), "", 0)
        return answer


def _add_link(pages: APIRouter, entrance: Entrance, attempts: Attempts) -> None:
    @pages.get("/sign-in/link")
    @public
    async def ask(request: Request, key: Annotated[str, Query(max_length=200)] = "") -> Response:
        """Ask before the link is used up: whoever previews links follows them too."""
        return page_for(request, "sign_in_link.html", key=key)

    @pages.post("/sign-in/link")
    @public
    async def use(request: Request, key: Annotated[str, Form(max_length=200)]) -> Response:
        """Let the operator in."""
        attempts.count(request)
        if not await entrance.access.sessions.use_link(key, entrance.access.clock.now()):
            _log.warning("sign_in.refused", reason="the link was used, or is too old")
            raise Problem(
                403,
                "void_link",
                "the link was used before, or is too old: `cloister login-link` prints a new one",
            )
        operator = Viewer(ForgeUser(0, "operator"), admin=True, via=Via.link)
        return await entrance.let_in(request, operator, "/")
