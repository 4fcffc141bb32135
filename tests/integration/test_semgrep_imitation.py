"""What we decide in the engine's stead where only the command can be run: the engine itself is the yardstick."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.scanners.semgrep_installed import core
from bot.scanners.semgrep_nosem import ignored
from bot.scanners.semgrep_paths import applies

GLOBS = (
    *("a.py", "*.py", "/a.py", "src", "src/", "src/*.py", "src/**", "**/a.py", "/src/*.py", "tests/**/*.py"),
    *("**/src/**", "a?.py", "[ab].py", "src/a", ".gitlab-ci.yml", "*/a.py", "sr*", "./a.py", "A.py", "a.py/"),
    *("**", "*", "!a.py", "{a,b}.py", "/src", "src/**/a.py", "**a.py", "s**c/a.py", "\\*.py", "[!a].py"),
    *("[^a].py", "[a-c].py", "", "//a.py", "src//a.py", "x/**/**/a.py", "(a).py", "a+.py", "ä.py"),
)
PATHS = (
    *("a.py", "b.py", "src/a.py", "src/b/a.py", "x/src/a.py", "x/src/b/a.py", "tests/a.py", "tests/x/y/a.py"),
    *("x/tests/a.py", "ab.py", ".gitlab-ci.yml", "x/.gitlab-ci.yml", "src", "A.py", "a.py/b.py", "src/a"),
    *("src/.h/a.py", ".h/a.py", "*.py", "x/{a,b}.py", "srcx/a.py", "(a).py", "aa.py", "ä.py", "a.p[y"),
)


def run(base: Path, rules: list[dict[str, Any]], targets: dict[str, str]) -> list[dict[str, Any]]:
    """Return what the engine finds; *targets* maps files below *base* to the names that rules see."""
    (base / "rules.json").write_text(json.dumps({"rules": rules}))
    entries = [
        ["CodeTarget", {"path": {"fpath": name, "ppath": path}, "analyzer": "python", "products": ["sast"]}]
        for name, path in targets.items()
    ]
    (base / "targets.json").write_text(json.dumps(["Targets", entries]))
    words = (core(), "-json_nodots", "-rules", "rules.json", "-targets", "targets.json", "-j", "1")
    done = subprocess.run(words, cwd=base, capture_output=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["errors"] == []
    results: list[dict[str, Any]] = answer["results"]
    return results


def rule(rule_id: str, **more: Any) -> dict[str, Any]:
    usual = {"languages": ["python"], "severity": "INFO", "message": "m", "pattern": "f(1)"}
    return {"id": rule_id, **usual, **more}


@pytest.mark.parametrize("key", ["include", "exclude"])
def test_paths_are_those_of_the_engine(tmp_path: Path, key: str):
    """A rule that is limited to paths concerns the same files."""
    for number in range(len(PATHS)):
        (tmp_path / f"{number}.py").write_text("f(1)\n")
    rules = [rule(f"r{number}", paths={key: [glob]}) for number, glob in enumerate(GLOBS)]
    found = run(tmp_path, rules, {f"{number}.py": f"/{path}" for number, path in enumerate(PATHS)})
    theirs = {(one["check_id"], one["path"]) for one in found}
    ours = {
        (body["id"], f"{number}.py")
        for body, (number, path) in itertools.product(rules, enumerate(PATHS))
        if applies(body, path)
    }
    odd = {(GLOBS[int(r[1:])], PATHS[int(p[:-3])]) for r, p in ours ^ theirs}
    assert odd == set()


WORDS = (
    *(" nosem", " nosemgrep", "nosem", " NoSem", " nosem:", " nosemgrep:", ": ", ":", " :", "=", "= ", " "),
    *(
        ",",
        ", ",
        "p.my-rule",
        "my-rule",
        "other",
        "x",
        "é",
        " \t",
        "#",
        "//",
        "/*",
        ".",
        "-->",
        '"',
        "'",
        "(1)",
    ),
)


def test_comments_are_read_as_the_engine_does(tmp_path: Path):
    """Thousands of comments, sensible and not, mean the same to us."""
    random.seed(20_261_126)
    lines: list[str] = []
    for _ in range(5_000):
        comment = "#" + "".join(random.choices(WORDS, k=random.randint(0, 8)))
        before = random.choice(("", "", "x = 1 "))
        lines += random.choice(([before + comment, "f(1)"], ["##", f"f(1) {comment}"]))
    content = "\n".join(lines) + "\n"
    (tmp_path / "0.py").write_text(content)
    found = run(tmp_path, [rule("p.my-rule")], {"0.py": "/0.py"})
    split = content.encode().split(b"\n")
    assert len(found) == 5_000
    odd = [
        split[one["start"]["line"] - 2 : one["start"]["line"]]
        for one in found
        if one["extra"]["is_ignored"] != ignored(split, one["start"]["line"], "p.my-rule")
    ]
    assert odd == []
    assert 500 < sum(one["extra"]["is_ignored"] for one in found) < 4_500
