"""The stage that checks fixes, on the real store: results are published after it, whatever becomes of the fixes."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.process import ProcessRunner
from bot.adapters.store_postgres import PostgresStore
from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.events import Event, PublishRequested, Record, Stage, VerifyRequested
from bot.domain.findings import Finding, Fix, ScanReport, Severity
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import Policy
from bot.domain.run import Plan, Run
from bot.domain.suggestion import Refusal
from bot.ports import Blob, Runner, Transaction
from bot.runtime.consumer import Work
from bot.scanners import Source
from consumers.publish import publish
from consumers.verify import give_up, verify

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
REVISION = Revision(ref=REF, base_sha="b" * 40, start_sha="b" * 40, head_sha="a" * 40)


class Overheard(PostgresStore):
    """A store that remembers which events it was given."""

    def __init__(self, pool: Any) -> None:
        super().__init__(pool, announce=lambda _: None)
        self.emitted: deque[Event] = deque()

    @asynccontextmanager
    async def commit(self, group: str, parent: Record) -> AsyncIterator[Transaction]:
        async with super().commit(group, parent) as transaction:
            yield transaction
        self.emitted.extend(record.event() for record in transaction.emitted)  # type: ignore[attr-defined]


class Files:
    """The code of the merge request; *meanwhile* happens while it is read."""

    def __init__(self, meanwhile: Any = None) -> None:
        self.meanwhile = meanwhile

    async def read(self, revision: Revision, paths: Sequence[str]) -> Mapping[str, Blob]:
        assert revision == REVISION
        if self.meanwhile:
            await self.meanwhile()
        return {path: Blob(7, b"x = 0\n\n") for path in paths}


class Silent:
    """Telemetry that goes nowhere."""

    def count(self, *_: object, **__: object) -> None:
        pass


class Clean:
    """A scanner that finds nothing, or fails."""

    name, everywhere, history = "clean", False, False

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def wants(self, path: str) -> bool:
        return True

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        if self.error:
            raise self.error
        return ScanReport(scanner=self.name, analysed=tuple(source.path for source in sources))


def finding(mark: str, fix: Fix | None) -> Finding:
    """Return a finding of the model."""
    return Finding(
        scanner="model", rule="r", category="c", severity=Severity.high, path="a.py", line=1, end_line=1, title="t",
        message="m", fix=fix, fingerprint=mark,
    )  # fmt: skip


GOOD = Fix(line=1, end_line=1, replacement="x = 1")
BAD = Fix(line=1, end_line=1, replacement="x = (")


class Stand:
    """A run with findings, and what the stages make of it."""

    def __init__(self, store: Overheard) -> None:
        self.store = store
        self.run = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=datetime.now(UTC)).start_work(
            Plan(REVISION, Policy(), ("scan:semgrep", "review"))
        )

    async def hold(self, **found: Sequence[Finding]) -> None:
        """Store *found* by step, and that the run is the newest one."""
        async with self.store.commit("test", record(self.event)) as transaction:
            state = await transaction.merge_request(REF)
            await transaction.save_run(self.run)
            await transaction.save_merge_request(replace(state, run_id=self.run.id))
            for step, some in found.items():
                await transaction.replace_findings(self.run.id, step, some)

    @property
    def event(self) -> VerifyRequested:
        return VerifyRequested(ref=REF, run_id=self.run.id, round=4)

    async def verify(self, scanner: Clean, *, failures: int = 0, files: Files | None = None) -> None:
        work = Work(Stage.verify, record(self.event), self.store, failures)
        await verify.handle(
            self.event, workspaces=files or Files(), scanners={"clean": scanner}, runner=ProcessRunner(),
            redact=str, telemetry=Silent(), work=work,
        )  # fmt: skip

    async def fixes(self) -> dict[str, tuple[bool, str]]:
        """Return by fingerprint whether a fix is verified, and why not."""
        found = await self.store.findings(self.run.id)
        return {
            one.fingerprint: (bool(one.fix.verified), one.fix.refusal)
            for some in found.values()
            for one in some
            if one.fix
        }

    @property
    def asked(self) -> list[Event]:
        return list(self.store.emitted)


def record(event: Event) -> Record:
    """Return *event* as the log has it."""
    return Record.of(event, id=uuid.uuid4())


@pytest.fixture
def stand(pool: Any) -> Stand:
    """Return a run on a real database."""
    return Stand(Overheard(pool))


async def test_each_fix_gets_its_verdict_and_then_all_is_published(stand: Stand) -> None:
    """What holds is verified, what does not has its reason; the round goes on to publishing."""
    await stand.hold(review=[finding("1", GOOD), finding("2", BAD), finding("3", None)])
    await stand.verify(Clean())
    assert {"1": (True, ""), "2": (False, Refusal.breaks)} == await stand.fixes()
    assert stand.asked == [PublishRequested(ref=REF, run_id=stand.run.id, round=4)]


async def test_without_fixes_it_goes_straight_on(stand: Stand) -> None:
    """No file is read and nothing scanned where nothing is to be checked."""
    await stand.hold(review=[finding("1", None), finding("2", GOOD.model_copy(update={"refusal": "no"}))])
    await stand.verify(Clean(Permanent("would fail")))
    assert [type(event) for event in stand.asked] == [PublishRequested]


async def test_a_scanner_that_fails_is_tried_again_and_then_done_without(stand: Stand) -> None:
    """Results wait a moment for the check of their fixes, not long."""
    await stand.hold(review=[finding("1", GOOD)])
    with pytest.raises(Transient):
        await stand.verify(Clean(Transient("away")))
    assert stand.asked == []
    await stand.verify(Clean(Transient("away")), failures=2)
    assert {"1": (False, Refusal.failed)} == await stand.fixes()
    assert [type(event) for event in stand.asked] == [PublishRequested]


@pytest.mark.parametrize("failures", [0, 2])
async def test_a_scanner_that_is_missing_is_done_without(stand: Stand, failures: int) -> None:
    """Nothing is gained by waiting for it."""
    await stand.hold(review=[finding("1", GOOD)])
    await stand.verify(Clean(Permanent("not installed")), failures=failures)
    assert {"1": (False, Refusal.failed)} == await stand.fixes()


async def test_what_is_given_up_is_published_all_the_same(stand: Stand) -> None:
    """As after a bug, or three crashes."""
    await stand.hold(review=[finding("1", GOOD)])
    work = Work(Stage.verify, record(stand.event), stand.store)
    await give_up(stand.event, redact=str, problem="a bug", work=work)
    assert {"1": (False, Refusal.failed)} == await stand.fixes()
    assert [type(event) for event in stand.asked] == [PublishRequested]


async def test_a_superseded_run_ends_there(stand: Stand) -> None:
    """Nobody wants to hear of it."""
    stand.run = stand.run.supersede()
    await stand.hold(review=[finding("1", GOOD)])
    with pytest.raises(Obsolete):
        await stand.verify(Clean())


async def test_a_failed_run_is_published(stand: Stand) -> None:
    """The summary has to say why it failed."""
    stand.run, _ = stand.run.fail("no access")
    await stand.hold()
    await stand.verify(Clean())
    assert [type(event) for event in stand.asked] == [PublishRequested]


async def test_what_comes_in_meanwhile_is_checked_before_it_is_published(stand: Stand) -> None:
    """A step that ends while others are checked keeps its fixes unchecked, and publishing asks once more."""
    await stand.hold(review=[finding("1", GOOD)])

    async def more() -> None:
        await stand.hold(**{"scan:semgrep": [finding("2", BAD)], "review": [finding("1", BAD)]})

    await stand.verify(Clean(), files=Files(more))
    fixes = await stand.fixes()
    assert fixes["2"] == (False, "")
    event = PublishRequested(ref=REF, run_id=stand.run.id, round=4)
    unused: dict[str, Any] = dict.fromkeys(("publishing", "instance_url", "clock", "telemetry"))
    work = Work(Stage.publish, record(event), stand.store)
    await publish.handle(event, store=stand.store, work=work, **unused)
    assert stand.asked[-1] == stand.event
    await stand.verify(Clean())
    assert (await stand.fixes())["2"] == (False, Refusal.breaks)
    assert stand.asked[-1] == event


async def test_the_posted_fix_is_the_one_that_was_checked(stand: Stand) -> None:
    """A fix that was replaced meanwhile by another one on the same line is not posted as checked."""
    await stand.hold(review=[finding("1", GOOD)])

    async def another() -> None:
        await stand.hold(review=[finding("1", BAD)])

    await stand.verify(Clean(), files=Files(another))
    ((stored,),) = (await stand.store.findings(stand.run.id)).values()
    assert stored.fix is not None
    assert not (stored.fix.verified and stored.fix.replacement == BAD.replacement)
