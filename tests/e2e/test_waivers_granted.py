"""Findings that block pass because somebody may say so, until a day, and no longer than their code stays."""

from __future__ import annotations

import itertools
import re

import pytest

from bot.demo.gitlab import Level, MergeRequest
from bot.demo.gitlab.accounts import User
from bot.demo.gitlab.state import Note
from tests.cloister import Cloister

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"
QUIET = FLAW.rstrip() + "  # nosemgrep\n"
WISH = "until 2 weeks because the table is read-only and empty"

_numbers = itertools.count(1)


async def blocked(
    cloister: Cloister, code: str = FLAW, *, target: str = "main"
) -> tuple[MergeRequest, str, Note, str]:
    """Return a merge request that one finding blocks, its file, its thread's first note and the finding's name."""
    name = f"waive-{next(_numbers)}"
    path = f"{name}.py"
    merge_request = cloister.gitlab.server.open_merge_request(
        cloister.gitlab.project, name, {path: code}, author=cloister.gitlab.developer, target=target
    )
    outcome = await cloister.outcome(merge_request)
    assert outcome.status == "failed"
    (note,) = [note for note in cloister.ours(merge_request) if note.resolvable]
    (mark,) = cloister.markers(merge_request)
    return merge_request, path, note, mark[:8]


def maintainer(cloister: Cloister) -> User:
    """Return somebody who may grant waivers."""
    user = cloister.gitlab.server.create_user(f"lead{next(_numbers)}")
    cloister.gitlab.server.add_member(cloister.gitlab.project, user, Level.maintainer)
    return user


async def said(
    cloister: Cloister, merge_request: MergeRequest, body: str, *, user: User, below: Note | None = None
) -> list[str]:
    """Write a comment and return what Cloister has said since, its summary apart."""
    server = cloister.gitlab.server
    before = {note.id for note in cloister.ours(merge_request)}
    if below is None:
        server.comment(merge_request, body, user=user)
    else:
        server.reply(merge_request, below.discussion_id, body, user=user)
    await cloister.idle()
    assert server.unknown_requests == []
    assert server.quick_actions == []
    return [note.body for note in cloister.ours(merge_request) if note.id not in before]


async def scans(cloister: Cloister, merge_request: MergeRequest) -> int:
    """Return how many scans were asked for."""
    ((count,),) = await cloister.fetch(
        "SELECT count(*) FROM event WHERE stage = 'scan' AND key LIKE $1", f"%:{merge_request.iid}"
    )
    return int(count)


async def deeds(cloister: Cloister, merge_request: MergeRequest) -> list[tuple[str, str]]:
    """Return the trail of the waivers of a merge request."""
    rows = await cloister.fetch(
        "SELECT deed, body->>'source' AS source FROM waiver_event WHERE iid = $1 ORDER BY number",
        merge_request.iid,
    )
    return [(row["deed"], row["source"]) for row in rows]


async def test_a_waiver_opens_the_gate_without_a_scan_until_the_code_changes(
    shared_cloister: Cloister,
) -> None:
    """A move of the code, to another line and another file, keeps it; another line of code is another matter."""
    lead = maintainer(shared_cloister)
    merge_request, path, note, name = await blocked(shared_cloister)
    before = await scans(shared_cloister, merge_request)
    (answer,) = await said(shared_cloister, merge_request, f"@cloister waive {WISH}", user=lead, below=note)
    assert f"Granted: `{name}` passes the gate until 20" in answer
    assert shared_cloister.status(merge_request) == "success"
    assert await scans(shared_cloister, merge_request) == before
    assert "Waived (1):" in shared_cloister.summary(merge_request)
    moved = f"moved-{path}"
    shared_cloister.gitlab.server.push(merge_request, {path: None, moved: "import os\n\n\n" + FLAW})
    assert (await shared_cloister.outcome(merge_request)).status == "success"
    shared_cloister.gitlab.server.push(merge_request, {moved: FLAW.replace("users", "accounts")})
    outcome = await shared_cloister.outcome(merge_request)
    assert outcome.status == "failed"
    assert "Waived" not in outcome.summary
    assert [("granted", "comment"), ("revoked", "review")] == await deeds(shared_cloister, merge_request)


async def test_a_waiver_ends_with_its_day(shared_cloister: Cloister) -> None:
    """The verdict is made anew by itself, and the thread says so."""
    lead = maintainer(shared_cloister)
    merge_request, _, note, name = await blocked(shared_cloister)
    answers = await said(shared_cloister, merge_request, f"@cloister waive {name} {WISH}", user=lead)
    assert any(re.match(r"Waived until 20\S+ by `lead\d+`: the table", answer) for answer in answers)
    assert shared_cloister.status(merge_request) == "success"
    await shared_cloister.fetch(
        "UPDATE waiver_event SET body = jsonb_set(body, '{until}', '\"2020-01-01\"') WHERE iid = $1",
        merge_request.iid,
    )
    await shared_cloister.fetch(
        "UPDATE delayed_event SET due_at = now() WHERE kind = 'verdict.outdated' AND key LIKE $1",
        f"%:{merge_request.iid}",
    )
    await shared_cloister.until(lambda: shared_cloister.status(merge_request) == "failed")
    last = merge_request.discussions[note.discussion_id][-1].body
    assert last.startswith("Not waived any more: it blocks again.")


async def test_a_developer_asks_and_a_maintainer_grants(shared_cloister: Cloister) -> None:
    """By naming the finding alone; who asked may take it back."""
    lead, developer = maintainer(shared_cloister), shared_cloister.gitlab.developer
    merge_request, _, note, name = await blocked(shared_cloister)
    (answer,) = await said(
        shared_cloister, merge_request, f"@cloister waive {WISH}", user=developer, below=note
    )
    assert "is asked for" in answer
    assert shared_cloister.status(merge_request) == "failed"
    assert "Waivers asked for (1):" in shared_cloister.summary(merge_request)
    await said(shared_cloister, merge_request, f"@cloister waive {name}", user=lead)
    assert shared_cloister.status(merge_request) == "success"
    await said(shared_cloister, merge_request, f"@cloister unwaive {name}", user=developer)
    assert shared_cloister.status(merge_request) == "failed"
    assert ["asked", "granted", "withdrawn"] == [
        deed for deed, _ in await deeds(shared_cloister, merge_request)
    ]


async def test_a_comment_in_the_code_asks_for_a_waiver(shared_cloister: Cloister) -> None:
    """It hides nothing: there is a thread on the line, and a person grants it there. The merge takes it along."""
    lead = maintainer(shared_cloister)
    merge_request, _, note, _ = await blocked(shared_cloister, QUIET)
    assert "A comment in the code asks to ignore this." in note.body
    assert "Waivers asked for (1):" in shared_cloister.summary(merge_request)
    await said(shared_cloister, merge_request, f"@cloister waive {WISH}", user=lead, below=note)
    assert shared_cloister.status(merge_request) == "success"
    shared_cloister.gitlab.server.merge(merge_request)
    await shared_cloister.idle()
    assert [("asked", "code"), ("granted", "comment"), ("merged", "review")] == await deeds(
        shared_cloister, merge_request
    )


async def test_a_waiver_does_not_follow_to_another_branch(shared_cloister: Cloister) -> None:
    """Whose policy did not allow it; though the hook that tells of the branch is lost."""
    gitlab, lead = shared_cloister.gitlab, maintainer(shared_cloister)
    gitlab.server.commit(gitlab.project, "mild", {"mild.txt": "nothing\n"})
    merge_request, _, note, _ = await blocked(shared_cloister, target="mild")
    await said(shared_cloister, merge_request, f"@cloister waive {WISH}", user=lead, below=note)
    assert shared_cloister.status(merge_request) == "success"
    merge_request.target_branch = "main"
    gitlab.server.label(merge_request, "urgent")
    await shared_cloister.idle()
    assert (await shared_cloister.outcome(merge_request)).status == "failed"
    assert [("granted", "comment"), ("revoked", "review")] == await deeds(shared_cloister, merge_request)
