"""The GitLab adapter sends exactly the documented requests and maps every way they can fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot.adapters.forge_gitlab import GitLabForge
from bot.domain.errors import CloisterError, Permanent, Refused, Transient
from bot.domain.forge import ForgeDraft, ForgeMergeRequest, ForgePipeline, PositionRefused
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.gitlab.errors import TokenRejected
from tests.unit.gitlab.scripted import Script

REF = MergeRequestRef(instance="gitlab.example", project_id=5, iid=7)
A, B, C, D = ("a" * 40, "b" * 40, "c" * 40, "d" * 40)
API = "https://gitlab.example/sub/api/v4"
MERGE_REQUEST: dict[str, Any] = {
    "id": 1,
    "iid": 7,
    "project_id": 5,
    "title": "T",
    "description": None,
    "state": "opened",
    "draft": False,
    "sha": C,
    "diff_refs": {"base_sha": A, "start_sha": B, "head_sha": C},
    "target_branch": "main",
    "source_branch": "topic",
    "source_project_id": 5,
    "head_pipeline": None,
    "web_url": "https://gitlab.example/x/-/merge_requests/7",
}
REVISION = Revision(ref=REF, base_sha=A, start_sha=B, head_sha=C)
FOUND = ForgeMergeRequest(
    REF, "T", "", "opened", False, C, REVISION, "main", "topic", 5, MERGE_REQUEST["web_url"]
)
NO_LINE = {"message": '400 Bad request - Note {:line_code=>["must be a valid line code"]}'}


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def forge(script: Script) -> AsyncIterator[GitLabForge]:
    made = GitLabForge(
        "https://gitlab.example/sub", "secret-token", timeout_s=0.2, transport=httpx.MockTransport(script)
    )
    yield made
    await made.aclose()


async def test_the_token_goes_into_a_header(forge: GitLabForge, script: Script):
    """The account is asked for once, with the token out of the address."""
    script.plan(200, {"id": 9, "username": "bot"})
    assert [(await forge.whoami()).id, (await forge.whoami()).id] == [9, 9]
    assert ("GET", f"{API}/user", None) == script.sent
    assert script.requests[0].headers["authorization"] == "Bearer secret-token"
    assert forge.calls == 1


async def test_a_jobs_token_travels_alone(forge: GitLabForge, script: Script):
    """In its own header, to our GitLab; ours stays behind."""
    script.plan(200, {"id": 3, "status": "running"})
    assert {"id": 3, "status": "running"} == await forge.api.ask_as_job("job", "a-jobs-token")
    assert ("GET", f"{API}/job", None) == script.sent
    sent = script.requests[-1].headers
    assert ("a-jobs-token", None) == (sent["job-token"], sent.get("authorization"))
    assert "secret-token" not in str(sent.raw)
    script.plan(200, b"{")
    with pytest.raises((Transient, Permanent)):
        await forge.api.ask_as_job("job", "a-jobs-token")


async def test_a_prepared_merge_request_takes_one_call(forge: GitLabForge, script: Script):
    """diff_refs make the revision."""
    script.plan(200, MERGE_REQUEST)
    assert await forge.merge_request(REF) == FOUND
    assert ("GET", f"{API}/projects/5/merge_requests/7", None) == script.sent


@pytest.mark.parametrize(
    "refs",
    [None, {}, {"base_sha": None, "start_sha": None, "head_sha": None}, {"base_sha": "", "head_sha": C}],
)
async def test_an_unprepared_merge_request_looks_at_its_versions(
    forge: GitLabForge, script: Script, refs: dict[str, str | None] | None
):
    """The newest version names the commits while diff_refs is empty."""
    script.plan(200, MERGE_REQUEST | {"diff_refs": refs})
    script.plan(200, [{"base_commit_sha": A, "start_commit_sha": B, "head_commit_sha": C}])
    assert await forge.merge_request(REF) == FOUND
    assert script.sent[1] == f"{API}/projects/5/merge_requests/7/versions?per_page=1"


@pytest.mark.parametrize(
    "versions",
    [
        [],
        [{"base_commit_sha": None, "start_commit_sha": B, "head_commit_sha": C}],
        [{"base_commit_sha": A, "start_commit_sha": B, "head_commit_sha": D}],
    ],
)
async def test_without_a_current_version_there_is_no_revision(
    forge: GitLabForge, script: Script, versions: list[dict[str, str | None]]
):
    """No version, an incomplete one and that of an older head all mean: not yet."""
    script.plan(200, MERGE_REQUEST | {"diff_refs": None})
    script.plan(200, versions)
    assert replace(FOUND, revision=None) == await forge.merge_request(REF)


@pytest.mark.parametrize(
    ("expected", "pipeline"),
    [
        (ForgePipeline(33, 6, C, "topic"), {"id": 33, "sha": C, "project_id": 6, "ref": "topic"}),
        (ForgePipeline(33, 5, C), {"id": 33, "sha": C}),
        (ForgePipeline(33, 5, D), {"id": 33, "sha": D, "project_id": 5, "ref": None}),
        (None, None),
    ],
)
async def test_the_shown_pipeline_is_told_with_its_home(
    forge: GitLabForge, script: Script, expected: ForgePipeline | None, pipeline: dict[str, object] | None
):
    """Releases that do not say whose it is mean the merge request's own project."""
    script.plan(200, MERGE_REQUEST | {"head_pipeline": pipeline})
    assert expected == (await forge.merge_request(REF)).pipeline


async def test_all_pages_are_read_from_the_configured_host(forge: GitLabForge, script: Script):
    """The link of GitLab's external name is followed at our address, without repeating the first page."""
    note = {"id": 1, "body": "b", "author": {"id": 9}, "system": False, "resolvable": True, "resolved": None}
    script.plan(
        200,
        [{"id": "one", "notes": [note]}],
        link='<https://elsewhere.example/api/v4/x?page=2&per_page=100>; rel="next"',
    )
    script.plan(200, [{"id": "two", "notes": [note | {"author": None}]}])
    found = await forge.discussions(REF)
    assert [(each.id, each.notes[0].author_id) for each in found] == [("one", 9), ("two", 0)]
    discussions = f"{API}/projects/5/merge_requests/7/discussions"
    assert [f"{discussions}?per_page=100", f"{discussions}?page=2&per_page=100"] == [
        str(request.url) for request in script.requests
    ]


async def test_a_list_that_leads_in_a_circle_ends(forge: GitLabForge, script: Script):
    """A page seen before is an error, not an endless loop."""
    for _ in range(3):
        script.plan(200, [], link=f'<{API}/x?page=2>; rel="next"')
    with pytest.raises(Permanent, match="does not end"):
        await forge.drafts(REF)


CALLS: dict[str, tuple[Callable[[GitLabForge], Any], str, str, object]] = {
    "delete": (lambda forge: forge.delete_draft(REF, 3), "DELETE", "/draft_notes/3", None),
    "publish": (lambda forge: forge.publish_drafts(REF), "POST", "/draft_notes/bulk_publish", None),
    "edit": (lambda forge: forge.edit_note(REF, 4, "b"), "PUT", "/notes/4", {"body": "b"}),
    "resolve": (
        lambda forge: forge.resolve(REF, "a/../b"),
        "PUT",
        "/discussions/a%2F..%2Fb?resolved=true",
        None,
    ),
}


@pytest.mark.parametrize("name", CALLS)
async def test_writes_are_sent_as_documented(forge: GitLabForge, script: Script, name: str):
    """Method, path and body are what GitLab's documentation asks for."""
    call, method, path, body = CALLS[name]
    script.plan(204)
    await call(forge)
    assert (method, f"{API}/projects/5/merge_requests/7{path}", body) == script.sent


async def test_a_note_is_posted(forge: GitLabForge, script: Script):
    """The stored note comes back."""
    script.plan(201, {"id": 4, "body": "b", "author": {"id": 9}})
    assert (await forge.create_note(REF, "b")).id == 4
    assert ("POST", f"{API}/projects/5/merge_requests/7/notes", {"body": "b"}) == script.sent


async def test_a_write_with_an_empty_answer_was_made(forge: GitLabForge, script: Script):
    """A repeat must look for the draft or the note first, since it is there."""
    for write in (forge.create_draft(REF, "text", None), forge.create_note(REF, "text")):
        script.plan(201)
        with pytest.raises(Transient) as unheard:
            await write
        assert unheard.value.outcome_unknown


async def test_an_old_release_calls_drafts_work_in_progress(forge: GitLabForge, script: Script):
    """The old name stands in for the new one."""
    old = {name: value for name, value in MERGE_REQUEST.items() if name != "draft"}
    script.plan(200, old | {"work_in_progress": True})
    assert (await forge.merge_request(REF)).draft


async def test_a_body_of_quick_actions_is_no_note(forge: GitLabForge, script: Script):
    """GitLab answers 202 without a note when it executed the text."""
    script.plan(202, {"commands_changes": {}, "summary": ["Closed"]})
    with pytest.raises(Refused, match="quick actions"):
        await forge.create_note(REF, "/close")


async def test_a_draft_carries_its_position(forge: GitLabForge, script: Script):
    """The position is sent as given; without one there is no such field."""
    script.plan(201, {"id": 3, "note": "b"})
    script.plan(201, {"id": 3, "note": "b"})
    assert ForgeDraft(3, "b") == await forge.create_draft(REF, "b", {"new_line": 1})
    assert script.sent[2] == {"note": "b", "position": {"new_line": 1}}
    await forge.create_draft(REF, "b", None)
    assert script.sent[2] == {"note": "b"}


async def test_a_refused_position_is_told_apart(forge: GitLabForge, script: Script):
    """The same answer is a plain refusal where no position was sent."""
    script.plan(400, NO_LINE)
    script.plan(400, NO_LINE)
    with pytest.raises(PositionRefused, match="line_code"):
        await forge.create_draft(REF, "b", {"new_line": 1})
    with pytest.raises(Refused):
        await forge.create_draft(REF, "b", None)


async def test_a_diff_in_preparation_may_be_tried_again(forge: GitLabForge, script: Script):
    """Incomplete diff_refs pass, so the comment keeps its place."""
    script.plan(400, {"message": '{:noteable=>["doesn\'t support new-style diff notes"]}'})
    with pytest.raises(Transient, match="prepares"):
        await forge.create_draft(REF, "b", {"new_line": 1})


@pytest.mark.parametrize("stored", [True, False])
async def test_a_position_that_breaks_gitlab_is_refused_in_the_end(
    forge: GitLabForge, script: Script, stored: bool
):
    """Twice a 500 may be an outage; the third time the draft is looked for, and given up if it is not there."""
    for _ in range(2):
        script.plan(500, {"message": "500 Internal Server Error"})
        with pytest.raises(Transient) as broken:
            await forge.create_draft(REF, "b", {"new_line": 1})
        assert broken.value.outcome_unknown
    script.plan(500, {"message": "500 Internal Server Error"})
    script.plan(200, [{"id": 3, "note": "b"}] if stored else [{"id": 4, "note": "other"}])
    if stored:
        assert ForgeDraft(3, "b") == await forge.create_draft(REF, "b", {"new_line": 1})
    else:
        with pytest.raises(PositionRefused):
            await forge.create_draft(REF, "b", {"new_line": 1})


async def test_a_draft_published_before_its_error_is_not_refused(forge: GitLabForge, script: Script):
    """Publishing one by one after three failures, a draft that is gone afterwards was published."""
    for _ in range(2):
        script.plan(500)
        with pytest.raises(Transient):
            await forge.publish_drafts(REF)
    script.plan(500)
    script.plan(200, [{"id": 3, "note": "b"}])
    script.plan(500)
    script.plan(404, {"message": "404 Draft Note Not Found"})
    await forge.publish_drafts(REF)
    drafts = f"{API}/projects/5/merge_requests/7/draft_notes"
    assert [("PUT", f"{drafts}/3/publish"), ("DELETE", f"{drafts}/3")] == [
        (request.method, str(request.url)) for request in script.requests[-2:]
    ]


async def test_a_draft_that_is_gone_is_deleted(forge: GitLabForge, script: Script):
    """404 is what we wanted, 403 is not."""
    script.plan(404, {"message": "404 Not found"})
    await forge.delete_draft(REF, 3)
    script.plan(403, {"message": "403 Forbidden"})
    with pytest.raises(Refused):
        await forge.delete_draft(REF, 3)


async def test_a_missing_note_cannot_be_edited(forge: GitLabForge, script: Script):
    """The caller learns that the note is gone."""
    script.plan(404, {"message": "404 Not found"})
    with pytest.raises(Refused, match="does not exist"):
        await forge.edit_note(REF, 4, "b")


@pytest.mark.parametrize(
    ("project", "extra", "merge_request"),
    [
        (5, {"pipeline_id": 33}, replace(FOUND, pipeline=ForgePipeline(33, 5, C))),
        (5, {"ref": "topic"}, FOUND),
        (6, {"ref": "topic"}, replace(FOUND, source_project_id=6)),
        (5, {"ref": "topic"}, replace(FOUND, pipeline=ForgePipeline(33, 5, C), head_sha=D)),
        (5, {"ref": "topic"}, replace(FOUND, pipeline=ForgePipeline(33, 5, D))),
        (5, {}, replace(FOUND, source_project_id=None)),
    ],
)
async def test_a_status_goes_where_the_merge_request_shows_it(
    forge: GitLabForge,
    script: Script,
    project: int,
    extra: dict[str, object],
    merge_request: ForgeMergeRequest,
):
    """The known pipeline is named, else the source branch; forks get it in the source project."""
    script.plan(201, {"id": 1})
    await forge.set_status(merge_request, C, "running", "x" * 300)
    expected = {"state": "running", "name": "cloister", "description": "x" * 254 + "…"} | extra
    assert ("POST", f"{API}/projects/{project}/statuses/{C}", expected) == script.sent


async def test_setting_the_same_status_again_is_fine(forge: GitLabForge, script: Script):
    """GitLab refuses the transition, which changes nothing; another transition is a refusal.

    It stands in the newest pipeline that has it, so far as the release of GitLab tells.
    """
    refusal = {
        "message": "Cannot transition status via :run from :running (Reason(s): Status cannot transition)"
    }
    for listed, pipeline in (([{"pipeline_id": 3}, {"pipeline_id": 4}], 4), ([{"id": 1}], None)):
        script.plan(400, refusal)
        script.plan(200, listed)
        assert pipeline == (await forge.set_status(FOUND, C, "running", "d")).pipeline_id
    script.plan(400, refusal)
    with pytest.raises(Refused):
        await forge.set_status(FOUND, C, "success", "d")


async def test_a_locked_pipeline_passes(forge: GitLabForge, script: Script):
    """The 409 of GitLab's lock is worth another try and has changed nothing."""
    script.plan(409, {"message": "409 Conflict"})
    with pytest.raises(Transient) as locked:
        await forge.set_status(FOUND, C, "running", "d")
    assert not locked.value.outcome_unknown


@pytest.mark.parametrize(
    ("expected", "unknown", "failure"),
    [
        (Transient, False, httpx.ConnectError("refused")),
        (Transient, False, httpx.ConnectTimeout("slow")),
        (Transient, False, httpx.PoolTimeout("busy")),
        (Transient, True, httpx.ReadTimeout("slow")),
        (Transient, True, httpx.WriteError("reset")),
        (Transient, True, httpx.ReadError("reset")),
        (Transient, True, httpx.RemoteProtocolError("closed")),
        (Transient, True, httpx.Response(502, html="<html>")),
        (Transient, True, httpx.Response(201, content=b"{", headers={"content-type": "application/json"})),
        (Transient, False, httpx.Response(429, text="Retry later", headers={"retry-after": "3"})),
        (TokenRejected, False, httpx.Response(401, json={"message": "401 Unauthorized"})),
        (Permanent, None, httpx.Response(200, html="<html>log in</html>")),
        (Permanent, None, httpx.Response(302, headers={"location": "https://evil.example/"})),
        (Permanent, None, httpx.Response(200, json={"id": "4"})),
        (Permanent, None, httpx.Response(200, json=[])),
    ],
)
async def test_failures_say_what_the_caller_can_do(
    forge: GitLabForge,
    script: Script,
    expected: type[CloisterError],
    unknown: bool | None,
    failure: httpx.Response | Exception,
):
    """A write that may have happened says so, and no message contains the token."""
    script.answers.append(failure)
    with pytest.raises(expected) as failed:
        await forge.create_note(REF, "b")
    assert unknown == getattr(failed.value, "outcome_unknown", None)
    assert "secret-token" not in str(failed.value)
    assert len(script.requests) == 1


async def test_a_dribbling_answer_is_given_up():
    """The limit covers the whole answer, not each piece of it."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=endless()))
    forge = GitLabForge("https://gitlab.example", "t", timeout_s=0.05, transport=transport)
    with pytest.raises(Transient, match="no complete answer"):
        await forge.whoami()
    await forge.aclose()


@pytest.mark.parametrize("url", ["gitlab.example", "ftp://gitlab.example", "https://"])
def test_the_address_must_be_one(url: str):
    """A wrong address is refused before the token goes anywhere."""
    with pytest.raises(ValueError, match="CLOISTER_GITLAB_URL"):
        GitLabForge(url, "t")
