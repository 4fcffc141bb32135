"""GitLab did it, but we did not hear of it, or have forgotten: what we know of our threads is made whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.state import Note
from tests.cloister import Cloister

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _behaving_again(shared_cloister: Cloister) -> Iterator[None]:
    """Take all faults back after each test."""
    yield
    shared_cloister.gitlab.server.faults.clear()


async def reviewed(cloister: Cloister) -> tuple[MergeRequest, str, Note]:
    """Return a reviewed merge request with one thread, its file, and the thread's first note."""
    name = f"lost-{next(_numbers)}"
    path = f"{name}.py"
    merge_request = cloister.gitlab.server.open_merge_request(cloister.gitlab.project, name, {path: FLAW})
    outcome = await cloister.outcome(merge_request)
    assert [(path, 2)] == outcome.lines
    (note,) = [note for note in cloister.ours(merge_request) if note.resolvable]
    return merge_request, path, note


async def pushed(cloister: Cloister, merge_request: MergeRequest, path: str, text: str) -> None:
    """Push *text* and wait for its review."""
    cloister.gitlab.server.push(merge_request, {path: text})
    outcome = await cloister.outcome(merge_request)
    assert len(outcome.threads) == 1


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}])
async def test_threads_whose_publishing_was_not_answered_are_resolved_once_fixed(
    fault: dict[str, bool], shared_cloister: Cloister
) -> None:
    """The drafts became visible, so the next try posts nothing; the threads are remembered all the same."""
    shared_cloister.gitlab.server.faults.add("POST", r"/bulk_publish$", after_commit=True, **fault)
    merge_request, path, note = await reviewed(shared_cloister)
    await pushed(shared_cloister, merge_request, path, "fine\n")
    assert note.resolved_by is shared_cloister.gitlab.bot


async def test_a_resolve_that_was_not_answered_is_still_ours(shared_cloister: Cloister) -> None:
    """The thread that we resolved is opened again when the finding comes back."""
    merge_request, path, note = await reviewed(shared_cloister)
    shared_cloister.gitlab.server.faults.add("PUT", r"/discussions/\w+$", after_commit=True, drop=True)
    await pushed(shared_cloister, merge_request, path, "fine\n")
    assert note.resolved_by is shared_cloister.gitlab.bot
    await pushed(shared_cloister, merge_request, path, "fine\n" + FLAW)
    assert note.resolved_at is None


async def test_threads_that_a_restored_backup_does_not_know_are_learnt_again(
    shared_cloister: Cloister,
) -> None:
    """Nothing is posted twice while the finding stands, and the thread is resolved when it is gone."""
    merge_request, path, note = await reviewed(shared_cloister)
    await shared_cloister.fetch("DELETE FROM thread WHERE iid = $1", merge_request.iid)
    await pushed(shared_cloister, merge_request, path, "fine\n" + FLAW)
    assert note.resolved_at is None
    await pushed(shared_cloister, merge_request, path, "fine\n")
    assert note.resolved_by is shared_cloister.gitlab.bot


async def test_a_draft_that_a_restored_backup_does_not_know_is_not_published_twice(
    shared_cloister: Cloister,
) -> None:
    """Publishing makes all our drafts visible, so forgotten ones are found before."""
    merge_request, path, note = await reviewed(shared_cloister)
    merge_request.notes.remove(note)
    del merge_request.discussions[note.discussion_id]
    drafts = f"projects/{merge_request.project.id}/merge_requests/{merge_request.iid}/draft_notes"
    with shared_cloister.gitlab.client() as client:
        drafted = client.post(drafts, json={"note": note.body, "position": note.original_position})
    assert drafted.status_code == 201
    await shared_cloister.fetch(
        "UPDATE merge_request SET summary_note_id = NULL WHERE iid = $1", merge_request.iid
    )
    await pushed(shared_cloister, merge_request, path, "fine\n" + FLAW)
    assert merge_request.drafts == []


async def test_a_thread_that_we_may_not_resolve_is_resolved_once_we_may(shared_cloister: Cloister) -> None:
    """Without the right to resolve, the summary and the status tell all the same that the finding is gone."""
    server = shared_cloister.gitlab.server
    merge_request, path, note = await reviewed(shared_cloister)
    server.faults.add("PUT", r"/discussions/\w+$", status=403)
    await pushed(shared_cloister, merge_request, path, "fine\n")
    assert note.resolved_at is None
    assert shared_cloister.status(merge_request) == "success"
    assert merge_request.head_sha[:8] in shared_cloister.summary(merge_request)
    await pushed(shared_cloister, merge_request, path, "finer\n")
    assert note.resolved_by is shared_cloister.gitlab.bot
