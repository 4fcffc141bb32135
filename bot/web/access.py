"""Who may make a request: one check before every page and every part of the API.

It runs before each route of the routers that it is given to. Who wants a page for everybody has to say so.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, Response

from bot.domain.own_path import own_path
from bot.domain.session import ABSOLUTE, PAD_BYTES, Session, form_token, matches
from bot.domain.token_names import PREFIX, Scope
from bot.domain.viewer import Via, Viewer
from bot.ports import ApiTokens, Clock, Sessions
from bot.web.origin import Origin, from_this_machine
from bot.web.pages import page
from bot.web.problems import API, Problem
from bot.web.unsent import unsent

#: The field of a form, and the header of a script, with the token that only our pages know.
FORM_FIELD, FORM_HEADER = "form_token", "x-cloister-form"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PUBLIC, _SCOPE = "cloister_public", "cloister_scope"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def public(endpoint: _Endpoint) -> _Endpoint:
    """Let everybody ask for *endpoint*; whoever has signed in is still known there."""
    setattr(endpoint, _PUBLIC, True)
    return endpoint


def for_tokens(scope: Scope) -> Callable[[_Endpoint], _Endpoint]:
    """Let tokens with *scope* ask for an endpoint; without it, they can read only, with the scope for that."""

    def mark(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _SCOPE, scope)
        return endpoint

    return mark


def scope_of(endpoint: object) -> Scope | None:
    """Return the scope with which tokens do more at *endpoint* than read, None where they do not."""
    found: Scope | None = getattr(endpoint, _SCOPE, None)
    return found


def is_public(endpoint: object) -> bool:
    """Say whether *endpoint* is for everybody."""
    return getattr(endpoint, _PUBLIC, False) is True


class Access:
    """Tell who makes a request, and refuse it otherwise.

    Args:
        sessions: who has signed in.
        tokens: which scripts may ask.
        clock: tells the time.
        origin: where the pages are.
        renewing: whether GitLab tells memberships anew when a browser passes by there.
        development: whether anybody on this machine may pick a role.
    """

    def __init__(
        self,
        sessions: Sessions,
        tokens: ApiTokens,
        *,
        clock: Clock,
        origin: Origin,
        renewing: bool = False,
        development: bool = False,
    ) -> None:
        self.sessions = sessions
        self.origin = origin
        self.clock = clock
        self.development = development
        self._tokens = tokens
        self._renewing = renewing

    @property
    def cookie(self) -> str:
        """Return the name of the cookie: with the prefix, no other host or path can set it."""
        return "__Host-cloister" if self.origin.secure else "cloister"

    async def guard(self, request: Request) -> None:
        """Refuse *request*, or remember for the route who makes it."""
        request.state.viewer = None
        request.state.form_token = ""
        request.state.renew = request.state.lapsed = False
        endpoint = request.scope["endpoint"]
        token = _bearer(request)
        if token is not None and not (is_public(endpoint) and not token.startswith(PREFIX)):
            request.state.viewer = await self._script(request, endpoint, token)
            return
        session_id = request.cookies.get(self.cookie)
        session = await self._session(request, session_id)
        if request.method not in _SAFE and self.origin.same(request):
            request.state.unsent = await unsent(request)
        if session is None and not is_public(endpoint):
            raise _sign_in_first(request)
        if request.method not in _SAFE:
            await self._check_sender(request, session_id if session else None)
        if session is None or session_id is None:
            return
        request.state.form_token = form_token(session_id, secrets.token_bytes(PAD_BYTES))
        request.state.viewer = self._as_of_now(request, session, public=is_public(endpoint))

    def signed_in(self, answer: Response, session_id: str) -> Response:
        """Give the browser its session."""
        self.keep(answer, self.cookie, session_id, int(ABSOLUTE.total_seconds()))
        return answer

    def keep(self, answer: Response, name: str, value: str, max_age_s: int) -> None:
        """Set a cookie that no script reads, and that no other site's forms send."""
        answer.set_cookie(
            name, value, max_age=max_age_s, path="/", secure=self.origin.secure, httponly=True, samesite="lax"
        )

    async def _session(self, request: Request, session_id: str | None) -> Session | None:
        if session_id is None:
            return None
        session = await self.sessions.find(session_id, self.clock.now())
        if session is None or session.viewer.via is not Via.development:
            return session
        return session if self.development and from_this_machine(request) else None

    async def _script(self, request: Request, endpoint: object, token: str) -> Viewer:
        viewer = await self._tokens.viewer(token, self.clock.now())
        if viewer is None:
            raise Problem(
                401,
                "invalid_token",
                "the token is unknown, expired or revoked: make one with `cloister token create`",
                headers={"www-authenticate": 'Bearer error="invalid_token"'},
            )
        needed = scope_of(endpoint) or (Scope.read if request.method in _SAFE else None)
        if needed is None:
            raise Problem(403, "people_only", "a token cannot do this: sign in")
        if not viewer.allows(needed):
            raise Problem(
                403, "insufficient_scope", f"the token lacks the scope {needed.value}: make another one"
            )
        return viewer

    async def _check_sender(self, request: Request, session_id: str | None) -> None:
        """Refuse what another site may have a browser send."""
        same = self.origin.same(request)
        if same is False or (same is None and session_id is None and not _is_api(request)):
            raise Problem(
                403, "foreign_form", "this was not sent by a page of Cloister: go there and try again"
            )
        if session_id is None:
            return
        said = request.headers.get(FORM_HEADER) or await _field(request)
        if not matches(session_id, said):
            raise Problem(
                403,
                "stale_form",
                "your session was renewed since this page was loaded: load it again, then send it once more",
            )

    def _as_of_now(self, request: Request, session: Session, *, public: bool) -> Viewer:
        """Return the viewer; who was not looked up for long passes by GitLab first, which asks nothing."""
        if session.viewer.via is not Via.gitlab or not session.stale(self.clock.now()):
            return session.viewer
        if self._renewing and request.method in _SAFE:
            if not public:
                raise _renew(request)
            request.state.renew = True
        # What changes something is checked anew anyway, but for these two.
        request.state.lapsed = self._renewing and not public and session.viewer.reads_all
        return session.viewer.without_privileges()


def known(request: Request) -> Viewer | None:
    """Return who makes the request, None for nobody; for routes for everybody that show some more than others.

    Raises:
        Problem: GitLab has not told for long who that is, and the browser passes by there first.
    """
    if getattr(request.state, "renew", False):
        raise _renew(request)
    found: Viewer | None = request.state.viewer
    return found


def viewer(request: Request) -> Viewer:
    """Return who makes the request; for routes that ask for it.

    Raises:
        Problem: nobody has signed in, which only routes for everybody let happen; or see `known`.
    """
    found = known(request)
    if found is None:
        raise _sign_in_first(request)
    return found


SignedInViewer = Annotated[Viewer, Depends(viewer)]


def overseer(viewer: SignedInViewer) -> None:
    """Let through who leads a project, or sees all: before what shows figures, or what is others'.

    Raises:
        Problem: *viewer* does neither.
    """
    if not viewer.oversees_any:
        raise Problem(
            403,
            "not_an_overseer",
            "this is for maintainers and owners of a project on GitLab, auditors and administrators;"
            " your own merge requests are at /mine and in /reviews",
        )


def page_for(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page with the account of who asks, and the token for its forms."""
    state = request.state
    return page(
        template,
        status=status,
        viewer=state.viewer,
        form_token=state.form_token,
        path=_path(request),
        **values,
    )


def _bearer(request: Request) -> str | None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" and _is_api(request) else None


def _is_api(request: Request) -> bool:
    return request.url.path.startswith(API)


def _path(request: Request) -> str:
    query = request.url.query
    return own_path(request.url.path + (f"?{query}" if query else ""))


async def _field(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return ""
    value = (await request.form()).get(FORM_FIELD)
    return value if isinstance(value, str) else ""


def _sign_in_first(request: Request) -> Problem:
    if _is_api(request):
        headers = {"www-authenticate": "Bearer"}
        return Problem(
            401, "sign_in", "sign in, or send a token: Authorization: Bearer clst_...", headers=headers
        )
    if getattr(request.state, "unsent", None) is not None:
        return Problem(401, "sign_in", "you are not signed in any more: sign in, then send it once more")
    if "hx-request" in request.headers:
        return Problem(401, "sign_in", "sign in again", headers={"hx-refresh": "true"})
    to = quote(_path(request), safe="") if request.method == "GET" else "%2F"
    return Problem(303, "sign_in", "sign in first", headers={"location": f"/sign-in?to={to}"})


def _renew(request: Request) -> Problem:
    if _is_api(request) or "hx-request" in request.headers:
        return Problem(401, "session_stale", "reload the page", headers={"hx-refresh": "true"})
    to = quote(_path(request), safe="")
    return Problem(303, "session_stale", "one moment", headers={"location": f"/sign-in/gitlab?to={to}"})
