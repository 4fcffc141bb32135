"""The page of a verdict as people meet it, on a desk and on a phone."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
import uvicorn

from bot.adapters.clock import SystemClock
from bot.domain.findings import Severity
from bot.domain.gate_verdict import Blocking, GateVerdict, Standing, VerdictState
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Outcome, Run, RunState, Step
from bot.domain.verdict_links import VerdictLinks
from bot.domain.viewer import Viewer
from bot.web.app import application
from bot.web.verdict_page import VerdictDesk, verdict_page
from tests.browser import DESK, PHONE, OpenPage, barriers, picture
from tests.viewers import seen_by

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
LINKS = VerdictLinks("", b"k" * 32, signed=True)


def _standing(run_id: uuid.UUID) -> Standing:
    long = f"src/{'a_rather_long_directory_name/' * 6}settings.py"
    blocking = tuple(
        Blocking(
            fingerprint=f"{number:016x}",
            rule="python-subprocess-shell",
            scanner="semgrep",
            severity=Severity.high,
            category="security",
            path=path,
            line=number,
            end_line=number,
            title="A shell runs what comes from outside <script>alert(1)</script>",
            why=("rule 2 of gate.rules (severity: medium), enforced by group bank",),
            remedy="Change the code as the message says.",
        )
        for number, path in enumerate(("app.py", long), start=1)
    )
    verdict = GateVerdict(
        run_id=run_id,
        ref=REF,
        head_sha="a" * 40,
        project_url="https://gitlab.example/group/app",
        merge_request_url="https://gitlab.example/group/app/-/merge_requests/3",
        state=VerdictState.blocked,
        final=True,
        description="2 blocking findings",
        blocking=blocking,
        blocking_count=2,
        suppressed=blocking[:1],
        exceeded=("900 changed lines, more than the 500 that the policy allows",),
        broken={"secrets": "it took too long"},
        warnings=(".cloister.yml: gate does not count, because group bank enforces it.",),
    )
    steps = {"scan:semgrep": Step(outcome=Outcome.done), "scan:secrets": Step(outcome=Outcome.failed)}
    now = datetime.now(UTC)
    run = Run(
        id=run_id,
        ref=REF,
        head_sha="a" * 40,
        state=RunState.finished,
        title="Pay faster",
        steps=steps,
        skipped={long: "it is generated"},
        created_at=now,
    )
    return Standing(run, verdict, "m", now, successor=uuid.UUID(int=2))


class _Verdicts:
    async def of_run(self, run_id: uuid.UUID) -> Standing:
        """Return a verdict with one of everything."""
        return _standing(run_id)


async def _nobody(_: object) -> Viewer | None:
    return None


async def _ready() -> list[str]:
    return []


@pytest_asyncio.fixture
async def site() -> AsyncIterator[str]:
    """Return the address of the pages."""
    desk = VerdictDesk(_Verdicts(), LINKS, None, SystemClock())  # type: ignore[arg-type]
    router = seen_by(_nobody, verdict_page(desk))
    app = application(None, routers=[router], telemetry=None, exposition=lambda: b"", ready=_ready)  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.mark.parametrize(("scheme", "size"), [("light", PHONE), ("dark", DESK)], ids=["phone", "desk"])
async def test_everybody_can_read_a_verdict(
    site: str, open_page: OpenPage, scheme: str, size: dict[str, int]
) -> None:
    """It fits the screen, and nothing serious bars people who see or point less well."""
    page = await open_page(f"{site}{LINKS.path(uuid.UUID(int=1))}", viewport=size, color_scheme=scheme)
    assert "Blocked" in (await page.text_content("h1") or "")
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert await barriers(page) == []
    await page.keyboard.press("Tab")
    assert "Skip to content" == await page.evaluate("document.activeElement.textContent")
    await picture(page, f"verdict-{scheme}-{size['width']}")
