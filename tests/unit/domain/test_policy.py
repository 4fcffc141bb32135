"""The policy file is understood whole or refused with a line and a remedy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.findings import Confidence, Finding, Severity
from bot.domain.policy import (
    Comments,
    Gate,
    Paths,
    Policy,
    Review,
    Rules,
    Waivers,
    applies,
    commentable,
    excluded,
    governed,
    left_out,
    unknown_rules,
    verdict,
)
from bot.domain.policy_file import PolicyProblem, parse


def finding(**values: object) -> Finding:
    """Return a grave finding of Semgrep."""
    base = {
        "scanner": "semgrep",
        "rule": "r",
        "category": "security",
        "severity": Severity.high,
        "path": "a.py",
        "line": 1,
        "end_line": 1,
        "title": "t",
        "message": "m",
    }
    return Finding.model_validate(base | values)


def test_the_whole_file_is_read() -> None:
    """Every key arrives."""
    text = """
gate:
  block_at: critical
  scanners: [semgrep, model]
  accept_suppressions: true
comments: {max_inline: 3, min_severity: medium, min_confidence: high}
paths:
  exclude: ["docs/**"]
review: {drafts: no, model: off, language: pt-BR}
rules:
  disable:
    - python.eval
"""
    expected = Policy(
        gate=Gate(block_at="critical", scanners=("semgrep", "model"), accept_suppressions=True),
        comments=Comments(max_inline=3, min_severity=Severity.medium, min_confidence=Confidence.high),
        paths=Paths(exclude=("docs/**",)),
        review=Review(drafts=False, model=False, language="pt-BR"),
        rules=Rules(disable=("python.eval",)),
    )
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "~", "gate: {}"])
def test_an_empty_file_gives_the_default(text: str) -> None:
    """Nothing asked, nothing changed."""
    assert parse(text) == Policy()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("gate:\n  blok_at: high\n", 2, ["'gate.blok_at' is not a known key", "did you mean 'block_at'?"]),
        ("\ngates:\n  block_at: high\n", 2, ["did you mean 'gate'?"]),
        (
            "zzz: 1\n",
            1,
            ["known are comments, conversation, gate, learning, noise, paths, reports, review, rules"],
        ),
        ("gate:\n  scanners:\n    - semgrep\n    - semgrpe\n", 4, ["'semgrpe'", "did you mean 'semgrep'?"]),
        ("gate:\n  block_at: low\n", 2, ["'critical', 'high'", "mildest severity"]),
        ("comments:\n  max_inline: '5'\n", 2, ["valid integer"]),
        ("comments:\n  max_inline: 5.5\n", 2, ["integer"]),
        ("comments:\n  max_inline: true\n", 2, ["integer"]),
        ("comments:\n  max_inline: 99\n", 2, ["less than or equal to 50"]),
        ("review:\n  drafts: 'yes'\n", 2, ["valid boolean"]),
        ("review:\n\n  language: english\n", 3, ["language"]),
        ("paths:\n  exclude: docs/**\n", 2, ["valid list"]),
        ("reports:\n  sarif:\n    - job: lint\n", 3, ["paths", "SARIF files"]),
        ("reports:\n  sarif:\n    - {job: lint, path: a}\n", 3, ["path'", "did you mean 'paths'?"]),
        ("reports:\n  sarif:\n    - {job: lint, paths: [../a]}\n", 3, ["below the root"]),
        ("reports:\n  sarif:\n    - lint\n", 3, ["this is a section", "job, paths, root"]),
        ("gate:\n  scanners: ['sarif:lint']\n", 2, ["'sarif:lint'"]),
        ("paths:\n  exclude:\n    - 5\n", 3, ["valid string"]),
        ("gate: high\n", 1, ["this is a section", "known keys of gate are block_at"]),
        ("- gate\n", 1, ["not a mapping"]),
        ("text", 1, ["not a mapping"]),
        ("../policies/cloister.yml", 1, ["not a mapping", "links and Git LFS are not followed"]),
        ("gate:\n  block_at: high\n  block_at: never\n", 3, ["appears twice"]),
        ("gate:\n  rules:\n  - mode: block\n    mode: advise\n", 4, ["'mode' appears twice"]),
        ("gate:\n  rules: [{when: {draft: true,\n   draft: false}, mode: block}]\n", 3, ["appears twice"]),
        ("gate: &a {}\nrules: *a\n", 1, ["anchors"]),
        ("gate: !!python/object:os.system {}\n", 1, ["tags"]),
        ("gate:\n  <<: {block_at: never}\n  block_at: high\n", 2, ["merges", "write the keys out"]),
        ("a: 1\n---\nb: 2\n", 2, ["several documents"]),
        ("a: [[[[[[[[[[[[\n", 1, ["nested too deeply"]),
        ("gate:\n\t- x\n", 2, ["not YAML"]),
        ("gate: [\n", 2, ["not YAML"]),
        ("a: \x00", 1, ["not YAML"]),
        ("x: 2024-99-99\n", 1, ["cannot be read", "quotes"]),
        ("a: 1\nb:\n - 2024-01-01\n - 2024-99-99\n", 4, ["cannot be read", "quotes"]),
        (f"a: 1\nb: {'9' * 5_000}\n", 2, ["cannot be read"]),
        ("gate: {}\nwaivers: {max_days: 030}\n", 2, ["YAML reads 030 as the number 24", "without a 0"]),
        ("waivers:\n  max_days: 1:30\n", 2, ["YAML reads 1:30 as the number 90"]),
        ("gate:\n  rules:\n  - when:\n      labels: [a, yes]\n    mode: off\n", 4, ["put yes in quotes"]),
        ("gate: {rules: [{mode: off,\n  when: {labels: [2027-01-31]}}]}\n", 2, ["YAML reads it as a date"]),
        ("gate: {block_at: off}\n", 1, ["mildest severity"]),
        (b"a: 1\nlabels: [gr\xfcn]\n", 2, ["not in UTF-8", "save it as UTF-8"]),
        ("gate: {}\n".encode("utf-16"), 1, ["not in UTF-8"]),
        ("gate: {}\n".encode("utf-16-le"), 1, ["UTF-16", "save it as UTF-8"]),
        ("1: 2\n", 1, ["'1' is not a known key"]),
        ("? [a]\n: b\n", 1, []),
        ("x" * 70_000, 1, ["70000 characters"]),
    ],
)
def test_mistakes_are_explained(text: str | bytes, line: int, words: list[str]) -> None:
    """The problem names the line, what is wrong, and what to do."""
    problem = parse(text)
    assert isinstance(problem, PolicyProblem)
    assert problem.line == line
    assert [word for word in words if word not in str(problem)] == []


@given(st.one_of(st.text(), st.binary(), st.text("gate:\n -[]{}&*!?x1'\"#|>%@\t", max_size=60)))
def test_any_text_gets_an_answer(text: str | bytes) -> None:
    """Reading never fails, whatever the file holds."""
    assert isinstance(parse(text), Policy | PolicyProblem)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("package-lock.json", "lock file"),
        ("web/yarn.lock", "lock file"),
        ("web/app.min.js", "minified"),
        ("api/v1/thing_pb2.py", "generated"),
        ("node_modules/x/index.js", "vendored"),
        ("a/vendor/b/c.go", "vendored"),
        ("docs/a/b.md", "excluded by the policy (docs/**)"),
        ("x/y/gen/z.py", "excluded by the policy (**/gen/*.py)"),
        ("gen/z.py", "excluded by the policy (**/gen/*.py)"),
        ("src/old.c", "excluded by the policy (/src/*.c)"),
        ("vendor", None),
        ("src/sub/old.c", None),
        ("a/docs/b.md", None),
        ("src/app.py", None),
        ("min.js", None),
    ],
)
def test_files_are_left_out_for_a_reason(path: str, reason: str | None) -> None:
    """Built-in and configured globs match as documented."""
    assert excluded(path, Policy(paths=Paths(exclude=("docs/**", "**/gen/*.py", "/src/*.c")))) == reason


def test_advice_is_about_the_files_that_it_names() -> None:
    """Globs mean what they mean elsewhere in the file."""
    policy = parse(
        "review:\n  instructions:\n    - paths: [billing/**, '*.sql']\n      text: Amounts are cents.\n"
    )
    assert isinstance(policy, Policy)
    (advice,) = policy.review.instructions
    paths = ["billing/a/b.py", "db/x.sql", "a/billing/b.py"]
    assert [True, True, False] == [advice.about(path) for path in paths]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("review:\n  instructions:\n    - paths: []\n      text: x\n", 3, "at least 1 item"),
        ("review:\n  instructions:\n    - paths: ['*']\n      texts: x\n", 3, "text: field required"),
        ("review:\n  guidelines: [../AGENTS.md]\n", 2, "below the root"),
    ],
)
def test_advice_that_cannot_be_meant_is_a_problem(text: str, line: int, message: str) -> None:
    """The problem names its line."""
    problem = parse(text)
    assert isinstance(problem, PolicyProblem)
    assert line == problem.line
    assert message in str(problem)


def test_a_scanner_that_looks_everywhere_is_held_back_only_by_the_policy() -> None:
    """Generated files are no hiding place, those that the policy leaves out are nobody's business."""
    policy = Policy(paths=Paths(exclude=("docs/**", "yarn.lock")))
    names = ("package-lock.json", "yarn.lock", "docs/a.md", "a.py", "big.py")
    diff = Diff(
        tuple(FileDiff(name, name, Change.modified, truncated=name.startswith("big")) for name in names)
    )
    assert {"package-lock.json", "yarn.lock", "docs/a.md", "big.py"} == set(left_out(diff, policy))
    assert {
        "yarn.lock": "excluded by the policy (yarn.lock)",
        "docs/a.md": "excluded by the policy (docs/**)",
        "big.py": "the change is too large to be read",
    } == left_out(diff, policy, everywhere=True)


def test_the_commit_of_a_submodule_is_named_as_left_out() -> None:
    """What it brings is in another repository; to take one out brings nothing."""
    link, gone = "160000", "000000"
    diff = Diff(
        (
            FileDiff("lib", "lib", Change.modified, old_mode=link, new_mode=link),
            FileDiff("old", "old", Change.deleted, old_mode=link, new_mode=gone),
            FileDiff("now", "now", Change.modified, old_mode=link),
        )
    )
    assert {"lib": "it is a submodule"} == left_out(diff, Policy())


@given(st.text("ab/*?.[]", max_size=20), st.text("ab/.", min_size=1, max_size=20))
def test_matching_never_fails(glob: str, path: str) -> None:
    """Any glob can be asked about any path."""
    excluded(path, Policy(paths=Paths(exclude=(glob or "*",))))


def test_long_globs_stay_fast() -> None:
    """Stars do not make matching exponential."""
    assert (
        excluded(
            "a" * 200 + "/" + "b" * 200, Policy(paths=Paths(exclude=("*a" * 90 + "c", "**/" * 60 + "c")))
        )
        is None
    )


@pytest.mark.parametrize(
    ("values", "gate", "passed"),
    [
        ({}, Gate(), False),
        ({"severity": Severity.critical}, Gate(), False),
        ({"severity": Severity.medium}, Gate(), True),
        ({"severity": Severity.medium}, Gate(block_at="medium"), False),
        ({"scanner": "model", "severity": Severity.critical}, Gate(), True),
        ({"scanner": "model"}, Gate(scanners=("model",)), True),
        ({"scanner": "model", "confirmed": True}, Gate(scanners=("model",)), False),
        ({"scanner": "model", "confirmed": True}, Gate(), True),
        ({"severity": Severity.critical}, Gate(block_at="never"), True),
        ({"rule": "off"}, Gate(), True),
        ({"suppressed": True}, Gate(), False),
        ({"suppressed": True}, Gate(accept_suppressions=True), True),
    ],
)
def test_the_gate(values: dict[str, object], gate: Gate, passed: bool) -> None:
    """Only findings of the named scanners at or above the severity block."""
    one = finding(**values)
    outcome = verdict([one], Policy(gate=gate, rules=Rules(disable=("off",))))
    assert (outcome.passed, outcome.blocking) == (passed, () if passed else (one,))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, True),
        ({"severity": Severity.info}, False),
        ({"confidence": Confidence.low}, False),
        ({"suppressed": True}, True),
        ({"suppressed": True, "severity": Severity.medium}, False),
        ({"rule": "off"}, False),
    ],
)
def test_only_findings_worth_a_comment_get_one(values: dict[str, object], expected: bool) -> None:
    """Mild, unsure and disabled ones stay out of the diff, and suppressed ones unless they ask for a waiver."""
    policy = Policy(rules=Rules(disable=("off",)))
    assert commentable(finding(**values), policy) is expected
    assert applies(finding(**values), policy) is (values.get("rule") != "off")


@pytest.mark.parametrize(
    ("disable", "enable", "optional", "expected"),
    [
        ((), (), False, True),
        (("python-eval",), (), False, False),
        (("python-*",), (), False, False),
        (("go-*",), (), False, True),
        (("category:security",), (), False, False),
        (("category:performance",), (), False, True),
        (("python-*",), ("python-eval",), False, True),
        (("python-eval",), ("python-*",), False, False),
        (("python-eval",), ("python-eval",), False, False),
        (("python-*",), ("python-*",), False, False),
        ((), (), True, False),
        ((), ("python-eval",), True, True),
        ((), ("python-*",), True, True),
        ((), ("category:security",), True, True),
        (("python-eval",), ("python-*",), True, False),
    ],
)
def test_rules_are_switched_by_id_glob_and_category(
    disable: tuple[str, ...], enable: tuple[str, ...], optional: bool, expected: bool
) -> None:
    """An id that is written out wins over globs and categories; of two alike `disable` wins."""
    one = finding(rule="python-eval", category="security", optional=optional)
    policy = Policy(rules=Rules(disable=disable, enable=enable))
    assert applies(one, policy) is expected
    assert governed([one], policy) == ([one] if expected else [])


def test_severity_of_a_rule_can_be_set() -> None:
    """The most exact pattern gives the severity; other rules keep theirs, and the gate follows."""
    policy = Policy(rules=Rules(severity={"python-*": Severity.low, "python-eval": Severity.critical}))
    found = [finding(rule=name, severity=Severity.high) for name in ("python-eval", "python-x", "go-x")]
    assert [one.severity for one in governed(found, policy)] == [
        Severity.critical, Severity.low, Severity.high,
    ]  # fmt: skip
    mild = parse("rules:\n  severity: {go-*: low}\n")
    assert isinstance(mild, Policy)
    assert verdict(governed(found[2:], mild), mild).passed


def test_a_severity_that_does_not_exist_is_a_problem_with_its_line() -> None:
    """A typing error in a severity is named where it stands."""
    problem = parse("rules:\n  severity:\n    go-x: low\n    go-y: bad\n")
    assert isinstance(problem, PolicyProblem)
    assert problem.line == 4


def test_rules_that_nobody_has_are_named() -> None:
    """Patterns that match nothing known are named with their key; categories are not judged."""
    rules = Rules(
        disable=("python-eval", "pyton-eval", "category:x"), enable=("go-*",), severity={"*-x": Severity.low}
    )
    assert unknown_rules(Policy(rules=rules), {"python-eval", "python-x"}) == [
        ("rules.disable", "pyton-eval"),
        ("rules.enable", "go-*"),
    ]


def test_scanners_that_are_never_waived_must_exist() -> None:
    """A misspelt one would be waived."""
    good = parse("waivers: {never: [secrets]}")
    assert isinstance(good, Policy)
    assert Waivers(never=("secrets",)) == good.waivers
    problem = parse("waivers:\n  never: [secrets, semgrp]\n")
    assert isinstance(problem, PolicyProblem)
    assert (2, "waivers.never names 'semgrp'", "did you mean 'semgrep'?") == (
        problem.line,
        problem.message,
        problem.remedy,
    )
    for wrong in ("max_days: 0", "max_severity: grave", "grant: boss", "scope: all"):
        assert isinstance(parse(f"waivers: {{{wrong}}}"), PolicyProblem)


def test_off_needs_no_quotes() -> None:
    """To YAML it is a boolean, and to people the word of the documentation."""
    found = parse(
        "gate:\n  rules:\n  - mode: off\n    when: {scanners: [semgrep]}\nreview: {unit_tests: off}\n"
    )
    assert isinstance(found, Policy)
    assert ("off", "off") == (found.gate.rules[0].mode, found.review.unit_tests)
    assert isinstance(parse("gate:\n  rules:\n  - mode: on\n"), PolicyProblem)
