"""A merge request with one comment of ours, and the stage that keeps what people do with it, on real parts."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from bot.adapters.feedback_postgres import PostgresFeedback
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_aftermath import GitLabAftermath
from bot.adapters.git_mirror import GitMirror
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.telemetry import OpenTelemetry
from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.repository import Change
from bot.demo.gitlab.state import Note
from bot.domain.events import Event, FeedbackDue, Record, Stage
from bot.domain.findings import Finding, Fix, Severity
from bot.domain.marker import Marker
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Policy
from bot.domain.run import Outcome, Run, RunState, Step
from bot.domain.signals import Comment, Signal, SignalKind, comment_id
from bot.domain.watching import Watch
from bot.gitlab.instance import instance_name
from bot.gitlab.positions import Target, position
from bot.reviewer.classifying import Classifier, guide
from bot.reviewer.fates import Fates
from bot.reviewer.looking import Looker
from bot.runtime.consumer import Work
from consumers.feedback import feedback
from tests.gitlab import GitLab

MARKER, KEY, MARK = Marker(b"0123456789abcdef"), b"key", "f" * 32
CODE = [f"line {n}\n" for n in range(1, 41)]
#: What the merge request makes of the lines 10 and 11, on which the comment stands.
OURS = [*CODE[:9], "query = make(name)\n", "run(query)\n", *CODE[11:]]

_numbers = itertools.count()


@dataclass
class Clock:
    """A clock that is set by hand."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(seconds=5))

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


@dataclass
class Scene:
    """A merge request with one comment of ours, and the stage."""

    gitlab: GitLab
    store: PostgresStore
    ledger: PostgresFeedback
    forge: GitLabForge
    mirror: GitMirror
    looker: Looker
    opened: MergeRequest
    telemetry: OpenTelemetry
    clock: Clock = field(default_factory=Clock)

    @property
    def ref(self) -> MergeRequestRef:
        name = instance_name(self.gitlab.server.url)
        return MergeRequestRef(instance=name, project_id=self.gitlab.project.id, iid=self.opened.iid)

    @property
    def note(self) -> Note:
        return next(note for note in self.opened.notes if note.author is self.gitlab.bot and not note.system)

    async def handle(self, event: Event) -> None:
        """Handle one event."""
        record = Record.of(event, id=uuid.uuid5(uuid.NAMESPACE_OID, str(next(_numbers))))
        await feedback.handle(
            event,
            feedback=self.ledger,
            looker=self.looker,
            clock=self.clock,
            telemetry=self.telemetry,
            work=Work(Stage.feedback, record, self.store),
        )

    async def look(self, *, later: timedelta = timedelta(minutes=1)) -> list[SignalKind]:
        """Look, and return the kinds of what is new."""
        before = {one.id for one in await self.signals()}
        self.clock.time += later
        await self.handle(FeedbackDue(ref=self.ref))
        return sorted(one.kind for one in await self.signals() if one.id not in before)

    async def signals(self, kind: SignalKind | None = None) -> list[Signal]:
        """Return all signals, or those of one kind."""
        return [one for one in await self.ledger.signals(self.ref) if kind in {None, one.kind}]

    async def ran(
        self,
        *findings: Finding,
        step: str = "scan:semgrep",
        outcome: Outcome = Outcome.done,
        policy: Policy | None = None,
    ) -> Run:
        """Store a run of the head that found *findings*."""
        revision = (await self.forge.merge_request(self.ref)).revision
        assert revision is not None
        run = Run(
            id=uuid.uuid5(uuid.NAMESPACE_OID, revision.head_sha),
            ref=self.ref,
            head_sha=revision.head_sha,
            revision=revision,
            state=RunState.finished,
            steps={step: Step(outcome=outcome)},
            policy=policy or Policy(),
            created_at=self.clock.now(),
        )
        record = Record.of(FeedbackDue(ref=self.ref), id=uuid.uuid4())
        async with self.store.commit("intake", record) as transaction:
            state = await transaction.merge_request(self.ref)
            await transaction.save_run(run)
            await transaction.replace_findings(run.id, step, findings)
            await transaction.save_merge_request(replace(state, head_sha=run.head_sha, run_id=run.id))
        return run

    async def shut(self, closed: bool = True) -> None:
        """Store that the merge request is closed or merged, as intake does."""
        record = Record.of(FeedbackDue(ref=self.ref), id=uuid.uuid4())
        async with self.store.commit("intake", record) as transaction:
            state = await transaction.merge_request(self.ref)
            await transaction.save_merge_request(replace(state, closed=closed))

    async def again_at(self, pool: Any) -> datetime | None:
        """Return when the next look is."""
        moment: datetime | None = await pool.fetchval(
            "SELECT next_at FROM feedback_watch WHERE iid = $1", self.opened.iid
        )
        return moment


def finding(scanner: str = "semgrep", **changes: Any) -> Finding:
    """Return what the comment is about."""
    fields: dict[str, Any] = {
        "scanner": scanner,
        "rule": "sql",
        "category": "security",
        "severity": Severity.high,
        "path": "app.py",
        "line": 10,
        "end_line": 11,
        "title": "SQL",
        "message": "Built from a name.",
        "fingerprint": MARK,
    }
    return Finding(**fields | changes)


def text(lines: Sequence[str]) -> dict[str, Change]:
    """Return the file with these lines."""
    return {"app.py": "".join(lines)}


async def commented(scene: Scene, scanner: str = "semgrep", *, fix: Fix | None = None) -> None:
    """Post the comment, and have the ledger know it."""
    run = await scene.ran(finding(scanner, fix=fix), step="review" if scanner == "model" else "scan:semgrep")
    assert run.revision is not None
    diff = await scene.mirror.diff(run.revision)
    place = position(diff.by_new_path["app.py"], run.revision, Target(11, 11))
    body = f"A finding.\n\n```suggestion:-0+0\nsafe(query)\n```\n\n{MARKER.of(scene.ref, MARK)}"
    await scene.forge.create_draft(scene.ref, body, place)
    await scene.forge.publish_drafts(scene.ref)
    comment = Comment(
        id=comment_id(scene.ref, MARK),
        ref=scene.ref,
        fingerprint=MARK,
        run_id=run.id,
        head_sha=run.head_sha,
        rule="sql",
        scanner=scanner,
        category="security",
        severity="high",
        confidence="high",
        path="app.py",
        line=10,
        end_line=11,
        posted_at=datetime.now(UTC) - timedelta(seconds=1),
    )
    watch = Watch(scene.ref, comment.posted_at, scene.gitlab.developer.id, target_branch="main")
    record = Record.of(FeedbackDue(ref=scene.ref), id=uuid.uuid4())
    async with scene.store.commit("publish", record) as transaction:
        await transaction.add_comments(scene.ref, [comment], watch)


async def also_commented(scene: Scene, mark: str = "e" * 32) -> Note:
    """Have another comment in a thread of its own, and the ledger know it."""
    (first, *_) = await scene.ledger.comments(scene.ref)
    body = f"Another finding.\n\n{MARKER.of(scene.ref, mark)}"
    note = scene.gitlab.server.comment(scene.opened, body, user=scene.gitlab.bot)
    comment = first.model_copy(
        update={"id": comment_id(scene.ref, mark), "fingerprint": mark, "note_id": None}
    )
    watch = Watch(scene.ref, comment.posted_at, scene.gitlab.developer.id, target_branch="main")
    record = Record.of(FeedbackDue(ref=scene.ref), id=uuid.uuid4())
    async with scene.store.commit("publish", record) as transaction:
        await transaction.add_comments(scene.ref, [comment], watch)
    return note


@pytest_asyncio.fixture
async def bare(gitlab: GitLab, store: PostgresStore, pool: Any, tmp_path: Path) -> AsyncIterator[Scene]:
    """Return a merge request without a comment."""
    url = gitlab.server.url
    gitlab.server.commit(gitlab.project, "main", text(CODE))
    opened = gitlab.server.open_merge_request(gitlab.project, "feature", text(OURS), author=gitlab.developer)
    forge = GitLabForge(url, gitlab.token, timeout_s=5.0)
    mirror = GitMirror(tmp_path / "mirrors", forge_url=url, clone_url=forge.clone_url, token=gitlab.token)
    ledger = PostgresFeedback(pool)
    looker = Looker(
        forge=forge,
        aftermath=GitLabAftermath(forge.api),
        feedback=ledger,
        store=store,
        marker=MARKER,
        classifier=Classifier(None, guide(), lambda said: said.replace("s3cret", "[masked]")),
        fates=Fates(store, mirror, KEY),
    )
    with OpenTelemetry() as telemetry:
        yield Scene(gitlab, store, ledger, forge, mirror, looker, opened, telemetry)
    await forge.aclose()


@pytest_asyncio.fixture
async def scene(bare: Scene) -> Scene:
    """Return a merge request with one comment of a scanner."""
    await commented(bare)
    return bare
