"""Waivers in the store: steps that only grow, written with the comment or the page that they follow from, once."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.clock import SystemClock
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_people import GitLabPeople
from bot.adapters.git_process import Git
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.telemetry import OpenTelemetry
from bot.adapters.waivers_postgres import PostgresWaivers
from bot.adapters.workspace_api import ApiWorkspaces
from bot.demo.gitlab import Level, MergeRequest
from bot.demo.gitlab.accounts import User
from bot.demo.gitlab.state import Note
from bot.domain.authorship import Pushes
from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.events import CommentPosted, Event, FeedbackDue, Record, Stage, VerdictOutdated
from bot.domain.facts import Facts
from bot.domain.findings import Finding, Severity
from bot.domain.forge import ForgeUser
from bot.domain.marker import Marker
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Policy, Waivers
from bot.domain.replay import copied
from bot.domain.run import Plan, Run
from bot.domain.viewer import Viewer
from bot.domain.waiver_requests import waiver_request
from bot.domain.waivers import About, Deed, Source, State, WaiverStep
from bot.gitlab.instance import instance_name
from bot.reviewer.conversing import Conversing
from bot.reviewer.waiving import take
from bot.runtime.consumer import Work
from consumers.collect import collect
from consumers.converse import converse
from tests.gitlab import GitLab
from tests.integration.test_cli_dead_letters import cloister
from tests.waiting import until

MARKER = Marker(b"0123456789abcdef")
NAME = "1" * 8
WISH = f"@cloister waive {NAME} for 30 days because the table is empty"
FLAW = Finding(
    scanner="semgrep",
    rule="sql",
    category="security",
    severity=Severity.high,
    path="app.py",
    line=1,
    end_line=1,
    title="SQL from a name",
    message="m",
    fingerprint="1" * 32,
    anchor="1:a",
)


@dataclass
class Desk:
    """A reviewed merge request that one finding blocks, and the stage that hears what people say to that."""

    gitlab: GitLab
    store: PostgresStore
    waivers: PostgresWaivers
    forge: GitLabForge
    opened: MergeRequest
    telemetry: OpenTelemetry
    pool: Any

    @property
    def ref(self) -> MergeRequestRef:
        url = self.gitlab.server.url
        return MergeRequestRef(
            instance=instance_name(url), project_id=self.gitlab.project.id, iid=self.opened.iid
        )

    def person(self, name: str, level: Level = Level.maintainer) -> User:
        user = self.gitlab.server.create_user(name)
        self.gitlab.server.add_member(self.gitlab.project, user, level)
        return user

    async def review(self, terms: Waivers) -> None:
        """Store a run on the head, published once, that has found the flaw."""
        head = self.opened.head_sha
        run = Run(id=uuid.uuid4(), ref=self.ref, head_sha=head, created_at=SystemClock().now())
        revision = (await self.forge.merge_request(self.ref)).revision
        assert revision is not None
        facts = Facts(target_branch="main")
        run = run.start_work(
            Plan(revision=revision, policy=Policy(waivers=terms), steps=("scan:semgrep",), facts=facts)
        )
        run = run.model_copy(update={"rounds": 1, "requested": run.results, "published": run.results})
        parent = Record.of(
            CommentPosted(ref=self.ref, note_id=1, discussion_id="d", author_id=1), id=uuid.uuid4()
        )
        async with self.store.commit("intake", parent) as transaction:
            state = await transaction.merge_request(self.ref)
            await transaction.save_run(run)
            await transaction.replace_findings(run.id, "scan:semgrep", [FLAW])
            await transaction.save_merge_request(type(state)(self.ref, head_sha=head, run_id=run.id))

    async def pushed(self, pushes: Pushes) -> None:
        """Have the run know who pushed."""
        event = FeedbackDue(ref=self.ref)
        async with self.store.commit("intake", Record.of(event, id=uuid.uuid4())) as transaction:
            run_id = (await transaction.merge_request(self.ref)).run_id
            assert run_id is not None
            run = await transaction.run(run_id)
            await transaction.save_run(run.model_copy(update={"pushes": pushes}))

    async def says(self, body: str, who: User) -> str:
        """Write a comment, have it heard, and return the answer."""
        note = self.gitlab.server.comment(self.opened, body, user=who)
        await self.hear(note)
        return self.opened.notes[-1].body

    async def hear(self, note: Note, *, delivery: int = 0) -> None:
        event = CommentPosted(
            ref=self.ref, note_id=note.id, discussion_id=note.discussion_id, author_id=note.author.id
        )
        await self.handle(Record.of(event, id=uuid.uuid5(uuid.NAMESPACE_OID, f"{note.id} {delivery}")))

    async def handle(self, record: Record) -> None:
        clock = SystemClock()
        conversing = Conversing(
            forge=self.forge,
            people=GitLabPeople(self.forge.api),
            store=self.store,
            workspaces=ApiWorkspaces(self.forge.api, git=Git(forge_url=self.gitlab.server.url)),
            waivers=self.waivers,
            marker=MARKER,
            fingerprint_key=b"key",
            instance_url=self.gitlab.server.url,
            answering=None,
            redact=lambda text: text.replace("s3cret", "[masked]"),
            clock=clock,
        )
        await converse.handle(
            record.event(),
            conversing=conversing,
            store=self.store,
            clock=clock,
            telemetry=self.telemetry,
            work=Work(Stage.converse, record, self.store),
        )

    async def states(self) -> list[State]:
        return [one.state(datetime.now(UTC)) for one in await self.waivers.of(self.ref)]

    async def waiting(self, table: str = "delayed_event") -> list[str]:
        rows = await self.pool.fetch(f"SELECT kind FROM {table} ORDER BY kind")
        return [row["kind"] for row in rows]


@pytest_asyncio.fixture
async def desk(gitlab: GitLab, store: PostgresStore, pool: Any) -> AsyncIterator[Desk]:
    """Return a merge request that waits for somebody's word."""
    opened = gitlab.server.open_merge_request(
        gitlab.project, "feature", {"app.py": "changed\n"}, author=gitlab.developer
    )
    forge = GitLabForge(gitlab.server.url, gitlab.token, timeout_s=5.0)
    with OpenTelemetry() as telemetry:
        yield Desk(gitlab, store, PostgresWaivers(pool), forge, opened, telemetry, pool)
    await forge.aclose()


async def test_a_waiver_is_written_down_with_what_follows(desk: Desk) -> None:
    """The verdict is made anew now, and when its day is over."""
    await desk.review(Waivers())
    assert "Granted: `11111111` passes" in await desk.says(WISH, desk.person("lead"))
    (waiver,) = await desk.waivers.of(desk.ref)
    assert (State.granted, "lead", Source.comment) == (
        waiver.state(datetime.now(UTC)),
        waiver.said.name,
        waiver.said.source,
    )
    assert ["verdict.outdated"] == await desk.waiting()
    assert ["command.taken", "verify.requested"] == await desk.waiting("event")


async def test_what_people_decide_is_in_the_audit_log(desk: Desk) -> None:
    """By whom, on what and why; what is refused is not."""
    await desk.review(Waivers())
    lead, developer = desk.person("lead"), desk.gitlab.developer
    await desk.says(f"{WISH} of s3cret", developer)
    await desk.says("@cloister waive 99999999 for 30 days because it is not there", lead)
    await desk.says(f"@cloister waive {NAME}", lead)
    viewer = Viewer(ForgeUser(lead.id, lead.username), levels={desk.ref.project_id: 40})
    page = waiver_request(viewer, desk.ref, form=uuid.uuid4(), finding=NAME, back=True, redact=str)
    assert page is not None
    await desk.handle(page)
    told = (await PostgresAuditLog(desk.pool).newest(9))[::-1]
    subject = f"{desk.ref} {NAME}"
    people = {"asked": developer, "granted": lead, "withdrawn": lead}
    assert [
        (f"gitlab:{who.id}:{who.username}", f"waiver.{deed}", subject) for deed, who in people.items()
    ] == [(one.act.actor, one.act.action, one.act.subject) for one in told]
    assert ["comment", "comment", "page"] == [one.act.details["from"] for one in told]
    assert "the table is empty of [masked]" == told[0].act.details["reason"]


async def test_a_crash_between_answer_and_row_neither_loses_nor_doubles(desk: Desk) -> None:
    """Nor does a second hook about the same comment."""
    await desk.review(Waivers())
    note = desk.gitlab.server.comment(desk.opened, WISH, user=desk.person("lead"))
    desk.gitlab.server.faults.add("POST", "/notes$", after_commit=True, drop=True)
    with pytest.raises(Transient):
        await desk.hear(note)
    assert [] == await desk.states()
    await desk.hear(note)
    with pytest.raises(Obsolete):
        await desk.hear(note, delivery=1)
    assert [State.granted] == await desk.states()
    assert 1 == sum("Granted" in note.body for note in desk.opened.notes)


async def test_two_people_and_never_the_author(desk: Desk) -> None:
    """Even an author who may grant asks; another one grants, and a bot does nothing."""
    await desk.review(Waivers(second_person=True))
    author = desk.gitlab.developer
    desk.gitlab.server.add_member(desk.gitlab.project, author, Level.owner)
    for _ in range(2):
        assert "wants two people" in await desk.says(WISH, author)
    assert [State.asked] == await desk.states()
    robot = desk.gitlab.server.create_user("robot", bot=True)
    desk.gitlab.server.add_member(desk.gitlab.project, robot, Level.owner)
    with pytest.raises(Obsolete):
        await desk.says(WISH, robot)
    lead = desk.person("lead")
    assert "Granted" in await desk.says(f"@cloister waive {NAME}", lead)
    assert [State.granted] == await desk.states()


async def test_whoever_pushed_to_it_does_not_grant(desk: Desk) -> None:
    """By a hook, by a name or a public address in a commit; with a hook that was lost, two are not enough."""
    await desk.review(Waivers(second_person=True))
    pusher, writer, lead = (desk.person(name) for name in ("pusher", "writer", "lead"))
    await desk.says(WISH, desk.gitlab.developer)
    await desk.pushed(Pushes().heard(desk.opened.head_sha, pusher.id))
    assert "wants two people" in await desk.says(WISH, pusher)
    writer.public_email = desk.gitlab.developer.email.upper()
    assert "wants two people" in await desk.says(WISH, writer)
    writer.public_email, writer.name = "", desk.gitlab.developer.name
    assert "wants two people" in await desk.says(WISH, writer)
    assert "Granted" in await desk.says(WISH, lead)

    await desk.says(f"@cloister unwaive {NAME}", lead)
    await desk.pushed(Pushes().heard(desk.opened.head_sha, None))
    await desk.says(WISH, desk.gitlab.developer)
    assert "wants two people" in await desk.says(WISH, lead)
    assert "Granted" in await desk.says(WISH, desk.person("third"))


async def test_roles_are_those_of_the_moment(desk: Desk) -> None:
    """Whoever was a maintainer may ask no more than others."""
    await desk.review(Waivers())
    lead = desk.person("lead")
    desk.gitlab.server.add_member(desk.gitlab.project, lead, Level.reporter)
    assert "needs at least the role Developer" in await desk.says(WISH, lead)
    assert [] == await desk.states()


async def test_a_new_target_branch_has_to_be_reviewed_first(desk: Desk) -> None:
    """Its policy may be stricter."""
    await desk.review(Waivers())
    desk.opened.target_branch = "release"
    lead = desk.person("lead")
    assert "needs a review of the newest commit" in await desk.says(WISH, lead)
    viewer = Viewer(ForgeUser(lead.id, lead.username), admin=True)
    page = waiver_request(viewer, desk.ref, form=uuid.uuid4(), finding=NAME, reason="a page", redact=str)
    assert page is not None
    with pytest.raises(Obsolete, match="not reviewed"):
        await desk.handle(page)


async def test_a_secret_in_a_reason_is_masked(desk: Desk) -> None:
    """In the answer and in the trail."""
    await desk.review(Waivers())
    answer = await desk.says(f"{WISH} of s3cret", desk.person("lead"))
    assert "s3cret" not in answer
    (waiver,) = await desk.waivers.of(desk.ref)
    assert "the table is empty of [masked]" == waiver.said.reason


async def test_a_page_asks_as_a_comment_does(desk: Desk) -> None:
    """By the role of the moment; a form that is sent twice counts once, and so does a replay of the log."""
    await desk.review(Waivers())
    lead, form = desk.person("lead"), uuid.uuid4()
    viewer = Viewer(ForgeUser(lead.id, lead.username), levels={desk.ref.project_id: 40})

    def asked(viewer: Viewer, **more: Any) -> Record:
        usual = {"finding": NAME, "until": "30 days", "reason": "s3cret is no s3cret", "form": form}
        record = waiver_request(
            viewer, desk.ref, redact=lambda text: text.replace("s3cret", "[masked]"), **usual | more
        )
        assert record is not None
        return record

    assert "s3cret" not in json.dumps(asked(viewer).body)
    await desk.handle(asked(viewer))
    with pytest.raises(Obsolete):
        await desk.handle(asked(viewer))
    with pytest.raises(Obsolete, match="before"):
        await desk.handle(copied(asked(viewer), "a replay"))
    (waiver,) = await desk.waivers.of(desk.ref)
    assert (Source.page, "lead", "[masked] is no [masked]") == (
        waiver.said.source,
        waiver.said.name,
        waiver.said.reason,
    )
    stranger = desk.gitlab.server.create_user("stranger")
    forged = Viewer(ForgeUser(stranger.id, "stranger"), admin=True)
    for back in (False, True):
        with pytest.raises(Obsolete, match="needs_role"):
            await desk.handle(asked(forged, form=uuid.uuid4(), back=back))
    await desk.handle(asked(viewer, form=uuid.uuid4(), back=True))
    assert [State.withdrawn] == await desk.states()
    assert None is waiver_request(Viewer(forged.user), desk.ref, form=form, finding=NAME, redact=str)


def step(desk: Desk, deed: Deed = Deed.granted, **changes: Any) -> WaiverStep:
    """Return a step of a waiver that was granted on another merge request of the project."""
    usual = WaiverStep(
        waiver=uuid.UUID(int=0xABCD << 112),
        deed=deed,
        ref=desk.ref.model_copy(update={"iid": 77}),
        about=About.of(FLAW, None),
        branch="main",
        at=datetime.now(UTC),
        source=Source.comment,
        by=1,
        name="\x1b[2Jlead",
        until=datetime.now(UTC).date() + timedelta(days=5),
        reason="why \u202enot",
    )
    return usual.model_copy(update=changes)


async def add(desk: Desk, *steps: WaiverStep) -> None:
    parent: Event = CommentPosted(ref=desk.ref, note_id=1, discussion_id="d", author_id=1)
    async with desk.store.commit("converse", Record.of(parent, id=uuid.uuid4())) as transaction:
        await transaction.add_waiver_steps(steps)


async def test_what_others_rest_on_is_decided_anew_when_it_ends(desk: Desk) -> None:
    """On each merge request, if it is still open."""
    await desk.review(Waivers())
    await add(desk, step(desk), step(desk, Deed.merged), step(desk, Deed.used, ref=desk.ref))
    assert "Taken back" in await desk.says(f"@cloister unwaive {NAME}", desk.person("lead"))
    rows = await desk.pool.fetch("SELECT body FROM event WHERE kind = 'verdict.outdated'")
    outdated = [VerdictOutdated.model_validate(row["body"], strict=False) for row in rows]
    assert [77] == [one.ref.iid for one in outdated]
    for closed, expected in ((False, 1), (True, 0)):
        async with desk.store.commit("x", Record.of(outdated[0], id=uuid.uuid4())) as transaction:
            state = await transaction.merge_request(desk.ref)
            await transaction.save_merge_request(
                type(state)(desk.ref, head_sha=state.head_sha, run_id=state.run_id, closed=closed)
            )
        await desk.pool.execute("DELETE FROM event")
        again = VerdictOutdated(ref=desk.ref, cause=uuid.uuid4())
        record = Record.of(again, id=uuid.uuid4())
        await collect.handle(again, work=Work(Stage.collect, record, desk.store))
        assert expected == len(await desk.waiting("event"))


@pytest.mark.parametrize("first", [Deed.used, Deed.withdrawn])
async def test_no_verdict_outlives_a_waiver_that_ends_while_it_is_made(desk: Desk, first: Deed) -> None:
    """Whichever of the two is written first: the other one waits, sees it, and has the verdict made anew at once."""
    await desk.review(Waivers())
    await add(desk, step(desk))
    used, ended = step(desk, Deed.used, ref=desk.ref), step(desk, Deed.withdrawn)
    one, other = (used, ended) if first is Deed.used else (ended, used)
    written = asyncio.Event()

    async def write(deed: WaiverStep, *, then: asyncio.Event | None = None) -> None:
        event = FeedbackDue(ref=deed.ref)
        async with desk.store.commit("x", Record.of(event, id=uuid.uuid4())) as transaction:
            await take(transaction, deed.ref, [deed], deed.at)
            written.set()
            if then is not None:
                await then.wait()

    go = asyncio.Event()
    holding = asyncio.create_task(write(one, then=go))
    await written.wait()
    waiting = asyncio.create_task(write(other))
    await until(
        lambda: desk.pool.fetch(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ),
        "nobody waits",
    )
    go.set()
    await asyncio.gather(holding, waiting)
    rows = await desk.pool.fetch("SELECT body FROM event WHERE kind = 'verdict.outdated'")
    outdated = [VerdictOutdated.model_validate(row["body"], strict=False) for row in rows]
    assert [(desk.ref, used.waiver)] == [(one.ref, one.cause) for one in outdated]


async def test_only_what_may_count_is_read(desk: Desk) -> None:
    """All of the merge request, and of others what has not ended long ago; nothing of other projects."""
    old = {"until": datetime.now(UTC).date() - timedelta(days=9)}
    elsewhere = desk.ref.model_copy(update={"project_id": 999})
    await add(
        desk,
        step(desk),
        step(desk, waiver=uuid.UUID(int=2), **old),
        step(desk, waiver=uuid.UUID(int=3), ref=desk.ref, **old),
        step(desk, waiver=uuid.UUID(int=4), ref=elsewhere),
    )
    assert {step(desk).waiver, uuid.UUID(int=3)} == {one.id for one in await desk.waivers.of(desk.ref)}


async def test_the_operator_lists_shows_and_revokes(desk: Desk, database_url: str) -> None:
    """With a reason, on record; hostile text steers no terminal, and what has ended is said to have."""
    await add(desk, step(desk), step(desk, Deed.used, ref=desk.ref))
    listed = await cloister(
        database_url, "waivers", "list", "--expiring", "7d", "--project", str(desk.ref.project_id)
    )
    assert "abcd0000" in listed.stdout
    assert not {"\x1b", "\u202e"} & set(listed.stdout)
    assert "there are none" in (await cloister(database_url, "waivers", "list", "--expiring", "2d")).stdout
    done = await cloister(database_url, "waivers", "revoke", "abcd", "--because", "an exploit is public")
    assert f"revoked {step(desk).waiver}" in done.stdout
    assert ["verdict.outdated"] * 2 == await desk.waiting("event")
    assert (
        "ended before"
        in (await cloister(database_url, "waivers", "revoke", "abcd", "--because", "again")).stdout
    )
    shown = json.loads((await cloister(database_url, "waivers", "show", "abcd", "--json")).stdout)
    assert ("revoked", ["granted", "used", "revoked"]) == (
        shown["state"],
        [one["deed"] for one in shown["steps"]],
    )
    assert shown["steps"][-1]["name"].startswith("operator ")
    (entry,) = await PostgresAuditLog(desk.pool).newest(9)
    assert ("waiver.revoked", "an exploit is public") == (entry.act.action, entry.act.details["reason"])
    assert "an exploit is public" in (await cloister(database_url, "waivers", "show", "abcd")).stdout
    assert "there are none" in (await cloister(database_url, "waivers", "list")).stdout
    assert json.loads((await cloister(database_url, "waivers", "list", "--all", "--json")).stdout)
    with pytest.raises(Permanent):
        await desk.waivers.get("ffff")
