"""Rules of an organisation from real git repositories, and scanners that follow them."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from bot.adapters.git_fetch import transfer_alone
from bot.adapters.git_process import Git, Output
from bot.adapters.process import ProcessRunner
from bot.adapters.rules_directory import DirectoryRules
from bot.adapters.rules_git import GitRules
from bot.domain.errors import CloisterError, Permanent, Transient
from bot.ports import RuleSource
from bot.resources import resource
from bot.runtime.rulebook import Rulebook
from bot.scanners import Setup, Source, known_rules, load

RULE = """\
rules:
  - id: {id}
    languages: [python]
    severity: ERROR
    message: Do not call {call}.
    pattern: {call}(...)
"""
SECRET = """\
[[rule]]
id = "{id}"
title = "Acme token"
pattern = '{pattern}'
samples = ["acme_{[a-z0-9]:20}"]
clean = ["acme"]
"""


class Repository:
    """A repository of rules, written with the git of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = f"file://{root}"
        root.mkdir()
        self.git("init", "-q", "--initial-branch=main")

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "protocol.file.allow=always")
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.root), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.root, env=environ, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, str]) -> str:
        for name, text in files.items():
            place = self.root / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "rules")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "repository")
    repository.commit({"python/a.yaml": RULE.format(id="own-a", call="danger")})
    return repository


@pytest.fixture
def source(repository: Repository, tmp_path: Path) -> GitRules:
    return GitRules(tmp_path / "data", repository.url, "main")


def book(*sources: RuleSource) -> Rulebook:
    def build(packs: tuple[Path, ...]):
        return load(Setup(rules=resource("rules"), key=b"k", packs=packs))

    return Rulebook(build, sources, ProcessRunner())


async def findings(rules: Rulebook, code: str, path: str = "a.py") -> set[str]:
    content = code.encode()
    source = Source(path, content, frozenset(range(1, content.count(b"\n") + 2)))
    reports = [await scanner.scan([source], ProcessRunner()) for scanner in rules.values()]
    return {finding.rule for report in reports for finding in report.findings}


async def test_copies_follow_the_branch(repository: Repository, source: GitRules):
    """A refresh brings the newest commit as plain files; without one the last copy stands."""
    assert await source.last() is None
    first = await source.refresh()
    assert (first.directory / "python" / "a.yaml").read_text() == RULE.format(id="own-a", call="danger")
    assert await source.last() == first == await source.refresh()
    commit = repository.commit({"python/b.yaml": RULE.format(id="own-b", call="worse")})
    assert await source.last() == first
    second = await source.refresh()
    assert second.version == commit
    assert (second.directory / "python" / "b.yaml").is_file()
    assert first.directory.is_dir()


async def test_rewritten_history_and_old_copies(repository: Repository, source: GitRules):
    """A forced push is followed, and copies do not pile up."""
    for number in range(5):
        repository.git("checkout", "-q", "--orphan", f"new-{number}")
        repository.commit({"a.yaml": RULE.format(id=f"own-{number}", call="danger")})
        repository.git("branch", "-f", "main")
        copy = await source.refresh()
        assert f"own-{number}" in (copy.directory / "a.yaml").read_text()
    assert len([path for path in copy.directory.parent.iterdir() if len(path.name) == 40]) <= 2


@pytest.mark.parametrize("kind", ["tag", "commit", "HEAD"])
async def test_tags_and_commits(kind: str, repository: Repository, tmp_path: Path):
    """Rules can be pinned."""
    commit = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v1")
    ref = {"tag": "v1", "commit": commit, "HEAD": "HEAD"}[kind]
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    if kind != "HEAD":
        repository.commit({"b.yaml": RULE.format(id="own-b", call="worse")})
    copy = await GitRules(tmp_path / "data", repository.url, ref).refresh()
    assert copy.version == commit


async def test_only_regular_files_are_written(repository: Repository, source: GitRules, tmp_path: Path):
    """Links, submodules, hooks and filters of a repository do nothing, and no name leads out of the copy."""
    mark = tmp_path / "ran"
    outside = tmp_path / "outside"
    outside.write_text("secret")
    (repository.root / "link.yaml").symlink_to(outside)
    (repository.root / "up").symlink_to("..")
    repository.commit(
        {
            ".gitattributes": "*.yaml filter=evil\n",
            ".gitmodules": f'[submodule "s"]\n\tpath = s\n\turl = {repository.url}\n',
            "a\nb.yaml": RULE.format(id="odd", call="danger"),
            "big.yaml": "#" * 2_000_000,
        }
    )
    repository.git("config", "filter.evil.smudge", f"touch {mark}")
    (repository.root / ".git" / "hooks" / "post-checkout").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (repository.root / ".git" / "hooks" / "post-checkout").chmod(0o755)
    copy = await source.refresh()
    names = {str(path.relative_to(copy.directory)) for path in copy.directory.rglob("*") if path.is_file()}
    assert names == {".gitattributes", ".gitmodules", "a\nb.yaml", "python/a.yaml"}
    assert not any(path.is_symlink() for path in copy.directory.rglob("*"))
    assert not mark.exists()


async def test_what_cannot_be_fetched_is_said(repository: Repository, tmp_path: Path):
    """A branch or repository that does not exist is named."""
    for url, ref in ((repository.url, "nowhere"), (f"{repository.url}-not-there", "main")):
        with pytest.raises(CloisterError, match=r"nowhere|not-there"):
            await GitRules(tmp_path / "data", url, ref).refresh()


async def test_a_damaged_mirror_is_made_anew(source: GitRules):
    """A copy outlives the mirror that it came from."""
    first = await source.refresh()
    for file in (first.directory.parent / "mirror.git" / "objects" / "pack").iterdir():
        file.chmod(0o600)
        file.write_bytes(b"damaged")
    (first.directory.parent / "mirror.git" / "HEAD").unlink()
    assert await source.last() is None
    assert await source.refresh() == first


@pytest.mark.parametrize("name", ["shallow.lock", "refs/cloister/rules.lock"])
async def test_a_lock_that_a_killed_git_left_is_removed(repository: Repository, source: GitRules, name: str):
    """It would keep rules as they are for ever; a young one may be in use."""
    first = await source.refresh()
    commit = repository.commit({"b.yaml": RULE.format(id="own-b", call="worse")})
    lock = first.directory.parent / "mirror.git" / name
    lock.touch()
    with pytest.raises(Transient, match="File exists"):
        await source.refresh()
    os.utime(lock, (0, 0))
    assert (await source.refresh()).version == commit


class Stalled(Git):
    """A git that takes a lock and gets no further."""

    started = asyncio.Event()

    async def run(self, *arguments: str | bytes, at: Path, **_: object) -> Output:
        (at / "shallow.lock").touch()
        self.started.set()
        await asyncio.sleep(60)
        raise AssertionError(arguments)


async def test_a_fetch_that_is_broken_off_leaves_no_lock(tmp_path: Path):
    """Git is killed then, and cannot tidy up."""
    stalled = Stalled(forge_url="")
    older = tmp_path / "older.lock"
    older.touch()
    os.utime(older, (0, 0))
    fetching = asyncio.create_task(transfer_alone(stalled, tmp_path, "", (), limit_s=60, limit_bytes=1))
    await stalled.started.wait()
    fetching.cancel()
    await asyncio.wait([fetching])
    assert [older] == [*tmp_path.glob("*")]  # noqa: ASYNC240


async def test_scanners_follow_the_rules(repository: Repository, source: GitRules):
    """A new rule counts with the next scan, without a restart; a broken one is named and hides no other."""
    rules = book(source)
    await rules.open()
    assert await findings(rules, "danger()\nworse()\n") == {"own-a"}
    running = rules["semgrep"]
    repository.commit(
        {
            "b.yaml": RULE.format(id="own-b", call="worse"),
            "broken.yaml": "rules: [",
            "refused.yaml": RULE.format(id="own-c", call="f((("),
            "taken.yaml": RULE.format(id="python-sql-injection", call="worse"),
        }
    )
    await rules.refresh()
    assert await findings(rules, "danger()\nworse()\n") == {"own-a", "own-b"}
    assert rules["semgrep"] is not running
    named = "\n".join(rules.problems)
    assert "broken.yaml:1: this is not YAML" in named
    assert "refused.yaml:2: Semgrep does not accept the rule" in named
    assert "taken.yaml:2: the id python-sql-injection is taken" in named
    running = rules["semgrep"]
    await rules.refresh()
    assert rules["semgrep"] is running
    assert {"own-a", "own-b", "python-sql-injection"} <= known_rules(rules.values())


async def test_the_last_copy_is_used(repository: Repository, source: GitRules, tmp_path: Path):
    """A repository that is gone costs a warning, not the rules, not even after a restart."""
    await book(source).open()
    repository.root.rename(tmp_path / "moved")
    again = GitRules(tmp_path / "data", repository.url, "main")
    rules = book(again)
    await rules.open()
    assert rules.problems == []
    await rules.refresh()
    assert await findings(rules, "danger()\n") == {"own-a"}
    assert "repository" in rules.problems[0]
    (tmp_path / "moved").rename(repository.root)
    await rules.refresh()
    assert rules.problems == []


async def test_a_source_that_never_was_there(tmp_path: Path):
    """Reviews go on with the shipped rules, and it is said; once it is there, it is used."""
    rules = book(DirectoryRules(tmp_path / "pack"))
    await rules.open()
    assert "does not exist" in rules.problems[0]
    assert "semgrep" in rules
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "a.yml").write_text(RULE.format(id="own-a", call="danger"))
    await rules.refresh()
    assert rules.problems == []
    assert await findings(rules, "danger()\n") == {"own-a"}
    (tmp_path / "pack" / "a.yml").write_text(RULE.format(id="own-a", call="other_danger"))
    await rules.refresh()
    assert await findings(rules, "danger()\nother_danger()\n") == {"own-a"}


async def test_secret_rules_of_a_pack(tmp_path: Path):
    """They are found and masked; a broken one is named, and neither it nor a taken id hides any other."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    good = SECRET.replace("{id}", "acme").replace("{pattern}", "acme_[a-z0-9]{20}")
    token = "acme_" + "q7zt4lwx9b" * 2
    (secrets / "acme.toml").write_text(
        good
        + SECRET.replace("{id}", "torn").replace("{pattern}", "acme_(")
        + SECRET.replace("{id}", "slow").replace("{pattern}", r"\\pX{9999}")
        + SECRET.replace("{id}", "gitlab-token").replace("{pattern}", "acme_")
    )
    (secrets / "torn.toml").write_text("[[rule]\n")
    rules = book(DirectoryRules(tmp_path))
    await rules.open()
    assert "acme" in await findings(rules, f"token = '{token}'\n")
    named = "\n".join(rules.problems)
    assert "acme.toml:7" in named
    assert "torn.toml" in named
    from bot.scanners.secrets import redactor_of

    assert token not in redactor_of(rules).redact(f"token = '{token}'").text


async def test_shipped_rules_must_be_whole(tmp_path: Path):
    """Without rules of its own Cloister does not start."""
    with pytest.raises(Permanent, match="no secret rules"):
        await Rulebook(
            lambda packs: load(Setup(rules=tmp_path, key=b"k", packs=packs)), (), ProcessRunner()
        ).open()
