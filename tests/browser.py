"""A real browser for the tests: Debian's Chromium, without a window.

``TEST_BROWSER`` names another Chromium. Where there is none the tests are skipped, but not in CI. Pictures that tests
take go to ``TEST_PICTURES``, if it names a directory.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

#: Widths that people have: a desk and a phone.
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

#: More than a busy machine needs for anything that is waited for.
_PATIENCE_MS = 120_000

#: What tests provoke on purpose: a page that is not there, and htmx telling that a request was given up for a newer one.
_PROVOKED = ("status of 4", "htmx:sendAbort", "htmx:afterRequest")

OpenPage = Callable[..., Awaitable[Page]]


def _executable() -> str:
    names = (os.environ.get("TEST_BROWSER", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        said = "there is no Chromium: install Debian's package chromium, or set TEST_BROWSER"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    return found


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Start a browser, and end it."""
    executable = _executable()
    # Chromium refuses to run as root in its sandbox, and shared memory is small in containers.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=executable, args=arguments, timeout=_PATIENCE_MS
        )
        yield started
        await started.close()


@asynccontextmanager
async def opening(browser: Browser) -> AsyncIterator[OpenPage]:
    """Return what opens a page in a window of its own, by keywords of Playwright's ``new_context``.

    Whatever a page does that it should not ends the test: an error in a script, something that the policy of the page
    forbids, a request to anybody but its own server.
    """
    complaints: list[str] = []

    async with AsyncExitStack() as stack:

        async def opened(url: str = "about:blank", **options: Any) -> Page:
            context = await browser.new_context(**{"viewport": DESK, **options})
            stack.push_async_callback(context.close)
            context.set_default_timeout(_PATIENCE_MS)
            page = await context.new_page()
            page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
            page.on(
                "console", lambda said: said.type == "error" and complaints.append(f"{page.url}: {said.text}")
            )
            page.on("request", lambda request: complaints.extend(_foreign(request.url)))
            if url != "about:blank":
                await page.goto(url)
            return page

        yield opened
    assert [said for said in complaints if not any(one in said for one in _PROVOKED)] == []


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Return the browser."""
    async with launched() as started:
        yield started


@pytest_asyncio.fixture
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Return what opens a page in a window of its own; see `opening`."""
    async with opening(browser) as opened:
        yield opened


def _foreign(url: str) -> list[str]:
    parts = urlsplit(url)
    local = parts.scheme in {"data", "blob", "about"} or parts.hostname in {"127.0.0.1", "localhost", "::1"}
    return [] if local else [f"asked {url}"]


async def barriers(page: Page) -> list[str]:
    """Return what keeps people from using *page*, as far as axe finds it serious."""
    found = await Axe().run(page)
    return [
        f"{one['id']}: {one['help']} ({node['html'][:200]})"
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


async def picture(page: Page, name: str) -> None:
    """Keep a picture of *page*, where somebody wants them."""
    if folder := os.environ.get("TEST_PICTURES"):
        await asyncio.to_thread(Path(folder).mkdir, parents=True, exist_ok=True)
        # Else a style that hides the caret is put into the page, against its policy.
        await page.screenshot(path=Path(folder, f"{name}.png"), full_page=True, caret="initial")
