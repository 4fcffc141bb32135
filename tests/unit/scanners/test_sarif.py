"""Reading the findings of other tools."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Fix, Severity
from bot.scanners.sarif import Imported, read
from bot.scanners.sarif_paths import Checkout

CODE = b"one\ntwo = 1\nthree\n    four\nfive \xf0\x9f\x90\x8d six\n"
FILES = {"src/app.py": CODE, "docs/a b.md": b"x\n"}
CHECKOUT = Checkout(project="group/app")


def result(uri: str = "src/app.py", line: int = 2, **more: Any) -> dict[str, Any]:
    """Return a result as tools write it."""
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
    return {
        "ruleId": "no-two",
        "message": {"text": "Two is one too many"},
        "locations": [{"physicalLocation": place}],
    } | more


def log(
    *results: Any, rules: list[Any] | None = None, run: dict[str, Any] | None = None, version: str = "2.1.0"
) -> bytes:
    """Return a log with one run."""
    driver = {"name": "lint", "rules": rules or []}
    return json.dumps(
        {"version": version, "runs": [{"tool": {"driver": driver}, "results": list(results)} | (run or {})]}
    ).encode()


def imported(content: bytes, checkout: Checkout = CHECKOUT) -> Imported:
    return read(content, scanner="sarif:lint", files=FILES, checkout=checkout)


def paths(*uris: str, checkout: Checkout = CHECKOUT, run: dict[str, Any] | None = None) -> list[str]:
    return [f.path for f in imported(log(*(result(uri) for uri in uris), run=run), checkout).findings]


def test_a_result_becomes_a_finding():
    """Place, words, rule and scale are taken over."""
    rule = {
        "id": "no-two",
        "shortDescription": {"text": "Number two."},
        "helpUri": "https://lint.example/no-two",
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["security", "external/cwe/cwe-089", "OWASP-A03:2021 - Injection"],
            "precision": "very-high",
        },
    }
    (finding,) = imported(log(result(), rules=[rule])).findings
    assert (finding.scanner, finding.rule, finding.path) == ("sarif:lint", "no-two", "src/app.py")
    assert (finding.line, finding.end_line) == (2, 2)
    assert (finding.title, finding.message) == ("Number two", "Two is one too many")
    assert (finding.severity, finding.confidence) == (Severity.high, Confidence.high)
    assert (finding.cwe, finding.owasp, finding.category) == (("CWE-89",), ("A03:2021",), "security")
    assert finding.references == ("https://lint.example/no-two",)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"level": "error"}, Severity.high),
        ({"level": "warning"}, Severity.medium),
        ({}, Severity.medium),
        ({"level": "note"}, Severity.low),
        ({"level": "none"}, Severity.info),
        ({"level": "note", "properties": {"security-severity": "9.8"}}, Severity.critical),
        ({"properties": {"security-severity": 7}}, Severity.high),
        ({"properties": {"security-severity": "4.0"}}, Severity.medium),
        ({"properties": {"security-severity": 0.0}}, Severity.info),
    ],
)
def test_levels_and_scores_are_put_on_our_scale(more: dict[str, Any], expected: Severity):
    """A CVSS score wins over the level."""
    assert imported(log(result(**more))).findings[0].severity == expected


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "pass"},
        {"kind": "notApplicable"},
        {"baselineState": "unchanged"},
        {"baselineState": "absent"},
    ],
)
def test_what_is_fine_or_old_is_left_out(more: dict[str, Any]):
    """Only results that are wrong and not known to be old count."""
    assert imported(log(result(**more))) == Imported()


def test_suppressions_are_told():
    """An accepted suppression is reported as one, a rejected one is none."""
    accepted, asked = {"kind": "inSource"}, {"kind": "inSource", "status": "rejected"}
    found = imported(log(result(suppressions=[accepted]), result(line=3, suppressions=[asked]))).findings
    assert [finding.suppressed for finding in found] == [True, False]


@pytest.mark.parametrize(
    "uri",
    [
        "src/app.py",
        "./src/app.py",
        "src/../src//app.py",
        "src\\app.py",
        "src%2Fapp.py",
        "file:///builds/group/app/src/app.py",
        "/builds/group/app/src/app.py",
        "file:/home/runner/builds/x1/0/group/app/src/app.py",
        "C:\\GitLab-Runner\\builds\\group\\app\\src\\app.py",
        "file:///C:/builds/group/app/src/app.py",
        "file://localhost/builds/group/app/src/app.py",
    ],
)
def test_paths_of_the_job_are_found_in_the_repository(uri: str):
    """However a tool names a file, it is the one in the checkout."""
    assert paths(uri) == ["src/app.py"]


@pytest.mark.parametrize(
    "uri",
    [
        "https://x.example/src/app.py",
        "/etc/passwd",
        "../src/app.py",
        "src/..",
        "",
        "other.py",
        "file:///x/src/app.py",
    ],
)
def test_other_paths_are_not_guessed(uri: str):
    """What is not surely a file of the change is none."""
    assert paths(uri) == []


def test_a_root_says_where_paths_start():
    """A job that works in a directory, or in a container of its own, says so in the policy."""
    assert paths("app.py", checkout=Checkout(root="src")) == ["src/app.py"]
    assert paths("/code/src/app.py", checkout=Checkout(root="/code/")) == ["src/app.py"]
    assert paths("/codes/src/app.py", checkout=Checkout(root="/code")) == []


def test_bases_and_indices_are_resolved():
    """A location may be relative to a base, and bases to each other; circles end."""
    bases = {
        "ROOT": {"uri": "file:///builds/group/app/"},
        "SRC": {"uri": "src/", "uriBaseId": "ROOT"},
        "A": {"uri": "x/", "uriBaseId": "A"},
    }

    def found(location: dict[str, Any]) -> list[str]:
        place = {"physicalLocation": {"artifactLocation": location, "region": {"startLine": 1}}}
        run = {
            "originalUriBaseIds": bases,
            "artifacts": [{"location": {"uri": "docs/a%20b.md"}}],
        }
        return [f.path for f in imported(log(result(locations=[place]), run=run)).findings]

    assert found({"uri": "app.py", "uriBaseId": "SRC"}) == ["src/app.py"]
    assert found({"uri": "src/app.py", "uriBaseId": "%SRCROOT%"}) == ["src/app.py"]
    assert found({"uri": "app.py", "uriBaseId": "A"}) == []
    assert found({"index": 0}) == ["docs/a b.md"]
    assert found({"index": 7}) == []


def test_results_on_unknown_files_are_counted():
    """Nothing is dropped in silence, and the remedy is named."""
    (problem,) = imported(log(result("/opt/x.py"), result("src/app.py"))).problems
    assert problem.startswith("1 results")
    assert "root" in problem


def test_messages_come_from_the_rule_and_its_arguments():
    """Placeholders are filled in, links are reduced to their words."""
    rule = {"id": "no-two", "messageStrings": {"m": {"text": "Use [{0}](1) not {1} or {9}"}}}
    message = {"id": "m", "arguments": ["a", "b"]}
    (finding,) = imported(log(result(message=message), rules=[rule])).findings
    assert finding.message == "Use a not b or {9}"


def test_a_rule_is_found_by_index_extension_or_the_start_of_its_name():
    """SARIF has several ways to say which rule it was."""
    extension = {"name": "more", "rules": [{"id": "ext", "shortDescription": {"text": "From the extension"}}]}
    run = {
        "tool": {
            "driver": {
                "name": "lint",
                "rules": [{"id": "a", "shortDescription": {"text": "From the driver"}}],
            },
            "extensions": [extension],
        }
    }
    results = [
        result(ruleId=None, ruleIndex=0),
        result(ruleId="a/special"),
        result(ruleId=None, rule={"index": 0, "toolComponent": {"index": 0}}),
        result(ruleId=None, rule={"index": 0, "toolComponent": {"name": "more"}}, line=3),
        result(ruleId="unknown"),
    ]
    found = imported(log(*results, run=run)).findings
    assert [(f.rule, f.title) for f in found] == [
        ("a", "From the driver"),
        ("a/special", "From the driver"),
        ("ext", "From the extension"),
        ("ext", "From the extension"),
        ("unknown", "Two is one too many"),
    ]


def region(
    line: int, column: int | None = None, end: int | None = None, to: int | None = None
) -> dict[str, Any]:
    named = {"startLine": line, "startColumn": column, "endLine": end, "endColumn": to}
    return {key: value for key, value in named.items() if value is not None}


def fix_of(
    *edits: tuple[dict[str, Any], str], uri: str = "src/app.py", run: dict[str, Any] | None = None
) -> Fix | None:
    replacements = [{"deletedRegion": place, "insertedContent": {"text": text}} for place, text in edits]
    change = {"artifactLocation": {"uri": uri}, "replacements": replacements}
    return imported(log(result(fixes=[{"artifactChanges": [change]}]), run=run)).findings[0].fix


def test_fixes_become_whole_lines():
    """Replacements of stretches, insertions and deletions, counted in UTF-16 units unless said otherwise."""
    assert fix_of((region(2, 1, 2, 4), "too")) == Fix(line=2, end_line=2, replacement="too = 1")
    assert fix_of((region(2, 7, 2, 7), "0")) == Fix(line=2, end_line=2, replacement="two = 01")
    assert fix_of((region(2), "2")) == Fix(line=2, end_line=2, replacement="2")
    assert fix_of((region(4, 1, 4, 5), ""), (region(2, 1, 2, 4), "x")) == Fix(
        line=2, end_line=4, replacement="x = 1\nthree\nfour"
    )
    assert fix_of((region(5, 9, 5, 12), "7")) == Fix(line=5, end_line=5, replacement="five 🐍 7")
    points = {"columnKind": "unicodeCodePoints"}
    assert fix_of((region(5, 8, 5, 11), "7"), run=points) == Fix(line=5, end_line=5, replacement="five 🐍 7")


@pytest.mark.parametrize(
    "edits",
    [
        [(region(2, 1, 2, 4), "a"), (region(2, 2, 2, 5), "b")],
        [(region(99), "a")],
        [(region(2, 50, 2, 60), "a")],
        [(region(3, 1, 2, 1), "a")],
        [(region(5, 7, 5, 8), "inside a pair")],
        [],
    ],
)
def test_fixes_that_do_not_fit_are_left_out(edits: list[tuple[dict[str, Any], str]]):
    """Overlaps and places that the file does not have make no fix, and do not hide the finding."""
    assert fix_of(*edits) is None


def test_a_fix_elsewhere_is_left_out():
    """Only a change of the file of the finding can be offered there."""
    assert fix_of((region(1), "a"), uri="docs/a b.md") is None


def test_a_tool_that_failed_is_told():
    """What a tool says of its own run is passed on."""
    failed = {
        "invocations": [
            {
                "executionSuccessful": False,
                "toolExecutionNotifications": [{"level": "error", "message": {"text": "no\nrules"}}],
            }
        ]
    }
    found = imported(log(run=failed))
    assert found.problems == ["lint says that it did not finish", "lint reports an error: no rules"]
    assert not found.complete


def test_broken_results_do_not_hide_others():
    """Wrong types are counted, unknown fields and nulls are fine."""
    broken = [5, {"locations": "x"}, result(level=7), result(line=0)]
    found = imported(
        log(*broken, result(extra={"a": 1}, fixes=None, suppressions=None), rules=[7, {"id": 3}])
    )
    assert len(found.findings) == 1
    assert found.problems == ["4 results are malformed and were left out"]


def test_lines_beyond_the_end_are_put_on_the_last_one():
    """A job may have looked at another version of the file."""
    (finding,) = imported(log(result(line=900))).findings
    assert (finding.line, finding.end_line) == (5, 5)


def test_a_flood_is_cut_and_told():
    """No tool can make a review endless."""
    found = imported(log(*(result(line=n % 5 + 1, ruleId=str(n)) for n in range(10_050))))
    assert len(found.findings) == 10_000
    assert found.problems == ["only the first 10000 of 10050 results were read"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str):
    """Windows tools write byte order marks and UTF-16."""
    assert imported(log(result()).decode().encode(encoding)).findings


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not JSON"),
        (b"<sarif/>", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no runs"),
        (b'{"version": "2.1.0"}', "no runs"),
        (b'{"version": "2.1.0", "runs": 5}', "runs"),
        (b'{"version": "2.1.0", "runs": [{"tool": {}}]}', "runs.0.tool.driver"),
        (log(version="2.0.0"), "2.1.0"),
    ],
)
def test_other_files_are_refused_by_name(content: bytes, word: str):
    """The error says what is wrong."""
    with pytest.raises(Permanent, match=word):
        imported(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "ruleId",
    "level",
    "kind",
    "message",
    "locations",
    "suppressions",
    "fixes",
    "properties",
    "rule",
    "taxa",
]


@given(st.dictionaries(st.sampled_from(KEYS), json_values), st.lists(json_values, max_size=3))
def test_nothing_in_a_result_stops_the_reading(odd: dict[str, Any], rules: list[Any]):
    """A hostile result is left out or understood; the one beside it is found either way."""
    found = imported(log(result() | odd, result(line=3, ruleId="sound"), rules=rules))
    assert "sound" in {finding.rule for finding in found.findings}


@given(st.text(max_size=60))
def test_no_uri_leaves_the_repository(uri: str):
    """A path is relative and climbs nowhere."""
    path = CHECKOUT.path(uri)
    assert path is None or (path and not path.startswith("/") and ".." not in path.split("/"))


lines = st.lists(
    st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=6),
    min_size=1,
    max_size=5,
)


@given(lines, st.data())
def test_a_fix_is_what_its_replacements_make_of_the_text(text: list[str], data: st.DataObject):
    """Whole lines with the fix are the same as the text with the stretch replaced."""
    whole = "\n".join(text)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    inserted = data.draw(st.text(max_size=4)).replace("\r", "")

    def place(offset: int) -> tuple[int, int]:
        before = whole[:offset]
        return before.count("\n") + 1, len(before) - before.rfind("\n")

    (line, column), (end_line, end_column) = place(start), place(end)
    from bot.scanners.sarif_fix import whole_lines
    from bot.scanners.sarif_log import Message, Region, Replacement

    edit = Replacement(
        deleted_region=Region(start_line=line, start_column=column, end_line=end_line, end_column=end_column),
        inserted_content=Message(text=inserted),
    )
    fix = whole_lines([edit], text, utf16=False)
    assert fix is not None
    fixed = [*text[: fix.line - 1], fix.replacement, *text[fix.end_line :]]
    assert "\n".join(fixed) == whole[:start] + inserted + whole[end:]
