"""`cloister review` on real repositories, friendly and hostile."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.subject import collect
from bot.cli.working_tree import WorkingTree
from bot.domain.diff import Change
from bot.domain.errors import Permanent
from tests.unit.cli.command import run

#: Found by the shipped rules; see the samples beside them.
VULNERABLE = (
    "import hashlib\n\n\ndef stored(password: bytes) -> str:\n    return hashlib.md5(password).hexdigest()\n"
)
QUIET = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": os.devnull}


class Repository:
    """Drive a real git repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """Run git and return what it prints."""
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        argv = ["git", "-C", str(self.root), *identity, *arguments]
        return subprocess.run(argv, env=QUIET, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, path: str, content: str | bytes) -> Path:
        """Write a file in the working tree."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    def commit(self, **files: str) -> str:
        """Commit *files* (``__`` stands for a dot) and return the commit."""
        for name, content in files.items():
            self.write(name.replace("__", "."), content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    @property
    def tree(self) -> WorkingTree:
        """Return our view of it."""
        return WorkingTree.around(self.root, QUIET)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository with one commit on main, and a branch checked out."""
    made = Repository(tmp_path / "repo")
    made.commit(app__py="import os\n")
    made.git("checkout", "--quiet", "-b", "topic")
    return made


def changed(repository: Repository, base: str | None = None, *, staged: bool = False) -> dict[str, list[int]]:
    """Return the added lines of the files that would be reviewed."""
    subject = collect(repository.tree, base, staged=staged)
    return {file.new_path: sorted(file.added_lines) for file in subject.diff.files}


def test_commits_index_working_tree_and_new_files_count(repository: Repository):
    """Everything that the branch would bring is reviewed."""
    repository.commit(one__py="a = 1\n")
    repository.write("two.py", "b = 2\n")
    repository.git("add", "two.py")
    repository.write("three.py", "c = 3\n")
    repository.write("app.py", "import os\nimport sys\n")

    assert changed(repository) == {"app.py": [2], "one.py": [1], "two.py": [1], "three.py": [1]}


def test_what_the_base_gained_meanwhile_does_not_count(repository: Repository):
    """The merge base is compared with, not the tip of the base."""
    repository.commit(one__py="a = 1\n")
    repository.git("checkout", "--quiet", "main")
    repository.commit(other__py="x = 1\n")
    repository.git("checkout", "--quiet", "topic")

    assert changed(repository, "main") == {"one.py": [1]}


def test_staged_means_the_index_against_head(repository: Repository):
    """A pre-commit hook sees what the commit will hold, not what lies around."""
    repository.commit(one__py="a = 1\n")
    repository.write("one.py", "a = 1\nb = 2\n")
    repository.git("add", "one.py")
    repository.write("one.py", "a = 1\nb = 2\nc = 3\n")
    repository.write("new.py", "x = 1\n")

    subject = collect(repository.tree, None, staged=True)

    assert changed(repository, staged=True) == {"one.py": [2]}
    assert subject.contents == {"one.py": b"a = 1\nb = 2\n"}
    assert changed(repository, "main", staged=True) == {"one.py": [1, 2]}


def test_ignored_files_links_and_nested_repositories_are_left_out(repository: Repository, tmp_path: Path):
    """A link may lead anywhere; what is behind it is not part of the change."""
    (tmp_path / "secret").write_text("outside\n")
    repository.write(".gitignore", "*.log\n")
    repository.write("x.log", "noise\n")
    (repository.root / "link.py").symlink_to(tmp_path / "secret")
    Repository(repository.root / "nested").commit(inner__py="a = 1\n")

    assert changed(repository) == {".gitignore": [1]}


def test_a_tracked_link_or_linked_directory_is_not_followed(repository: Repository, tmp_path: Path):
    """The working tree may have been turned into links since the last commit."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_text("outside\n")
    repository.commit(**{"d/a__py": "a = 1\n"})
    (repository.root / "d" / "a.py").unlink()
    (repository.root / "d").rmdir()
    (repository.root / "d").symlink_to(outside)

    assert repository.tree.read("d/a.py") is None
    assert "outside" not in str(collect(repository.tree, None, staged=False).contents)


def test_before_the_first_commit_everything_is_new(tmp_path: Path):
    """A repository starts somewhere."""
    repository = Repository(tmp_path / "young")
    repository.write("a.py", "a = 1\n")

    assert changed(repository) == {"a.py": [1]}


def test_unusual_names_and_bytes_survive(repository: Repository):
    """Spaces, quotes and umlauts are names, NUL makes a file binary, Latin-1 does not."""
    repository.write('a "b" ü\n.py', "a = 1\n")
    repository.write("latin.py", b"# \xe4\n")
    repository.write("data.bin", b"\0\n")
    files = {file.new_path: file for file in collect(repository.tree, None, staged=False).diff.files}

    assert set(files) == {'a "b" ü\n.py', "latin.py", "data.bin"}
    assert (files["data.bin"].binary, files["latin.py"].added_lines) == (True, frozenset({1}))
    assert {file.change for file in files.values()} == {Change.added}


HOSTILE = [
    ("core.fsmonitor", "touch {mark}; false"),
    ("diff.external", "touch {mark} #"),
    ("diff.evil.textconv", "touch {mark} #"),
    ("diff.evil.command", "touch {mark} #"),
    ("filter.evil.clean", "touch {mark}; cat #"),
    ("filter.evil.process", "touch {mark} #"),
    ("filter.e=vil.clean", "touch {mark}; cat #"),
    ("core.pager", "touch {mark} #"),
]


@pytest.mark.parametrize(("key", "program"), HOSTILE, ids=[key for key, _ in HOSTILE])
def test_no_program_that_the_repository_configures_runs(
    repository: Repository, tmp_path: Path, key: str, program: str
):
    """A repository from a stranger can be reviewed before it is trusted."""
    mark = tmp_path / "ran"
    name = key.split(".")[1] if key.count(".") == 2 else "evil"
    repository.commit(__gitattributes=f'"*.py" filter={name} diff={name}\n', b__py="b = 1\n")
    repository.git("config", key, program.format(mark=mark))
    repository.write("b.py", "b = 22\n")

    assert changed(repository)["b.py"] == [1]
    assert not mark.exists()


def test_git_problems_are_explained(repository: Repository, tmp_path: Path):
    """Each message says what to do."""
    (tmp_path / "plain").mkdir()
    repository.git("branch", "--move", "main", "trunk")

    with pytest.raises(Permanent, match="is in no git repository; name one"):
        WorkingTree.around(tmp_path / "plain", QUIET)
    with pytest.raises(Permanent, match="not a directory"):
        WorkingTree.around(tmp_path / "none", QUIET)
    with pytest.raises(Permanent, match="name one with --base REF"):
        collect(repository.tree, None, staged=False)
    with pytest.raises(Permanent, match="is not a commit here"):
        collect(repository.tree, "--upload-pack=touch", staged=False)
    repository.git("checkout", "--quiet", "--orphan", "alone")
    repository.commit(z__py="z = 1\n")
    with pytest.raises(Permanent, match="no common ancestor"):
        collect(repository.tree, "trunk", staged=False)


def test_the_policy_is_that_of_the_base(repository: Repository):
    """A change cannot loosen the gate that it has to pass."""
    repository.git("checkout", "--quiet", "main")
    repository.commit(__cloister__yml="gate:\n  block_at: critical\npaths:\n  exclude: [docs/]\n")
    repository.git("checkout", "--quiet", "-B", "topic")
    repository.commit(__cloister__yml="gate:\n  block_at: never\n")
    repository.write("docs/a.py", "a = 1\n")

    subject = collect(repository.tree, "main", staged=False)

    assert subject.policy.gate.block_at == "critical"
    assert subject.excluded == {"docs/a.py": "excluded by the policy (docs/)"}


def test_a_broken_policy_of_the_base_is_told(repository: Repository):
    """The default policy then holds."""
    repository.git("checkout", "--quiet", "main")
    repository.commit(__cloister__yml="gaet: 1\n")
    repository.git("checkout", "--quiet", "-B", "topic")

    assert "did you mean 'gate'" in collect(repository.tree, "main", staged=False).problem


@pytest.fixture
def review(repository: Repository) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs `cloister review` on a change with a known flaw."""
    repository.write("flawed.py", VULNERABLE)

    def invoke(*arguments: str, **environ: str) -> tuple[int, str, str]:
        result = run("review", str(repository.root), "--base", "main", *arguments, **environ)
        return result.exit_code, result.stdout, result.stderr

    return invoke


def test_findings_are_shown_and_set_the_exit_status(review: Callable[..., tuple[int, str, str]]):
    """1 from the asked severity on, else 0; progress stays on stderr."""
    status, out, err = review("--fail-on", "info")

    assert status == 1
    assert "flawed.py" in out
    assert "| return hashlib.md5(password).hexdigest()" in out.replace("    return", "return")
    assert "semgrep: 1 file" in err
    assert "semgrep: 1 file" not in out
    assert review("--fail-on", "never")[0] == 0


def test_what_was_there_before_is_not_raised(
    repository: Repository, review: Callable[..., tuple[int, str, str]]
):
    """Code that moved is not new; a secret is, also in a file that nobody reviews."""
    repository.write("app.py", VULNERABLE)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "-m", "before")
    repository.git("branch", "--force", "main", "HEAD")
    repository.write("app.py", "import hashlib\n")
    repository.write("moved.py", VULNERABLE)
    code, out, _ = review()
    assert "md5" not in out.lower()
    repository.write("package-lock.json", f"glpat-{'q7Zt4LwX9bNc2RfK8vYd'}\n")
    code, out, _ = review()
    assert (code, "GitLab personal access token" in out) == (1, True)


def test_a_secret_is_found_and_shown_nowhere(
    repository: Repository, review: Callable[..., tuple[int, str, str]]
):
    """Every form of the report names the place and keeps the secret to itself."""
    secret = "glpat-" + "Zq3v8Kx1Tn5Wb7Rc2Yd9"
    repository.write("settings.py", f'import os\n\ntoken = "{secret}"\n')

    for form in ("text", "json", "sarif", "codequality"):
        status, out, err = review("--format", form, "--no-model")

        assert status == 1
        assert "settings.py" in out
        assert secret not in out + err
        assert secret[10:] not in out + err


@pytest.mark.parametrize("form", ["json", "sarif", "codequality"])
def test_reports_for_programs_go_to_a_file(
    review: Callable[..., tuple[int, str, str]], tmp_path: Path, form: str
):
    """The file holds the report and nothing else."""
    target = tmp_path / "report"

    status, out, _ = review("--format", form, "--output", str(target), "--fail-on", "never")

    assert (status, out) == (0, "")
    assert "flawed.py" in json.dumps(json.loads(target.read_text()))


def test_a_report_that_cannot_be_written_is_an_error(review: Callable[..., tuple[int, str, str]]):
    """2 is for what could not be done."""
    status, _, err = review("--output", "/nonexistent/report")

    assert status == 2
    assert "cannot write /nonexistent/report" in err


def test_a_model_that_does_not_answer_is_named(review: Callable[..., tuple[int, str, str]]):
    """The static part stands on its own."""
    status, out, _ = review("--fail-on", "never", CLOISTER_MODEL_URL="http://127.0.0.1:9")

    assert status == 0
    assert "not reviewed: everything (model): Ollama at http://127.0.0.1:9 is out of reach" in out


def test_a_dotenv_file_in_the_repository_is_not_obeyed(
    repository: Repository, review: Callable[..., tuple[int, str, str]]
):
    """Code under review could otherwise choose where it is sent."""
    repository.write(".env", "CLOISTER_MODEL_URL=http://127.0.0.1:9\nCLOISTER_CONCURRENCY=broken\n")
    before = Path.cwd()
    os.chdir(repository.root)
    try:
        status, out, _ = review("--fail-on", "never")
    finally:
        os.chdir(before)

    assert status == 0
    assert "(model)" not in out


def test_a_secret_in_the_policy_is_not_repeated(
    repository: Repository, review: Callable[..., tuple[int, str, str]]
):
    """A complaint quotes the key that is wrong, and anything may have been pasted there."""
    secret = "glpat-" + "Zq3v8Kx1Tn5Wb7Rc2Yd9"
    repository.git("checkout", "--quiet", "-B", "main")
    repository.commit(__cloister__yml=f"gate:\n  {secret}: never\n")
    repository.git("checkout", "--quiet", "-B", "topic")

    _, out, err = review("--no-model")

    assert ".cloister.yml of the base is not used" in err
    assert secret not in out + err


def test_findings_of_another_tool_are_taken_over(
    review: Callable[..., tuple[int, str, str]], repository: Repository, tmp_path: Path
):
    """Those on changed lines count like ours; a file that is no SARIF log is an error, not a clean one."""
    place = {"artifactLocation": {"uri": f"file://{repository.root}/flawed.py"}, "region": {"startLine": 5}}
    found = {
        "ruleId": "own",
        "level": "error",
        "message": {"text": "Own"},
        "locations": [{"physicalLocation": place}],
    }
    run = {"tool": {"driver": {"name": "lint"}}, "results": [found]}
    log = tmp_path / "lint.sarif"
    log.write_text(json.dumps({"version": "2.1.0", "runs": [run]}))
    status, out, _ = review("--no-model", "--format", "json", "--sarif", str(log))
    assert {(one["scanner"], one["rule"]) for one in json.loads(out)["findings"]} >= {("sarif:lint", "own")}
    log.write_text("{}")
    status, _, error = review("--no-model", "--sarif", str(log))
    assert status == 2
    assert "no runs" in error
    assert review("--no-model", "--sarif", str(tmp_path / "gone"))[0] == 2
