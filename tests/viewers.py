"""Routes as somebody who has signed in meets them, without signing in."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request

from bot.domain.viewer import Viewer


def seen_by(viewer_of: Callable[[Request], Awaitable[Viewer | None]], *routers: APIRouter) -> APIRouter:
    """Return *routers* below a guard that believes *viewer_of*."""

    async def guard(request: Request) -> None:
        request.state.viewer = await viewer_of(request)
        request.state.form_token = ""

    site = APIRouter(dependencies=[Depends(guard)])
    for router in routers:
        site.include_router(router)
    return site
