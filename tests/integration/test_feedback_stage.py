"""The stage that keeps what people do with comments, on a real database, real git, and a GitLab that misbehaves."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog

from bot.adapters.feedback_postgres import PostgresFeedback
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_aftermath import GitLabAftermath
from bot.adapters.git_mirror import GitMirror
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.telemetry import OpenTelemetry
from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.repository import Change
from bot.demo.gitlab.state import Note
from bot.domain.errors import Obsolete
from bot.domain.events import (
    CommandTaken,
    Event,
    FeedbackDue,
    FeedbackExpected,
    ReactionChanged,
    Record,
    Stage,
)
from bot.domain.findings import Finding, Severity
from bot.domain.marker import Marker
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Outcome, Run, RunState, Step
from bot.domain.signals import Comment, ReplyClass, Signal, SignalKind, Source, comment_id
from bot.domain.watching import Watch, Why
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
            forge=self.forge,
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
        self, *findings: Finding, step: str = "scan:semgrep", outcome: Outcome = Outcome.done
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


async def commented(scene: Scene, scanner: str = "semgrep") -> None:
    """Post the comment, and have the ledger know it."""
    run = await scene.ran(finding(scanner), step="review" if scanner == "model" else "scan:semgrep")
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


async def test_a_look_is_one_request(scene: Scene) -> None:
    """Nothing has happened, and nothing else is asked for."""
    await scene.forge.whoami()
    before = scene.forge.calls
    assert [] == await scene.look()
    assert 1 == scene.forge.calls - before
    (comment,) = await scene.ledger.comments(scene.ref)
    assert (scene.note.discussion_id, scene.note.id, True) == (
        comment.discussion_id,
        comment.note_id,
        comment.had_suggestion,
    )


async def test_an_applied_suggestion_is_seen(scene: Scene) -> None:
    """As applied, resolved by whoever clicked, and as a change that ends the finding."""
    (suggestion,) = scene.note.suggestions
    await scene.look()
    scene.gitlab.server.apply_suggestion(suggestion.id, user=scene.gitlab.developer)
    await scene.ran()
    assert [SignalKind.applied, SignalKind.changed, SignalKind.resolved] == await scene.look()
    (changed,) = await scene.signals(SignalKind.changed)
    (resolved,) = await scene.signals(SignalKind.resolved)
    assert changed.judged is True
    assert scene.gitlab.developer.id == resolved.actor_id
    assert [] == await scene.look()


async def test_replies_are_one_word(scene: Scene, pool: Any) -> None:
    """Of bots, of us, and of what asks us for something, it is not said what they say."""
    server, thread = scene.gitlab.server, scene.note.discussion_id
    bot = server.create_user("project_7_bot_abc", bot=True)
    said = {
        "This is a false positive, s3cret-value.": ReplyClass.wrong,
        "@cloister ignore it is wrong": ReplyClass.other,
        "已修复": ReplyClass.agrees,
        "<img src=x onerror=alert(1)>": ReplyClass.other,
    }
    written = {
        server.reply(scene.opened, thread, one, user=scene.gitlab.developer).id: kind
        for one, kind in said.items()
    }
    written[server.reply(scene.opened, thread, "won't fix", user=bot).id] = ReplyClass.other
    server.reply(scene.opened, thread, "fixed", user=scene.gitlab.bot)
    await scene.look()
    replies = await scene.signals(SignalKind.reply)
    assert written == {one.note_id: one.reply for one in replies}
    assert [False] * 4 + [True] == [one.actor_is_bot for one in replies]
    rows = await pool.fetch("SELECT * FROM signal")
    assert not any(word in str(rows) for word in ("false positive", "secret", "img", "修复"))


async def test_a_command_is_a_signal(scene: Scene) -> None:
    """Told twice it is one; of an unknown comment, or an unknown command, nothing is kept."""
    event = CommandTaken(ref=scene.ref, command="ignore", fingerprint=MARK, note_id=99, actor_id=5)
    await scene.handle(event)
    await scene.handle(event)
    await scene.handle(event.model_copy(update={"command": "waive"}))
    assert [SignalKind.ignored, SignalKind.waived] == sorted(one.kind for one in await scene.signals())
    for odd in ({"fingerprint": "0" * 32}, {"command": "help"}):
        with pytest.raises(Obsolete):
            await scene.handle(event.model_copy(update=odd))


def reacted(scene: Scene, **changes: Any) -> ReactionChanged:
    """Return the event of a reaction to our comment."""
    event = ReactionChanged(
        ref=scene.ref,
        award_id=77,
        note_id=scene.note.id,
        discussion_id=scene.note.discussion_id,
        actor_id=scene.gitlab.developer.id,
        emoji="thumbsdown",
        added=True,
        at=datetime.now(UTC),
    )
    return event.model_copy(update=changes)


async def test_what_comes_after_its_signals_went_is_too_late(scene: Scene, pool: Any) -> None:
    """A reaction, a command or a look, years later: counted, and without an error or a trace."""
    command = CommandTaken(ref=scene.ref, command="ignore", fingerprint=MARK, note_id=99, actor_id=5)
    kept = "UPDATE signals_kept SET since = date_trunc('month', now() + interval '40 days', 'UTC')"
    with structlog.testing.capture_logs() as logs:
        await pool.execute(kept)
        await scene.handle(reacted(scene))
        await scene.handle(command)
    assert ["too late"] * 2 == [one["reason"] for one in logs if one["event"] == "signal.dropped"]
    assert b'cloister_signals_dropped_total{reason="too late"} 2.0' in scene.telemetry.exposition()
    with pytest.raises(Obsolete, match="of which signals are kept"):
        await scene.handle(FeedbackDue(ref=scene.ref))
    assert [] == await scene.signals()


async def test_reactions_come_in_any_order(scene: Scene) -> None:
    """Taken back before it was given, and each told twice; the comment was not seen in its thread yet."""
    for added in (False, True, False, True):
        await scene.handle(reacted(scene, added=added))
    assert [SignalKind.reaction_added, SignalKind.reaction_removed] == sorted(
        one.kind for one in await scene.signals()
    )
    assert {Source.hook} == {one.source for one in await scene.signals()}
    assert {"77"} == {one.detail["award"] for one in await scene.signals()}


async def test_reactions_that_are_not_to_our_comments_are_dropped(scene: Scene) -> None:
    """To comments of others, to answers of ours, to what is gone, by ourselves, and on unknown merge requests."""
    server = scene.gitlab.server
    other = server.comment(
        scene.opened, f"A copy.\n\n{MARKER.of(scene.ref, MARK)}", user=scene.gitlab.developer
    )
    answer = server.reply(scene.opened, scene.note.discussion_id, "Sure.", user=scene.gitlab.bot)
    with structlog.testing.capture_logs() as logs:
        for note in (other, answer):
            await scene.handle(reacted(scene, note_id=note.id, discussion_id=note.discussion_id))
        await scene.handle(reacted(scene, note_id=123456, discussion_id="0" * 40))
        await scene.handle(reacted(scene, actor_id=scene.gitlab.bot.id))
        await scene.handle(reacted(scene, ref=scene.ref.model_copy(update={"iid": 99})))
    assert [] == await scene.signals()
    assert ["unknown comment"] * 3 + ["our own", "unknown comment"] == [
        one["reason"] for one in logs if one["event"] == "signal.dropped"
    ]


async def test_reactions_are_asked_for_where_no_hook_tells(scene: Scene) -> None:
    """Once the merge request is quiet; what hooks have told already is not told again, whatever GitLab's clock says."""
    server = scene.gitlab.server
    given = server.react(scene.opened, scene.note, "thumbsup", user=scene.gitlab.developer)
    server.react(scene.opened, scene.note, "eyes", user=scene.gitlab.bot)
    given.created_at = datetime(2040, 1, 1, tzinfo=UTC)
    assert [[], [], [], [SignalKind.reaction_added]] == [await scene.look() for _ in range(4)]
    (signal,) = await scene.signals()
    assert (Source.poll, scene.gitlab.developer.id) == (signal.source, signal.actor_id)
    assert {"clock": "2040-01-01T00:00:00+00:00", "award": str(given.id)} == signal.detail
    server.revoke_reaction(scene.opened, scene.note, given)
    assert [SignalKind.reaction_removed] == await scene.look()
    await scene.handle(reacted(scene, award_id=given.id))
    assert [] == await scene.signals(SignalKind.reply)
    assert 2 == len(await scene.signals())
    before = scene.forge.calls
    await scene.look()
    assert 1 == scene.forge.calls - before


async def test_what_deleted_accounts_did_has_no_actor(scene: Scene) -> None:
    """GitLab gives it to a ghost, who stands for all of them."""
    server, person = scene.gitlab.server, scene.gitlab.server.create_user("leaver")
    server.add_member(scene.gitlab.project, person, 30)
    server.react(scene.opened, scene.note, "thumbsdown", user=person)
    server.reply(scene.opened, scene.note.discussion_id, "This is wrong.", user=person)
    server.resolve(scene.opened, scene.note.discussion_id, user=person)
    server.delete_user(person)
    await scene.shut()
    server.close_merge_request(scene.opened)
    gone = [SignalKind.reaction_added, SignalKind.reply, SignalKind.resolved]
    assert [SignalKind.closed, *gone] == await scene.look()
    found = {one.kind: (one.actor_id, one.actor_is_bot) for one in await scene.signals()}
    assert {(None, False)} == {found[kind] for kind in gone}
    assert (scene.gitlab.developer.id, False) == found[SignalKind.closed]


@pytest.mark.parametrize("hours", [-5, 5])
async def test_clocks_that_are_hours_apart_change_nothing(scene: Scene, hours: int) -> None:
    """The forge says what time it is there, so everything has the time at which it happened by our clock."""
    server, state = scene.gitlab.server, scene.gitlab.server.instance.state
    state.ahead, state.last_moment = timedelta(hours=hours), datetime(2000, 1, 1, tzinfo=UTC)
    server.reply(scene.opened, scene.note.discussion_id, "This is wrong.", user=scene.gitlab.developer)
    server.resolve(scene.opened, scene.note.discussion_id, user=scene.gitlab.developer)
    await scene.look(later=timedelta(minutes=10))
    given = server.react(scene.opened, scene.note, "thumbsdown", user=scene.gitlab.developer)
    await scene.handle(reacted(scene, award_id=given.id, at=given.created_at))
    server.merge(scene.opened, user=scene.gitlab.developer)
    await scene.shut()
    await scene.look(later=timedelta(minutes=10))
    found = {one.kind: one for one in await scene.signals()}
    assert {"reaction_added", "reply", "resolved", "merged"} <= {kind.value for kind in found}
    for one in found.values():
        assert "clock" not in one.detail
        assert abs(one.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_merge_request_is_closed_opened_and_merged(scene: Scene, pool: Any) -> None:
    """Each is told once, by what the forge shows; a closed one is not looked at again."""
    server = scene.gitlab.server
    server.close_merge_request(scene.opened)
    await scene.shut()
    assert [SignalKind.closed] == await scene.look()
    assert await scene.again_at(pool) is None
    server.reopen(scene.opened)
    await scene.shut(closed=False)
    await scene.handle(FeedbackExpected(ref=scene.ref, why=Why.reopened))
    assert await scene.again_at(pool) is not None
    assert [SignalKind.reopened] == await scene.look()
    server.merge(scene.opened, user=scene.gitlab.developer)
    await scene.shut()
    assert [SignalKind.merged] == await scene.look()
    assert [] == await scene.look()
    assert await scene.again_at(pool) is not None


@pytest.mark.parametrize(
    ("lines", "judged"),
    [
        ([*OURS[:9], "query = safe(name)\n", *OURS[10:]], True),
        ([*OURS[:9], *OURS[11:]], True),
    ],
)
async def test_a_push_that_changes_the_lines_is_seen(scene: Scene, lines: list[str], judged: bool) -> None:
    """With the head; the scan of that head says that the finding is gone."""
    await scene.look()
    head = scene.gitlab.server.push(scene.opened, text(lines))
    await scene.ran()
    assert [SignalKind.changed] == await scene.look()
    (signal,) = await scene.signals()
    assert (head, judged, Source.git) == (signal.detail["head"], signal.judged, signal.source)
    scene.gitlab.server.push(scene.opened, text([*lines[:9], "again\n", *lines[10:]]))
    await scene.ran()
    assert [] == await scene.look()


async def test_a_change_that_mends_nothing_is_told_apart(scene: Scene) -> None:
    """The scanner still finds it; where it could not look, nobody knows."""
    await scene.look()
    scene.gitlab.server.push(scene.opened, text([*OURS[:9], "query = make(name + 'x')\n", *OURS[10:]]))
    await scene.ran(finding())
    assert [SignalKind.changed] == await scene.look()
    assert [False] == [one.judged for one in await scene.signals()]


async def test_a_push_that_mends_it_after_all_is_seen(scene: Scene) -> None:
    """One that mended nothing came before; each is told once, and neither is late after the merge."""
    server = scene.gitlab.server
    for words in ("make(name + 'x')", "make(name + 'y')"):
        server.push(scene.opened, text([*OURS[:9], f"query = {words}\n", *OURS[10:]]))
        await scene.ran(finding())
        await scene.look()
    assert [False] == [one.judged for one in await scene.signals()]
    mended = server.push(scene.opened, text([*OURS[:9], "query = safe(name)\n", *OURS[10:]]))
    await scene.ran()
    assert [SignalKind.changed] == await scene.look()
    assert {mended: True}.items() <= {one.detail["head"]: one.judged for one in await scene.signals()}.items()
    server.merge(scene.opened)
    await scene.shut()
    await scene.look()
    assert [] == await scene.look(later=timedelta(days=1))


async def test_what_is_seen_long_after_the_merge_is_no_later_change(scene: Scene) -> None:
    """The hook of the merge was lost: the lines had changed by then all the same."""
    scene.gitlab.server.push(scene.opened, text([*OURS[:9], "query = safe(name)\n", *OURS[10:]]))
    await scene.ran()
    scene.gitlab.server.merge(scene.opened)
    await scene.shut()
    assert SignalKind.changed in await scene.look(later=timedelta(hours=5))
    (changed,), (merged,) = (
        await scene.signals(SignalKind.changed),
        await scene.signals(SignalKind.merged),
    )
    assert merged.at == changed.at


async def test_a_scan_that_failed_judges_nothing(scene: Scene) -> None:
    """That it found nothing proves nothing."""
    scene.gitlab.server.push(scene.opened, text([*OURS[:9], *OURS[11:]]))
    await scene.ran(outcome=Outcome.failed)
    assert [SignalKind.changed] == await scene.look()
    assert [None] == [one.judged for one in await scene.signals()]


async def test_the_silence_of_the_model_judges_nothing(bare: Scene) -> None:
    """It does not repeat itself; at the merge its finding is gone only as far as git can tell."""
    await commented(bare, "model")
    bare.gitlab.server.push(bare.opened, text([*OURS[:9], "query = safe(name)\n", *OURS[10:]]))
    await bare.ran(step="review")
    assert [SignalKind.changed] == await bare.look()
    assert [None] == [one.judged for one in await bare.signals()]
    bare.gitlab.server.merge(bare.opened)
    await bare.shut()
    assert [SignalKind.gone, SignalKind.merged] == await bare.look()
    (gone,) = await bare.signals(SignalKind.gone)
    assert (Source.git, None) == (gone.source, gone.judged)


async def test_pushes_that_leave_the_lines_alone_say_nothing(scene: Scene) -> None:
    """A rebase onto changed code, a forced push, a rename, lines put above, another indentation."""
    server = scene.gitlab.server
    await scene.look()
    server.commit(scene.gitlab.project, "main", {"README.md": "# Changed\n", "new.py": "x = 1\n"})
    server.rebase(scene.opened)
    await scene.ran(finding())
    assert [] == await scene.look()
    server.force_push(scene.opened, text(["import os\n", "import re\n", *OURS]))
    await scene.ran(finding(line=12, end_line=13))
    assert [] == await scene.look()
    server.push(scene.opened, {"app.py": None, "other.py": "".join(["import os\n", *OURS])})
    await scene.ran(finding(path="other.py"))
    assert [] == await scene.look()
    indented = [*OURS[:9], *(f"    {line}" for line in OURS[9:11]), *OURS[11:]]
    server.push(scene.opened, {"other.py": "".join(indented)})
    await scene.ran(finding(path="other.py"))
    assert [] == await scene.look()
    server.push(scene.opened, {"other.py": "".join(OURS[:5])})
    await scene.ran()
    assert [SignalKind.changed] == await scene.look()


async def test_what_stands_at_the_merge_is_not_gone(scene: Scene) -> None:
    """And what a scan did not see any more is, though its lines have not changed."""
    await scene.look()
    scene.gitlab.server.merge(scene.opened)
    await scene.shut()
    assert [SignalKind.merged] == await scene.look()


async def test_what_the_last_scan_did_not_find_is_gone(scene: Scene) -> None:
    """Though its lines stand: a guard above them can mend them."""
    scene.gitlab.server.push(scene.opened, text(["guard()\n", *OURS]))
    await scene.ran()
    scene.gitlab.server.merge(scene.opened)
    await scene.shut()
    assert [SignalKind.gone, SignalKind.merged] == await scene.look()
    (gone,) = await scene.signals(SignalKind.gone)
    assert (Source.rescan, True) == (gone.source, gone.judged)


async def test_the_target_branch_is_compared_after_the_merge(scene: Scene, pool: Any) -> None:
    """A later commit that changes the same lines is a late change, once."""
    server = scene.gitlab.server
    server.merge(scene.opened)
    await scene.shut()
    assert [SignalKind.merged] == await scene.look()
    server.commit(scene.gitlab.project, "main", {"README.md": "# Else\n"})
    assert [] == await scene.look(later=timedelta(days=1))
    tip = server.commit(scene.gitlab.project, "main", text([*OURS[:9], "query = safe(name)\n", *OURS[10:]]))
    assert [SignalKind.changed] == await scene.look(later=timedelta(days=3))
    (late,) = await scene.signals(SignalKind.changed)
    assert {"late": "true", "head": tip, "how": "changed"} == late.detail
    assert [] == await scene.look(later=timedelta(days=10))
    await scene.look(later=timedelta(days=30))
    assert await scene.again_at(pool) is None


async def test_a_deleted_comment_is_told_once(scene: Scene) -> None:
    """Somebody with the right to do so has removed it."""
    await scene.look()
    scene.gitlab.server.delete_note(scene.opened, scene.note)
    assert [SignalKind.deleted] == await scene.look()
    assert [] == await scene.look()


@pytest.mark.parametrize("status", [301, 403, 404])
async def test_what_cannot_be_read_is_asked_for_ever_more_rarely(
    scene: Scene, pool: Any, status: int
) -> None:
    """A merge request that was deleted, moved, or taken from our sight; in the end it is given up, and said so."""
    scene.gitlab.server.faults.add("GET", "discussions", status=status, times=None)
    waits = []
    with structlog.testing.capture_logs() as logs:
        while True:
            assert [] == await scene.look()
            at = await scene.again_at(pool)
            if at is None:
                break
            waits.append(at - scene.clock.now())
    assert 8 == len(waits)
    assert waits == sorted(waits)
    assert ["feedback.out_of_reach"] * 8 + ["feedback.given_up"] == [one["event"] for one in logs]


async def test_a_deleted_merge_request_leaves_its_signals(scene: Scene) -> None:
    """What was kept before stays."""
    scene.gitlab.server.reply(scene.opened, scene.note.discussion_id, "Done.", user=scene.gitlab.developer)
    await scene.look()
    scene.gitlab.server.delete_merge_request(scene.opened)
    assert [] == await scene.look()
    assert [SignalKind.reply] == [one.kind for one in await scene.signals()]


async def test_a_throttle_is_obeyed(scene: Scene, pool: Any) -> None:
    """GitLab says how long to wait; the next look is not before that, and all is well then."""
    scene.gitlab.server.faults.add("GET", "discussions", status=429, retry_after=900)
    await scene.look()
    at = await scene.again_at(pool)
    assert at is not None
    assert at - scene.clock.now() >= timedelta(seconds=900)
    scene.gitlab.server.resolve(scene.opened, scene.note.discussion_id, user=scene.gitlab.developer)
    assert [SignalKind.resolved] == await scene.look()


async def test_nothing_is_looked_for_where_nothing_was_said(bare: Scene) -> None:
    """A merge request without comments of ours is not watched, whatever happens to it."""
    await bare.handle(FeedbackExpected(ref=bare.ref, why=Why.pushed))
    with pytest.raises(Obsolete):
        await bare.handle(FeedbackDue(ref=bare.ref))
    assert await bare.ledger.watch(bare.ref) is None
