"""The dashboards of a running Cloister in a real browser: people sign in, look for noise, end it, and take figures away."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from bot.adapters.labels_postgres import PostgresLabels
from bot.adapters.postgres import connect_pool
from bot.adapters.rollups_postgres import roll_up
from bot.cli.serving import serve
from bot.demo.gitlab import Level
from bot.domain.labels import Label
from bot.domain.merge_request import MergeRequestRef
from bot.domain.signals import SignalKind
from bot.gitlab.instance import instance_name
from bot.runtime.reckoner import Reckoner
from bot.settings import Settings
from bot.wiring_access import CALLBACK
from tests.browser import OpenPage, barriers, picture
from tests.gitlab import GitLab
from tests.histories import Telling
from tests.history import History, Reviewed
from tests.ledger import store
from tests.ports import free_address

NOISY, LIKED = "java.magic-number", "java.sql-built"
BEGAN = datetime.now(UTC) - timedelta(days=12)
WHY = "our constants are <b>named</b> elsewhere"
_LEFT_OUT = {
    "fingerprint": "f" * 32,
    "scanner": "semgrep",
    "rule": NOISY,
    "severity": "low",
    "path": "src/App.java",
    "line": 7,
    "title": "A number without a name",
    "reason": "mild",
}


@dataclass
class Dashboards:
    """A Cloister that serves pages, and the one project that it has reviewed."""

    here: str
    project: int
    open_page: OpenPage

    async def entered(self, username: str, path: str = "/") -> Page:
        """Return a window in which somebody has signed in with GitLab to see *path*."""
        page = await self.open_page(self.here + path)
        await page.get_by_role("link", name="Sign in with GitLab").click()
        await page.get_by_label("Username").fill(username)
        await page.get_by_label("Username").press("Enter")
        await page.wait_for_url(self.here + path)
        return page


async def _happen(database_url: str, instance: str, project: int, developer: int) -> None:
    """Have four merge requests, one of the *developer*, reviewed, answered and merged; then label and count that."""
    pool = await connect_pool(database_url, size=2)
    try:
        history = History(pool, instance)
        await history.project(project, "group/app")
        for iid in range(1, 5):
            ref = MergeRequestRef(instance=instance, project_id=project, iid=iid)
            tell = Telling(ref, random.Random(iid), BEGAN + timedelta(hours=iid))
            about = {"rule": NOISY if iid > 1 else LIKED, "scanner": "semgrep", "category": "style"}
            tell.comment = tell.comment.model_copy(update=about)
            told = (
                tell.merged(Label.rejected_strong, tell.down())
                if iid > 1
                else tell.merged(Label.accepted_strong, tell.signal(SignalKind.applied))
            )
            await store(pool, [told])
            run_id, at = told.comment.run_id, told.comment.posted_at
            author = developer if iid == 4 else None
            one = Reviewed(
                project, iid, at, timedelta(minutes=2), {"mild": 1}, 1, standing=True, author=author
            )
            one.run_id = run_id
            await history.reviewed(one)
        await pool.execute("UPDATE review_fact SET detail = $1", {"left_out": [_LEFT_OUT], "unread": {}})
        reckoner = Reckoner(PostgresLabels(pool), lambda batch: roll_up(pool, batch=batch))
        while await reckoner.catch_up():
            pass
    finally:
        await pool.close()


@pytest_asyncio.fixture
async def dashboards(
    gitlab: GitLab, database_url: str, tmp_path: Path, open_page: OpenPage
) -> AsyncIterator[Dashboards]:
    """Serve pages on a small history; *lead* is a tech lead of its project, *dev* a developer, *eye* an auditor."""
    server, address = gitlab.server, free_address()
    here = f"http://{address}"
    signing_in = server.create_application(here + CALLBACK)
    server.add_member(gitlab.project, server.create_user("lead"), Level.maintainer)
    server.create_user("eye")
    await _happen(database_url, instance_name(server.url), gitlab.project.id, gitlab.developer.id)
    settings = Settings(
        gitlab_url=server.url,
        gitlab_token=gitlab.token,
        webhook_secret="a webhook secret for tests",
        public_url=here,
        oauth_client_id=signing_in.id,
        oauth_client_secret=signing_in.secret,
        auditors="eye",
        database_url=database_url,
        data_dir=tmp_path,
        listen=address,
    )
    stop, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(settings, hooks=True, stages=(), stop=stop, started=started))
    await asyncio.wait_for(started.wait(), 150)
    try:
        yield Dashboards(here, gitlab.project.id, open_page)
    finally:
        stop.set()
        await serving
    assert server.unknown_requests in ([], ["GET /favicon.ico"])


async def test_a_tech_lead_ends_noise(dashboards: Dashboards, gitlab: GitLab) -> None:
    """They filter, see what a review left unsaid, mute a rule and unmute it; auditors see by whom, developers their own."""
    lead = await dashboards.entered("lead", "/reviews")
    await expect(lead.locator("tbody tr")).to_have_count(4)
    await lead.get_by_label("Group").fill("elsewhere")
    await lead.get_by_role("button", name="Apply").click()
    await expect(lead.get_by_role("alert")).to_contain_text("has been reviewed below this group")
    await lead.get_by_role("link", name="Reset").click()
    await lead.locator("tbody th a").first.click()
    await expect(lead.get_by_role("heading", name="Review of group/app!4")).to_be_visible()
    said = lead.get_by_role("region", name="Findings that became comments")
    unsaid = lead.get_by_role("region", name="Findings that did not become comments")
    assert NOISY in str(await said.text_content())
    assert "Too mild or unsure" in str(await unsaid.text_content())
    await picture(lead, "database-review")

    await lead.get_by_role("link", name="Noise", exact=True).click()
    await lead.get_by_label("Project").fill("app")
    await lead.get_by_role("button", name="Apply").click()
    row = lead.get_by_role("row", name=NOISY)
    await row.get_by_role("link", name=f"rejected comments of {NOISY}").click()
    await expect(lead.locator("tbody tr").first).to_contain_text("rejected")
    assert await barriers(lead) == []
    await lead.go_back()
    await row.get_by_text(f"Mute {NOISY}").click()
    await row.get_by_label("Why").fill(WHY)
    assert await barriers(lead) == []
    await picture(lead, "database-noise-form")
    await row.get_by_role("button", name="Mute the rule").click()
    await expect(lead.get_by_text("The rule is muted.")).to_be_visible()
    await expect(_muted(lead)).to_contain_text(WHY)
    await picture(lead, "database-noise-muted")

    developer = await dashboards.entered("dev")
    await expect(developer.get_by_role("heading", name="My merge requests", level=1)).to_be_visible()
    await expect(developer.locator("tbody tr")).to_have_count(1)
    await expect(developer.get_by_role("row", name="group/app!4")).to_be_visible()
    assert await developer.locator("#places a").all_inner_texts() == ["My merge requests", "Reviews"]
    await picture(developer, "database-mine")

    await _muted(lead).get_by_text("Unmute").click()
    await _muted(lead).get_by_label("Why").fill("they are not")
    await _muted(lead).get_by_role("button", name="End the mute").click()
    await expect(lead.get_by_text("The mute has ended.")).to_be_visible()
    await expect(lead.get_by_text("No rule is muted here.")).to_be_visible()

    eye = await dashboards.entered("eye", "/audit")
    await eye.get_by_label("Who").fill("lead")
    await eye.get_by_label("Act").fill("noise")
    await eye.get_by_role("button", name="Apply").click()
    rows = eye.locator("section[aria-labelledby=entries] tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("they are not")
    await expect(rows.last).to_contain_text(f"rule semgrep/{NOISY}")
    await expect(rows.last).to_contain_text(WHY)
    await eye.get_by_role("link", name="Check the chain").click()
    await expect(eye.get_by_text("The chain is whole")).to_be_visible()
    assert await barriers(eye) == []


async def test_what_a_page_shows_can_be_taken_away(dashboards: Dashboards) -> None:
    """Each export at the foot of each page, with the filters of the page: tables as CSV, and everything as JSON."""
    page = await dashboards.entered("eye", "/reviews")
    review = str(await page.locator("tbody th a").first.get_attribute("href"))
    chosen = f"?group=group&project={dashboards.project}"
    taken: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for path in (
        "/",
        "/quality",
        "/trends",
        "/noise",
        "/comments",
        "/flow",
        "/gate",
        "/reviews",
        "/mine",
        "/operations",
        "/audit",
        review,
    ):
        address = dashboards.here + path + ("" if path in {"/operations", "/audit", review} else chosen)
        await page.goto(address)
        links = page.locator("footer.exports a")
        for number in range(await links.count()):
            if page.url != address:
                await page.goto(address)
            link = links.nth(number)
            name = str(await link.get_attribute("aria-label"))
            if name.endswith("CSV"):
                rows = await _downloaded(page, link)
                lines[name] = len(rows)
                assert all(len(row) == len(rows[0]) for row in rows), name
            else:
                await link.click()
                await page.wait_for_url("**/api/v1/**")
                assert isinstance(json.loads(await page.locator("pre").inner_text()), dict), name
            taken.setdefault("/reviews/…" if path == review else path, []).append(name)

    both = {
        "/": ("Figures", "Funnel"),
        "/quality": ("Acceptance by category",),
        "/trends": ("Time series",),
        "/noise": ("Noise", "Muted now"),
        "/comments": ("Comments",),
        "/flow": ("Flow",),
        "/gate": ("Gate", "Waivers"),
        "/reviews": ("Reviews",),
        "/mine": ("My merge requests",),
    }
    expected = {
        path: [f"{title} as {form}" for title in titles for form in ("CSV", "JSON")]
        for path, titles in both.items()
    }
    expected["/operations"] = ["Health as JSON", "Dead letters as CSV", "Dead letters as JSON"]
    expected["/audit"] = ["Audit log as CSV", "Audit log as JSON", "State of the chain as JSON"]
    expected["/reviews/…"] = ["This review as JSON"]
    assert expected == taken
    assert (5, 2, 1) == (lines["Reviews as CSV"], lines["Noise as CSV"], lines["Waivers as CSV"])


def _muted(page: Page) -> Locator:
    """Return the row of the rule on the board of what is muted."""
    return page.locator("section[aria-labelledby=muted]").get_by_role("row", name=NOISY)


async def _downloaded(page: Page, link: Locator) -> list[list[str]]:
    """Return the table that *link* downloads, its header first."""
    async with page.expect_download() as started:
        await link.click()
    download: Any = await started.value
    assert await download.failure() is None
    assert download.suggested_filename.endswith(".csv")
    text = await asyncio.to_thread(Path(await download.path()).read_text, "utf-8-sig")
    return list(csv.reader(io.StringIO(text)))
