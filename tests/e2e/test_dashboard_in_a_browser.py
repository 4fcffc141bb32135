"""The dashboards as people use them: filters, drill-down, mutes, dark and light, on a phone, and by keyboard alone."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, suppress
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, Route, expect

from bot.domain.forge import ForgeUser
from bot.domain.viewer import Viewer
from tests.browser import DESK, PHONE, OpenPage, barriers, launched, opening, picture
from tests.dashboards import HOSTILE, SHOP, Shown, pages_of, run_of, serving

# One browser for all: starting it takes longer than looking at a page.
pytestmark = pytest.mark.asyncio(loop_scope="module")

_ADMIN = Viewer(ForgeUser(1, "ada"), admin=True)
_REVIEW = f"/reviews/{run_of(1)}"
_PAGES = {
    "overview": "/",
    "quality": "/quality",
    "trends": "/trends",
    "noise": f"/noise?project={SHOP}",
    "comments": "/comments?became=rejected_strong",
    "unreadable": "/quality?to=never&project=nowhere",
    "flow": "/flow",
    "gate": "/gate",
    "reviews": "/reviews",
    "review": _REVIEW,
    "mine": "/mine",
    "operations": "/operations",
    "audit": "/audit?check=true",
}
_MADE_BY_TEXT = "img, iframe, math, script:not([src]), [onload], [onerror], [onfocus], [hx-get]:not(#group, #project), [data-hx-on], textarea"
#: What is to be filled in or pressed, and goes beyond what its form, or the screen, has for it.
_CUT = """() => {
    for (const details of document.querySelectorAll("details.act")) details.open = true;
    const inside = (form, one) => one.right <= form.right + 1 && one.left >= form.left - 1 && one.right <= innerWidth;
    return [...document.querySelectorAll("main :is(input:not([type=hidden]), button, summary)")]
        .filter((one) => !inside((one.form ?? one.parentElement).getBoundingClientRect(), one.getBoundingClientRect()))
        .map((one) => one.outerHTML);
}"""


async def _may(viewer: Viewer, project: int) -> bool:
    return True


def _serving(shown: Shown) -> AbstractContextManager[str]:
    return serving(pages_of(shown, _ADMIN, _may))


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Return the address of pages with a history."""
    with _serving(Shown()) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_browser() -> AsyncIterator[Browser]:
    """Return the one browser."""
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(shared_browser: Browser) -> AsyncIterator[OpenPage]:
    """Return what opens pages, and complains of what they do wrong."""
    async with opening(shared_browser) as opened:
        yield opened


async def _fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def _until(page: Page, said: str) -> None:
    """Wait until *said* holds; Playwright's own way needs what the policy of our pages forbids."""
    for _ in range(1200):
        if await page.evaluate(said):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{said} never held")


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", DESK), ("dark", PHONE)], ids=["light-desk", "dark-phone"]
)
async def test_everybody_can_use_every_page(
    site: str, open_page: OpenPage, scheme: str, width: dict[str, int]
):
    """Each fits the screen, bars nobody as far as axe can tell, and has its charts drawn."""
    page = await open_page(viewport=width, color_scheme=scheme, reduced_motion="reduce")
    barred, wide = {}, []
    for name, path in _PAGES.items():
        await page.goto(site + path)
        if name == "trends":
            await expect(page.locator("figure[data-drawn] canvas[role=img][aria-label]")).to_have_count(2)
        barred[name] = await barriers(page)
        wide += [] if await _fits(page) else [name]
        await picture(page, f"{name}-{scheme}-{width['width']}")

    assert {name: found for name, found in barred.items() if found} == {}
    assert wide == []


async def test_pages_fit_at_400_percent(site: str, open_page: OpenPage):
    """A desk has 320 pixels then; with the colours of the system, which leave no background, what is chosen shows."""
    page = await open_page(viewport={"width": 320, "height": 256}, forced_colors="active")
    wide = []
    for name, path in _PAGES.items():
        await page.goto(site + path)
        wide += [] if await _fits(page) else [name]
    await page.goto(f"{site}/quality")
    behind = [
        await page.evaluate(f"getComputedStyle(document.getElementById('preset-{days}')).backgroundColor")
        for days in (7, 30)
    ]

    assert wide == []
    assert behind[0] != behind[1]


@pytest.mark.parametrize("width", [375, 768, 1280])
async def test_forms_are_whole(site: str, open_page: OpenPage, width: int):
    """Nobody has to push a table or the page aside to fill in and to send one, such as that of a mute in its row."""
    page = await open_page(viewport={"width": width, "height": 800}, locale="en-US")
    cut = {}
    for name, path in _PAGES.items():
        await page.goto(site + path)
        cut[name] = await page.evaluate(_CUT)

    assert {name: found for name, found in cut.items() if found} == {}


async def test_filters_are_in_the_address(site: str, open_page: OpenPage):
    """Applying them swaps the content without a new page, can be shared, and the back button takes it back."""
    page = await open_page(f"{site}/quality")
    await page.evaluate("window.same = true")
    await page.get_by_label("Group").fill("retail")
    await page.get_by_role("link", name="Rule", exact=True).click()
    await expect(page.get_by_role("region", name="Acceptance by rule")).to_be_visible()
    await page.get_by_label("Group").fill("retail")
    await page.get_by_role("button", name="Apply").click()
    await expect(page).to_have_url(re.compile(r"[?&]group=retail(&|$)"))
    await expect(page.locator("#said")).to_have_text("Quality is up to date")
    same = await page.evaluate("window.same")
    kept = page.url
    await page.get_by_role("link", name="7 days").click()
    await expect(page.locator("#preset-7")).to_have_attribute("aria-current", "true")
    focused = await page.evaluate("document.activeElement.id")
    await page.go_back()
    await expect(page).to_have_url(kept)
    await expect(page.locator("#preset-30")).to_have_attribute("aria-current", "true")
    await expect(page.get_by_label("Group")).to_have_value("retail")

    assert (same, focused) == (True, "preset-7")
    assert parse_qs(urlsplit(kept).query)["by"] == ["rule"]


async def test_an_answer_that_comes_late_is_not_shown(site: str, open_page: OpenPage):
    """Who asks for something else before it is there sees that, and not what the address does not say."""
    page = await open_page(f"{site}/quality")
    late = asyncio.Event()

    async def hold(route: Route) -> None:
        await late.wait()
        # The page may have given it up.
        with suppress(Error):
            await route.continue_()

    week = str(await page.locator("#preset-7").get_attribute("href"))
    await page.route(site + week, hold)
    await page.locator("#preset-7").click()
    await page.locator("#preset-90").click()
    await expect(page.locator("#preset-90")).to_have_attribute("aria-current", "true")
    late.set()
    await page.get_by_role("link", name="Rule", exact=True).click()
    await expect(page.get_by_role("region", name="Acceptance by rule")).to_be_visible()

    assert await page.locator(".presets [aria-current]").evaluate_all("all => all.map(one => one.id)") == [
        "preset-90"
    ]


async def test_a_mute_that_is_sent_twice_is_one(open_page: OpenPage):
    """Whoever clicks twice has decided once, as the audit log tells it."""
    with _serving(Shown()) as site:
        page = await open_page(f"{site}/noise?project={SHOP}")
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
        row = page.get_by_role("row", name="java.magic-number").first
        await row.get_by_text("Mute java.magic-number").click()
        await row.get_by_label("Why").fill("our constants are named elsewhere")
        await row.get_by_role("button", name="Mute the rule").dblclick()
        await expect(page.get_by_text("The rule is muted.")).to_be_visible()

        assert sent == [f"{site}/noise/mutes"]


async def test_paper_is_white(site: str, open_page: OpenPage):
    """Whoever prints from a dark screen gets dark text, nothing to press, and charts that fit the sheet."""
    page = await open_page(f"{site}/trends", color_scheme="dark", reduced_motion="reduce")
    await expect(page.locator("figure[data-drawn] canvas")).to_have_count(2)
    await page.emulate_media(media="print")
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    text = await page.evaluate("getComputedStyle(document.body).color")
    widths = await page.locator("canvas").evaluate_all("all => all.map(one => one.clientWidth)")

    assert text == "rgb(27, 31, 39)"
    assert await page.get_by_role("button").count() == 0
    assert widths == [640, 640]


async def test_names_are_suggested_while_one_writes(site: str, open_page: OpenPage):
    """The server is asked for what was written, nothing else of the page changes, and the name leads to its number."""
    page = await open_page(f"{site}/quality")
    before = await page.locator("#projects option").count()
    await page.get_by_label("Project").press_sequentially("bank")
    await expect(page.locator("#projects option")).to_have_count(1)
    said = await page.locator("#said").text_content()
    await page.get_by_label("Project").fill("bank/ledger")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"[?&]project=34(&|$)"))
    await expect(page.get_by_label("Project")).to_have_value("bank/ledger")
    await page.get_by_label("Project").fill("bank/nowhere")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("no project of this path")
    focused = await page.evaluate("document.activeElement.id")

    assert (before, said, focused) == (2, "", "project")


async def test_a_figure_leads_to_its_discussions(site: str, open_page: OpenPage):
    """From a row over the comments that it counts to one of them on GitLab, and back to where one was."""
    page = await open_page(f"{site}/quality?from=2026-05-01&project={SHOP}")
    await page.get_by_role("link", name="25: decided comments of secrets").click()
    await expect(page.get_by_role("heading", name="Comments", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Rejected", exact=True).click()
    await expect(page.get_by_role("link", name="Rejected", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    chosen = parse_qs(urlsplit(page.url).query)
    discussion = await page.locator("tbody th a").first.get_attribute("href")
    await page.go_back()
    await expect(page.locator("#show-decided")).to_have_attribute("aria-current", "true")
    await page.go_back()

    assert (chosen["category"], chosen["became"], chosen["project"]) == (
        ["secrets"],
        ["rejected_strong"],
        ["12"],
    )
    assert discussion == f"/comments/{run_of(1)}"
    await expect(page.get_by_role("heading", name="Quality", exact=True)).to_be_visible()


async def test_pages_work_without_scripts(site: str, open_page: OpenPage):
    """Filters are a plain form, and the figures of charts a table."""
    page = await open_page(f"{site}/trends", java_script_enabled=False)
    await page.get_by_label("Group").fill("retail")
    await page.get_by_role("button", name="Apply").click()
    await page.get_by_text("All figures as a table").click()

    assert "group=retail" in page.url
    assert await page.locator("#series tbody tr").count() == 30


async def test_a_review_is_a_few_clicks_away(site: str, open_page: OpenPage):
    """From the list over its older pages to one review, which says what was said and what not."""
    page = await open_page(f"{site}/reviews")
    await page.get_by_role("link", name="Older reviews").click()
    await expect(page.get_by_role("link", name="Newest reviews")).to_be_visible()
    older = await page.locator("tbody tr").count()
    await page.locator("tbody th a").first.click()
    await expect(page.get_by_role("heading", name="Not said")).to_be_visible()

    assert older == 5
    assert await page.get_by_role("link", name="!380").count() == 1
    assert await page.get_by_text("Too mild or unsure").count() == 2


async def test_a_rule_is_muted_and_unmuted(open_page: OpenPage):
    """Both need a reason, and the page says what has happened."""
    with _serving(Shown()) as site:
        page = await open_page(f"{site}/noise?project={SHOP}")
        row = page.get_by_role("row", name="java.magic-number").first
        await row.get_by_text("Mute java.magic-number").click()
        await row.get_by_role("button", name="Mute the rule").click()
        refused = page.url
        await row.get_by_label("Why").fill("our constants are named elsewhere")
        await row.get_by_role("button", name="Mute the rule").click()
        await expect(page.get_by_text("The rule is muted.")).to_be_visible()
        muted = page.get_by_role("row", name="our constants are named elsewhere")
        await expect(muted).to_contain_text("java.magic-number")
        await muted.get_by_text("Unmute").click()
        await muted.get_by_label("Why").fill("they are not")
        await muted.get_by_role("button", name="End the mute").click()
        await expect(page.get_by_text("The mute has ended.")).to_be_visible()

        assert "done" not in refused
        assert await muted.count() == 0


async def test_the_keyboard_is_enough(site: str, open_page: OpenPage):
    """The first stop skips the navigation; switches, definitions and wide tables are reached, and keep the focus."""
    page = await open_page(f"{site}/quality", viewport=PHONE)
    await page.keyboard.press("Tab")
    first = await page.evaluate("document.activeElement.textContent")
    await page.keyboard.press("Enter")
    stops = []
    for _ in range(40):
        await page.keyboard.press("Tab")
        stop = await page.evaluate("document.activeElement.id || document.activeElement.ariaLabel")
        stops.append(stop)
        if stop == "by-severity":
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("region", name="Acceptance by severity")).to_be_visible()
        if stop == "Acceptance by severity":
            break
    before = await page.evaluate("document.activeElement.scrollLeft")
    await page.keyboard.press("ArrowRight")
    await _until(page, "document.activeElement.scrollLeft > 0")

    assert first == "Skip to content"
    assert stops[0] == "from"
    assert stops.index("by-severity") < stops.index("by-scanner") < stops.index("Acceptance by severity")
    assert before == 0


async def test_colours_of_charts_follow_the_scheme(site: str, open_page: OpenPage):
    """Whoever switches to dark gets charts for it without loading the page again."""
    page = await open_page(f"{site}/trends", color_scheme="light", reduced_motion="reduce")
    line = "Chart.getChart(document.querySelector('canvas')).data.datasets[0].borderColor"
    light = await page.evaluate(line)
    await page.emulate_media(color_scheme="dark")
    await _until(page, f"{line} !== '{light}'")

    assert light == "#3f51c7"


async def test_text_stays_text(open_page: OpenPage):
    """Whatever stands in a title, path, rule, reason or name: nothing of it runs, and nothing of it becomes markup."""
    with _serving(Shown(said=" ".join(HOSTILE))) as site:
        page = await open_page()
        ran: list[str] = []
        await page.expose_function("found", lambda: ran.append(page.url))
        query = urlencode({"rule": "<script>found()</script>"})
        for path in (*_PAGES.values(), f"/quality?{query}"):
            await page.goto(site + path)
            assert await page.locator(_MADE_BY_TEXT).count() == 0, path
            sources = await page.locator("script").evaluate_all("all => all.map(one => one.src)")
            assert all(one.startswith(f"{site}/static/") for one in sources), path
        assert ran == []
