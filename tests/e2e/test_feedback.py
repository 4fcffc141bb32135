"""What people do with our comments becomes signals, whether a hook tells of it or not."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.dashboard_postgres import PostgresDashboard
from bot.adapters.postgres import close_pool, connect_pool
from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.state import Note
from bot.domain.dashboard import Dimension, Filters
from bot.gitlab.instance import instance_name
from tests.cloister import Cloister
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"
MENDED = 'def find(db, name):\n    return db.execute("SELECT * FROM users WHERE name = ?", (name,))\n'

_numbers = itertools.count(1)


async def commented(cloister: Cloister) -> tuple[MergeRequest, str, Note]:
    """Return a reviewed merge request with one thread, its file, and the thread's first note."""
    name = f"feedback-{next(_numbers)}"
    path = f"{name}.py"
    merge_request = cloister.gitlab.server.open_merge_request(
        cloister.gitlab.project, name, {path: FLAW}, author=cloister.gitlab.developer
    )
    await cloister.reviewed(merge_request)
    (note,) = [note for note in cloister.ours(merge_request) if note.resolvable]
    return merge_request, path, note


async def looked(cloister: Cloister, merge_request: MergeRequest) -> list[dict[str, Any]]:
    """Have Cloister look now, and return all signals in the order in which they were seen."""
    await cloister.idle()
    where = "instance <> '' AND project_id = $1 AND iid = $2"
    which = merge_request.project.id, merge_request.iid
    await cloister.fetch(
        f"UPDATE feedback_watch SET next_at = now(), expected_at = NULL, claimed_at = NULL WHERE {where}",
        *which,
    )
    claimed = f"SELECT FROM feedback_watch WHERE {where} AND claimed_at IS NOT NULL"
    await until(lambda: cloister.fetch(claimed, *which), "nobody looked")
    await cloister.idle()
    rows = await cloister.fetch(
        "SELECT s.* FROM signal s JOIN merge_request m ON m.id = s.merge_request_id"
        " WHERE m.project_id = $1 AND m.iid = $2 ORDER BY s.seen_at, s.at",
        *which,
    )
    return [dict(row) | {"detail": json.loads(row["detail"] or "{}")} for row in rows]


def told(signals: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return kind and source of each."""
    return sorted((one["kind"], one["source"]) for one in signals)


async def test_what_people_say_and_click_is_kept(shared_cloister: Cloister) -> None:
    """Reactions come by hook; replies, and who resolved what, are seen when we look, once however often that is."""
    gitlab = shared_cloister.gitlab
    merge_request, _, note = await commented(shared_cloister)
    award = gitlab.server.react(merge_request, note, "thumbsdown", user=gitlab.developer)
    gitlab.server.revoke_reaction(merge_request, note, award)
    gitlab.server.reply(merge_request, note.discussion_id, "This is a false positive.", user=gitlab.developer)
    gitlab.server.resolve(merge_request, note.discussion_id, user=gitlab.developer)
    signals = await looked(shared_cloister, merge_request)
    assert await looked(shared_cloister, merge_request) == signals
    assert told(signals) == [
        ("reaction_added", "hook"),
        ("reaction_removed", "hook"),
        ("reply", "poll"),
        ("resolved", "poll"),
    ]
    assert {one["actor_id"] for one in signals} == {gitlab.developer.id}
    assert all(one["actor_is_author"] and not one["actor_is_bot"] for one in signals)
    (reply,) = [one for one in signals if one["kind"] == "reply"]
    assert reply["reply"] == "wrong"
    assert (await shared_cloister.fetch("SELECT note_id FROM comment WHERE note_id = $1", note.id)) != []
    reviews = await shared_cloister.fetch(
        "SELECT author_id FROM review_fact WHERE iid = $1", merge_request.iid
    )
    assert {one["author_id"] for one in reviews} == {gitlab.developer.id}


async def test_a_comment_that_leads_to_a_fix_is_followed_to_the_merge(shared_cloister: Cloister) -> None:
    """The push changes the lines, the scan of it says that the finding is mended, and so does the last one."""
    gitlab = shared_cloister.gitlab
    merge_request, path, _ = await commented(shared_cloister)
    gitlab.server.push(merge_request, {"other.txt": "other\n"})
    await shared_cloister.reviewed(merge_request)
    assert [] == told(await looked(shared_cloister, merge_request))
    head = gitlab.server.push(merge_request, {path: "import os\n\n" + MENDED})
    await shared_cloister.reviewed(merge_request)
    signals = await looked(shared_cloister, merge_request)
    assert [("changed", "git"), ("resolved", "poll")] == told(signals)
    changed, resolved = sorted(signals, key=lambda one: one["kind"])
    assert changed["judged"] is True
    assert changed["detail"]["head"] == head
    assert resolved["actor_is_bot"]
    gitlab.server.merge(merge_request, user=gitlab.developer)
    signals = await looked(shared_cloister, merge_request)
    assert [("gone", "rescan"), ("merged", "poll")] == told(signals)[1:3]
    assert await shared_cloister.fetch(
        "SELECT FROM feedback_watch WHERE state = 'merged' AND iid = $1", merge_request.iid
    )


async def test_what_is_merged_as_it_was_is_told_apart(shared_cloister: Cloister) -> None:
    """Somebody ignores the comment by command and merges anyway: nothing changed and nothing is gone."""
    gitlab = shared_cloister.gitlab
    merge_request, _, note = await commented(shared_cloister)
    gitlab.server.reply(
        merge_request, note.discussion_id, "@cloister ignore the names are ours", user=gitlab.developer
    )
    await shared_cloister.idle()
    gitlab.server.merge(merge_request, user=gitlab.developer)
    signals = await looked(shared_cloister, merge_request)
    assert [("ignored", "command"), ("merged", "poll"), ("reply", "poll"), ("resolved", "poll")] == told(
        signals
    )
    assert "ours" not in str(signals)


async def figures(cloister: Cloister) -> tuple[int, int]:
    """Return how many comments the dashboard calls disliked, and how many it labels as rejected."""
    clock, project = SystemClock(), cloister.gitlab.project.id
    today = clock.now().date()
    window = Filters(frozenset({project}), since=today - timedelta(days=1), until=today)
    pool = await connect_pool(cloister.database_url, size=1)
    try:
        instance = instance_name(str(cloister.settings.gitlab_url))
        views = PostgresDashboard(pool, instance, clock)
        shown = await views.acceptance(window, Dimension.category)
    finally:
        await close_pool(pool)
    return (
        sum(row.downvoted for row in shown.rows),
        sum(row.labels.rejected_strong for row in shown.rows),
    )


async def showing(cloister: Cloister, expected: tuple[int, int]) -> None:
    """Wait until the dashboard shows *expected*."""
    await until(lambda: figures(cloister), f"not {expected}", wanted=lambda found: found == expected)


async def settled(cloister: Cloister) -> tuple[int, int]:
    """Return the figures once all that happened before is in them."""
    await cloister.counted()
    return await figures(cloister)


async def test_figures_follow_within_seconds_and_the_merge_freezes_them(shared_cloister: Cloister) -> None:
    """A thumbs-down is counted at once; the merge makes it a label that stays."""
    gitlab = shared_cloister.gitlab
    disliked, rejected = await settled(shared_cloister)
    merge_request, _, note = await commented(shared_cloister)
    gitlab.server.react(merge_request, note, "thumbsdown", user=gitlab.developer)
    await showing(shared_cloister, (disliked + 1, rejected))
    gitlab.server.merge(merge_request, user=gitlab.developer)
    await looked(shared_cloister, merge_request)
    await showing(shared_cloister, (disliked + 1, rejected + 1))
    ((frozen,),) = await shared_cloister.fetch(
        "SELECT frozen_at IS NOT NULL FROM label JOIN comment c ON c.id = comment_id WHERE c.note_id = $1",
        note.id,
    )
    assert frozen


async def test_what_the_model_has_found_is_judged_at_the_merge(shared_cloister: Cloister) -> None:
    """By a model that sees the final code; what it proves to be mended is an acceptance on the dashboards."""
    gitlab = shared_cloister.gitlab
    server, name = gitlab.server, f"feedback-{next(_numbers)}"
    # No rule of a scanner knows this one.
    code = "def mean(rows):\n    return sum(rows) / {}\n"
    merge_request = server.open_merge_request(
        gitlab.project, name, {f"{name}.py": code.format("len(rows)")}, author=gitlab.developer
    )
    await shared_cloister.outcome(merge_request)
    server.push(merge_request, {f"{name}.py": code.format("max(len(rows), 1)")})
    await shared_cloister.outcome(merge_request)
    server.merge(merge_request, user=gitlab.developer)
    signals = await looked(shared_cloister, merge_request)
    (gone,) = [one for one in signals if one["kind"] == "gone"]
    assert ("model", True) == (gone["source"], gone["judged"])
    await settled(shared_cloister)
    ((label,),) = await shared_cloister.fetch(
        "SELECT label FROM label JOIN comment c ON c.id = comment_id WHERE c.iid = $1", merge_request.iid
    )
    assert label == "accepted_strong"
