"""Comments on the demo server: positions, threads, drafts, quick actions, suggestions."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from bot.demo.gitlab import Level, MergeRequest
from bot.demo.gitlab.bodies import commands, side_effects, suggestions
from tests.gitlab import GitLab

OLD = [f"line {n}" for n in range(1, 41)]
NEW = [*OLD[:9], "changed", "added", *OLD[10:20], *OLD[21:]]


def text(lines: list[str]) -> str:
    """Return lines as a file."""
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture
def merge_request(gitlab: GitLab) -> MergeRequest:
    """Return a merge request that changes line 10, adds one after it and removes line 21."""
    return gitlab.server.open_merge_request(
        gitlab.project, changes={"app.py": text(NEW), "new.py": "a\nb\n"}, author=gitlab.developer
    )


@pytest.fixture
def api(gitlab: GitLab, merge_request: MergeRequest):
    """Return a client whose base is the merge request."""
    with gitlab.client() as client:
        client.base_url = f"{gitlab.server.url}/api/v4/projects/{gitlab.project.id}/merge_requests/1/"
        yield client


def shown(api: httpx.Client) -> dict[str, Any]:
    """Return the merge request."""
    answer: dict[str, Any] = api.get(str(api.base_url).rstrip("/")).json()
    return answer


def position(api: httpx.Client, old: int | None, new: int | None, **more: Any) -> dict[str, Any]:
    """Return a position in app.py at the current head."""
    refs = shown(api)["diff_refs"]
    return {
        **refs,
        "position_type": "text",
        "old_path": "app.py",
        "new_path": "app.py",
        "old_line": old,
        "new_line": new,
        **more,
    }


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (None, 10, 201),
        (None, 11, 201),
        (10, None, 201),
        (21, None, 201),
        (9, 9, 201),
        (11, 12, 201),
        (1, 1, 201),
        (40, 40, 201),
        (16, 17, 201),
        (10, 10, 400),
        (11, 11, 400),
        (None, 9, 400),
        (9, None, 400),
        (41, 41, 400),
        (None, None, 400),
        (0, 0, 400),
    ],
)
def test_positions(api: httpx.Client, old: int | None, new: int | None, status: int) -> None:
    """Only the exact pair of numbers of a line is taken, also outside the hunks."""
    answer = api.post("discussions", json={"body": "Hm", "position": position(api, old, new)})
    assert status == answer.status_code
    if status == 400:
        assert 'must be a valid line code"]' in answer.json()["message"]


def test_refusals_have_their_shapes(api: httpx.Client) -> None:
    """Missing parameters come under error, refused notes under message."""
    place = position(api, None, 10)
    del place["base_sha"]
    answer = api.post("discussions", json={"body": "Hm", "position": place})
    assert (400, {"error": "position[base_sha] is missing"}) == (answer.status_code, answer.json())
    answer = api.post("discussions", json={"body": "Hm", "position": position(api, None, 10, old_path=None)})
    assert "position" in answer.json()["message"]
    assert "is incomplete" in answer.json()["message"]
    for wrong in ({"head_sha": "0" * 40}, {"head_sha": "--output=x"}, {"new_path": "nowhere.py"}):
        answer = api.post("discussions", json={"body": "Hm", "position": position(api, None, 10, **wrong)})
        assert 400 == answer.status_code
    assert {"error": "body is missing"} == api.post("notes", json={}).json()


def test_line_ranges_need_real_line_codes(api: httpx.Client) -> None:
    """Both ends name lines of the diff and the end is the commented line."""
    sha = hashlib.sha1(b"app.py", usedforsecurity=False).hexdigest()
    start = {"line_code": f"{sha}_9_9", "type": None, "old_line": 9, "new_line": 9}
    end = {"line_code": f"{sha}_11_11", "type": "new", "new_line": 11}
    for first, last, status in ((start, end, 201), (start, start, 400), ({"type": "new"}, end, 400)):
        place = position(api, None, 11, line_range={"start": first, "end": last})
        assert status == api.post("discussions", json={"body": "Hm", "position": place}).status_code


def test_preparing_merge_requests_refuse_positions(gitlab: GitLab) -> None:
    """Before the first diff there are no refs, no versions, and no place for a diff note."""
    mr = gitlab.server.open_merge_request(gitlab.project, changes={"b": "x\n"}, prepared=False)
    base = f"projects/{gitlab.project.id}/merge_requests/{mr.iid}"
    with gitlab.client() as client:
        early = client.get(base).json()
        assert (None, None, None) == (early["diff_refs"], early["changes_count"], early["prepared_at"])
        assert [] == client.get(f"{base}/versions").json()
        place = dict.fromkeys(("base_sha", "start_sha", "head_sha"), "1" * 40)
        place |= {"position_type": "text", "old_path": "b", "new_path": "b", "new_line": "1"}
        answer = client.post(f"{base}/discussions", json={"body": "Hm", "position": place})
        assert "doesn't support new-style diff notes" in answer.json()["message"]
        gitlab.server.finish_preparing(mr)
        assert "1" == client.get(base).json()["changes_count"]


def test_positions_follow_a_push(gitlab: GitLab, api: httpx.Client, merge_request: MergeRequest) -> None:
    """A surviving line moves with the code, a lost one keeps its place, stale heads are still taken."""
    stale = position(api, None, 10)
    for new in (10, 11):
        api.post("discussions", json={"body": "Hm", "position": position(api, None, new)})
    head = gitlab.server.push(merge_request, {"app.py": text(["top", *NEW[:10], "else", *NEW[11:]])})
    kept, lost = (thread["notes"][0] for thread in api.get("discussions").json())
    assert (11, head) == (kept["position"]["new_line"], kept["position"]["head_sha"])
    assert (11, stale["head_sha"]) == (lost["position"]["new_line"], lost["position"]["head_sha"])
    late = api.post("discussions", json={"body": "Hm", "position": stale}).json()["notes"][0]
    assert 11 == late["position"]["new_line"]


def test_quick_actions_are_run_and_remembered(gitlab: GitLab, api: httpx.Client) -> None:
    """A body of commands makes no note; commands within text, fences or after a CR act all the same."""
    answer = api.post("notes", json={"body": "/close"})
    assert (202, {"state_event": "close"}) == (answer.status_code, answer.json()["commands_changes"])
    assert "closed" == shown(api)["state"]
    api.post("discussions", json={"body": "```\n\r/reopen\n```"})
    assert "opened" == shown(api)["state"]
    assert [("close", True), ("reopen", True)] == [(a.command, a.known) for a in gitlab.server.quick_actions]


def test_a_resolved_thread_is_opened_by_a_published_reply(gitlab: GitLab, api: httpx.Client) -> None:
    """Resolving works for developers; a draft reply without resolve_discussion undoes it."""
    thread = api.post("discussions", json={"body": "Hm"}).json()["id"]
    assert api.put(f"discussions/{thread}", json={"resolved": True}).json()["notes"][0]["resolved"]
    api.post("draft_notes", json={"note": "But", "in_reply_to_discussion_id": thread})
    assert 204 == api.post("draft_notes/bulk_publish").status_code
    assert [False, False] == [n["resolved"] for n in api.get(f"discussions/{thread}").json()["notes"]]
    gitlab.server.add_member(gitlab.project, gitlab.bot, Level.reporter)
    assert 403 == api.put(f"discussions/{thread}", params={"resolved": "true"}).status_code


def test_drafts_belong_to_their_author_and_go_out_together(gitlab: GitLab, api: httpx.Client) -> None:
    """Others see no drafts; one bad position stops the whole publication with a bare 500."""
    ids = [
        api.post("draft_notes", json={"note": f"n{new}", "position": position(api, None, new)}).json()["id"]
        for new in (10, 11, 12)
    ]
    with gitlab.client(gitlab.server.create_token(gitlab.developer)) as other:
        assert [] == other.get(str(api.base_url) + "draft_notes").json()
    assert 500 == api.post("draft_notes/bulk_publish").status_code
    assert 3 == len(api.get("draft_notes").json())
    assert {"error": "note is missing"} == api.put(f"draft_notes/{ids[0]}", json={}).json()
    assert api.put(f"draft_notes/{ids[0]}", json={"note": "n"}).json()["position"] is None
    assert 204 == api.delete(f"draft_notes/{ids[2]}").status_code
    assert 204 == api.post("draft_notes/bulk_publish").status_code
    assert ["n", "n11"] == [thread["notes"][0]["body"] for thread in api.get("discussions").json()]


def test_suggestions_are_applied_in_the_name_of_their_author(
    gitlab: GitLab, api: httpx.Client, merge_request: MergeRequest
) -> None:
    """The commit is written by the bot, made by the applier, and moves the branch."""
    body = "Try\n````suggestion:-1+0\nbetter\n````\n```suggestion:-150+0\nx\n```"
    note = api.post("discussions", json={"body": body, "position": position(api, None, 11)}).json()["notes"][
        0
    ]
    small, clamped = note["suggestions"]
    assert (10, 11, True) == (small["from_line"], small["to_line"], small["appliable"])
    assert 1 == clamped["from_line"]
    oldrev = merge_request.head_sha
    gitlab.server.apply_suggestion(small["id"], user=gitlab.developer)
    commit = gitlab.project.repository.commit_info(merge_request.head_sha)
    assert commit is not None
    assert ("Review bot", "Dev Eloper") == (commit["author_name"], commit["committer_name"])
    assert "Apply 1 suggestion(s) to 1 file(s)" == commit["message"].strip()
    assert oldrev == commit["parents"]
    applied = api.get(f"notes/{note['id']}").json()["suggestions"][0]
    assert (True, False) == (applied["applied"], applied["appliable"])
    assert 400 == api.put(f"{gitlab.server.url}/api/v4/suggestions/{small['id']}/apply").status_code
    edited = api.put(f"notes/{note['id']}", json={"body": body + "!"}).json()["suggestions"][0]
    assert (False, True) == (edited["applied"], edited["id"] != small["id"])


def test_plain_notes_cannot_be_resolved_and_replies_make_threads(api: httpx.Client) -> None:
    """POST notes blocks no merge; a reply turns it into a thread."""
    note = api.post("notes", json={"body": "Summary"}).json()
    assert (None, False) == (note["type"], note["resolvable"])
    thread = api.get("discussions").json()[0]
    assert thread["individual_note"]
    api.post(f"discussions/{thread['id']}/notes", json={"body": "And"})
    assert not api.get("discussions").json()[0]["individual_note"]


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ("hello @dev and !12", {"mention", "reference"}),
        ("`@dev` and ```\n#1", {"reference"}),
        ("```\n@dev #1 ![x](y)\n```", set()),
        (r"\@dev \#1 \![x]", set()),
        ("&#64;dev", {"mention"}),
        ("![x](http://a.test/b)", {"image", "link"}),
        ("<b>x</b> www.a.test", {"html", "link"}),
        ("mail me@dev.test <!-- @dev #1 -->", set()),
    ],
)
def test_side_effects(body: str, kinds: set[str]) -> None:
    """What a body does to others is seen outside of code only."""
    assert kinds == {effect.kind for effect in side_effects(1, body)}


def test_commands_and_suggestions_are_read_from_bodies() -> None:
    """Unknown commands stay in the text, offsets are clamped, longer fences protect shorter ones."""
    assert ([("close", ""), ("usr", "")], "a\n/usr") == commands("a\n/close\n/usr")
    assert [] == commands(r"\/close" + "\n see /close\n//x")[0]
    (block,) = suggestions("````suggestion:-101+3\n```\ncode\n```\n````")
    assert (100, 3, "```\ncode\n```") == (block.above, block.below, block.content)


def test_the_old_path_of_an_added_file_may_break(gitlab: GitLab, api: httpx.Client) -> None:
    """With the oddity switched on, the old path of a new file answers 500 and leaving it out works."""
    gitlab.server.instance.core.positions.old_path_of_added_file_breaks = True
    for old_path, status in (("new.py", 500), (None, 201)):
        place = position(api, None, 1, old_path=old_path, new_path="new.py")
        assert status == api.post("discussions", json={"body": "Hm", "position": place}).status_code


@pytest.mark.parametrize("gitlab", ["16.11"], indirect=True)
def test_old_releases_print_refusals_as_old_ruby_does(api: httpx.Client) -> None:
    """The hash inside the message changed its notation with Ruby 3.4."""
    answer = api.post("discussions", json={"body": "Hm", "position": position(api, 1, None)})
    assert '400 Bad request - Note {:line_code=>["can\'t be blank"' in answer.json()["message"]
