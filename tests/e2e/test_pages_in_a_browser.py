"""Pages as people meet them: in a browser, on a desk and on a phone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn

from bot.web.app import application
from tests.browser import DESK, PHONE, OpenPage, barriers, picture


class _Silent:
    def __getattr__(self, name: str) -> None:
        raise AssertionError(name)


async def _ready() -> list[str]:
    return []


@pytest_asyncio.fixture
async def site() -> AsyncIterator[str]:
    """Return the address of pages that need no database."""
    app = application(None, telemetry=_Silent(), exposition=lambda: b"", ready=_ready)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE], ids=["desk", "phone"])
async def test_everybody_can_read_an_error(
    site: str, open_page: OpenPage, scheme: str, width: dict[str, int]
):
    """It fits the screen, and nothing serious bars people who see or point less well."""
    page = await open_page(f"{site}/nowhere", viewport=width, color_scheme=scheme)

    assert await page.text_content("h1") == "Not Found"
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert await barriers(page) == []
    await picture(page, f"error-{scheme}-{width['width']}")
