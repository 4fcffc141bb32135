"""Fingerprints keep their value through what does not matter, and only through that."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import Finding, Severity
from bot.domain.fingerprint import (
    known_elsewhere,
    lines_of,
    places,
    recognise,
    stamp,
)

KEY = b"k" * 32


def finding(line: int = 1, end_line: int | None = None, **fields: object) -> Finding:
    values = {
        "scanner": "semgrep",
        "rule": "sql",
        "category": "security",
        "severity": Severity.high,
        "path": "a.py",
        "line": line,
        "end_line": end_line or line,
        "title": "t",
        "message": "m",
    }
    return Finding.model_validate(values | fields)


def mark(lines: list[str], at: Finding, **options: object) -> str:
    (stamped,) = stamp([at], {at.path: lines}, key=KEY, **options)  # type: ignore[arg-type]
    return stamped.fingerprint


code = st.lists(st.sampled_from(["x = 1", "y = 2", "", "  return x"]), max_size=8)


@given(code, code, code, code)
def test_edits_elsewhere_keep_the_fingerprint(
    above: list[str], below: list[str], new_above: list[str], new_below: list[str]
) -> None:
    """Lines that come and go around the flagged code change nothing."""
    flagged = ["run(query)", "more()"]
    before = mark([*above, *flagged, *below], finding(len(above) + 1, len(above) + 2))
    at = finding(len(new_above) + 1, len(new_above) + 2)
    (after,) = stamp([at], {"a.py": [*new_above, *flagged, *new_below]}, key=KEY)
    assert [before] == [one.fingerprint for one in recognise([after], ["f" * 32, before])]


#: Two functions with the same flaw, lines that tell them apart, and calls of neither.
FIRST = ["def first(db, name):", "    log(name)", "    db.execute(name)", "    return 1"]
SECOND = ["def second(db, key):", "    check(key)", "    db.execute(name)", "    return key"]
FLAW = "    db.execute(name)"
OTHER = ["import db", "", "x = 1", "y = 2", "", "z = 3"]
gaps = st.lists(st.sampled_from(OTHER), max_size=5)


def marks(lines: list[str], known: Iterable[str] = ()) -> dict[int, str]:
    """Return the fingerprints of all flaws by their lines."""
    found = [finding(number) for number, line in enumerate(lines, 1) if line.split() == FLAW.split()]
    stamped = recognise(stamp(found, {"a.py": lines}, key=KEY), known)
    return {one.line: one.fingerprint for one in stamped}


def line_of(lines: list[str], function: list[str]) -> int:
    return [line.split() for line in lines].index(function[0].split()) + 3


@given(gaps, gaps, gaps, st.booleans(), st.text(" ", max_size=4))
def test_an_equal_finding_that_comes_later_does_not_take_the_place_of_the_old_one(
    above: list[str], between: list[str], below: list[str], before_it: bool, indent: str
) -> None:
    """Wherever the new one appears, and though everything moves and is indented, each keeps its identity."""
    (old,) = marks([*FIRST, *OTHER]).values()
    functions = [SECOND, FIRST] if before_it else [FIRST, SECOND]
    lines = [indent + line for line in [*above, *functions[0], *between, *functions[1], *below]]
    both = marks(lines, [old])
    assert old == both[line_of(lines, FIRST)]
    assert old != both[line_of(lines, SECOND)]


@given(gaps, gaps, st.permutations([FIRST, SECOND]), st.booleans())
def test_functions_may_change_places(
    above: list[str], between: list[str], order: list[list[str]], rewritten: bool
) -> None:
    """Equal findings keep their identities while what is above or below them stays, or while one is alone."""
    lines = [*FIRST, "", *SECOND]
    before = marks(lines)
    known = [before[line_of(lines, FIRST)], before[line_of(lines, SECOND)]]
    after = [*above, *order[0], *between, *order[1]]
    moved = marks(after, known)
    assert known == [moved[line_of(after, FIRST)], moved[line_of(after, SECOND)]]
    alone = ["def third():", FLAW] if rewritten else FIRST
    (left,) = marks([*above, *alone], known).values()
    assert left == known[0] or rewritten


@given(
    st.lists(st.sampled_from([FLAW, "x = 1"]), max_size=8), st.lists(st.sampled_from([FLAW, "y"]), max_size=8)
)
def test_recognised_fingerprints_are_unique(before: list[str], after: list[str]) -> None:
    """No two findings ever get the same one, no old one is left over while a new one is given, nor the next time."""
    known = list(marks(before).values())
    recognised = list(marks(after, known).values())
    assert len(recognised) == len(set(recognised))
    assert len(set(recognised) & set(known)) == min(len(recognised), len(known))
    assert set(recognised) == set(marks(after, recognised).values())


def test_what_a_finding_is_about_outweighs_the_code_around_it() -> None:
    """The subject is the identity: the line may be rewritten, but another subject is another finding."""
    before = mark(["token = 's'"], finding(subject="mark"))
    renamed = {"old_paths": {"b.py": "a.py"}}
    after = stamp([finding(subject="mark", path="b.py")], {"b.py": ["T := s", "x"]}, key=KEY, **renamed)
    assert [before] == [one.fingerprint for one in recognise(after, [before])]
    other = stamp([finding(subject="another")], {"a.py": ["token = 's'"]}, key=KEY)
    assert [before] != [one.fingerprint for one in recognise(other, [before])]


def test_only_findings_of_the_same_kind_are_recognised() -> None:
    """An unknown fingerprint stays."""
    known = [mark(["run(q)"], finding(rule="xss")), mark(["other(q)"], finding())]
    stamped = stamp([finding()], {"a.py": ["run(q)"]}, key=KEY)
    assert stamped == recognise(stamped, known)


@given(st.text(" \t", max_size=5), st.text(" \t\r", max_size=3), st.text("ab\n", max_size=9))
def test_indentation_and_wording_keep_the_fingerprint(indent: str, tail: str, message: str) -> None:
    """Whitespace and the message are no part of the identity."""
    expected = mark(["run( query )"], finding())
    assert expected == mark([f"{indent}run(  query\t){tail}"], finding(message=message, title="other"))


def test_a_new_file_in_the_place_of_a_renamed_one_shares_no_fingerprint_with_it() -> None:
    """Equal code in both is told apart, wherever in the files it stands."""
    marks = []
    for new_line, renamed_line in ((1, 2), (2, 1)):
        found = [finding(new_line), finding(renamed_line, path="b.py")]
        lines = {"a.py": [""] * (new_line - 1) + ["x"], "b.py": [""] * (renamed_line - 1) + ["x"]}
        stamped = stamp(found, lines, key=KEY, old_paths={"b.py": "a.py"})
        marks.append([each.fingerprint for each in stamped])
    assert marks[0] == marks[1]
    assert len(set(marks[0])) == 2


@given(st.text(min_size=1).filter(lambda text: text.split() not in ([], ["run(query)"])))
def test_an_edited_line_is_another_finding(edited: str) -> None:
    """Changing the flagged code changes the fingerprint."""
    assert mark(["run(query)"], finding()) != mark([edited], finding())


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["sql", "xss"])), max_size=12))
def test_fingerprints_are_unique_and_order_of_report_is_irrelevant(places: list[tuple[int, str]]) -> None:
    """Equal code gives distinct fingerprints, however the scanner sorts its report."""
    lines = {"a.py": ["run(q)"] * 4 + ["x", ""]}
    found = [finding(line, rule=rule) for line, rule in places]
    stamped = stamp(found, lines, key=KEY)
    assert len(found) == len({one.fingerprint for one in stamped})
    assert [(one.line, one.rule) for one in found] == [(one.line, one.rule) for one in stamped]
    backwards = stamp(found[::-1], lines, key=KEY)
    assert {one.fingerprint for one in stamped} == {one.fingerprint for one in backwards}


def test_a_rename_keeps_the_fingerprint() -> None:
    """The base's path identifies the file."""
    before = mark(["run(q)"], finding(path="old.py"))
    assert before == mark(["run(q)"], finding(path="new.py"), old_paths={"new.py": "old.py"})
    assert before != mark(["run(q)"], finding(path="new.py"))


@pytest.mark.parametrize("fields", [{"scanner": "secrets"}, {"rule": "xss"}, {"path": "b.py"}])
def test_scanner_rule_and_path_tell_findings_apart(fields: dict[str, str]) -> None:
    """Two tools, rules or files never collide."""
    assert mark(["run(q)"], finding()) != mark(["run(q)"], finding(**fields))


def test_the_model_is_identified_by_category() -> None:
    """The model names rules freely, so the rule does not count."""
    one = mark(["run(q)"], finding(scanner="model", rule="sqli"))
    assert one == mark(["run(q)"], finding(scanner="model", rule="injection"))
    assert one != mark(["run(q)"], finding(scanner="model", category="style"))


def test_only_the_first_lines_of_a_long_range_count() -> None:
    """An edit in the fourth line of the flagged block keeps the identity, one in the third does not."""
    block = ["a", "", "b", "c", "d"]
    expected = mark(block, finding(1, 5))
    assert expected == mark([*block[:4], "edited"], finding(1, 5))
    assert expected != mark([*block[:3], "edited", "d"], finding(1, 5))


def test_all_lines_of_a_long_range_are_known_too() -> None:
    """So that an edit in its last one can be told, though the identity stays; moving and spreading it is no edit."""
    block = ["f(", "  a,", "  b,", "  c,", ")"]
    (one,) = stamp([finding(1, 5)], {"a.py": block}, key=KEY)
    (edited,) = stamp([finding(1, 5)], {"a.py": [*block[:3], "  d,", ")"]}, key=KEY)
    (moved,) = stamp([finding(2, 7)], {"a.py": ["x", *block[:4], "", ")"]}, key=KEY)
    assert (one.fingerprint, one.anchor) == (edited.fingerprint, edited.anchor)
    assert one.whole != edited.whole
    assert (one.anchor, one.whole) == (moved.anchor, moved.whole)


def test_hashes_mean_nothing_without_the_key() -> None:
    """Another key gives other hashes: a secret cannot be guessed from them."""
    (one,) = stamp([finding()], {"a.py": ["password = 'x'"]}, key=KEY)
    (other,) = stamp([finding()], {"a.py": ["password = 'x'"]}, key=b"other")
    assert one.fingerprint != other.fingerprint
    assert one.anchor != other.anchor
    assert (32, True) == (len(one.fingerprint), int(one.fingerprint, 16) > 0)


@given(code, code)
def test_an_anchor_is_present_wherever_its_code_stands(above: list[str], below: list[str]) -> None:
    """Moving, reindenting and spreading the code by blank lines keeps it present; editing it does not."""
    (one,) = stamp([finding(1, 2)], {"a.py": ["run(q)", "more()"]}, key=KEY)
    assert 1 == places(one.anchor, [*above, "  run(q)", "", "\tmore()", *below], key=KEY)
    assert 0 == places(one.anchor, [*above, "run(q)", "else()", *below], key=KEY)


def test_code_that_stands_twice_is_counted_twice() -> None:
    """One of two that are alike may be gone."""
    (one,) = stamp([finding(1)], {"a.py": ["x"]}, key=KEY)
    assert 2 == places(one.anchor, ["x", "y", " x"], key=KEY)


def test_code_that_is_not_known_is_never_gone() -> None:
    """A finding on a blank or unknown line has no anchor, which counts as present."""
    (blank,) = stamp([finding(9)], {}, key=KEY)
    assert ("", True) == (blank.anchor, places(blank.anchor, [], key=KEY) > 1000)
    assert "" != blank.fingerprint


def test_lines_end_where_git_ends_them() -> None:
    """Only a newline ends a line, and a final one opens no further line."""
    assert ["a\x0cb\u2028c\r", "d"] == lines_of("a\x0cb\u2028c\r\nd\n".encode())
    assert ["\ufffd", "x"] == lines_of(b"\xff\nx")
    assert [] == lines_of(b"")


def test_in_other_merge_requests_the_surroundings_must_agree() -> None:
    """That a line is the only one of its kind in its file says nothing where the file was another one."""
    (old,) = stamp([finding(3)], {"a.py": FIRST}, key=KEY)
    (same,) = stamp([finding(4)], {"a.py": ["import db", *FIRST]}, key=KEY)
    (other,) = stamp([finding(3)], {"a.py": SECOND}, key=KEY)
    names = [one.fingerprint for one in recognise([same], [old.fingerprint], alike=2)]
    assert [old.fingerprint] == names
    assert [other] == recognise([other], [old.fingerprint], alike=2)
    assert [old.fingerprint] == [one.fingerprint for one in recognise([other], [old.fingerprint])]


def test_a_finding_is_known_by_the_old_name_of_its_file() -> None:
    """Its fingerprint is what it would have been there; where that is not known it keeps its own."""
    (before,) = stamp([finding(3)], {"a.py": FIRST}, key=KEY)
    (after,) = stamp([finding(3, path="b.py")], {"b.py": FIRST}, key=KEY)
    assert before.fingerprint != after.fingerprint
    assert before.fingerprint == known_elsewhere(after, "a.py", [before.fingerprint], key=KEY).fingerprint
    assert after == known_elsewhere(after, "c.py", [before.fingerprint], key=KEY)
