"""People sign in and out in a real browser, on a running Cloister and with a GitLab."""

import asyncio
from pathlib import Path

from bot.cli.serving import serve
from bot.settings import Settings
from bot.wiring_access import CALLBACK
from tests.browser import PHONE, OpenPage, barriers, picture
from tests.gitlab import GitLab
from tests.ports import free_address


async def test_somebody_signs_in_and_out(
    gitlab: GitLab, database_url: str, tmp_path: Path, open_page: OpenPage
) -> None:
    """By keyboard and on a phone; nothing serious bars anybody, and afterwards the way back is closed."""
    address = free_address()
    here = f"http://{address}"
    application = gitlab.server.create_application(here + CALLBACK)
    settings = Settings(
        gitlab_url=gitlab.server.url,
        gitlab_token=gitlab.token,
        webhook_secret="a webhook secret for tests",
        public_url=here,
        oauth_client_id=application.id,
        oauth_client_secret=application.secret,
        database_url=database_url,
        data_dir=tmp_path,
        listen=address,
    )
    stop, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(settings, hooks=True, stages=(), stop=stop, started=started))
    await asyncio.wait_for(started.wait(), 150)
    try:
        page = await open_page(f"{here}/?group=a-link", viewport=PHONE, color_scheme="dark")
        assert await page.title() == "Sign in · Cloister"
        assert await barriers(page) == []
        await picture(page, "sign-in")
        await page.get_by_role("link", name="Sign in with GitLab").press("Enter")
        await page.get_by_label("Username").fill("dev")
        await page.get_by_label("Username").press("Enter")
        await page.wait_for_url(f"{here}/?group=a-link")
        assert "dev · developer" in str(await page.text_content(".account summary"))
        await page.locator(".account summary").press("Enter")
        assert await barriers(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        await picture(page, "start")
        await page.get_by_role("button", name="Sign out").press("Enter")
        await page.get_by_role("heading", name="You have signed out").wait_for()
        await page.goto(here)
        assert await page.title() == "Sign in · Cloister"
    finally:
        stop.set()
        await serving
    assert gitlab.server.unknown_requests in ([], ["GET /favicon.ico"])
