"""What people do with our threads is respected, and nobody can pass for us."""

from __future__ import annotations

import itertools

import pytest

from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.state import Note
from tests.cloister import Cloister

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: What a later commit mends, unlike a secret.
FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"

_numbers = itertools.count(1)


async def reviewed(cloister: Cloister) -> tuple[MergeRequest, str, Note]:
    """Return a reviewed merge request with one thread, its file, and the thread's first note."""
    name = f"change-{next(_numbers)}"
    path = f"{name}.py"
    merge_request = cloister.gitlab.server.open_merge_request(cloister.gitlab.project, name, {path: FLAW})
    outcome = await cloister.outcome(merge_request)
    assert [(path, 2)] == outcome.lines
    (note,) = [note for note in cloister.ours(merge_request) if note.resolvable]
    return merge_request, path, note


async def test_a_fixed_finding_is_resolved_and_the_summary_is_edited(shared_cloister: Cloister) -> None:
    """After three pushes there is one thread, which says so, and one summary, which speaks of the newest head."""
    server = shared_cloister.gitlab.server
    merge_request, path, note = await reviewed(shared_cloister)
    for text in ("fine\n" + FLAW, "fine\nfine\n" + FLAW, "fine\n"):
        head = server.push(merge_request, {path: text})
        outcome = await shared_cloister.outcome(merge_request)
        assert head[:8] in outcome.summary
    (said,) = [one for one in shared_cloister.ours(merge_request) if one.resolvable and one is not note]
    assert f"Fixed: not found any more in `{head[:8]}`." == said.body.split("\n\n")[0]
    assert note.discussion_id == said.discussion_id
    assert len(shared_cloister.ours(merge_request)) == 3
    assert note.resolved_by is shared_cloister.gitlab.bot
    assert "No blocking findings" in outcome.summary
    assert outcome.status == "success"


async def test_a_thread_with_a_reply_is_left_to_people(shared_cloister: Cloister) -> None:
    """The finding is gone, but somebody may still be talking about it."""
    gitlab = shared_cloister.gitlab
    merge_request, path, note = await reviewed(shared_cloister)
    gitlab.server.reply(merge_request, note.discussion_id, "Is that so?", user=gitlab.developer)
    gitlab.server.push(merge_request, {path: "fine\n"})
    outcome = await shared_cloister.outcome(merge_request)
    assert note.resolved_at is None
    assert outcome.status == "success"


async def test_a_thread_that_people_resolved_is_not_raised_again(shared_cloister: Cloister) -> None:
    """The finding stands and still closes the gate; nobody is told twice."""
    gitlab = shared_cloister.gitlab
    merge_request, path, note = await reviewed(shared_cloister)
    gitlab.server.resolve(merge_request, note.discussion_id, user=gitlab.developer)
    gitlab.server.push(merge_request, {path: "moved_down\n" + FLAW})
    outcome = await shared_cloister.outcome(merge_request)
    assert len(outcome.threads) == 1
    assert note.resolved_by is gitlab.developer
    assert outcome.status == "failed"


async def test_a_copied_marker_makes_nobody_us(shared_cloister: Cloister) -> None:
    """Notes of others that carry our markers are neither edited nor resolved, nor do they silence us."""
    gitlab = shared_cloister.gitlab
    merge_request, path, note = await reviewed(shared_cloister)
    (summary,) = [one for one in shared_cloister.ours(merge_request) if not one.resolvable]
    copies = [
        gitlab.server.comment(merge_request, one.body, user=gitlab.developer) for one in (note, summary)
    ]
    bodies = [copy.body for copy in copies]
    gitlab.server.push(merge_request, {path: "fine\n"})
    await shared_cloister.reviewed(merge_request)
    assert bodies == [copy.body for copy in copies]
    assert note.resolved_by is gitlab.bot
    assert merge_request.head_sha[:8] in summary.body


async def test_a_marker_of_another_merge_request_does_not_silence_us(shared_cloister: Cloister) -> None:
    """Even our own text, carried elsewhere, speaks only of the merge request that it was written for."""
    gitlab = shared_cloister.gitlab
    _, _, note = await reviewed(shared_cloister)
    hooks = gitlab.server.instance.core.hooks
    hooks.silent = True
    merge_request = gitlab.server.open_merge_request(gitlab.project, "elsewhere", {"change-1.py": FLAW})
    gitlab.server.comment(merge_request, note.body, user=gitlab.bot)
    hooks.silent = False
    gitlab.server.close_merge_request(merge_request)
    gitlab.server.reopen(merge_request)
    outcome = await shared_cloister.outcome(merge_request)
    assert [("change-1.py", 2)] == outcome.lines


async def test_a_deleted_summary_is_written_anew(shared_cloister: Cloister) -> None:
    """Somebody may delete our note; the next review says it again."""
    merge_request, path, _ = await reviewed(shared_cloister)
    (summary,) = [one for one in shared_cloister.ours(merge_request) if not one.resolvable]
    merge_request.notes.remove(summary)
    del merge_request.discussions[summary.discussion_id]
    head = shared_cloister.gitlab.server.push(merge_request, {path: "fine\n"})
    assert head[:8] in (await shared_cloister.outcome(merge_request)).summary
