"""The git mirror on real repositories, hostile ones included."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from bot.adapters.git_errors import GitOverHttpClosed
from bot.adapters.git_mirror import GitMirror, Limits
from bot.domain.diff import Change
from bot.domain.errors import CloisterError, Permanent, Transient
from tests.upstream import ENVIRONMENT, Upstream, file, git

TOKEN = "glpat-very-secret"


SIMPLE = ({b"a": file(b"1\n2\n")}, {b"a": file(b"1\n3\n")})


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "forge")


async def project(_: int) -> str:
    return "https://elsewhere.test/group/project.git"


def mirror_of(tmp_path: Path, url: str, **options: object) -> GitMirror:
    return GitMirror(tmp_path / "mirrors", forge_url=url, clone_url=project, **options)  # type: ignore[arg-type]


@pytest.fixture
def mirror(tmp_path: Path, upstream: Upstream) -> GitMirror:
    return mirror_of(tmp_path, f"file://{upstream.root}")


def only_mirror(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "mirrors").glob("*.git")
    return path


async def test_hostile_content_is_read_exactly(mirror: GitMirror, upstream: Upstream) -> None:
    """Odd names and bytes come through; links and submodules are not files."""
    odd = {b"new\nline": file(b"\xff\0"), b'q"\t/\xc3\xa9 b': file(b"no newline"), b":(glob)*": file(b"")}
    special = {
        b"link": ("120000", b"/etc/passwd"),
        b"sub": ("160000", b"1" * 40),
        b"dir/run": file(b"x", "100755"),
    }
    revision = upstream.revision({}, odd | special)
    paths = [
        "new\nline",
        'q"\t/é b',
        ":(glob)*",
        "link",
        "sub",
        "dir",
        "dir/",
        "dir/run",
        "../x",
        "",
        "\ud800",
        "no",
    ]
    blobs = await mirror.read(revision, paths)
    expected = {"new\nline": b"\xff\0", 'q"\t/é b': b"no newline", ":(glob)*": b"", "dir/run": b"x"}
    assert expected == {path: blob.content for path, blob in blobs.items()}


async def test_names_that_are_no_text_hide_nothing(mirror: GitMirror, upstream: Upstream) -> None:
    """Each file is read by the name under which the diff shows it, also next to one that looks the same."""
    names = [b"a\xff.py", rb"a\xff.py", b"a\xff\\xfe.py", rb"a\x5cxff.py", b"\xc3\xa9\xff", rb"plain\x41\n"]
    revision = upstream.revision({}, {name: file(name) for name in names})
    diff = await mirror.diff(revision)
    shown = [one.new_path for one in diff.files]
    blobs = await mirror.read(revision, shown)
    assert sorted(names) == sorted(blobs[path].content or b"" for path in shown)


async def test_files_over_the_limit_come_without_content(mirror: GitMirror, upstream: Upstream) -> None:
    """The size is known, the bytes are not read; sides are told apart."""
    revision = upstream.revision({b"a": file(b"x" * 10)}, {b"a": file(b"y" * 11)})
    head = await mirror.read(revision, ["a"], max_bytes=10)
    base = await mirror.read(revision, ["a"], max_bytes=10, side="base")
    assert [(11, None), (10, b"x" * 10)] == [(side["a"].size, side["a"].content) for side in (head, base)]


async def test_a_repository_cannot_make_git_run_anything(
    mirror: GitMirror, upstream: Upstream, tmp_path: Path
) -> None:
    """Attributes with filters, drivers and binary marks change nothing; no hook of either side runs here."""
    attributes = b"* diff=evil filter=evil binary\n"
    revision = upstream.revision(
        {b".gitattributes": file(attributes), b"a": file(b"1\n")}, {b"a": file(b"2\n")}
    )
    diff = await mirror.diff(revision)
    assert [("a", False, {1})] == [(one.new_path, one.binary, one.added_lines) for one in diff.files]
    assert not (only_mirror(tmp_path) / "hooks").exists()
    assert "evil" not in (only_mirror(tmp_path) / "config").read_text()


async def test_once_there_nothing_is_fetched_again(tmp_path: Path, upstream: Upstream) -> None:
    """Neither this process nor a later one asks the forge for commits that it has."""
    revision = upstream.revision(*SIMPLE)
    first = mirror_of(tmp_path, f"file://{upstream.root}")
    await first.fetch(revision)
    upstream.path.rename(upstream.root / "gone")
    await first.fetch(revision)
    diff = await mirror_of(tmp_path, f"file://{upstream.root}").diff(revision)
    assert ["a"] == [file.new_path for file in diff.files]


async def test_a_commit_that_has_not_arrived_is_worth_another_try(
    mirror: GitMirror, upstream: Upstream
) -> None:
    """The forge may announce a head before its repository has it."""
    revision = upstream.revision(*SIMPLE)
    with pytest.raises(Transient, match="does not have the commits yet"):
        await mirror.fetch(revision.model_copy(update={"head_sha": "f" * 40}))


@pytest.mark.parametrize("damage", ["HEAD", "objects"])
async def test_a_damaged_mirror_is_made_anew(
    tmp_path: Path, mirror: GitMirror, upstream: Upstream, damage: str
) -> None:
    """Whether its skeleton or its objects are broken, the next use mends it."""
    revision = upstream.revision(*SIMPLE)
    await mirror.fetch(revision)
    for victim in [*only_mirror(tmp_path).glob(damage), *only_mirror(tmp_path).glob(f"{damage}/pack/*.pack")]:
        if victim.is_file():
            victim.chmod(0o600)
            victim.write_bytes(b"junk")
    assert 1 == len((await mirror.diff(revision)).files)
    fresh = mirror_of(tmp_path, f"file://{upstream.root}")
    assert 1 == len(await fresh.read(revision, ["a"]))


async def test_a_mirror_that_another_process_made_anew_is_kept(tmp_path: Path, upstream: Upstream) -> None:
    """What is missing there is fetched; taking it away would fail those who read it."""
    old = upstream.revision(*SIMPLE)
    head = upstream.commit("refs/merge-requests/4/head", {b"a": file(b"4\n")}, old.base_sha)
    new = old.model_copy(update={"head_sha": head})
    first, second = (mirror_of(tmp_path, f"file://{upstream.root}") for _ in range(2))
    await second.fetch(old)
    await asyncio.to_thread(shutil.rmtree, only_mirror(tmp_path))
    await first.fetch(new)
    mark = only_mirror(tmp_path) / "mark"
    mark.touch()
    assert b"1\n3\n" == (await second.read(old, ["a"]))["a"].content
    assert mark.exists()


async def test_concurrent_users_share_one_mirror(tmp_path: Path, upstream: Upstream) -> None:
    """Two processes' worth of adapters and many tasks end with one whole mirror."""
    revision = upstream.revision(*SIMPLE)
    mirrors = [mirror_of(tmp_path, f"file://{upstream.root}") for _ in range(2)]
    diffs = await asyncio.gather(*(mirror.diff(revision) for mirror in mirrors for _ in range(4)))
    assert 1 == len(set(diffs))
    assert 1 == len(list((only_mirror(tmp_path) / "objects" / "pack").glob("*.pack")))
    assert [] == list((tmp_path / "mirrors").glob(".new-*"))


async def test_limits_are_kept(tmp_path: Path, upstream: Upstream) -> None:
    """A repository over the limit is refused for good; a diff over it is shown as far as it goes."""
    big = os.urandom(200_000).hex().encode()
    revision = upstream.revision(
        *({b"a": file(b""), b"b": file(big)}, {b"a": file(b"1\n"), b"b": file(b"x\n" * 9_999)})
    )
    url = f"file://{upstream.root}"
    with pytest.raises(Permanent, match="larger than the limit"):
        await mirror_of(tmp_path, url, limits=Limits(repository_bytes=100_000)).fetch(revision)
    diff = await mirror_of(tmp_path, url, limits=Limits(diff_bytes=1_000)).diff(revision)
    assert [("a", False), ("b", True)] == [(one.new_path, one.truncated) for one in diff.files]


async def test_a_slow_command_is_stopped(tmp_path: Path, upstream: Upstream) -> None:
    """Git gets only as long as the limit says."""
    revision = upstream.revision(*SIMPLE)
    with pytest.raises(Transient, match="took longer"):
        await mirror_of(tmp_path, f"file://{upstream.root}", limits=Limits(fetch_s=0.001)).fetch(revision)


async def test_packs_are_merged_now_and_then(tmp_path: Path, mirror: GitMirror, upstream: Upstream) -> None:
    """Many fetches leave few packs, and everything stays readable."""
    revision = upstream.revision(*SIMPLE)
    await mirror.fetch(revision)
    packs = only_mirror(tmp_path) / "objects" / "pack"
    for number in range(51):
        git(
            only_mirror(tmp_path),
            "pack-objects",
            "-q",
            f"{packs}/pack",
            stdin=git(only_mirror(tmp_path), "hash-object", "-w", "--stdin", stdin=b"%d" % number).encode()
            + b"\n",
        )
    newer = upstream.commit("refs/merge-requests/3/head", {b"a": file(b"9\n")}, revision.head_sha)
    revision = revision.model_copy(update={"head_sha": newer})
    await mirror.fetch(revision)
    assert 10 > len(list(packs.glob("*.pack")))
    assert b"9\n" == (await mirror.read(revision, ["a"]))["a"].content


class Handler(BaseHTTPRequestHandler):
    """Serve git's own CGI below HTTP Basic authentication, as GitLab does."""

    root: Path
    answer: tuple[int, bytes] | None
    seen: list[str]
    speaks_v2: bool

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        credentials = base64.b64encode(f"oauth2:{TOKEN}".encode()).decode()
        if self.answer:
            self._say(*self.answer)
        elif self.headers.get("Authorization") != f"Basic {credentials}":
            self._say(401, b"HTTP Basic: Access denied.")
        else:
            self._backend()

    do_POST = do_GET  # noqa: N815 - the server looks the method up by name

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        if status == 302:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/other")
        self.end_headers()
        self.wfile.write(body)

    def _backend(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            **ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if self.speaks_v2 else "",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def http(upstream: Upstream) -> Iterator[tuple[str, type[Handler]]]:
    handler = type(
        "Bound", (Handler,), {"root": upstream.root, "answer": None, "seen": [], "speaks_v2": True}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", handler
        server.shutdown()
        thread.join()


async def test_the_token_stays_in_memory(
    tmp_path: Path, upstream: Upstream, http: tuple[str, type[Handler]]
) -> None:
    """HTTP works with the token, which is in no file of the mirror; only the forge's own host is asked."""
    revision = upstream.revision(*SIMPLE)
    await mirror_of(tmp_path, http[0], token=TOKEN).fetch(revision)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "mirrors").rglob("*") if path.is_file())
    assert [] == [
        secret for secret in (TOKEN.encode(), base64.b64encode(TOKEN.encode())[:-4]) if secret in stored
    ]


async def test_a_server_that_refuses_ids_is_asked_for_its_refs(
    tmp_path: Path, upstream: Upstream, http: tuple[str, type[Handler]]
) -> None:
    """Where only what is advertised may be had, commits arrive through the merge request's ref and branches."""
    url, handler = http
    handler.speaks_v2 = False
    revision = upstream.revision(*SIMPLE)
    upstream.commit("refs/heads/main", {b"z": file(b"z")}, revision.base_sha)
    mirror = mirror_of(tmp_path, url, token=TOKEN)
    git(upstream.path, "branch", "side", "main")
    await mirror.fetch(revision)
    git(upstream.path, "branch", "-m", "side", "side/way")
    newer = upstream.commit("refs/merge-requests/3/head", {b"a": file(b"9\n")}, revision.head_sha)
    upstream.commit("refs/merge-requests/3/head", {b"a": file(b"8\n")}, newer)
    revision = revision.model_copy(update={"head_sha": newer})
    assert [Change.modified] == [one.change for one in (await mirror.diff(revision)).files]


async def test_cancelling_ends_git(
    tmp_path: Path, upstream: Upstream, http: tuple[str, type[Handler]]
) -> None:
    """No process of a fetch outlives its caller, and no command line shows the token."""
    url, handler = http
    asked, released = Event(), Event()

    def hang(*_: object) -> None:
        asked.set()
        released.wait(120)

    handler._backend = hang  # type: ignore[method-assign,assignment]
    fetching = asyncio.create_task(mirror_of(tmp_path, url, token=TOKEN).fetch(upstream.revision(*SIMPLE)))
    await asyncio.to_thread(asked.wait, 60)
    lines = command_lines(url)
    fetching.cancel()
    cancelled, _ = await asyncio.wait({fetching}, timeout=100)
    released.set()
    assert {fetching} == cancelled
    assert fetching.cancelled()
    assert [] != lines
    assert [] == [line for line in lines if TOKEN.encode() in line or b"Basic" in line]
    assert [] == command_lines(url)


def command_lines(part: str) -> list[bytes]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines.append(path.read_bytes())
    return [line for line in lines if part.encode() in line]


async def test_a_wrong_token_is_final_and_not_repeated(
    tmp_path: Path, upstream: Upstream, http: tuple[str, type[Handler]]
) -> None:
    """The message says what the token needs, and does not show it."""
    with pytest.raises(Permanent, match="read_repository") as caught:
        await mirror_of(tmp_path, http[0], token="glpat-wrong").fetch(upstream.revision(*SIMPLE))
    assert "glpat" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, b"Git access over HTTP is not allowed", GitOverHttpClosed),
        (403, b"You are not allowed to download code from this project.", Permanent),
        (404, b"The project you were looking for could not be found", Permanent),
        (302, b"", Permanent),
        (503, b"", Transient),
        (429, b"Retry later", Transient),
    ],
)
async def test_refusals_are_told_apart(
    tmp_path: Path,
    upstream: Upstream,
    http: tuple[str, type[Handler]],
    status: int,
    body: bytes,
    error: type[CloisterError],
) -> None:
    """Each answer of the forge becomes the error that its caller can act on; redirects are not followed."""
    url, handler = http
    handler.answer = (status, body)
    with pytest.raises(CloisterError) as caught:
        await mirror_of(tmp_path, url, token=TOKEN).fetch(upstream.revision(*SIMPLE))
    assert error is type(caught.value)
    assert 1 == len(handler.seen)


async def test_an_unreachable_forge_is_worth_another_try(tmp_path: Path, upstream: Upstream) -> None:
    """Nobody listens: Transient."""
    with pytest.raises(Transient):
        await mirror_of(tmp_path, "http://127.0.0.1:9").fetch(upstream.revision(*SIMPLE))


@pytest.mark.parametrize("url", ["ssh://x/y.git", "ext::sh -c id", "/etc"])
async def test_other_protocols_are_refused(tmp_path: Path, url: str) -> None:
    """Only http and https lead out."""
    with pytest.raises(Permanent, match="use http or https"):
        mirror_of(tmp_path, url)


@pytest.mark.parametrize("stated", ["https://x", "https://x/../../etc", ""])
async def test_an_unusable_clone_url_is_refused(tmp_path: Path, upstream: Upstream, stated: str) -> None:
    """What the forge states cannot lead out of the forge's own URL."""

    async def clone_url(_: int) -> str:
        return stated

    mirror = GitMirror(tmp_path / "mirrors", forge_url=f"file://{upstream.root}", clone_url=clone_url)
    with pytest.raises(Permanent, match="unusable clone URL"):
        await mirror.fetch(upstream.revision(*SIMPLE))
