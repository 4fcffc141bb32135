"""What every way to a merge request's code does, on the same real repository."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from bot.adapters.forge_gitlab_api import GitLabApi
from bot.adapters.git_errors import GitOverHttpClosed
from bot.adapters.git_mirror import GitMirror, Limits
from bot.adapters.git_process import Git
from bot.adapters.workspace_api import ApiWorkspaces
from bot.adapters.workspace_fallback import FallbackWorkspaces
from bot.domain.diff import Change, Diff, Sign
from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.history import History
from bot.domain.merge_request import Revision
from bot.ports import Blob, Occurrence, Occurrences, Workspaces
from tests.upstream import ENVIRONMENT, Upstream, file

NEW_LINES = b"".join(b"line %d\n" % number for number in range(10_000))
OLD = {
    b"dir/a %2F \xc3\xa9": file(b"same\n"),
    b"kept": file(b"same\n"),
    b"edited": file(b"1\r\n2\n3\n4\n5\n6\n7\n8\n9"),
    b"old name": file(b"a\nb\nc\nd\n"),
    b"moved": file(b"x\ny\nz\n"),
    b"gone": file(b"bye\n"),
    b"tool": file(b"run\n"),
    b"binary": file(b"\0\1"),
    b"sub": ("160000", b"1" * 40),
}
NEW = {
    b"dir/a %2F \xc3\xa9": file(b"same\n"),
    b"kept": file(b"same\n"),
    b"edited": file(b"1\r\n2\n\xff\x0cnew\n4\n5\n6\n7\n8\n9\n"),
    b"new 'name\" \xc3\xa9": file(b"a\nb\nc\nD\n"),
    b"moved to": file(b"x\ny\nz\n"),
    b"tool": file(b"run\n", "100755"),
    b"binary": file(b"\0\2"),
    b"sub": ("160000", b"2" * 40),
    b"link": ("120000", b"kept"),
    b"empty": file(b""),
    b"large": file(NEW_LINES),
    b".gitattributes": file(b"* -diff filter=x\n"),
}


@dataclass
class FakeGitLab:
    """Answer the API's reads from a repository, as an old release that withholds large diffs."""

    upstream: Upstream
    revision: Revision
    heads: list[str]
    withheld: frozenset[str] = frozenset({"large"})
    most_files: int = 1_000

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v4/projects/7/")
        if path == "merge_requests/3/versions":
            return httpx.Response(200, json=[{"head_commit_sha": head} for head in self.heads])
        if path == "merge_requests/3/diffs":
            return self._diffs(request, self.revision.base_sha, self.revision.head_sha)
        if path == "merge_requests/3/commits":
            return self._commits(request)
        if path == "repository/compare":
            answer = self._diffs(request, request.url.params["from"], request.url.params["to"])
            return httpx.Response(200, json={"diffs": answer.json()})
        if found := re.fullmatch(r"repository/commits/([0-9a-f]+)(/diff)?", path):
            return self._commit(request, *found.groups())
        if path == "repository/tree":
            return self._tree(request)
        found = re.fullmatch(r"repository/files/([^/]+)", path)
        return self._file(unquote(found[1]), request.url.params["ref"]) if found else httpx.Response(500)

    def _tree(self, request: httpx.Request) -> httpx.Response:
        listed = self._git("ls-tree", "-r", "-t", "-z", request.url.params["ref"]).decode().split("\0")[:-1]
        entries = [line.partition("\t") for line in listed]
        rows = [(head.split(), path) for head, _, path in entries]
        return self._page(
            request, [{"mode": mode, "type": kind, "path": path} for (mode, kind, _), path in rows]
        )

    def _commits(self, request: httpx.Request) -> httpx.Response:
        revision = self.revision
        shas = self._git("rev-list", revision.head_sha, f"^{revision.base_sha}").decode().split()
        return self._page(request, [{"id": sha, "parent_ids": []} for sha in shas])

    def _commit(self, request: httpx.Request, sha: str, diff: str | None) -> httpx.Response:
        _, *parents = self._git("rev-list", "--parents", "-1", sha).decode().split()
        before = (
            parents[0] if parents else self._git("hash-object", "-t", "tree", "/dev/null").decode().strip()
        )
        if diff:
            return self._diffs(request, before, sha)
        counts = self._git("diff", "--numstat", before, sha).decode().splitlines()
        additions = sum(int(line.split("\t")[0]) for line in counts if line[0] != "-")
        return httpx.Response(200, json={"id": sha, "parent_ids": parents, "stats": {"additions": additions}})

    def _git(self, *args: str) -> bytes:
        return subprocess.run(
            ["git", *args], cwd=self.upstream.path, env=ENVIRONMENT, check=True, capture_output=True
        ).stdout

    def _diffs(self, request: httpx.Request, *commits: str) -> httpx.Response:
        fields = self._git("diff", "--raw", "-z", "--find-renames=30%", *commits).decode().split("\0")
        entries = []
        while len(fields) > 1:
            old_mode, new_mode, _, _, status = fields.pop(0)[1:].split()
            old = fields.pop(0)
            new = fields.pop(0) if status[0] == "R" else old
            patch = self._git("diff", "--find-renames=30%", *commits, "--", old, new).decode(errors="replace")
            at = patch.find("Binary files") if "\nBinary files" in patch else patch.find("@@ ")
            entries.append(
                {
                    "old_path": old,
                    "new_path": new,
                    "a_mode": old_mode.replace("000000", "0"),
                    "b_mode": new_mode.replace("000000", "0"),
                    "new_file": status == "A",
                    "deleted_file": status == "D",
                    "renamed_file": status[0] == "R",
                    "diff": "" if at < 0 or new in self.withheld else patch[at:],
                }
            )
        if request.url.path.endswith("/compare"):
            return httpx.Response(200, json=entries)
        return self._page(request, entries[: self.most_files])

    @staticmethod
    def _page(request: httpx.Request, entries: list[dict[str, object]]) -> httpx.Response:
        page = int(request.url.params.get("page", "1"))
        headers = {"x-next-page": str(page + 1) if page * 4 < len(entries) else ""}
        return httpx.Response(200, json=entries[page * 4 - 4 : page * 4], headers=headers)

    def _file(self, path: str, commit: str) -> httpx.Response:
        try:
            content = self._git("cat-file", "blob", f"{commit}:{path}")
        except subprocess.CalledProcessError:
            return httpx.Response(404, json={"message": "404 File Not Found"})
        encoded = base64.b64encode(content).decode()
        return httpx.Response(200, json={"size": len(content), "encoding": "base64", "content": encoded})


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "forge")


@pytest.fixture
def revision(upstream: Upstream) -> Revision:
    base = upstream.commit("refs/heads/main", OLD)
    head = upstream.commit("refs/merge-requests/3/head", NEW, base, anew=True)
    return Revision(ref=upstream.ref, base_sha=base, start_sha=base, head_sha=head)


@pytest.fixture
def forge(upstream: Upstream, revision: Revision) -> FakeGitLab:
    return FakeGitLab(upstream, revision, [revision.head_sha])


@pytest.fixture
async def api(forge: FakeGitLab) -> AsyncIterator[ApiWorkspaces]:
    url = "http://gitlab.test"
    requests = GitLabApi(url, "token", transport=httpx.MockTransport(forge))
    yield ApiWorkspaces(requests, git=Git(forge_url=url))
    await requests.aclose()


@pytest.fixture
def mirror(tmp_path: Path, upstream: Upstream) -> GitMirror:
    async def clone_url(_: int) -> str:
        return "http://gitlab.test/group/project.git"

    return GitMirror(tmp_path / "mirrors", forge_url=f"file://{upstream.root}", clone_url=clone_url)


@pytest.fixture(params=["mirror", "api"])
def workspaces(request: pytest.FixtureRequest, mirror: GitMirror, api: ApiWorkspaces) -> Workspaces:
    return {"mirror": mirror, "api": api}[request.param]


async def test_the_diff_names_every_change(workspaces: Workspaces, revision: Revision) -> None:
    """Paths, kinds and modes are those of git."""
    diff = await workspaces.diff(revision)
    assert {
        (".gitattributes", ".gitattributes", Change.added, "000000", "100644"),
        ("binary", "binary", Change.modified, "100644", "100644"),
        ("edited", "edited", Change.modified, "100644", "100644"),
        ("empty", "empty", Change.added, "000000", "100644"),
        ("gone", "gone", Change.deleted, "100644", "000000"),
        ("large", "large", Change.added, "000000", "100644"),
        ("link", "link", Change.added, "000000", "120000"),
        ("moved", "moved to", Change.renamed, "100644", "100644"),
        ("old name", "new 'name\" é", Change.renamed, "100644", "100644"),
        ("sub", "sub", Change.modified, "160000", "160000"),
        ("tool", "tool", Change.modified, "100644", "100755"),
    } == {(one.old_path, one.new_path, one.change, one.old_mode, one.new_mode) for one in diff.files}


async def test_the_diff_has_every_line(workspaces: Workspaces, revision: Revision) -> None:
    """Added lines are exact, also where the forge's own diff is withheld or the content is odd."""
    diff = await workspaces.diff(revision)
    assert {
        ".gitattributes": {1},
        "edited": {3, 9},
        "large": set(range(1, 10_001)),
        "link": {1},
        "new 'name\" é": {4},
    } == {path: one.added_lines for path, one in diff.by_new_path.items() if one.added_lines}
    assert {"binary"} == {one.new_path for one in diff.files if one.binary}
    assert [] == [one.new_path for one in diff.files if one.truncated]
    lines = diff.by_new_path["edited"].hunks[0].lines
    assert ["1\r", "\ufffd\x0cnew"] == [line.text for line in lines if line.new in (1, 3)]


async def test_files_are_read_on_either_side(workspaces: Workspaces, revision: Revision) -> None:
    """Bytes are exact; what is missing, a link or a submodule is left out; large ones lack their content."""
    paths = ["edited", "gone", "link", "sub", "large", "empty", "nowhere", "../up", "kept", "dir/a %2F é"]
    head = await workspaces.read(revision, paths, max_bytes=100)
    base = await workspaces.read(revision, paths, side="base")
    assert {
        "edited": Blob(23, b"1\r\n2\n\xff\x0cnew\n4\n5\n6\n7\n8\n9\n"),
        "large": Blob(len(NEW_LINES), None),
        "empty": Blob(0, b""),
        "kept": Blob(5, b"same\n"),
        "dir/a %2F é": Blob(5, b"same\n"),
    } == head
    assert {"edited", "gone", "kept", "dir/a %2F é"} == set(base)


async def test_names_are_found_at_the_head_or_it_says_why_not(
    workspaces: Workspaces, revision: Revision
) -> None:
    """Only whole words of text files count; a way that cannot search says so."""
    found = await workspaces.search(revision, ["same", "D", "lin", "1"])
    if found.missing:
        assert () == found.lines
    else:
        kept = [Occurrence(path, 1, "same") for path in ("dir/a %2F é", "kept")]
        assert [*kept, Occurrence("new 'name\" é", 4, "D")] == sorted(found.lines, key=lambda one: one.path)


async def test_a_search_is_bounded(mirror: GitMirror, revision: Revision) -> None:
    """It stops at its limits, keeps what it has and says so; what is no name is not looked for."""
    cut = await mirror.search(revision, ["line"], max_bytes=1_000)
    assert 0 < len(cut.lines) < 100
    assert "large" == cut.lines[-1].path
    assert "the search stopped after 1000 bytes" == cut.missing
    slow = await mirror.search(revision, ["line"], limit_s=0.0)
    assert ((), True) == (slow.lines, "took longer" in slow.missing)
    assert Occurrences() == await mirror.search(revision, ["--help", "a b", "", "x" * 200])
    many = await mirror.search(revision, [f"name{number}" for number in range(100)])
    assert "only 60 of 100 names were looked for" == many.missing


async def test_a_head_that_has_not_arrived_is_worth_another_try(
    workspaces: Workspaces, revision: Revision
) -> None:
    """The forge may be behind its own announcement."""
    early = revision.model_copy(update={"head_sha": "f" * 40})
    with pytest.raises(Transient):
        await workspaces.fetch(early)
    with pytest.raises(Transient):
        await workspaces.diff(early)


async def test_fetching_twice_is_fine(workspaces: Workspaces, revision: Revision) -> None:
    """A repeat changes nothing, and the diff is remembered."""
    await workspaces.fetch(revision)
    await workspaces.fetch(revision)
    assert await workspaces.diff(revision) is await workspaces.diff(revision)


async def test_the_api_knows_only_the_newest_head(
    api: ApiWorkspaces, forge: FakeGitLab, revision: Revision
) -> None:
    """After another push the work is pointless."""
    forge.heads = ["e" * 40, revision.head_sha]
    with pytest.raises(Obsolete):
        await api.diff(revision)


def added(history: History) -> list[dict[str, dict[int, str]]]:
    """Return for each commit the lines that it adds."""
    return [
        {
            file.new_path: {
                line.new: line.text
                for hunk in file.hunks
                for line in hunk.lines
                if line.sign is Sign.added and line.new
            }
            for file in commit.diff.files
            if file.added_lines
        }
        for commit in history.commits
    ]


@pytest.fixture
def branch(upstream: Upstream, forge: FakeGitLab, revision: Revision) -> Callable[..., Revision]:
    """Return what makes a commit the head of the merge request."""

    def show(head: str, base: str = revision.base_sha) -> Revision:
        forge.revision = revision.model_copy(update={"head_sha": head, "base_sha": base, "start_sha": base})
        forge.heads = [head]
        return forge.revision

    return show


async def test_every_commit_is_shown(
    workspaces: Workspaces, upstream: Upstream, revision: Revision, branch: Callable[..., Revision]
) -> None:
    """What was added and removed again is there, in order, with its true line numbers, names of any kind too."""
    ref, one = "refs/heads/work", revision.base_sha
    shas: list[str] = []
    for files in (
        {b"edited": file(b"1\r\n2\nkey\n3\n4\n5\n6\n7\n8\n9"), b"n\nl": file(b"odd\n")},
        {b"edited": OLD[b"edited"], b"moved to": file(b"x\ny\nz\n")},
        {b"binary": file(b"\0\3"), b"sub": ("160000", b"3" * 40), b"link": ("120000", b"kept")},
    ):
        one = upstream.commit(ref, files, one)
        shas += [one]
    history = await workspaces.commits(branch(one))
    assert shas == [commit.sha for commit in history.commits]
    assert [
        {"edited": {3: "key"}, "n\nl": {1: "odd"}},
        {"moved to": {1: "x", 2: "y", 3: "z"}},
        {"link": {1: "kept"}},
    ] == added(history)
    assert "" == history.missing
    there = await workspaces.read(branch(one), ["edited", "binary"], side=shas[0])
    assert b"1\r\n2\nkey\n3\n4\n5\n6\n7\n8\n9" == there["edited"].content
    last = await workspaces.read(branch(one), ["binary", "link"], side=shas[2])
    assert {"binary": Blob(2, b"\0\3")} == last


async def test_a_merge_counts_for_what_it_adds_itself(
    workspaces: Workspaces, upstream: Upstream, revision: Revision, branch: Callable[..., Revision]
) -> None:
    """What comes from the target branch is not the branch's doing; what was slipped into the merge is."""
    numbers = b"".join(b"%d\n" % number for number in range(30))
    base = upstream.commit("refs/heads/main", {b"a": file(numbers), b"b": file(b"b\n")}, revision.base_sha)
    main = upstream.commit("refs/heads/main", {b"a": file(numbers + b"main\n"), b"m": file(b"m\n")}, base)
    work = upstream.commit("refs/heads/work", {b"a": file(b"work\n" + numbers), b"w": file(b"w\n")}, base)
    merged = {
        b"a": file(b"work\n" + numbers + b"main\nevil\n"),
        b"b": file(b"b\nworse\n"),
        b"m": file(b"m\n"),
        b"new": file(b"born in the merge\n"),
    }
    expected = {"a": {33: "evil"}, "b": {2: "worse"}, "new": {1: "born in the merge"}}
    clean = {**merged, b"a": file(b"work\n" + numbers + b"main\n")}
    for files, own in ((merged, expected), (clean, {**expected, "a": {}})):
        head = upstream.merge("refs/heads/work", files, work, main)
        history = await workspaces.commits(branch(head, main))
        assert [work, head] == [commit.sha for commit in history.commits]
        assert [
            {"a": {1: "work"}, "w": {1: "w"}},
            {path: lines for path, lines in own.items() if lines},
        ] == added(history)


async def test_the_only_commit_adds_the_whole_diff(workspaces: Workspaces, revision: Revision) -> None:
    """Then nothing can have come and gone, and nothing more is asked for."""
    history = await workspaces.commits(revision)
    assert [revision.head_sha] == [commit.sha for commit in history.commits]
    assert history.commits[0].diff is await workspaces.diff(revision)


async def test_a_long_branch_is_not_shown_whole(
    workspaces: Workspaces, upstream: Upstream, revision: Revision, branch: Callable[..., Revision]
) -> None:
    """The newest commits are, and it is said that there are more."""
    head = revision.base_sha
    stream = b""
    for number in range(302):
        stream += b"commit refs/heads/work\nmark :%d\ncommitter a <a@b> 0 +0000\ndata 1\nx\n" % (number + 1)
        stream += b"from %s\n" % (b":%d" % number if number else head.encode())
        stream += b"M 644 inline kept\ndata 3\n%03d\n" % number
    head = upstream.load("refs/heads/work", stream)
    history = await workspaces.commits(branch(head))
    assert len(history.commits) in (50, 300)
    assert {"kept": {1: "301"}} == added(history)[-1]
    assert f"only its newest {len(history.commits)}" in history.missing


async def test_large_commits_are_not_shown_whole(
    tmp_path: Path, upstream: Upstream, revision: Revision
) -> None:
    """Over the limit it is said how far it went, and a file whose lines are not there is marked."""
    one = upstream.commit("refs/heads/work", {b"a": file(b"a\n")}, revision.base_sha)
    two = upstream.commit("refs/heads/work", {b"b": file(b"b\n"), b"large": file(NEW_LINES)}, one)
    head = upstream.commit("refs/heads/work", {b"c": file(b"c\n")}, two)

    async def clone_url(_: int) -> str:
        return "http://gitlab.test/group/project.git"

    small = GitMirror(
        tmp_path / "small",
        forge_url=f"file://{upstream.root}",
        clone_url=clone_url,
        limits=Limits(diff_bytes=20_000),
    )
    history = await small.commits(revision.model_copy(update={"head_sha": head}))
    assert [{"a": {1: "a"}}, {"b": {1: "b"}}] == added(history)
    assert ["large"] == [
        file.new_path for commit in history.commits for file in commit.diff.files if file.truncated
    ]
    assert "only the first 2 of 3" in history.missing


async def test_a_commit_that_the_api_cuts_is_named(
    api: ApiWorkspaces,
    upstream: Upstream,
    forge: FakeGitLab,
    revision: Revision,
    branch: Callable[..., Revision],
) -> None:
    """GitLab leaves out files of large commits without a word; the number of lines tells."""
    one = upstream.commit("refs/heads/work", {b"a": file(b"a\n"), b"b": file(b"b\n")}, revision.base_sha)
    head = upstream.commit("refs/heads/work", {b"c": file(b"c\n")}, one)
    forge.most_files = 1
    history = await api.commits(branch(head))
    assert f"GitLab does not show all of {one[:8]}" == history.missing


class Closed:
    """A forge that serves no git over HTTP, counting how often it was asked."""

    def __init__(self, error: Permanent) -> None:
        self.error = error
        self.asked = 0

    async def fetch(self, revision: Revision) -> None:
        self.asked += 1
        raise self.error

    async def diff(self, revision: Revision) -> Diff:
        self.asked += 1
        raise self.error

    async def commits(self, revision: Revision) -> History:
        self.asked += 1
        raise self.error

    async def paths(self, revision: Revision, *, side: str = "head") -> frozenset[str]:
        self.asked += 1
        raise self.error

    async def read(
        self, revision: Revision, paths: Sequence[str], *, side: str = "head", max_bytes: int = 0
    ) -> Mapping[str, Blob]:
        self.asked += 1
        raise self.error

    async def search(
        self, revision: Revision, names: Sequence[str], *, limit_s: float = 0, max_bytes: int = 0
    ) -> Occurrences:
        self.asked += 1
        raise self.error


async def test_all_regular_files_are_listed(workspaces: Workspaces, revision: Revision) -> None:
    """On either side, without links, submodules and directories."""
    head, base = await workspaces.paths(revision), await workspaces.paths(revision, side="base")
    assert {"dir/a %2F é", "kept", "tool", "empty", "large", ".gitattributes"} <= head
    assert not {"link", "sub", "dir", "gone"} & head
    assert ("gone" in base, "large" in base, "sub" in base) == (True, False, False)


async def test_a_closed_project_is_read_through_the_api(api: ApiWorkspaces, revision: Revision) -> None:
    """The refusal is met once; everything then goes the other way."""
    closed = Closed(GitOverHttpClosed("closed"))
    workspaces = FallbackWorkspaces(closed, api)
    await workspaces.fetch(revision)
    assert 11 == len((await workspaces.diff(revision)).files)
    assert {"kept"} == set(await workspaces.read(revision, ["kept"]))
    assert (await workspaces.search(revision, ["same"])).missing
    assert 1 == closed.asked


async def test_a_closed_project_is_listed_through_the_api(api: ApiWorkspaces, revision: Revision) -> None:
    """The listing goes the other way too."""
    workspaces = FallbackWorkspaces(Closed(GitOverHttpClosed("closed")), api)
    assert "kept" in await workspaces.paths(revision)


async def test_other_refusals_do_not_fall_back(api: ApiWorkspaces, revision: Revision) -> None:
    """A token that lacks rights is the operator's to mend."""
    closed = Closed(Permanent("denied"))
    with pytest.raises(Permanent, match="denied"):
        await FallbackWorkspaces(closed, api).diff(revision)
