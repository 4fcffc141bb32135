"""The engine's formulas, evaluated by us: never a rule too few."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Transient
from bot.scanners.semgrep_prefilter import Prefilter


def words(*texts: str) -> list[Any]:
    return ["Pred", ["Idents", list(texts)]]


def expression(text: str) -> list[Any]:
    return ["Pred", ["Regexp", text]]


def prefilter(**formulas: Any) -> Prefilter:
    return Prefilter(
        json.dumps(
            [
                {"rule_id": rule, "filter": "None" if formula is None else ["Some", formula]}
                for rule, formula in formulas.items()
            ]
        ).encode()
    )


def candidates(content: bytes, **formulas: Any) -> set[str]:
    return set(prefilter(**formulas).candidates(content, formulas))


@pytest.mark.parametrize(
    ("formula", "yes", "no"),
    [
        (words("eval"), [b"eval(x)", b"medieval"], [b"", b"ev al", b"EVAL"]),
        (words("a.b", "+"), [b"a.b +"], [b"a.b", b"axb +"]),
        (words("naïve"), ["naïve".encode()], [b"naive"]),
        (expression("^x = [0-9]$"), [b"y\nx = 1\nz"], [b"x = y"]),
        (expression('"x[^"]+/|[Uu][Rr][Ll]|[Bb]ase|[Hh]ost'), [b"a" * 14 + b"URL"], [b"a" * 14 + b"UR"]),
        (words("a\0b"), [b"a\0b"], [b"a0b"]),
        (expression("(?i)select.*from"), [b"SELECT a FROM"], [b"SELECT a\nFROM"]),
        (["And", [words("a"), expression("b+")]], [b"abb"], [b"a", b"b"]),
        (["Or", [words("a"), words("b")]], [b"a", b"b"], [b"c"]),
        (["And", [["Or", [words("a"), words("b")]], words("c")]], [b"a c", b"b c"], [b"a b", b"c"]),
    ],
)
def test_formulas(formula: Any, yes: list[bytes], no: list[bytes]):
    """A rule is a candidate exactly where its formula holds."""
    assert [candidates(content, rule=formula) for content in yes] == [{"rule"}] * len(yes)
    assert [candidates(content, rule=formula) for content in no] == [set()] * len(no)


@pytest.mark.parametrize(
    "formula",
    [
        None,
        words(),
        expression("a|"),
        expression(r"a\Rb"),
        expression("(?(1)a|b)"),
        ["Or", [words("a"), words()]],
        ["Or", []],
        ["And", []],
        ["Not", words("a")],
        ["Pred", ["Somewhat", "a"]],
    ],
)
def test_what_cannot_be_told_is_sent(formula: Any):
    """Rules without a formula, or with one that we cannot evaluate, are always candidates."""
    assert candidates(b"nothing of it", rule=formula, other=words("a")) == {"rule"}


def test_an_unknown_rule_is_sent():
    """A rule that the engine did not mention is a candidate."""
    assert prefilter(known=words("a")).candidates(b"", ["known", "unknown"]) == {"unknown"}


def test_only_the_rules_in_question_are_named():
    """Rules of other languages are not looked at."""
    assert prefilter(one=words("a"), two=words("a")).candidates(b"a", ["two"]) == {"two"}


def test_text_that_is_not_ascii_is_given_the_benefit_of_the_doubt():
    """What is not UTF-8 makes the engine's search fail, and a few letters have their other case in ASCII."""
    formulas = {"counts": expression("^a.{3}b"), "word": words("a"), "missing": words("c")}
    assert candidates("aäöüb".encode(), **formulas) == {"counts", "word"}
    for doubtful in (b"\xff", "\u017f".encode(), "\u212a".encode()):
        assert candidates(doubtful, **formulas) == {"counts", "word", "missing"}


@pytest.mark.parametrize(
    "dump", [b"", b"Oops", b"null", b'[{"rule_id": 1}]', b'[{"rule_id": "a", "filter": []}]', b"[1]"]
)
def test_garbage_is_transient(dump: bytes):
    """Whatever the engine prints, an error of ours says so."""
    with pytest.raises(Transient):
        Prefilter(dump)


ATOMS = st.one_of(
    st.lists(st.text("abé.*\\", min_size=1, max_size=3), min_size=1, max_size=2).map(lambda ws: words(*ws)),
    st.sampled_from(["a+b", "^a", "b$", r"\bab\b", "(?i)AB", "[^a]b", "(?=a)ab", r"(a)\1", "a(?!b)"]).map(
        expression
    ),
)
FORMULAS = st.recursive(
    ATOMS,
    lambda inner: st.tuples(st.sampled_from(["And", "Or"]), st.lists(inner, min_size=1, max_size=3)).map(
        list
    ),
    max_leaves=6,
)


def holds(formula: Any, content: str) -> bool:
    """Evaluate a formula plainly, as the engine does."""
    kind, value = formula
    if kind == "Pred":
        if value[0] == "Idents":
            return all(word in content for word in value[1])
        return re.search(value[1], content, re.MULTILINE) is not None
    return (all if kind == "And" else any)(holds(part, content) for part in value)


@given(FORMULAS, st.text("abé. \n", max_size=12))
def test_no_candidate_is_missed(formula: Any, content: str):
    """Where the formula holds the rule is sent, for any formula and any text."""
    sent = candidates(content.encode(), rule=formula) == {"rule"}
    assert sent or not holds(formula, content)
