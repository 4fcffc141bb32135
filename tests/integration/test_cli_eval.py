"""`cloister eval`: real cases, real repositories, hostile directories."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli.evaluation.cases import find
from bot.cli.evaluation.checkout import check_out
from bot.cli.subject import collect
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import confirming
from bot.demo.script import Fault, Reply
from bot.domain.errors import Permanent
from bot.settings import inherited
from tests.planted_cases import CASES, Planted
from tests.unit.cli.command import run

CLEAN = 'title = "t"\nlanguage = "python"\nclean = true\n'
ENVIRON = inherited("PATH")
MODEL = ("--model", "deepseek-coder:6.7b")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of cases below ``tmp_path / "cases"``; a value that is None makes no file."""

    def made(name: str = "one", toml: str = CLEAN, **files: str | bytes) -> Path:
        place = tmp_path / "cases" / name
        place.mkdir(parents=True)
        (place / "case.toml").write_text(toml)
        for path, content in files.items():
            target = place / path.replace("__", "/").replace("_dot_", ".")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    return made


@pytest.fixture(scope="module")
def planted() -> Iterator[ScriptedOllama]:
    """Serve a model that gives the answers planted in the case set, and refutes those that say so."""
    answers = Planted.beside(CASES)
    with ScriptedOllama(script=confirming(answers, answers.refuted)) as server:
        yield server


def changed(place: Path) -> dict[str, list[int]]:
    """Return what a case changes, as a review sees it."""
    (directory,) = find(place)
    subject = collect(check_out(directory, place.parent.parent / "checkout", ENVIRON), "main", staged=False)
    return {file.new_path: sorted(file.added_lines) for file in subject.diff.files}


@pytest.fixture(scope="module")
def own(planted: ScriptedOllama) -> dict[str, Any]:
    """Return the report on the case set of this repository."""
    result = run("eval", str(CASES), "--url", planted.url, *MODEL, "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("\n") >= len(list(CASES.iterdir()))
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_the_case_set_is_as_wide_as_it_should_be() -> None:
    """Many languages, clean changes among them, and answers that nothing but engineering tells apart."""
    cases = find(CASES)
    assert len(cases) >= 30
    assert len({one.case.language for one in cases}) >= 8
    assert sum(one.case.clean for one in cases) >= 12
    answers = [
        answer
        for file in CASES.glob("*/model.json")
        for answer in json.loads(file.read_text(encoding="utf-8"))["answers"]
    ]
    assert sum(answer["good"] for answer in answers) >= 20
    assert sum(not answer["good"] for answer in answers) >= 20
    assert all(answer["good"] or answer["why"] for answer in answers)


def test_good_answers_are_kept_and_bad_ones_dropped(own: dict[str, Any]) -> None:
    """Lines that do not exist, code that was not changed, files that were not shown, nits and repetitions go."""
    said = {
        (case["name"], comment["title"])
        for case in own["cases"]
        for comment in case["comments"]
        if comment["scanner"] == "model"
    }
    bad = {
        (file.parent.name, answer["finding"]["title"])
        for file in CASES.glob("*/model.json")
        for answer in json.loads(file.read_text(encoding="utf-8"))["answers"]
        if not answer["good"] and "repeats" not in answer["why"]
    }
    assert set() == said & bad


def test_what_the_second_look_refutes_is_not_said(planted: ScriptedOllama) -> None:
    """Those answers pass every other check: a model that confirms everything says them."""
    only = ("--only", "clean-*", "--json")
    with ScriptedOllama(script=confirming(Planted.beside(CASES))) as gullible:
        said, heard = (
            json.loads(run("eval", str(CASES), "--url", server.url, *MODEL, *only).stdout)["total"]
            for server in (gullible, planted)
        )
    assert (0, True) == (heard["comments_per_clean"], said["comments_per_clean"] > 0)


def test_the_figures_of_the_case_set(own: dict[str, Any]) -> None:
    """What the engineering makes of those answers."""
    total = own["total"]
    assert total["recall"]["value"] >= 0.95
    assert total["precision"]["value"] >= 0.95
    assert (1, 1, 1) == tuple(
        total[name]["value"] for name in ("silence_on_clean", "position_validity", "valid_json")
    )
    assert (0, 0, 0) == (total["forbidden"], total["failed_cases"], total["comments_per_clean"])
    assert total["prompt_tokens"] > 10_000
    assert own["digest"]
    assert own["prompts"]["find"]


def test_a_report_is_compared_with_an_older_one(
    own: dict[str, Any], planted: ScriptedOllama, tmp_path: Path
) -> None:
    """A model that says nothing finds less, and few cases do not prove how much less."""
    old = tmp_path / "old.json"
    old.write_text(json.dumps(own))
    with ScriptedOllama() as silent:
        result = run(
            *("eval", str(CASES), "--url", silent.url, *MODEL, "--only", "python-m*"),
            *("--compare", str(old), "--output", str(tmp_path / "new.json"), "--min-recall", "0.5"),
        )
    assert (1, True) == (result.exit_code, "recall is 0.000 (0 of 2), below 0.5" in result.stderr)
    assert "python-missing-user: misses expected 1 now" in result.stdout
    assert "Only in the old report: bash-unquoted-remove" in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith("Recall") and "lower" in line)
    assert ["100.0%", "0.0%", "-100.0%"] == row.split()[1:4]
    assert json.loads((tmp_path / "new.json").read_text())["total"]["recall"]["of"] == 2


def test_a_model_that_breaks_shows(make: Callable[..., Path]) -> None:
    """In the valid-JSON rate and in the failed calls, not as a clean review."""
    place = make(base__a_dot_py="a = 1\n", head__a_dot_py="a = 2\n")
    replies = iter([Reply("no JSON"), Reply(), Reply(fault=Fault.crash)])
    with ScriptedOllama(script=lambda _: next(replies)) as server:
        report = json.loads(run("eval", str(place), "--url", server.url, *MODEL, "--json").stdout)
        broken = json.loads(run("eval", str(place), "--url", server.url, *MODEL, "--json").stdout)
    assert {"count": 1, "of": 2}.items() <= report["total"]["valid_json"].items()
    assert broken["cases"][0]["calls"]["failed"] == 1
    assert "a.py (model)" in broken["cases"][0]["not_reviewed"]


def test_without_a_server_nothing_is_measured(make: Callable[..., Path]) -> None:
    """Half an evaluation would look like a bad model."""
    place = str(make(head__a_dot_py="a = 1\n"))
    result = run("eval", place, CLOISTER_MODEL_URL=None)
    assert (2, True) == (result.exit_code, "name one with --url, or use --no-model" in result.stderr)
    result = run("eval", place, "--url", "http://127.0.0.1:9")
    assert (2, "") == (result.exit_code, result.stdout)
    assert run("eval", place, "--no-model", "--min-precision", "1").exit_code == 0


def test_a_case_is_two_trees(make: Callable[..., Path]) -> None:
    """Ignored files count too, and what is only in base is deleted."""
    place = make(
        base__a_dot_py="a = 1\n",
        base__gone_dot_py="x\n",
        head__a_dot_py="a = 1\nb = 2\n",
        head___dot_gitignore="*.log\n",
        head__sub__x_dot_log="noise\n",
    )
    assert {"a.py": [2], "gone.py": [], ".gitignore": [1], "sub/x.log": [1]} == changed(place)


def test_a_case_is_a_patch(make: Callable[..., Path]) -> None:
    """On base, or on nothing."""
    patch = "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+a = 1\n"
    assert {"new.py": [1]} == changed(make(change_dot_patch=patch))


@pytest.mark.parametrize("bundled", [True, False])
def test_a_case_is_two_commits(make: Callable[..., Path], tmp_path: Path, bundled: bool) -> None:
    """Of a bundle, or of a repository whose directory was named; what main gained meanwhile does not count."""
    source = tmp_path / "source"

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        argv = ["git", "-C", str(source), *identity, *arguments]
        environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(argv, check=True, capture_output=True, text=True, env=environ).stdout.strip()

    def commit(name: str) -> str:
        (source / name).write_text("x = 1\n")
        git("add", "--all")
        git("commit", "--quiet", "-m", name)
        return git("rev-parse", "HEAD")

    source.mkdir()
    git("init", "--quiet", "--initial-branch=trunk")
    commit("a.py")
    git("checkout", "--quiet", "-b", "topic")
    head = commit("b.py")
    git("checkout", "--quiet", "trunk")
    base = commit("c.py")
    name = "history.bundle" if bundled else "source"
    place = make(toml=f'{CLEAN}[git]\nrepository = "{name}"\nbase = "{base}"\nhead = "{head}"\n')
    if bundled:
        git("bundle", "create", str(place / name), "--all")
    (directory,) = find(place, repositories=tmp_path)
    subject = collect(check_out(directory, tmp_path / "checkout", ENVIRON), "main", staged=False)
    assert ["b.py"] == [file.new_path for file in subject.diff.files]
    if not bundled:
        with pytest.raises(Permanent, match="there is no source beside"):
            find(place)


PATCHES = {
    "leaves the tree": "--- /dev/null\n+++ b/../../evil.py\n@@ -0,0 +1 @@\n+a = 1\n",
    "is absolute": "--- /dev/null\n+++ b//tmp/evil.py\n@@ -0,0 +1 @@\n+a = 1\n",
    "writes to .git": "--- /dev/null\n+++ b/.git/hooks/post-checkout\n@@ -0,0 +1 @@\n+a = 1\n",
    "is no patch": "hello\n",
    "does not fit": "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-b\n+c\n",
    "goes through a link": (
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/tmp\n"
        "\\ No newline at end of file\n"
        "diff --git a/l/x.py b/l/x.py\nnew file mode 100644\n--- /dev/null\n+++ b/l/x.py\n@@ -0,0 +1 @@\n+a\n"
    ),
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_hostile_patch_does_not_apply(make: Callable[..., Path], tmp_path: Path, name: str) -> None:
    """Git refuses it, the report says why, and nothing is outside."""
    place = make(base__a_dot_py="a\n", change_dot_patch=PATCHES[name])
    result = run("eval", str(place), "--no-model")
    assert (2, True) == (result.exit_code, "change.patch does not apply to base: git apply" in result.stderr)
    assert "not carried out" in result.stdout
    assert not list(tmp_path.rglob("evil.py"))


def test_a_link_in_a_patch_leads_nowhere(make: Callable[..., Path], tmp_path: Path) -> None:
    """It is written as a plain file."""
    patch = (
        "diff --git a/l.py b/l.py\nnew file mode 120000\n--- /dev/null\n+++ b/l.py\n@@ -0,0 +1 @@\n+/etc/passwd\n"
        "\\ No newline at end of file\n"
    )
    (directory,) = find(make(change_dot_patch=patch))
    tree = check_out(directory, tmp_path / "checkout", ENVIRON)
    assert not (tree.root / "l.py").is_symlink()
    assert "root" not in str(collect(tree, "main", staged=False).contents)


def _empty(directory: Path) -> None:
    shutil.rmtree(directory)


def _instead(file: Path, make: Callable[[Path], object]) -> None:
    file.unlink()
    make(file)


def _huge(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(10_000_000_000)


def _elsewhere(place: Path) -> None:
    _empty(place / "head")
    commits = "".join(f'{name} = "{"a" * 40}"\n' for name in ("base", "head"))
    (place / "case.toml").write_text(f'{CLEAN}[git]\nrepository = "/etc"\n{commits}')


BROKEN: dict[str, Callable[[Path], object]] = {
    "a link as file": lambda place: (place / "head/passwd.py").symlink_to("/etc/passwd"),
    "a link as directory": lambda place: (place / "head/etc").symlink_to("/etc"),
    "a link as base": lambda place: (place / "base").symlink_to("/etc"),
    "a link as case file": lambda place: _instead(
        place / "case.toml", lambda it: it.symlink_to("/etc/passwd")
    ),
    "a pipe": lambda place: os.mkfifo(place / "head/pipe"),
    "a pipe as case file": lambda place: _instead(place / "case.toml", os.mkfifo),
    "a huge file": lambda place: _huge(place / "head/huge.py"),
    "a repository": lambda place: (place / "head/.GIT").mkdir(),
    "too deep": lambda place: (place / "head" / "/".join("d" * 60)).mkdir(parents=True),
    "two ways": lambda place: (place / "change.patch").write_text(""),
    "no change": lambda place: _empty(place / "head"),
    "a repository elsewhere": _elsewhere,
}


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("a link as file", "cannot read head/passwd.py: a link"),
        ("a link as directory", "cannot read head/etc: a link"),
        ("a link as base", "base is not a directory"),
        ("a link as case file", "cannot read case.toml: a link"),
        ("a pipe", "head/pipe is no plain file"),
        ("a pipe as case file", "case.toml is no plain file"),
        ("a huge file", "head/huge.py has 10000000000 bytes"),
        ("a repository", "must not hold .git"),
        ("too deep", "more than 40 deep"),
        ("two ways", "exactly one way"),
        ("no change", "exactly one way"),
        ("a repository elsewhere", "/etc lies elsewhere"),
    ],
)
def test_a_hostile_case_is_refused_before_anything_runs(
    make: Callable[..., Path], what: str, reason: str
) -> None:
    """Every broken case is named, so that all can be mended at once."""
    BROKEN[what](make("bad", head__a_dot_py="a = 1\n"))
    other = make("worse", toml="title = ", head__a_dot_py="")
    make("good", head__a_dot_py="a = 1\n")
    result = run("eval", str(other.parent), "--no-model")
    assert (2, "") == (result.exit_code, result.stdout)
    assert f"error: bad: {'' if 'case.toml' not in reason else 'case.toml: '}" in result.stderr
    assert reason in result.stderr
    assert "error: worse: case.toml: not TOML" in result.stderr


@pytest.mark.parametrize(
    ("path", "lines", "reason"),
    [
        ("src/a.py", [2, 2], "expected 1: the change does not touch src/a.py"),
        ("a.py", [20, 21], "expected 1: the change adds nothing near the lines 20 to 21 of a.py"),
    ],
)
def test_what_no_review_can_find_is_a_mistake_of_the_case(
    make: Callable[..., Path], path: str, lines: list[int], reason: str
) -> None:
    """It would be counted as missed for ever, and the reviewer blamed for it."""
    toml = f'title = "t"\nlanguage = "python"\n[[expected]]\npath = "{path}"\nlines = {lines}\n'
    place = make(toml=toml, base__a_dot_py="a = 1\n" * 30, head__a_dot_py="b = 2\n" + "a = 1\n" * 30)
    result = run("eval", str(place), "--no-model", "--json")
    assert 2 == result.exit_code
    assert reason in json.loads(result.stdout)["cases"][0]["error"]


def test_what_the_policy_leaves_out_is_told(make: Callable[..., Path]) -> None:
    """Whoever misses a comment there reads why there is none."""
    toml = 'title = "t"\nlanguage = "python"\n[[expected]]\npath = "a.py"\nlines = [1, 1]\n'
    policy = "paths:\n  exclude: ['*.py']\n"
    place = make(
        toml=toml,
        base___dot_cloister_dot_yml=policy,
        head___dot_cloister_dot_yml=policy,
        head__a_dot_py="a\n",
    )
    result = run("eval", str(place), "--no-model", "--json")
    assert "a.py" in json.loads(result.stdout)["cases"][0]["not_reviewed"]


def test_a_change_without_its_file_is_not_left_out_silently(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    """A misspelt case.toml would make the case set smaller, and nobody would notice."""
    make(head__a_dot_py="a = 1\n")
    (make("two", head__a_dot_py="a = 1\n") / "case.toml").rename(tmp_path / "cases/two/case.tml")
    result = run("eval", str(tmp_path / "cases"), "--no-model")
    assert 0 == result.exit_code
    assert "warning: two holds a change and no case.toml" in result.stderr


def test_a_directory_without_cases_is_an_error(tmp_path: Path) -> None:
    """So is one that is none."""
    assert "no case in" in run("eval", str(tmp_path), "--no-model").stderr
    assert "is not a directory" in run("eval", str(tmp_path / "x"), "--no-model").stderr
    assert "not a report" in _compared(tmp_path).stderr


def _compared(place: Path) -> Any:
    (place / "old.json").write_text("{")
    return run("eval", str(CASES), "--no-model", "--compare", str(place / "old.json"))
