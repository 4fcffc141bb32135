"""Jobs ask for the verdict on their head: only for their own, as long as they run, and as news comes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import Request

from bot.adapters.clock import SystemClock
from bot.adapters.forge_gitlab_jobs import GitLabJobs
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.demo.gitlab.pipelines import Job
from bot.demo.gitlab.state import MergeRequest
from bot.domain.awaited import AwaitedVerdict
from bot.domain.events import FetchRequested, Record
from bot.domain.facts import Facts
from bot.domain.findings import Severity
from bot.domain.forge import ForgeUser
from bot.domain.gate_verdict import Blocking, GateVerdict, ShownWaiver, VerdictState
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Outcome, Run, RunState, Step
from bot.domain.verdict_links import VerdictLinks
from bot.domain.viewer import Viewer
from bot.domain.waivers import Source, State
from bot.web.app import application
from bot.web.verdict_api import VerdictApi
from tests.gitlab import GitLab
from tests.viewers import seen_by

LINKS = VerdictLinks("https://cloister.example", b"k" * 32, signed=True)
ONE = Blocking(
    fingerprint="0123456789abcdef",
    rule="python-eval",
    scanner="semgrep",
    severity=Severity.high,
    category="security",
    path="a.py",
    line=3,
    end_line=3,
    title="Eval",
    why=("gate.block_at (high)", "rule 1"),
    remedy="Do not.",
)


async def _ready() -> list[str]:
    return []


async def _viewer_of(request: Request) -> Viewer | None:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    return {
        "reader": Viewer(ForgeUser(1, "r"), levels={1: 20}),
        "root": Viewer(ForgeUser(2, "a"), admin=True),
    }.get(token)


@dataclass
class Desk:
    """The API on a database, and a GitLab with a merge request whose pipeline runs a job."""

    store: PostgresStore
    gitlab: GitLab
    opened: MergeRequest
    job: Job
    client: httpx.AsyncClient

    @property
    def ref(self) -> MergeRequestRef:
        """Return the merge request as we call it."""
        return MergeRequestRef(
            instance="gitlab.example", project_id=self.opened.project.id, iid=self.opened.iid
        )

    def run(self, **more: Any) -> Run:
        """Return a run on the head."""
        made = Run(id=uuid.uuid4(), ref=self.ref, head_sha=self.opened.head_sha, created_at=datetime.now(UTC))
        return made.model_copy(update={"steps": {"scan:semgrep": Step()}, "state": RunState.working} | more)

    async def save(self, run: Run, *, current: bool = True, **verdict: Any) -> None:
        """Keep a run, and a verdict on it if there is one."""
        event = FetchRequested(ref=run.ref, run_id=run.id)
        async with self.store.commit("fetch", Record.of(event, id=uuid.uuid4())) as transaction:
            state = await transaction.merge_request(run.ref)
            await transaction.save_run(run)
            if current:
                await transaction.save_merge_request(replace(state, head_sha=run.head_sha, run_id=run.id))
            if verdict:
                kept = GateVerdict(run_id=run.id, ref=run.ref, head_sha=run.head_sha, **verdict)
                await transaction.save_verdict(kept)

    async def ask(self, *, token: str | None = None, bearer: str = "", **params: Any) -> httpx.Response:
        """Ask as the job, or with another token."""
        headers = {"JOB-TOKEN": self.job.token if token is None else token}
        if bearer:
            headers = {"Authorization": f"Bearer {bearer}"}
        asked = {"project_id": self.ref.project_id, "sha": self.opened.head_sha} | params
        return await self.client.get("/api/v1/verdict", params=asked, headers=headers)


class Still(SystemClock):
    """A clock by which no time to wait is ever over."""

    def monotonic(self) -> float:
        """Return the same time."""
        return 0.0


def _api(
    pool: Any, gitlab: GitLab, *, most_waiting: int = 2, clock: SystemClock = SystemClock()
) -> httpx.AsyncClient:
    api = VerdictApi(
        PostgresVerdicts(pool),
        GitLabJobs(gitlab.server.url, monotonic=clock.monotonic),
        LINKS,
        instance="gitlab.example",
        clock=clock,
        most_waiting=most_waiting,
    )
    app = application(
        None,
        routers=[seen_by(_viewer_of, api.router())],
        telemetry=None,
        exposition=lambda: b"",
        ready=_ready,
    )  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://cloister.test")


@pytest_asyncio.fixture
async def desk(pool: Any, store: PostgresStore, gitlab: GitLab) -> AsyncIterator[Desk]:
    opened = gitlab.server.open_merge_request(gitlab.project, changes={"a.py": "1\n"})
    job = gitlab.server.add_job(gitlab.server.add_pipeline(opened), "gate")
    async with _api(pool, gitlab) as client:
        yield Desk(store, gitlab, opened, job, client)


async def test_a_verdict_is_told_whole(desk: Desk) -> None:
    """All that a job prints, by names that do not change."""
    run = desk.run(
        steps={"scan:semgrep": Step(outcome=Outcome.done), "review": Step()}, absent={"tests": "off"}
    )
    await desk.save(
        run,
        state=VerdictState.blocked,
        final=True,
        description="1 blocking finding",
        blocking=(ONE,),
        blocking_count=1,
        broken={"secrets": "no"},
        warnings=("w",),
        problems=("p",),
    )
    assert {
        "state": "blocked",
        "final": True,
        "sha": run.head_sha,
        "project_id": run.ref.project_id,
        "iid": run.ref.iid,
        "run_id": str(run.id),
        "url": LINKS.of(run.id),
        "description": "1 blocking finding",
        "steps": [
            {"step": "semgrep", "state": "done", "problem": ""},
            {"step": "model review", "state": "running", "problem": ""},
            {"step": "tests", "state": "absent", "problem": "off"},
        ],
        "blocking": [
            {
                "fingerprint": "0123456789abcdef",
                "finding": "01234567",
                "rule": "python-eval",
                "scanner": "semgrep",
                "severity": "high",
                "category": "security",
                "path": "a.py",
                "line": 3,
                "title": "Eval",
                "commit": "",
                "why": "gate.block_at (high); rule 1",
                "remedy": "Do not.",
                "suppressed": False,
                "waive": f"@cloister waive 01234567 until {_in_30_days()} because REASON",
            }
        ],
        "blocking_count": 1,
        "suppressed": [],
        "exceeded": [],
        "unread": [],
        "broken": {"secrets": "no"},
        "waived": [],
        "asked": [],
        "warnings": ["w", "p"],
    } == (await desk.ask(iid=run.ref.iid)).json()


def _in_30_days() -> str:
    return (datetime.now(UTC).date() + timedelta(days=30)).isoformat()


async def test_waivers_are_told_with_who_and_why(desk: Desk) -> None:
    """Those that let something pass, and those asked for; a job can read them."""
    granted = ShownWaiver(
        finding=ONE.model_copy(update={"fingerprint": "f" * 16, "title": "Old"}),
        state=State.granted,
        waiver=uuid.uuid4(),
        until=date(2027, 1, 31),
        by="lead",
        reason="read-only",
        source=Source.page,
        iid=3,
    )
    await desk.save(
        desk.run(),
        state=VerdictState.blocked,
        final=True,
        blocking=(ONE,),
        blocking_count=1,
        waived=(granted,),
        asked=(ShownWaiver(finding=ONE, state=State.asked),),
    )
    told = (await desk.ask()).json()
    (waived,), (asked,) = told["waived"], told["asked"]
    assert ("ffffffff", "Old", "a.py", "2027-01-31", "lead", "read-only", "granted", False, 3) == tuple(
        waived[name]
        for name in ("finding", "title", "path", "until", "by", "reason", "state", "in_code", "iid")
    )
    assert ("01234567", None, "", True) == tuple(
        asked[name] for name in ("finding", "until", "by", "in_code")
    )
    assert [("ffffffff", "lead")] == [
        (one.finding, one.by) for one in AwaitedVerdict.model_validate(told, strict=False).waived
    ]


async def test_before_the_code_is_there_it_waits(desk: Desk) -> None:
    """And a head without any run is not known."""
    answer = await desk.ask()
    assert (404, "unknown_head") == (answer.status_code, answer.json()["error"]["code"])
    await desk.save(desk.run(steps={}))
    answer = (await desk.ask()).json()
    assert ("waiting", False, "the review begins") == (
        answer["state"],
        answer["final"],
        answer["description"],
    )


@pytest.mark.parametrize(("asked", "status"), [("main", 200), ("", 200), ("release", 404)])
async def test_only_a_review_by_the_policy_of_that_branch_counts(desk: Desk, asked: str, status: int) -> None:
    """A verdict from before the target branch changed opens no pipeline that came with the new one."""
    run = desk.run(facts=Facts(target_branch="main"))
    await desk.save(run, state=VerdictState.passed)
    answer = await desk.ask(target_branch=asked)
    assert answer.status_code == status
    await desk.save(desk.run(created_at=run.created_at + timedelta(seconds=1)))
    assert (await desk.ask(target_branch="release")).json()["state"] == "waiting"


async def test_only_a_running_job_of_the_right_project_is_answered(desk: Desk) -> None:
    """Another project's job learns nothing; our own account's token and made-up ones are none of a job."""
    await desk.save(desk.run())
    other = desk.gitlab.server.create_project("other/app", {"a": "1\n"})
    pipeline = desk.gitlab.server.add_pipeline(
        desk.gitlab.server.open_merge_request(other, changes={"a": "2\n"})
    )
    stranger = desk.gitlab.server.add_job(pipeline, "gate")
    over = desk.gitlab.server.add_job(pipeline, "over", state="success")
    answers = [
        (await desk.ask(token=token)).status_code
        for token in (desk.job.token, stranger.token, over.token, desk.gitlab.token, "made-up-token", "x", "")
    ]
    assert [200, 404, 401, 401, 401, 401, 401] == answers


async def test_a_forks_job_asks_for_the_merge_request_it_is_of(desk: Desk) -> None:
    """By the number in the target project, or by the head alone in its own."""
    owner = desk.gitlab.server.create_user("owner")
    fork = desk.gitlab.server.fork(desk.gitlab.project, "owner/app", owner)
    theirs = desk.gitlab.server.open_merge_request(
        desk.gitlab.project, "patch", {"a.py": "3\n"}, author=owner, fork=fork
    )
    pipeline = desk.gitlab.server.add_pipeline(theirs, merge_request_pipeline=False)
    token = desk.gitlab.server.add_job(pipeline, "gate").token
    desk.opened = theirs
    run = desk.run()
    await desk.save(run)
    assert 404 == (await desk.ask(token=token, iid=theirs.iid)).status_code
    await desk.save(run, source_project_id=fork.id)
    for params in ({"iid": theirs.iid}, {"project_id": fork.id}):
        assert str(run.id) == (await desk.ask(token=token, **params)).json()["run_id"]
    assert 404 == (await desk.ask(token=token, project_id=fork.id, iid=theirs.iid)).status_code


@pytest.mark.parametrize(("bearer", "status"), [("reader", 404), ("root", 200), ("nobody", 401)])
async def test_an_api_token_reads_what_its_owner_reads(desk: Desk, bearer: str, status: int) -> None:
    """Whoever may not read the project cannot tell it from one that is not there."""
    await desk.save(desk.run())
    assert status == (await desk.ask(bearer=bearer)).status_code


@pytest.mark.parametrize(
    "params",
    [{"sha": "x"}, {"sha": "A" * 40}, {"project_id": 0}, {"iid": 2**31}, {"wait_s": 31}, {"wait_s": -1}],
)
async def test_what_cannot_be_meant_is_refused(desk: Desk, params: dict[str, Any]) -> None:
    """With the name of the parameter."""
    answer = await desk.ask(**params)
    assert (422, True) == (answer.status_code, next(iter(params)) in answer.json()["error"]["message"])


async def test_the_newest_run_on_a_head_counts(desk: Desk) -> None:
    """And of several merge requests the one that is open and still has that head."""
    first, second = desk.run(), desk.run()
    await desk.save(first, state=VerdictState.passed, final=True)
    await desk.save(second)
    assert str(second.id) == (await desk.ask()).json()["run_id"]
    elsewhere = desk.run(ref=desk.ref.model_copy(update={"iid": desk.ref.iid + 50}))
    await desk.save(elsewhere, current=False)
    assert str(second.id) == (await desk.ask()).json()["run_id"]
    assert str(elsewhere.id) == (await desk.ask(iid=elsewhere.ref.iid)).json()["run_id"]


async def test_who_waits_is_told_news_at_once(desk: Desk, pool: Any, gitlab: GitLab) -> None:
    """When the head becomes known, when a step ends, and when the verdict is there; a verdict is not waited on."""
    async with _api(pool, gitlab, clock=Still()) as desk.client:
        asking = asyncio.create_task(desk.ask(wait_s=20))
        await asyncio.sleep(0.1)
        run = desk.run()
        await desk.save(run)
        assert "waiting" == (await asking).json()["state"]
        asking = asyncio.create_task(desk.ask(wait_s=20))
        await asyncio.sleep(0.1)
        await desk.save(run, state=VerdictState.passed, final=True)
        assert "passed" == (await asking).json()["state"]
        assert (await desk.ask(wait_s=20)).json()["final"]


async def test_waiting_ends_in_time_and_holds_no_connection(
    desk: Desk, gitlab: GitLab, database_url: str
) -> None:
    """One connection is enough for many who wait; too many are sent away."""
    from bot.adapters.postgres import connect_pool

    narrow = await connect_pool(database_url, size=1)
    await desk.save(desk.run())
    async with _api(narrow, gitlab, most_waiting=3) as client:
        desk.client = client
        answers = await asyncio.gather(*(desk.ask(wait_s=0.3) for _ in range(4)))
        assert [200, 200, 200, 429] == sorted(one.status_code for one in answers)
        refused = next(one for one in answers if one.status_code == 429)
        assert ("5", "too_many_waiting") == (refused.headers["retry-after"], refused.json()["error"]["code"])
        assert 200 == (await desk.ask()).status_code
    await narrow.close()


async def test_gitlab_is_asked_once_a_minute(desk: Desk) -> None:
    """However often a job asks; and a GitLab that is away is no refusal."""
    await desk.save(desk.run())
    before = len(desk.gitlab.server.requests)
    for _ in range(3):
        assert 200 == (await desk.ask()).status_code
    assert 1 == len(desk.gitlab.server.requests) - before
    desk.gitlab.server.faults.add("GET", "/job$", status=502)
    assert 503 == (await desk.ask(token="another-token-of-a-job")).status_code
