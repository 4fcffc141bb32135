"""Take the pictures of docs/dashboard.md: ``python -m tests.pictures DIRECTORY``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.domain.forge import ForgeUser
from bot.domain.viewer import Viewer
from tests.browser import PHONE, launched, opening
from tests.dashboards import SHOP, Shown, pages_of, run_of, serving

_SMALL_DESK = {"width": 1024, "height": 760}
#: Name, address, scheme and size; pictures show what fits the window, so that they stay small.
_PICTURES = (
    ("overview", "/", "light", _SMALL_DESK),
    ("quality", "/quality", "light", _SMALL_DESK),
    ("trends", "/trends", "dark", _SMALL_DESK),
    ("noise", f"/noise?project={SHOP}", "light", _SMALL_DESK),
    ("comments", f"/comments?project={SHOP}&rule=python.sql-from-format", "light", _SMALL_DESK),
    ("review", f"/reviews/{run_of(1)}", "light", _SMALL_DESK),
    ("phone", "/quality", "dark", PHONE),
)


async def _may(viewer: Viewer, project: int) -> bool:
    return True


async def _take(folder: Path) -> None:
    app = pages_of(Shown(), Viewer(ForgeUser(1, "ada"), admin=True), _may)
    with serving(app) as site:
        async with launched() as browser, opening(browser) as open_page:
            for name, path, scheme, size in _PICTURES:
                page = await open_page(
                    site + path, viewport=size, color_scheme=scheme, reduced_motion="reduce", locale="en-GB"
                )
                await page.wait_for_load_state("networkidle")
                await page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    asyncio.run(_take(Path(sys.argv[1])))
