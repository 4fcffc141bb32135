"""The demo server at large: accounts, paging, git, diffs, statuses, faults."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.demo.gitlab import DiffLimits, Level, MergeRequest, RateLimit
from tests.gitlab import GitLab


def opened(gitlab: GitLab, **more: Any) -> MergeRequest:
    """Return a merge request of the developer."""
    more.setdefault("changes", {"app.py": "changed\n"})
    return gitlab.server.open_merge_request(gitlab.project, author=gitlab.developer, **more)


def test_tokens_and_roles(gitlab: GitLab) -> None:
    """Bad, revoked and expired tokens get 401, short scopes 403, strangers 404."""
    stranger = gitlab.server.create_user("stranger")
    expired = gitlab.server.create_token(gitlab.bot, expires_at=date(2020, 1, 1))
    reading = gitlab.server.create_token(gitlab.bot, scopes=("read_api",))
    url = f"{gitlab.server.url}/api/v4/projects/group%2Fapp"
    for token, status in ((gitlab.token, 200), ("x", 401), (expired, 401), (reading, 200)):
        assert status == httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code
        assert status == httpx.get(url, headers={"PRIVATE-TOKEN": token}).status_code
    assert 404 == httpx.get(url, headers={"PRIVATE-TOKEN": gitlab.server.create_token(stranger)}).status_code
    assert 403 == httpx.get(f"{url}/hooks", headers={"PRIVATE-TOKEN": gitlab.token}).status_code
    refused = httpx.post(f"{url}/statuses/x", headers={"PRIVATE-TOKEN": reading})
    assert (403, "insufficient_scope") == (refused.status_code, refused.json()["error"])
    gitlab.server.revoke(gitlab.token)
    assert "invalid_token" == httpx.get(url, headers={"PRIVATE-TOKEN": gitlab.token}).json()["error"]


def test_unknown_endpoints_are_remembered(gitlab: GitLab) -> None:
    """An endpoint that is not built answers GitLab's 404 and is listed."""
    with gitlab.client() as client:
        assert {"error": "404 Not Found"} == client.get("projects/1/issues").json()
    assert ["GET /api/v4/projects/1/issues"] == gitlab.server.unknown_requests
    assert 1 == gitlab.server.count("GET", r"/issues$", 404)


def test_projects_are_listed_by_membership(gitlab: GitLab) -> None:
    """Public projects are listed to everybody, by role only to members; keyset pages lead on by id."""
    server, bot = gitlab.server, gitlab.bot
    paths = [f"more/app{number}" for number in range(5)]
    for path in paths:
        server.create_project(path, members={bot: Level.developer})
    server.create_project("reading/app", members={bot: Level.reporter})
    server.create_project("strange/app")
    server.create_project("public/app", visibility="public")
    with gitlab.client() as client:

        def listed(query: str) -> list[str]:
            seen, url = [], f"projects?{query}"
            while url:
                answer = client.get(url)
                seen += [row["path_with_namespace"] for row in answer.json()]
                url = answer.links.get("next", {}).get("url", "")
            return seen

        everything = ["group/app", *paths, "reading/app", "public/app"]
        assert everything == listed("order_by=id&sort=asc&per_page=3")
        assert everything[::-1] == listed("pagination=keyset&order_by=id&per_page=4")
        assert everything[:-1] == listed("membership=true&sort=asc")
        reviewing = "membership=true&min_access_level=30&pagination=keyset&order_by=id&sort=asc&per_page=2"
        assert everything[:-2] == listed(reviewing)
        assert client.get("projects?order_by=luck").status_code == 400
    with gitlab.client(server.create_token(server.admin)) as client:
        assert [] == client.get("projects?membership=true").json()


def test_lists_come_in_pages(gitlab: GitLab) -> None:
    """Following Link visits every merge request once, filters and order kept."""
    created = [opened(gitlab, source=f"b{n}").iid for n in range(5)]
    gitlab.server.close_merge_request(gitlab.project.merge_requests[2])
    with gitlab.client() as client:
        url: str | None = (
            f"projects/{gitlab.project.id}/merge_requests?state=opened&order_by=updated_at&sort=asc&per_page=2"
        )
        seen = []
        while url:
            answer = client.get(url)
            seen += [row["iid"] for row in answer.json()]
            url = answer.links.get("next", {}).get("url")
        assert [iid for iid in created if iid != 2] == seen
        since = gitlab.project.merge_requests[5].updated_at.isoformat()
        everywhere = {"scope": "all", "updated_after": since, "sort": "asc"}
        assert [2, 5] == [row["iid"] for row in client.get("merge_requests", params=everywhere).json()]
        assert [] == client.get("merge_requests").json()
        assert 400 == client.get("merge_requests", params={"state": "open"}).status_code


def git(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a git client."""
    identity = ["-c", "user.name=Dev", "-c", "user.email=dev@example.test"]
    return subprocess.run(["git", *identity, *arguments], cwd=cwd, capture_output=True, text=True)


def test_git_clones_fetches_and_pushes(gitlab: GitLab, tmp_path: Path) -> None:
    """Merge request heads can be fetched, forks included; a push makes a new version; access is checked."""
    server = gitlab.server
    fork = server.fork(gitlab.project, "dev/app", gitlab.developer)
    mr = opened(gitlab, fork=fork)
    server.delete_project(fork)
    origin = f"{server.url}/group/app.git".replace("//", f"//x:{gitlab.token}@")
    assert 0 == git("clone", "-q", origin, str(tmp_path / "c")).returncode
    assert 0 == git("fetch", "-q", "origin", "refs/merge-requests/1/head", cwd=tmp_path / "c").returncode
    assert mr.head_sha == git("rev-parse", "FETCH_HEAD", cwd=tmp_path / "c").stdout.strip()
    with gitlab.client() as client:
        assert (
            client.get(f"projects/{gitlab.project.id}/merge_requests/1").json()["source_project_id"] is None
        )
    other = opened(gitlab, source="other")
    git("fetch", "-q", "origin", "other", cwd=tmp_path / "c")
    git("checkout", "-q", "-b", "other", "FETCH_HEAD", cwd=tmp_path / "c")
    git("commit", "-q", "--allow-empty", "-m", "More", cwd=tmp_path / "c")
    assert 0 == git("push", "-q", "origin", "other", cwd=tmp_path / "c").returncode
    assert (2, "More") == (len(other.versions), _message(gitlab, other))
    for status in (403, 404):
        gitlab.project.git_status = status
        assert 0 != git("ls-remote", origin).returncode
    assert 401 == httpx.get(f"{server.url}/group/app.git/info/refs?service=git-upload-pack").status_code


def _message(gitlab: GitLab, merge_request: MergeRequest) -> str:
    commit = gitlab.project.repository.commit_info(merge_request.head_sha)
    assert commit is not None
    return commit["message"].strip()


def test_diffs_files_and_comparisons(gitlab: GitLab) -> None:
    """The diff is served in pages, cut by limits, raw, and by version; files come as bytes."""
    mr = opened(gitlab, changes={f"f{n:02}.txt": "x\n" for n in range(25)} | {"d ä/b": b"\xff\n"})
    base = f"projects/{gitlab.project.id}/merge_requests/1"
    with gitlab.client() as client:
        first = client.get(f"{base}/diffs", params={"unidiff": "true"})
        assert (20, "2", "26") == (len(first.json()), first.headers["x-next-page"], first.headers["x-total"])
        assert first.json()[1]["diff"].startswith("--- /dev/null\n+++ b/f00.txt\n@@ -0,0 +1 @@\n")
        assert client.get(f"{base}/raw_diffs").content.count(b"diff --git") == 26
        version = client.get(f"{base}/versions").json()[0]
        assert 26 == len(client.get(f"{base}/versions/{version['id']}").json()["diffs"])
        gitlab.server.diff_limits = DiffLimits(files=10)
        changes = client.get(f"{base}/changes").json()
        assert (10, True, "10+") == (len(changes["changes"]), changes["overflow"], changes["changes_count"])
        assert 26 == len(client.get(f"{base}/changes", params={"access_raw_diffs": "true"}).json()["changes"])
        files = f"projects/{gitlab.project.id}/repository/files"
        raw = client.get(f"{files}/d%20%C3%A4%2Fb/raw", params={"ref": mr.head_sha})
        assert b"\xff\n" == raw.content
        assert {"message": "404 File Not Found"} == client.get(f"{files}/nope/raw").json()
        compared = client.get(
            f"projects/{gitlab.project.id}/repository/compare", params={"from": "main", "to": mr.head_sha}
        ).json()
        assert (1, False) == (len(compared["commits"]), compared["compare_timeout"])
        (listed,) = client.get(f"{base}/commits").json()
        assert (mr.head_sha, []) == (listed["id"], listed["parent_ids"])
        commit = f"projects/{gitlab.project.id}/repository/commits/{mr.head_sha}"
        shown = client.get(commit).json()
        assert ([mr.refs.base_sha], 26) == (shown["parent_ids"], shown["stats"]["additions"])
        gitlab.server.diff_limits = DiffLimits()
        files_of_commit = client.get(f"{commit}/diff", params={"per_page": "100"})
        assert (26, "26") == (len(files_of_commit.json()), files_of_commit.headers["x-total"])
        assert {"message": "404 Commit Not Found"} == client.get(f"{commit[:-40]}{'0' * 40}/diff").json()


def test_statuses_go_through_gitlabs_state_machine(gitlab: GitLab) -> None:
    """The same state twice is 400, a finished one is replaced, wrong input and held locks are refused."""
    mr = opened(gitlab)
    url = f"projects/{gitlab.project.id}/statuses/{mr.head_sha}"
    with gitlab.client() as client:

        def post(state: str, **more: Any) -> httpx.Response:
            return client.post(url, json={"state": state, "name": "review", **more})

        expected = [("pending", 201), ("pending", 400), ("running", 201), ("running", 400), ("pending", 400)]
        expected += [("success", 201), ("success", 201), ("pending", 201), ("failed", 201), ("failure", 400)]
        assert expected == [(state, post(state).status_code) for state, _ in expected]
        post("running")
        assert (
            post("running")
            .json()["message"]
            .startswith("Cannot transition status via :run from :running (Reason(s):")
        )
        assert "external" == gitlab.project.pipelines[0].source
        assert {"error": "state is missing"} == client.post(url, json={}).json()
        listed = client.get(f"projects/{gitlab.project.id}/repository/commits/{mr.head_sha}/statuses").json()
        assert ["running"] == [status["status"] for status in listed]
        gitlab.server.lock_statuses(gitlab.project, mr.head_sha)
        assert 409 == post("success").status_code
        gitlab.server.lock_statuses(gitlab.project, mr.head_sha, locked=False)
        own = gitlab.server.add_pipeline(mr)
        assert own.id == post("success").json()["pipeline_id"]
        assert own.id != post("success", ref="feature").json()["pipeline_id"]
        main = gitlab.project.repository.branch("main")
        assert (
            403
            == client.post(
                url.replace(mr.head_sha, str(main)), json={"state": "success", "ref": "main"}
            ).status_code
        )
        assert 404 == client.post(url.replace(mr.head_sha, "0" * 40), json={"state": "success"}).status_code
        gitlab.server.add_member(gitlab.project, gitlab.bot, Level.reporter)
        assert 403 == post("success").status_code


def test_faults_and_the_throttle(gitlab: GitLab) -> None:
    """Refusals before and after the work, delays, resets, and plain-text 429 with Retry-After."""
    opened(gitlab)
    url = f"projects/{gitlab.project.id}/merge_requests/1/notes"
    faults = gitlab.server.faults
    with gitlab.client() as client:
        faults.add("POST", r"/notes$", status=500)
        faults.add("POST", r"/notes$", status=502, after_commit=True)
        faults.add("POST", r"/notes$", drop=True, after_commit=True)
        assert [500, 502] == [client.post(url, json={"body": "x"}).status_code for _ in range(2)]
        with pytest.raises(httpx.TransportError):
            client.post(url, json={"body": "x"})
        assert 2 == len(client.get(url).json())
        faults.add("GET", r"/notes$", status=429, retry_after=7)
        limited = client.get(url)
        assert (429, "7", "Retry later\n") == (
            limited.status_code,
            limited.headers["retry-after"],
            limited.text,
        )
        faults.add("GET", r"/notes$", delay_s=1.0)
        with pytest.raises(httpx.ReadTimeout):
            client.get(url, timeout=0.1)
        faults.add("GET", r"/notes$", delay_s=0.05)
        assert 200 == client.get(url).status_code
        gitlab.server.rate_limit = RateLimit(requests=1, period_s=3600)
        assert [200, 429] == [client.get(url).status_code for _ in range(2)]
        gitlab.server.rate_limit = None
        gitlab.server.instance.notes_per_minute = 2
        assert 429 == client.post(url, json={"body": "x"}).status_code


def test_rebase_force_push_merge_and_reopen(gitlab: GitLab) -> None:
    """Each makes the versions and commits that it makes in GitLab."""
    server, mr = gitlab.server, opened(gitlab)
    server.commit(gitlab.project, "main", {"README.md": "new\n"})
    main = gitlab.project.repository.branch("main")
    server.rebase(mr)
    assert mr.refs is not None
    assert (main, main, 2) == (mr.refs.base_sha, mr.refs.start_sha, len(mr.versions))
    server.force_push(mr, {"app.py": "other\n"})
    assert b"other\n" == gitlab.project.repository.blob(mr.head_sha, "app.py")
    server.close_merge_request(mr)
    head = server.push(mr, {"app.py": "third\n"})
    assert head != mr.head_sha
    server.reopen(mr)
    assert head == mr.head_sha
    server.edit(mr, title="Better")
    merged = server.merge(mr)
    assert ("merged", merged) == (mr.state, gitlab.project.repository.branch("main"))
    assert b"third\n" == gitlab.project.repository.blob("main", "app.py")
    assert b"new\n" == gitlab.project.repository.blob("main", "README.md")


def test_a_project_that_moved_is_found_by_its_number(gitlab: GitLab) -> None:
    """A former path redirects what reads to the number and refuses the rest, until another project takes it."""
    server, project = gitlab.server, gitlab.project
    merge_request = opened(gitlab)
    server.move_project(project, "elsewhere/renamed")
    with gitlab.client() as client:
        moved = client.get("projects/group%2Fapp/merge_requests?state=opened")
        assert (301, f"{server.url}/api/v4/projects/{project.id}/merge_requests?state=opened") == (
            moved.status_code,
            moved.headers["location"],
        )
        notes = f"merge_requests/{merge_request.iid}/notes"
        refused = client.post(f"projects/group%2Fapp/{notes}", json={"body": "x"})
        assert (405, "moved projects") == (refused.status_code, refused.json()["message"][-14:])
        found = client.get(f"projects/{project.id}").json()
        assert found == client.get("projects/elsewhere%2Frenamed").json()
        assert ("elsewhere/renamed", "elsewhere") == (
            found["path_with_namespace"],
            found["namespace"]["full_path"],
        )
        other = server.create_project("group/app", members={gitlab.bot: Level.developer})
        assert other.id == client.get("projects/group%2Fapp").json()["id"]
        assert 201 == client.post(f"projects/{project.id}/{notes}", json={"body": "x"}).status_code


def test_git_follows_a_project_that_moved(gitlab: GitLab, tmp_path: Path) -> None:
    """The former clone URL goes on to work."""
    gitlab.server.move_project(gitlab.project, "elsewhere/app")
    url = gitlab.server.url.replace("http://", f"http://x:{gitlab.token}@")
    for path in ("group/app", "elsewhere/app"):
        subprocess.run(
            ["git", "clone", "-q", f"{url}/{path}.git", str(tmp_path / path.replace("/", "-"))], check=True
        )


def test_an_archived_project_can_only_be_read(gitlab: GitLab) -> None:
    """So is one that waits for its deletion, under another path; once it is deleted nothing is there."""
    server, project = gitlab.server, gitlab.project
    merge_request = opened(gitlab)
    notes = f"projects/{project.id}/merge_requests/{merge_request.iid}/notes"
    server.archive_project(project)
    with gitlab.client() as client:
        assert (200, 403) == (
            client.get(notes).status_code,
            client.post(notes, json={"body": "x"}).status_code,
        )
        server.archive_project(project, archived=False)
        assert 201 == client.post(notes, json={"body": "x"}).status_code
        server.schedule_deletion(project)
        shown = client.get(f"projects/{project.id}").json()
        assert (f"group/app-deletion_scheduled-{project.id}", True) == (
            shown["path_with_namespace"],
            shown["archived"],
        )
        assert (301, 200) == (client.get("projects/group%2Fapp").status_code, client.get(notes).status_code)
        server.delete_project(project)
        for path in (f"projects/{project.id}", "projects/group%2Fapp", notes):
            assert 404 == client.get(path).status_code
