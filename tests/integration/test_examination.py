"""Only what a merge request brings about is raised, whatever it moves, judged by the real scanners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.adapters.git_mirror import GitMirror, Limits
from bot.adapters.process import ProcessRunner
from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.errors import Permanent, Transient
from bot.domain.findings import Finding, ScanReport
from bot.domain.history import History
from bot.domain.merge_request import Revision
from bot.domain.policy import Gate, GateRule, Mode, Paths, Policy, When
from bot.ports import Blob, Runner
from bot.scanners import Scanner, Setup, Source, load, scheduled
from bot.scanners.examination import Examination
from bot.scanners.past import ReadCommits
from tests.upstream import REF, Files, Upstream, file

SCANNERS = load(Setup(rules=Path(__file__).parents[2] / "rules", key=b"key of the tests"))
SECRET = f"glpat-{'q7Zt4LwX9bNc2RfK8vYd'}".encode()
FILLER = b"".join(b"value_%d = %d\n" % (number, number) for number in range(30))
SHELL = b"def run(name):\n    subprocess.run(f'ls {name}', shell=True)\n"
BAD = b"import subprocess\n\n\n" + SHELL
CLEAN = b"import subprocess\n\n\n"
TOKEN = b"token = '" + SECRET + b"'\n"

Contents = dict[str, bytes]


class World:
    """One merge request after another, on the same upstream repository."""

    def __init__(self, root: Path) -> None:
        self.upstream = Upstream(root / "forge")
        self.mirror = GitMirror(
            root / "mirrors", forge_url=f"file://{self.upstream.root}", clone_url=self._clone_url
        )
        self.policy = Policy()
        self.patient = False
        self.commits: ReadCommits | None = None

    @staticmethod
    async def _clone_url(_: int) -> str:
        return "http://gitlab.test/group/project.git"

    def revision(self, base: Contents, head: Contents, start: Contents | None = None) -> Revision:
        """Commit *base*, *head* on it, and *start* as what the target branch has become meanwhile."""
        first = self.upstream.commit("refs/heads/main", _files(base), anew=True)
        last = self.upstream.commit("refs/merge-requests/3/head", _files(head), first, anew=True)
        tip = (
            first
            if start is None
            else self.upstream.commit("refs/heads/main", _files(start), first, anew=True)
        )
        return Revision(ref=REF, base_sha=first, start_sha=tip, head_sha=last)

    async def examine(self, scanner: Scanner, revision: Revision) -> list[Finding]:
        """Return what *scanner* raises on *revision*."""

        async def read(paths: Sequence[str], side: str) -> Mapping[str, Blob]:
            return await self.mirror.read(revision, paths, side=side)

        examined = await Examination(
            scanner,
            ProcessRunner(),
            read,
            await self.mirror.diff(revision),
            self.policy,
            b"key",
            target_moved=revision.start_sha != revision.base_sha,
            patient=self.patient,
            commits=self.commits,
        ).findings()
        self.examined = examined
        return list(examined.findings)

    async def leaks(self, *contents: Contents) -> list[tuple[str, int, int]]:
        """Return path, line and the number of the commit for all secrets, the first of *contents* being the base."""
        one = first = self.upstream.commit("refs/heads/main", _files(contents[0]), anew=True)
        shas = [""]
        for each in contents[1:]:
            one = self.upstream.commit("refs/heads/work", _files(each), one, anew=True)
            shas.append(one)
        revision = Revision(ref=REF, base_sha=first, start_sha=first, head_sha=one)
        self.commits = partial(self.mirror.commits, revision)
        found = await self.examine(SCANNERS["secrets"], revision)
        return [(leak.path, leak.line, shas.index(leak.commit)) for leak in found]

    async def raised(
        self, base: Contents, head: Contents, start: Contents | None = None, *, scanner: str = "semgrep"
    ) -> list[tuple[str, int]]:
        """Return where *scanner* raises something."""
        found = await self.examine(SCANNERS[scanner], self.revision(base, head, start))
        return sorted((one.path, one.line) for one in found)


def _files(contents: Contents) -> Files:
    return {path.encode(): file(content) for path, content in contents.items()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


MOVED = {
    "moved within the file": ({"a.py": BAD + FILLER}, {"a.py": CLEAN + FILLER + SHELL}),
    "indented": (
        {"a.py": BAD},
        {"a.py": CLEAN + b"class A:\n" + b"".join(b"    " + line for line in SHELL.splitlines(True))},
    ),
    "reformatted": (
        {"a.py": BAD},
        {
            "a.py": BAD.replace(
                b"(f'ls {name}', shell=True)", b'(\n        f"ls {name}",\n        shell=True,\n    )'
            )
        },
    ),
    "moved to another file": ({"a.py": BAD + FILLER}, {"a.py": CLEAN + FILLER, "b.py": BAD}),
    "split up": ({"a.py": BAD + FILLER}, {"b.py": CLEAN + FILLER, "c.py": BAD}),
    "renamed and moved": ({"a.py": BAD + FILLER}, {"b.py": CLEAN + FILLER + SHELL}),
}


@pytest.mark.parametrize("name", MOVED)
async def test_what_was_there_before_is_not_raised(world: World, name: str) -> None:
    """Moving, formatting and renaming code brings about nothing."""
    assert [] == await world.raised(*MOVED[name])


async def test_what_was_there_before_is_told_if_the_gate_asks_for_it(world: World) -> None:
    """It is marked, and what is new is not."""
    asked = GateRule(when=When(newness="existing"), mode=Mode.shadow)
    world.policy = Policy(gate=Gate(rules=(asked,)))
    base, head = MOVED["moved within the file"]
    old = await world.examine(SCANNERS["semgrep"], world.revision(base, head))
    assert [True] == [finding.existing for finding in old]
    new = await world.examine(SCANNERS["semgrep"], world.revision({"a.py": CLEAN}, {"a.py": BAD}))
    assert [False] == [finding.existing for finding in new]


async def test_what_was_not_there_is_raised(world: World) -> None:
    """The same code is raised where it is new, in a file of its own, or a second time."""
    assert [("a.py", 5)] == await world.raised({"a.py": CLEAN}, {"a.py": BAD})
    assert [("b.py", 5)] == await world.raised({"a.py": BAD}, {"a.py": BAD, "b.py": BAD})
    assert [("a.py", 37)] == await world.raised({"a.py": BAD + FILLER}, {"a.py": BAD + FILLER + SHELL})
    copied_and_moved = {"a.py": CLEAN + FILLER + SHELL + FILLER + SHELL}
    assert 1 == len(await world.raised({"a.py": BAD + FILLER}, copied_and_moved))


async def test_losing_a_line_is_no_excuse_for_a_copy(world: World) -> None:
    """A finding that only lost a part of its lines has not gone away."""
    long = BAD.replace(b"shell=True", b"\n  shell=True,\n  check=True,\n  text=True")
    short = long.replace(b"  check=True,\n", b"")
    assert [("b.py", 5)] == await world.raised({"a.py": long}, {"a.py": short, "b.py": long})


async def test_code_that_comes_out_of_left_out_files_is_new(world: World) -> None:
    """Nobody looked at it there."""
    world.policy = Policy(paths=Paths(exclude=("old/**",)))
    assert [("b.py", 5)] == await world.raised({"old/a.py": BAD + FILLER}, {"old/a.py": FILLER, "b.py": BAD})


async def test_what_the_target_branch_has_mended_is_new(world: World) -> None:
    """A branch from an old commit does not bring it back under the cover of having moved it."""
    base, head = {"a.py": BAD + FILLER}, {"a.py": CLEAN + FILLER, "b.py": BAD}
    assert [] == await world.raised(base, head, {"a.py": BAD + FILLER, "other.py": b"x\n"})
    assert [] == await world.raised(base, head, {"a.py": b"# later\n" + BAD + FILLER})
    assert [("b.py", 5)] == await world.raised(base, head, {"a.py": CLEAN + FILLER})
    assert [("b.py", 5)] == await world.raised(base, head, {"other.py": b"x\n"})


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ({"a": TOKEN}, {"a": b"[prod]\n    api_" + TOKEN}, []),
        ({"a": TOKEN + FILLER}, {"a": FILLER, "b": FILLER + TOKEN}, []),
        ({"a": TOKEN + FILLER}, {"b": FILLER + b"renamed_" + TOKEN}, []),
        ({"a": TOKEN}, {"a": TOKEN, "b": TOKEN}, [("b", 1)]),
        ({"a": FILLER}, {"a": FILLER + TOKEN}, [("a", 31)]),
        ({"a": TOKEN}, {"a": TOKEN.replace(b"q7Z", b"r8A")}, [("a", 1)]),
    ],
)
async def test_a_secret_is_new_by_itself(
    world: World, base: Contents, head: Contents, expected: list[tuple[str, int]]
) -> None:
    """The line around a secret may change; another secret is another leak."""
    assert expected == await world.raised(base, head, scanner="secrets")


async def test_a_large_file_is_searched_for_secrets(world: World) -> None:
    """The lines that a diff shows are enough, whatever the size of the file."""
    large = b"".join(b"a harmless line, number %d\n" % number for number in range(100_000))
    assert len(large) > 2_000_000
    assert [("big.txt", 100_001)] == await world.raised(
        {"big.txt": large}, {"big.txt": large + TOKEN}, scanner="secrets"
    )


OTHER = TOKEN.replace(b"q7Z", b"r8A")
KEPT = {"a": b"a\n"}


async def test_scripts_that_git_takes_for_binary_are_named(world: World) -> None:
    """One NUL keeps their lines out of the diff; pictures, and what the policy leaves out, are no loss."""
    odd = dict.fromkeys(("run.py", "logo.png", "left/out.py"), BAD + b"#\x00\n")
    world.policy = Policy(paths=Paths(exclude=("left/",)))
    revision = world.revision({}, odd)
    assert ["secrets", "semgrep"] == scheduled(SCANNERS, await world.mirror.diff(revision), world.policy)[0]
    await world.examine(SCANNERS["semgrep"], revision)
    assert {"run.py": "binary for git"} == world.examined.not_analysed


async def test_code_that_is_in_git_lfs_is_named(world: World) -> None:
    """What stands in its place is no code, whatever its name; a picture is no loss."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12345\n" % (b"4d" * 32)
    revision = world.revision({}, {"a.py": pointer, "b.py": BAD, "logo.png": pointer})
    assert ["b.py"] == [finding.path for finding in await world.examine(SCANNERS["semgrep"], revision)]
    assert {"a.py": "its content is in Git LFS"} == world.examined.not_analysed


async def test_files_that_cannot_be_found_are_named(world: World) -> None:
    """A source of files that knows names only in part must not make them look clean; links have no content."""
    revision = world.revision({}, {"a.py": BAD})
    diff = await world.mirror.diff(revision)
    link = FileDiff("b.py", "b.py", Change.added, new_mode="120000", hunks=diff.files[0].hunks)

    async def nothing(_paths: Sequence[str], _side: str) -> Mapping[str, Blob]:
        return {}

    both = Diff((*diff.files, link))
    examination = Examination(SCANNERS["semgrep"], ProcessRunner(), nothing, both, Policy(), b"key")
    assert {"a.py": "not found under this name"} == (await examination.findings()).not_analysed


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ([KEPT, {"a": b"a\n" + TOKEN}, KEPT], [("a", 2, 1)]),
        ([KEPT, {"a": b"a\n" + TOKEN}, {"b": FILLER + TOKEN}, KEPT], [("a", 2, 1)]),
        ([KEPT, {"a": TOKEN}, {"a": TOKEN, "b": OTHER}, {"a": b"key_" + TOKEN}], [("a", 1, 0), ("b", 1, 2)]),
        ([KEPT, {"a": TOKEN}, KEPT, {"a": FILLER + TOKEN}], [("a", 31, 0)]),
        ([{"a": TOKEN}, {"b": FILLER + TOKEN}, {"b": FILLER}, {"c": TOKEN}, KEPT], []),
        ([{"a": TOKEN}, KEPT, {"a": TOKEN}, {"a": OTHER}, KEPT], [("a", 1, 3)]),
        ([KEPT, {"a": TOKEN, "package-lock.json": OTHER}, KEPT], [("a", 1, 1), ("package-lock.json", 1, 1)]),
        ([KEPT, {"out/a": TOKEN}, {"out/a": b"x\n"}, KEPT], []),
        ([KEPT, {"a": TOKEN}], [("a", 1, 0)]),
        ([KEPT, {"a": b"\0\n" + TOKEN}, KEPT], [("a", 2, 1)]),
        ([KEPT, {"a": TOKEN.decode().encode("utf-16")}, {"a": b"\0\n"}], [("a", 1, 1)]),
        ([KEPT, {"a": TOKEN}, {"a": b"\0\n" + TOKEN}], [("a", 2, 0)]),
        ([{"a": b"\0\n" + TOKEN}, {"a": b"\0\n\n" + TOKEN}, {"a": b"\0\n"}], []),
        ([KEPT, {"a": b"\0\n"}, {"a": b"\0\n", "b": b"\0\n" + TOKEN}], [("b", 2, 0)]),
    ],
)
async def test_what_commits_add_is_found_once(
    world: World, contents: list[Contents], expected: list[tuple[str, int, int]]
) -> None:
    """The head comes first, then the commit that brought it in; what was there before the branch is nobody's."""
    world.policy = Policy(paths=Paths(exclude=("out/",)))
    assert expected == sorted(await world.leaks(*contents))


async def test_commits_that_were_not_looked_at_are_named(world: World) -> None:
    """A change that is too large is not clean, nor is a branch whose commits cannot be had."""
    world.mirror = GitMirror(
        world.upstream.root.parent / "small",
        forge_url=f"file://{world.upstream.root}",
        clone_url=world._clone_url,
        limits=Limits(diff_bytes=5_000),
    )
    await world.leaks(KEPT, {"a": b"a\n", "b": b"long line\n" * 1_000}, KEPT)
    assert {"b": "the change is too large to be read"} == {
        path: reason.partition(": ")[2] for path, reason in world.examined.not_analysed.items()
    }
    assert "only the first 1 of 2" in world.examined.past

    async def refused() -> History:
        raise Permanent("GitLab refused our token")

    revision = world.revision(KEPT, {"a": b"a\n" + TOKEN})
    world.commits = refused
    assert 1 == len(await world.examine(SCANNERS["secrets"], revision))
    assert "GitLab refused our token" == world.examined.past


class Watched:
    """A scanner that counts its runs, and from one of them on has an answer of its own."""

    everywhere = False
    name = "semgrep"
    history = False

    def __init__(self, answer: Exception | str = "", since: int = 2) -> None:
        self.seen: list[list[str]] = []
        self._answer = answer
        self._since = since

    def wants(self, path: str) -> bool:
        return SCANNERS["semgrep"].wants(path)

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        self.seen.append([source.path for source in sources])
        if self._answer and len(self.seen) >= self._since:
            if isinstance(self._answer, Exception):
                raise self._answer
            return ScanReport(
                scanner=self.name, not_analysed={source.path: self._answer for source in sources}
            )
        return await SCANNERS["semgrep"].scan(sources, runner)


async def test_nothing_is_compared_where_nothing_was_found(world: World) -> None:
    """A clean change costs one run, one with findings looks only at the files that matter."""
    clean = Watched()
    files: Contents = {"a.py": FILLER, "b.py": FILLER, "c.py": FILLER}
    edited = {path: content + b"more = 1\n" for path, content in files.items()}
    await world.examine(clean, world.revision(files, edited))
    assert [["a.py", "b.py", "c.py"]] == clean.seen
    busy = Watched()
    lost = {"a.py": FILLER + SHELL, "b.py": FILLER.replace(b"value_3 = 3\n", b"")}
    await world.examine(busy, world.revision(files, edited | lost))
    assert [["a.py", "c.py"], ["a.py"]] == [sorted(run) for run in busy.seen]


@pytest.mark.parametrize("answer", ["timeout", Transient("it broke")])
async def test_what_cannot_be_compared_stays_raised(world: World, answer: Exception | str) -> None:
    """A comparison that fails excuses nothing."""
    revision = world.revision({"a.py": BAD + FILLER}, {"a.py": CLEAN + FILLER + SHELL})
    assert [35] == [one.line for one in await world.examine(Watched(answer), revision)]


async def test_a_comparison_that_may_work_later_is_tried_again(world: World) -> None:
    """The first failures are left to the retries of the stage."""
    world.patient = True
    revision = world.revision({"a.py": BAD + FILLER}, {"a.py": CLEAN + FILLER + SHELL})
    with pytest.raises(Transient):
        await world.examine(Watched(Transient("it broke")), revision)
