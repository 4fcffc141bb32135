"""Somebody follows the commit status to the verdict, signs in with GitLab, and waives what blocks, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

from bot.demo.gitlab import Level
from bot.demo.ollama import ScriptedOllama
from bot.wiring_access import CALLBACK
from tests.browser import PHONE, OpenPage, barriers, picture
from tests.cloister import WEBHOOK_SECRET, running, settings_for
from tests.gitlab import GitLab
from tests.ports import free_address

FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"


async def test_a_finding_is_waived_and_blocks_again(
    gitlab: GitLab, ollama_server: ScriptedOllama, database_url: str, tmp_path: Path, open_page: OpenPage
) -> None:
    """On a phone, in the dark; a refusal stands beside its field, and the status follows."""
    server, address = gitlab.server, free_address()
    here = f"http://{address}"
    application = server.create_application(here + CALLBACK)
    lead = server.create_user("lead")
    server.add_member(gitlab.project, lead, Level.maintainer)
    access = {
        "public_url": here,
        "oauth_client_id": application.id,
        "oauth_client_secret": application.secret,
        "listen": address,
    }
    settings = settings_for(gitlab, None, database_url, tmp_path, **access)
    async with running(settings, gitlab, ollama_server) as cloister:
        server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
        merge_request = server.open_merge_request(
            gitlab.project, "waive", {"app.py": FLAW}, author=gitlab.developer
        )
        assert "failed" == (await cloister.outcome(merge_request)).status
        (status,) = [one for one in gitlab.project.statuses if one.state == "failed"]
        page = await open_page(status.target_url, viewport=PHONE, color_scheme="dark")
        await page.get_by_role("link", name="Sign in with GitLab").click()
        await page.get_by_label("Username").fill("lead")
        await page.get_by_label("Username").press("Enter")
        await page.wait_for_url(str(status.target_url))
        assert "Blocked" in str(await page.text_content("h1"))

        await page.get_by_text("Let it pass for a while").press("Enter")
        await page.get_by_label("Because").fill("no")
        await page.get_by_role("button", name="Waive").click()
        because = page.get_by_label("Because")
        refusal = page.locator(f"#{await because.get_attribute('aria-describedby')}")
        assert "at least 10 characters" in str(await refusal.text_content())
        await _usable(page, "verdict-refused")

        await because.fill("the table is read-only <b>and</b> empty")
        await page.get_by_role("button", name="Waive").press("Enter")
        await page.get_by_text("The finding is waived").wait_for()
        assert ("success", True) == (
            cloister.status(merge_request),
            "Passed" in str(await page.text_content("h1")),
        )
        assert "read-only <b>and</b> empty" in str(await page.text_content("main"))
        await _usable(page, "verdict-waived")

        await page.get_by_role("button", name="Take it back").click()
        await page.get_by_text("The waiver was taken back").wait_for()
        assert "failed" == cloister.status(merge_request)
        rows = await cloister.fetch("SELECT actor, action FROM audit_entry ORDER BY number")
        steps = await cloister.fetch(
            "SELECT deed, body->>'source' AS source FROM waiver_event ORDER BY number"
        )
    who = f"gitlab:{lead.id}:lead"
    assert [(who, "sign_in"), (who, "waiver.granted"), (who, "waiver.withdrawn")] == [
        tuple(row) for row in rows
    ]
    assert [("granted", "page"), ("withdrawn", "page")] == [tuple(row) for row in steps]
    assert server.unknown_requests in ([], ["GET /favicon.ico"])


async def _usable(page: Page, name: str) -> None:
    assert await barriers(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    await picture(page, name)
