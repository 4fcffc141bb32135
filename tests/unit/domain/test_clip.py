"""Which findings a merge request is answerable for, and which say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.clip import clip, deduplicate
from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.findings import Finding, Fix, Severity
from bot.domain.patch import parse_hunks

#: Adds lines 2, 3 and 22 of the head and removes line 6 of the base.
HUNKS = parse_hunks("@@ -1,6 +1,7 @@\n a\n+b\n+c\n d\n e\n f\n-g\n h\n@@ -19,2 +20,3 @@\n x\n y\n+z\n")
DIFF = Diff(
    files=(
        FileDiff("a.py", "a.py", Change.modified, hunks=HUNKS),
        FileDiff("cut.py", "cut.py", Change.modified, truncated=True),
        FileDiff("gone.py", "gone.py", Change.deleted, hunks=parse_hunks("@@ -1 +0,0 @@\n-a\n")),
    )
)


def finding(line: int = 1, end_line: int | None = None, **fields: object) -> Finding:
    values = {
        "scanner": "semgrep",
        "rule": "r",
        "category": "security",
        "severity": Severity.medium,
        "path": "a.py",
        "line": line,
        "end_line": end_line or line,
        "title": "t",
        "message": "m",
    }
    return Finding.model_validate(values | fields)


@pytest.mark.parametrize(
    ("line", "end_line", "place"),
    [
        (2, 2, (2, 2)),
        (1, 2, (2, 2)),
        (3, 9, (3, 3)),
        (1, 30, (2, 3)),
        (10, 30, (22, 22)),
        (1, 1, None),
        (4, 7, None),
        (30, 40, None),
    ],
)
def test_findings_are_narrowed_to_added_lines(
    line: int, end_line: int, place: tuple[int, int] | None
) -> None:
    """A range is kept by its added lines of one hunk; unchanged lines beside a removal are outside."""
    kept, outside = clip([finding(line, end_line)], DIFF)
    assert ([place] if place else []) == [(one.line, one.end_line) for one in kept]
    assert (0 if place else 1) == len(outside)


@pytest.mark.parametrize("path", ["other.py", "cut.py", "gone.py"])
def test_files_without_known_added_lines_are_outside(path: str) -> None:
    """Files that the diff does not have, cannot show or deletes carry no comments."""
    assert ([], [finding(path=path)]) == clip([finding(path=path)], DIFF)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), max_size=10))
def test_nothing_is_lost(places: list[tuple[int, int]]) -> None:
    """Every finding is kept or outside, and what is kept starts and ends on added lines."""
    found = [finding(line, line + size) for line, size in places]
    kept, outside = clip(found, DIFF)
    assert len(found) == len(kept) + len(outside)
    assert {one.line for one in kept} | {one.end_line for one in kept} <= {2, 3, 22}


def test_a_static_finding_wins_and_notes_the_model() -> None:
    """The survivor keeps its severity and says who else reported it."""
    static = finding(2, cwe=("CWE-89",))
    model = finding(1, 3, scanner="model", severity=Severity.critical, title="SQL injection")
    (one,) = deduplicate([model, static])
    assert ("semgrep", Severity.medium, "m\n\nAlso reported by model: SQL injection") == (
        one.scanner,
        one.severity,
        one.message,
    )


def test_the_graver_of_two_static_findings_wins() -> None:
    """Between static scanners severity decides."""
    (one,) = deduplicate([finding(2), finding(2, scanner="secrets", severity=Severity.high)])
    assert "secrets" == one.scanner


def test_the_model_may_point_two_lines_away() -> None:
    """A model names the loop where a rule names the access below it; that is one finding."""
    (one,) = deduplicate([finding(4), finding(2, scanner="model")])
    assert ("semgrep", 4) == (one.scanner, one.line)


def test_a_general_and_a_special_rule_say_the_same() -> None:
    """Two rules of one scanner on the same lines are one finding when they share a CWE."""
    general = finding(2, cwe=("CWE-89", "CWE-20"), title="Input in SQL")
    special = finding(2, cwe=("CWE-89",), rule="s", severity=Severity.high, title="SQL injection")
    (one,) = deduplicate([general, special])
    assert ("s", "m\n\nAlso reported by semgrep: Input in SQL") == (one.rule, one.message)
    twice = deduplicate([general, general.model_copy(update={"rule": "again"})])
    assert ["m"] == [one.message for one in twice]


def test_a_fix_is_not_lost() -> None:
    """The survivor takes over the fix of another, but keeps its own."""
    fix, other = (Fix(line=2, end_line=2, replacement=text) for text in ("x", "y"))
    grave, mild = finding(2, severity=Severity.high), finding(2, scanner="secrets", fix=fix)
    assert [fix] == [one.fix for one in deduplicate([grave, mild])]
    assert [other] == [one.fix for one in deduplicate([mild, grave.model_copy(update={"fix": other})])]


def test_what_is_not_suppressed_is_not_hidden_behind_what_is() -> None:
    """The code may ask one scanner to be silent, not all of them; a model has no say in it."""
    grave = finding(2, severity=Severity.critical, suppressed=True)
    (one,) = deduplicate([grave, finding(2, scanner="secrets")])
    assert ("secrets", False) == (one.scanner, one.suppressed)
    (one,) = deduplicate([grave, finding(2, scanner="model")])
    assert ("semgrep", True) == (one.scanner, one.suppressed)


def test_what_is_preferred_wins() -> None:
    """The caller knows which of two scanners' may be shown in the diff, but a model's is never preferred."""
    unsure, sure = finding(2, severity=Severity.high), finding(2, scanner="secrets")
    (one,) = deduplicate([unsure, sure], prefer=lambda each: each is sure)
    assert "secrets" == one.scanner
    model = finding(2, scanner="model")
    (one,) = deduplicate([unsure, model], prefer=lambda each: each is model)
    assert "semgrep" == one.scanner


def test_a_chain_is_not_one_finding() -> None:
    """Three scanners on one line are one finding; what only meets at a mild one in the middle is two."""
    assert 1 == len(deduplicate([finding(2, scanner=name) for name in ("semgrep", "secrets", "third")]))
    ends = [finding(2, scanner="semgrep"), finding(4, scanner="third")]
    middle = finding(2, 4, scanner="secrets", severity=Severity.low)
    kept = deduplicate([ends[0], middle, ends[1]])
    assert [("semgrep", 2), ("third", 4)] == [(one.scanner, one.line) for one in kept]


@given(
    st.lists(
        st.builds(
            finding,
            st.integers(1, 3),
            scanner=st.sampled_from(["semgrep", "secrets", "third", "model"]),
            severity=st.sampled_from(Severity),
            cwe=st.sampled_from([(), ("CWE-1",), ("CWE-1", "CWE-2")]),
            suppressed=st.booleans(),
            subject=st.sampled_from(["", "s", "t"]),
            title=st.sampled_from("uv"),
        ),
        max_size=6,
    ).flatmap(lambda found: st.tuples(st.just(found), st.permutations(found)))
)
def test_folding_does_not_depend_on_order(lists: tuple[list[Finding], list[Finding]]) -> None:
    """The same findings survive however they are sorted, and folding again changes nothing."""
    one, other = (deduplicate(found) for found in lists)
    assert sorted(map(repr, one)) == sorted(map(repr, other))
    assert one == deduplicate(one)


@pytest.mark.parametrize(
    "other",
    [
        finding(2, rule="another", cwe=("CWE-79",)),
        finding(2, 3, rule="another", cwe=("CWE-89",)),
        finding(2, scanner="secrets", commit="c" * 40),
        finding(5, scanner="model"),
        finding(3, scanner="secrets"),
        finding(2, scanner="model", path="b.py"),
        finding(2, scanner="model", category="style"),
        finding(2, scanner="model", cwe=("CWE-79",)),
        finding(2, rule="another"),
    ],
)
def test_findings_that_differ_both_stay(other: Finding) -> None:
    """Another line, file, commit, category, CWE, or the same scanner's other rule is another finding."""
    found = [finding(2, cwe=("CWE-89",)), other]
    assert found == deduplicate(found)


def test_two_secrets_on_a_line_are_two() -> None:
    """What a finding is about tells it from others, within a scanner and between two."""
    found = [finding(2, scanner="secrets", cwe=("CWE-798",), rule=mark, subject=mark) for mark in "ab"]
    assert found == deduplicate(found)
    assert 2 == len(deduplicate([found[0], found[1].model_copy(update={"scanner": "third"})]))
    assert 1 == len(deduplicate([found[0], found[0].model_copy(update={"scanner": "third"})]))
