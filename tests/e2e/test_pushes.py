"""A push is reviewed for what it changes; what was said before stays with its code, and nothing is said twice."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from bot.demo.gitlab import MergeRequest
from bot.demo.gitlab.state import Note
from bot.demo.planted import planted_review
from bot.demo.script import Reply
from tests.cloister import Cloister, Outcome

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEFECT = "    for i in range(len(values) + 1):\n"
#: Semgrep's and the model's; the scanner's stands alone, since both say the same.
FLAW = "def find(db, name):\n    return db.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"

_numbers = itertools.count(1)


def steps(name: str, count: int = 30) -> str:
    """Return lines in which there is nothing to see, each of its own."""
    return "".join(f"    {name}_{number} = load({number})\n" for number in range(count))


class Story:
    """A merge request of one's own, and what the model was asked about it."""

    def __init__(self, cloister: Cloister, changes: Mapping[str, str | None]) -> None:
        self.cloister = cloister
        self.server = cloister.gitlab.server
        self.name = f"push-{next(_numbers)}"
        self.merge_request: MergeRequest = self.server.open_merge_request(
            cloister.gitlab.project, self.name, changes
        )
        self._asked = len(cloister.ollama.requests)

    async def outcome(self) -> Outcome:
        """Wait for the review of the newest head; nothing may stand there twice."""
        return await self.cloister.outcome(self.merge_request)

    def asked(self) -> str:
        """Return what the model was asked since the last call of this, finding passes only."""
        prompts = [_prompt(request) for request in self.cloister.ollama.requests[self._asked :]]
        self._asked = len(self.cloister.ollama.requests)
        return "\n".join(prompts)


def _prompt(request: Mapping[str, Any]) -> str:
    finds = "findings" in request["format"]["properties"]
    return str(request["messages"][-1]["content"]) if finds else ""


async def test_a_push_is_asked_about_alone(shared_cloister: Cloister) -> None:
    """The model sees the lines of the push; what it said about the others stands where they stand now."""
    first = f"def one(values):\n{steps('one')}{DEFECT}{steps('two')}"
    story = Story(shared_cloister, {"a.txt": first, "b.txt": f"def b(values):\n{steps('b')}{DEFECT}"})
    assert [("a.txt", 32), ("b.txt", 32)] == (await story.outcome()).lines
    story.asked()

    late = f"def three(values):\n{DEFECT.replace('values', 'others')}"
    head = story.server.push(story.merge_request, {"a.txt": f"import os\n{first}{late}"})
    outcome = await story.outcome()
    asked = story.asked()
    assert "import os" in asked
    assert "others" in asked
    assert "one_5" not in asked
    assert "b.txt" not in asked
    assert 3 == len(outcome.threads)
    assert all(not thread["resolved"] for thread in outcome.threads)
    assert f"a.txt:33`](http://{story.server.url.partition('//')[2]}" in outcome.summary
    assert head[:8] in outcome.summary


async def test_a_rebase_without_a_change_asks_nothing(shared_cloister: Cloister) -> None:
    """New commits, the same change: threads stay, wherever their lines stand now; a force-push is no different."""
    server, project = shared_cloister.gitlab.server, shared_cloister.gitlab.project
    path = f"rebased-{next(_numbers)}.txt"
    base, change = steps("base", 12), f"def one(values):\n{DEFECT}"
    server.commit(project, project.default_branch, {path: base})
    story = Story(shared_cloister, {path: base + change, "c.py": FLAW})
    before = await story.outcome()
    assert [("c.py", 2), (path, 14)] == before.lines
    story.asked()

    server.commit(project, project.default_branch, {path: f"theirs\n{base}"})
    now = {path: f"theirs\n{base}{change}"}
    for move in (
        lambda: server.rebase(story.merge_request, now),
        lambda: server.force_push(story.merge_request, {**now, "c.py": FLAW}, "Say it better"),
    ):
        head = move()
        after = await story.outcome()
        assert "" == story.asked()
        assert head[:8] in after.summary
        assert f"{path}:15" in after.summary
        assert [thread["id"] for thread in before.threads] == [thread["id"] for thread in after.threads]
        assert [False, False] == [thread["resolved"] for thread in after.threads]


def _notes(story: Story) -> list[Note]:
    """Return our notes in threads, opening ones first."""
    ours = [note for note in story.cloister.ours(story.merge_request) if note.resolvable]
    return sorted(
        ours, key=lambda note: (note is not story.merge_request.discussions[note.discussion_id][0], note.id)
    )


async def test_a_fixed_finding_is_resolved_with_one_note(shared_cloister: Cloister) -> None:
    """Also when GitLab fails between the note and the resolving; what is back is told in the same thread."""
    server = shared_cloister.gitlab.server
    story = Story(shared_cloister, {"c.py": FLAW})
    await story.outcome()
    server.faults.add("PUT", rf"/merge_requests/{story.merge_request.iid}/discussions/", status=502, times=2)
    said = []
    for text, resolved in (("fine = 1\n", True), ("fine = 2\n", True), (FLAW, False), ("fine = 3\n", True)):
        head = server.push(story.merge_request, {"c.py": text})
        await story.outcome()
        opening, *replies = _notes(story)
        assert resolved is (opening.resolved_at is not None)
        if text != "fine = 2\n":
            said.append(f"{'Fixed: not found any more' if resolved else 'Found again'} in `{head[:8]}`.")
        assert said == [note.body.split("\n\n")[0] for note in replies]
    assert opening.resolved_by is shared_cloister.gitlab.bot


async def test_a_file_that_is_renamed_keeps_its_threads(shared_cloister: Cloister) -> None:
    """The merge request adds it, so its diff knows nothing of the old name."""
    story = Story(
        shared_cloister,
        {"old.py": FLAW + steps("old"), "old.txt": f"def one(values):\n{steps('one')}{DEFECT}"},
    )
    before = await story.outcome()
    story.asked()
    story.server.push(
        story.merge_request,
        {
            "old.py": None,
            "old.txt": None,
            "new.py": f"import db\n{FLAW}{steps('old')}",
            "new.txt": f"def one(values):\n{steps('one')}{DEFECT}",
        },
    )
    after = await story.outcome()
    assert "old_5" not in story.asked()
    assert [thread["id"] for thread in before.threads] == [thread["id"] for thread in after.threads]
    assert [False, False] == [thread["resolved"] for thread in after.threads]
    assert "new.py:3" in after.summary

    story.server.push(story.merge_request, {"new.py": "fine = 1\n"})
    after = await story.outcome()
    assert {"new.py": True, "new.txt": False} == {
        thread["position"]["new_path"]: thread["resolved"] for thread in after.threads
    }


@pytest.mark.parametrize("end", ["push", "close"])
async def test_what_was_declined_is_not_raised_in_the_project_until_it_expires(
    shared_cloister: Cloister, end: str
) -> None:
    """By resolving its thread in one merge request, also when nothing is pushed there afterwards; it closes the gate."""
    path, gitlab = f"declined-{next(_numbers)}.py", shared_cloister.gitlab
    story = Story(shared_cloister, {path: FLAW})
    await story.outcome()
    gitlab.server.resolve(story.merge_request, _notes(story)[0].discussion_id, user=gitlab.developer)
    if end == "push":
        gitlab.server.push(story.merge_request, {"other.txt": "more\n"})
        await story.outcome()
    else:
        gitlab.server.close_merge_request(story.merge_request)
        await shared_cloister.idle()

    again = await Story(shared_cloister, {path: f"import db\n\n{FLAW}"}).outcome()
    assert ([], "failed") == (again.threads, again.status)
    assert f"declined in merge request {story.merge_request.iid}" in again.summary
    (row,) = await shared_cloister.fetch(
        "UPDATE declined_finding SET until = now() WHERE iid = $1 RETURNING *", story.merge_request.iid
    )
    assert gitlab.developer.id == row["user_id"]
    assert [(path, 2)] == (await Story(shared_cloister, {path: FLAW}).outcome()).lines


async def test_an_explanation_is_added_to_a_thread_that_stands_already(shared_cloister: Cloister) -> None:
    """The scanner's thread does not wait for a slow model; its note is edited once, and there is no second one."""
    # Of its own: what was answered before comes at once.
    asked, path = threading.Event(), f"late-{next(_numbers)}.py"

    def slow(request: Mapping[str, Any]) -> Reply:
        asked.wait(100)
        return planted_review(request)

    shared_cloister.ollama.script = slow
    try:
        story = Story(shared_cloister, {path: FLAW})
        await shared_cloister.until(lambda: len(_notes(story)) == 1)
        (note,) = _notes(story)
        assert "Why it matters here" not in note.body
    finally:
        asked.set()
        shared_cloister.ollama.script = planted_review
    await story.outcome()
    assert [note] == _notes(story)
    assert 1 == note.body.count("**Why it matters here:** ")
    before = note.updated_at
    story.server.push(story.merge_request, {path: f"import db\n{FLAW}"})
    await story.outcome()
    assert ([note], before) == (_notes(story), note.updated_at)


def _function(name: str, change: str = "") -> str:
    return (
        f"def {name}(order, stock):\n    total = 0\n    for item in order.items:\n"
        f"        price = stock.price_of(item.name, '{name}')\n        if price is None:\n"
        f"            raise LookupError(item.name)\n        total += price * item.count{change}\n"
        f"    order.total = total\n    return order\n\n\n"
    )


async def test_a_push_of_a_tenth_costs_less_than_a_fifth(shared_cloister: Cloister) -> None:
    """Tokens of the whole review, instructions included; one of ten functions changes in each of ten files."""
    files = {f"price{file}.py": [f"price_{file}_{number}" for number in range(10)] for file in range(10)}
    story = Story(shared_cloister, {path: "".join(map(_function, names)) for path, names in files.items()})
    await story.outcome()
    story.server.push(
        story.merge_request,
        {
            path: "".join(_function(name, " - item.rebate" if name == names[4] else "") for name in names)
            for path, names in files.items()
        },
    )
    await story.outcome()
    first, second = [
        row["tokens"]
        for row in await shared_cloister.fetch(
            "SELECT (body->'steps'->'review'->'tokens')::int AS tokens FROM review_run"
            " WHERE project_id = $1 AND iid = $2 ORDER BY created_at",
            story.merge_request.project.id,
            story.merge_request.iid,
        )
    ]
    assert second < first / 5
