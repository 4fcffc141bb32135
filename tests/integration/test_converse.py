"""A comment is acted on once, whatever happens to it, to the forge or to us meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bot.adapters.clock import SystemClock
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_people import GitLabPeople
from bot.adapters.git_process import Git
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.telemetry import OpenTelemetry
from bot.adapters.waivers_postgres import PostgresWaivers
from bot.adapters.workspace_api import ApiWorkspaces
from bot.demo.gitlab import Level, MergeRequest
from bot.demo.gitlab.state import Note
from bot.domain.errors import Obsolete, Transient
from bot.domain.events import CommentPosted, Record, Stage
from bot.domain.marker import Marker
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Conversation, Policy
from bot.domain.run import Run
from bot.gitlab.instance import instance_name
from bot.reviewer.conversing import Conversing
from bot.runtime.consumer import Work
from consumers.converse import converse
from tests.gitlab import GitLab

MARKER = Marker(b"0123456789abcdef")


@dataclass
class Talk:
    """A merge request with one of our threads, and the stage that answers comments on it."""

    gitlab: GitLab
    store: PostgresStore
    waivers: PostgresWaivers
    forge: GitLabForge
    opened: MergeRequest
    thread: Note
    telemetry: OpenTelemetry

    @property
    def ref(self) -> MergeRequestRef:
        url = self.gitlab.server.url
        return MergeRequestRef(
            instance=instance_name(url), project_id=self.gitlab.project.id, iid=self.opened.iid
        )

    def says(self, body: str, *, below: bool = True) -> Note:
        """Write a comment as a developer."""
        server, who = self.gitlab.server, self.gitlab.developer
        if below:
            return server.reply(self.opened, self.thread.discussion_id, body, user=who)
        return server.comment(self.opened, body, user=who)

    async def hear(self, note: Note, *, delivery: int = 0) -> None:
        """Handle the event about *note*; each *delivery* is an event of its own, as from a second hook."""
        event = CommentPosted(
            ref=self.ref, note_id=note.id, discussion_id=note.discussion_id, author_id=note.author.id
        )
        record = Record.of(event, id=uuid.uuid5(uuid.NAMESPACE_OID, f"{note.id} {delivery}"))
        clock = SystemClock()
        conversing = Conversing(
            forge=self.forge,
            people=GitLabPeople(self.forge.api),
            store=self.store,
            waivers=self.waivers,
            workspaces=ApiWorkspaces(self.forge.api, git=Git(forge_url=self.gitlab.server.url)),
            marker=MARKER,
            fingerprint_key=b"key",
            instance_url=self.gitlab.server.url,
            answering=None,
            redact=lambda text: text.replace("s3cret", "[masked]"),
            clock=clock,
        )
        await converse.handle(
            event,
            conversing=conversing,
            store=self.store,
            clock=clock,
            telemetry=self.telemetry,
            work=Work(Stage.converse, record, self.store),
        )

    @property
    def answers(self) -> list[str]:
        """Return what we have said, the thread's opening apart."""
        notes = self.opened.notes
        return [
            n.body for n in notes if n.author is self.gitlab.bot and n is not self.thread and not n.system
        ]


@pytest_asyncio.fixture
async def talk(gitlab: GitLab, store: PostgresStore, pool: Any) -> AsyncIterator[Talk]:
    """Return a merge request that was reviewed once."""
    opened = gitlab.server.open_merge_request(gitlab.project, "feature", {"app.py": "changed\n"})
    forge = GitLabForge(gitlab.server.url, gitlab.token, timeout_s=5.0)
    ref = MergeRequestRef(
        instance=instance_name(gitlab.server.url), project_id=gitlab.project.id, iid=opened.iid
    )
    await forge.create_draft(ref, f"A finding.\n\n{MARKER.of(ref, 'f1')}", None)
    await forge.publish_drafts(ref)
    thread = opened.notes[-1]
    with OpenTelemetry() as telemetry:
        yield Talk(gitlab, store, PostgresWaivers(pool), forge, opened, thread, telemetry)
    await forge.aclose()


async def test_two_events_about_one_comment_are_one(talk: Talk) -> None:
    """As from the hooks of a project and of its group, or from an edit on an old release."""
    note = talk.says("@cloister resolve")
    await talk.hear(note)
    talk.gitlab.server.edit_note(talk.opened, note, "@cloister pause")
    with pytest.raises(Obsolete):
        await talk.hear(note, delivery=1)
    assert [answer.split("\n")[0] for answer in talk.answers] == ["Resolved."]
    assert not (await talk.store.merge_request(talk.ref)).paused


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}])
async def test_an_answer_that_broke_off_is_not_repeated(
    talk: Talk, below: bool, fault: dict[str, int]
) -> None:
    """It stands there already; the rest of the work is done all the same."""
    note = talk.says("@cloister pause", below=below)
    talk.gitlab.server.faults.add("POST", "/notes$", after_commit=True, **fault)
    with pytest.raises(Transient):
        await talk.hear(note)
    assert not (await talk.store.merge_request(talk.ref)).paused
    await talk.hear(note)
    assert len(talk.answers) == 1
    assert (await talk.store.merge_request(talk.ref)).paused


async def test_what_cannot_be_read_any_more_is_dropped(talk: Talk) -> None:
    """A deleted comment, a deleted discussion, a project that we were thrown out of."""
    reply, plain = talk.says("@cloister resolve"), talk.says("@cloister help", below=False)
    server = talk.gitlab.server
    server.delete_note(talk.opened, reply)
    server.delete_note(talk.opened, plain)
    for note in (reply, plain):
        with pytest.raises(Obsolete):
            await talk.hear(note)
    kept = talk.says("@cloister resolve")
    server.add_member(talk.gitlab.project, talk.gitlab.bot, Level.none)
    with pytest.raises(Obsolete):
        await talk.hear(kept)
    assert talk.answers == []


async def test_an_internal_comment_is_not_answered_in_public(talk: Talk) -> None:
    """Even if a hook brought it."""
    note = talk.says("@cloister help", below=False)
    note.internal = True
    with pytest.raises(Obsolete):
        await talk.hear(note)
    assert talk.answers == []


async def test_a_thread_of_somebody_else_is_not_ours(talk: Talk) -> None:
    """Our marker in it changes nothing."""
    server, developer = talk.gitlab.server, talk.gitlab.developer
    copy = server.comment(talk.opened, talk.thread.body, user=developer)
    note = server.reply(talk.opened, copy.discussion_id, "@cloister resolve", user=developer)
    await talk.hear(note)
    assert "in my thread on that finding" in talk.answers[0]
    assert copy.resolved_at is None


async def test_a_secret_in_a_reason_is_masked(talk: Talk) -> None:
    """In the answer and in the database."""
    await talk.hear(talk.says("@cloister ignore the key s3cret is a test"))
    assert "s3cret" not in talk.answers[0]
    assert (await talk.store.declined(talk.ref))["f1"].reason == "the key [masked] is a test"


async def test_answers_end_at_the_limit(talk: Talk) -> None:
    """Which is told once."""
    head = talk.opened.head_sha
    run = Run(
        id=uuid.uuid4(),
        ref=talk.ref,
        head_sha=head,
        policy=Policy(conversation=Conversation(per_hour=2)),
        created_at=SystemClock().now(),
    )
    parent = Record.of(
        CommentPosted(ref=talk.ref, note_id=1, discussion_id="d", author_id=1), id=uuid.uuid4()
    )
    async with talk.store.commit("intake", parent) as transaction:
        state = await transaction.merge_request(talk.ref)
        await transaction.save_run(run)
        await transaction.save_merge_request(type(state)(talk.ref, head_sha=head, run_id=run.id))
    for _ in range(3):
        await talk.hear(talk.says("@cloister help"))
    with pytest.raises(Obsolete):
        await talk.hear(talk.says("@cloister help"))
    assert [("stop answering" in answer) for answer in talk.answers] == [False, False, True]


async def test_a_discussion_that_is_locked_ends_in_the_log(talk: Talk) -> None:
    """The answer is refused, what was asked is done, and nothing is tried again and again."""
    note = talk.says("@cloister pause")
    talk.gitlab.server.faults.add("POST", "/notes$", status=403)
    await talk.hear(note)
    assert talk.answers == []
    assert (await talk.store.merge_request(talk.ref)).paused
    with pytest.raises(Obsolete):
        await talk.hear(note, delivery=1)


async def test_a_reply_to_somebody_else_is_left_to_those_who_look(talk: Talk, pool: Any) -> None:
    """It begins with a name that is not ours: nobody answers, but it may say something of our comment."""
    await talk.hear(talk.says("@dev that is wrong"))
    assert [] == talk.answers
    rows = await pool.fetch("SELECT kind, body->>'why' AS why FROM event")
    assert [("feedback.expected", "replied")] == [tuple(row) for row in rows]
