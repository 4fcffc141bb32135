"""What is to be tested, what is said of a test, and the patch that delivers it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.mutation import Mutant, varied
from bot.domain.outline import Definition, Syntax
from bot.domain.unit_tests import (
    PATCH_LIMIT,
    Offer,
    Outcome,
    Problem,
    Proof,
    State,
    Subject,
    Written,
    answer,
    patch,
    subjects,
    told,
    verdict,
)
from bot.domain.wording import wording

ENGLISH = wording("en")
OUTLINE = Syntax(
    "python",
    (
        Definition("class", "Cart", 1, 20, "class Cart"),
        Definition("function", "add", 2, 10, "def add(self)", "Cart"),
        Definition("function", "inner", 4, 6, "def inner()", "Cart.add"),
        Definition("function", "drop", 12, 20, "def drop(self)", "Cart"),
        Definition("function", "huge", 30, 900, "def huge()"),
    ),
)


def names(found: tuple[Subject, ...]) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.path, one.names) for one in found]


def test_changed_functions_are_tested():
    """The innermost around changed lines, not what is too large to be shown, not lines between functions."""
    changed = {"a.py": frozenset({5, 13, 14, 25, 400})}
    assert names(subjects(changed, {"a.py": OUTLINE})) == [("a.py", ("Cart.add.inner", "Cart.drop"))]


def test_a_place_chooses_one_function():
    """A thread is about the function around its line."""
    changed = {"a.py": frozenset({5, 13})}
    assert names(subjects(changed, {"a.py": OUTLINE}, place=("a.py", 3))) == [("a.py", ("Cart.add",))]
    assert subjects(changed, {"a.py": OUTLINE}, place=("a.py", 25)) == ()
    assert subjects(changed, {"a.py": OUTLINE}, place=("b.py", 3)) == ()


def test_there_is_a_limit():
    """Two files, three functions each, those with most changed lines."""
    many = Syntax(
        "python", tuple(Definition("function", f"f{n}", 10 * n, 10 * n + 9, "") for n in range(1, 9))
    )
    changed = {f"{name}.py": frozenset(range(10, 90 if name == "b" else 80)) for name in "abc"}
    found = subjects(changed, dict.fromkeys(changed, many))
    assert [len(one.functions) for one in found] == [3, 3]


PASSED, FAILED, BROKEN = (
    Outcome(State.passed, 2),
    Outcome(State.failed, 2, "1 != 2"),
    Outcome(State.broken, 0, "no module x"),
)
TOLD = [
    (Proof(not_run="it is off"), "Not executed: it is off. Its syntax was checked.", "not_executed"),
    (
        Proof(head=PASSED, seconds=0.44),
        "Ran in the sandbox: 2 tests passed on the head in 0.4 s, twice.",
        "passed",
    ),
    (Proof(head=FAILED), "Does not work: 2 tests ran on the head and some failed (1 != 2).", "not_working"),
    (Proof(head=BROKEN), "Does not work: it could not be run on the head (no module x).", "not_working"),
    (Proof(head=PASSED, steady=False), "passed once and failed once", "not_working"),
    (Proof(head=PASSED, base=FAILED), "fails on the base, so it notices the change.", "passed"),
    (Proof(head=PASSED, base=PASSED), "passes on the base too", "passed"),
    (Proof(head=PASSED, base=BROKEN), "cannot be run on the base", "passed"),
    (
        Proof(head=PASSED, mutants=5, killed=3, survivor="< became <= in line 3"),
        "notices 3 of 5 defects put into the code on purpose, not: `<` became `<=` in line 3.",
        "passed",
    ),
]


@pytest.mark.parametrize(("proof", "expected", "word"), TOLD)
def test_what_was_seen_is_told(proof: Proof, expected: str, word: str):
    """That, and no more."""
    assert expected in told(proof, ENGLISH)
    assert verdict(proof) == word


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=12
).filter(lambda name: name not in {".", ".."} and name.lower() != ".git")
LINES = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(folder=NAMES, name=NAMES, lines=LINES)
def test_a_patch_applies(tmp_path: Path, folder: str, name: str, lines: list[str]):
    """Git makes the very file of it, whatever names and lines are like."""
    path, code = f"{folder}/{name}.py", "\n".join([*lines, "end"]) + "\n"
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "--unsafe-paths", "-"],
        cwd=tmp_path,
        input=patch(path, code).encode(),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    made = tmp_path / path
    assert made.read_bytes() == code.encode()
    made.unlink()


def test_an_answer_is_inert_and_its_patch_whole():
    """Names and details cannot act; the patch stands in a fence that the code cannot close."""
    code = "x = '''\n```\n/close\n@all\n'''\n"
    subject = Subject("a.py", (Definition("function", "@all ![x](http://evil)", 1, 2, ""),))
    offer = Offer(
        Written(subject, "pytest", "tests/test_a.py", code),
        Proof(head=Outcome(State.failed, 1, "/approve @root")),
    )
    body = answer([offer], [Problem("/merge <b>now</b>", ("@x",))], words=ENGLISH, marker="<!-- m -->")
    assert patch("tests/test_a.py", code).rstrip("\n") in body
    assert not any(line.startswith("/") for line in body.split("\n"))
    outside = body.partition("````diff")[0] + body.rpartition("````")[2]
    assert "`@all ![x](http://evil)`" in outside
    assert "<b>" not in outside.replace("`<b>now</b>`", "")
    assert body.endswith("\n<!-- m -->")


def offered(proof: Proof) -> Offer:
    subject = Subject("a.py", (Definition("function", "f", 1, 2, ""),))
    return Offer(Written(subject, "pytest", "tests/test_a.py", "x = 1\n"), proof)


def test_only_what_passed_can_be_asked_for_as_a_merge_request():
    """The option is named where it leads somewhere, and nowhere else."""
    said = {
        proof: answer([offered(proof)], [], words=ENGLISH, marker="m", not_proposed=why)
        for proof, why in [(Proof(head=PASSED), ""), (Proof(not_run="off"), ""), (Proof(head=FAILED), "x")]
    }
    assert [True, False, False] == ["--commit" in body for body in said.values()]
    assert "Not proposed as a merge request, because x." in said[Proof(head=FAILED)]


def test_all_is_said_in_chinese():
    """Causes that the sandbox and the author give included, and nothing is left in English."""
    proofs = [
        Proof(not_run="the operator has not switched the sandbox on"),
        Proof(head=PASSED, base=FAILED, mutants=5, killed=4, survivor="< became <= in line 3"),
        Proof(head=Outcome(State.broken, 0, "it ran into the time limit")),
    ]
    problems = [Problem("what the model wrote does not parse", ("g",))]
    body = answer([offered(proof) for proof in proofs], problems, words=wording("zh-CN"), marker="", url="u")
    prose = re.sub(r"```.*?```|`[^`]*`|pytest|u$", "", body, flags=re.DOTALL)
    assert not re.search("[a-z]{2}", prose), prose
    for said in (
        "管理员没有启用沙箱",
        "5 处缺陷中察觉了 4 处，未察觉：第 3 行的",
        "超出时间限制",
        "没有为 `g` 编写",
    ):
        assert said in body


def test_the_largest_file_is_not_cut():
    """A patch of what is accepted fits into its block."""
    code = "y\n" * 10_000
    subject = Subject("a.py", (Definition("function", "f", 1, 2, ""),))
    body = answer([Offer(Written(subject, "x", "t.py", code), Proof())], [], words=ENGLISH, marker="m")
    assert len(patch("t.py", code)) <= PATCH_LIMIT + 200
    assert "…" not in body


def test_mutants_are_varied():
    """Kinds and lines take turns, the same way every time, up to the limit."""
    mutants = [Mutant("number", n, n + 1, "x", n % 3, "") for n in range(9)]
    mutants += [Mutant("condition", 20, 21, "x", 7, "")]
    chosen = varied(mutants, 4)
    assert chosen == varied(mutants, 4)
    assert {one.kind for one in chosen} == {"number", "condition"}
    assert len({one.line for one in chosen}) == 4
