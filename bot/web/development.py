"""``--dev-login``: on this machine anybody may be anybody."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from bot.domain.forge import ForgeUser
from bot.domain.viewer import DEVELOPER, MAINTAINER, Via, Viewer
from bot.web.access import public
from bot.web.origin import from_this_machine
from bot.web.problems import Problem
from bot.web.sign_in import Entrance

Role = Literal["administrator", "auditor", "tech lead", "developer"]

_PROJECTS = re.compile(r"[1-9][0-9]{0,17}")


def router(entrance: Entrance) -> APIRouter:
    """Return the page that lets in whoever says who they are."""
    pages = APIRouter()

    @pages.post("/sign-in/development")
    @public
    async def pretend(
        request: Request,
        username: Annotated[str, Form(pattern=r"^[A-Za-z0-9_.-]{1,50}$")],
        role: Annotated[Role, Form()],
        projects: Annotated[str, Form(max_length=1_000)] = "",
    ) -> Response:
        """Let in a name and a role."""
        if not from_this_machine(request):
            raise Problem(403, "not_here", "--dev-login is for requests from this machine to this machine")
        level = MAINTAINER if role == "tech lead" else DEVELOPER
        viewer = Viewer(
            ForgeUser(0, username),
            admin=role == "administrator",
            auditor=role == "auditor",
            levels={int(number): level for number in _PROJECTS.findall(projects)},
            via=Via.development,
        )
        return await entrance.let_in(request, viewer, "/")

    return pages
