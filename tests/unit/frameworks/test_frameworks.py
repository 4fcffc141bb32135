"""How frameworks are recognised, where new tests go, and what their results mean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.unit_tests import State
from bot.frameworks import Framework, Project, chosen, load
from bot.frameworks.layout import nearest
from bot.ports import Tried

FRAMEWORKS = load()
BY_NAME = {one.name: one for one in FRAMEWORKS}


def ran(returncode: int = 0, *, out: str = "", err: str = "", report: str = "", ended: str = "") -> Tried:
    return Tried(returncode, out.encode(), err.encode(), report.encode(), 0.1, ended)


def pick(source: str, texts: dict[str, str], near: dict[str, str] | None = None) -> str | None:
    near = near or {}
    framework = chosen(FRAMEWORKS, Project(frozenset({source, *texts, *near}), texts), source, near)
    return framework.name if framework else None


def test_each_is_registered():
    """Adding a plug takes one file."""
    assert sorted(BY_NAME) == ["JUnit", "Jest", "Vitest", "go test", "pytest", "unittest"]


CHOICES = [
    ("app.py", {}, {"tests/test_a.py": "import pytest\n\ndef test_x():\n    assert 1\n"}, "pytest"),
    ("app.py", {}, {"tests/test_a.py": "def test_x():\n    assert 1\n"}, "pytest"),
    ("app.py", {"pyproject.toml": "[tool.pytest.ini_options]\n"}, {}, "pytest"),
    ("app.py", {}, {}, "unittest"),
    (
        "a/app.py",
        {"pyproject.toml": "pytest"},
        {
            "tests/test_a.py": "import unittest\n\nclass T(unittest.TestCase):\n    def test_x(self):\n        pass\n"
        },
        "unittest",
    ),
    ("src/a.ts", {"package.json": '{"devDependencies": {"vitest": "1"}}'}, {}, "Vitest"),
    ("src/a.js", {"package.json": '{"scripts": {"test": "jest --ci"}}'}, {}, "Jest"),
    ("web/src/a.js", {"package.json": '{"devDependencies": {"jest": "1"}}'}, {}, "Jest"),
    (
        "a.js",
        {"package.json": '{"devDependencies": {"jest": "1"}}'},
        {"a.test.js": "import {test} from 'vitest'"},
        "Vitest",
    ),
    ("a.js", {"package.json": "{}"}, {}, None),
    ("a.js", {"package.json": "[" * 100_000}, {}, None),
    ("a.js", {"package.json": '{"devDependencies": ["jest"], "scripts": 3}'}, {}, None),
    ("src/main/java/a/A.java", {"pom.xml": "<artifactId>junit-jupiter</artifactId>"}, {}, "JUnit"),
    ("src/main/java/a/A.java", {"pom.xml": "<project/>"}, {}, None),
    ("pkg/a.go", {"go.mod": "module x\n"}, {}, "go test"),
    ("pkg/a.go", {}, {}, None),
    ("a.rb", {}, {}, None),
]


@pytest.mark.parametrize(("source", "texts", "near", "expected"), CHOICES)
def test_a_framework_is_recognised(
    source: str, texts: dict[str, str], near: dict[str, str], expected: str | None
):
    """By neighbouring tests first, then by the nearest manifests; no guess where nothing speaks for one."""
    assert pick(source, texts, near) == expected


PLACES = [
    ("pytest", "app.py", [], "tests/test_app.py"),
    (
        "pytest",
        "src/shop/cart.py",
        ["tests/unit/shop/test_x.py", "tests/e2e/test_y.py"],
        "tests/unit/shop/test_cart.py",
    ),
    ("pytest", "cart.py", ["tests/test_cart.py"], "tests/test_cart_total.py"),
    ("pytest", "cart.py", ["tests/a/test_cart.py", "tests/test_cart_total.py"], "tests/test_cart_total_2.py"),
    ("pytest", "odd name;rm -rf.py", [], "tests/test_odd_name_rm_rf.py"),
    ("unittest", "shop/cart.py", ["shop/tests/test_x.py"], "shop/tests/test_cart.py"),
    ("Jest", "src/a.ts", [], "src/a.test.ts"),
    ("Jest", "src/a.tsx", ["src/b.spec.tsx", "src/b.tsx"], "src/a.spec.tsx"),
    ("Jest", "src/a.js", ["src/__tests__/b.test.js", "lib/__tests__/c.test.js"], "src/__tests__/a.test.js"),
    ("Vitest", "src/a.ts", ["test/b.test.ts", "test/c.test.ts"], "test/a.test.ts"),
    ("Jest", "a.js", ["a.test.js"], "a_total.test.js"),
    ("JUnit", "m/src/main/java/x/Cart.java", [], "m/src/test/java/x/CartTest.java"),
    (
        "JUnit",
        "src/main/java/x/Cart.java",
        ["src/test/java/x/CartTest.java"],
        "src/test/java/x/CartTotalTest.java",
    ),
    ("JUnit", "src/a/b/Cart.java", ["test/a/c/XTest.java", "test/a/b/YTest.java"], "test/a/b/CartTest.java"),
    ("JUnit", "src/a/b/Cart.java", ["test/b/XTest.java"], "src/a/b/CartTest.java"),
    ("go test", "pkg/cart.go", [], "pkg/cart_test.go"),
    ("go test", "cart.go", ["cart_test.go"], "cart_total_test.go"),
]


@pytest.mark.parametrize(("name", "source", "tests", "expected"), PLACES)
def test_a_new_test_stands_where_the_others_do(name: str, source: str, tests: list[str], expected: str):
    """In their directory, in their way of naming, and never in the place of one that exists."""
    path = BY_NAME[name].place(Project(frozenset({source, *tests})), source, "total")
    assert path == expected
    assert BY_NAME[name].is_test(path)


HOMES = [
    ("go test", "api/pkg/cart.go", {"api/go.mod": "", "go.mod": ""}, "api/"),
    ("go test", "api/cart.go", {"web/go.mod": ""}, ""),
    (
        "pytest",
        "api/shop/cart.py",
        {"api/setup.py": "", "web/setup.py": "", "web/tests/test_x.py": ""},
        "api/",
    ),
    ("pytest", "api/shop/cart.py", {"api/tox.ini": "", "api/tests/test_x.py": "", "setup.py": ""}, "api/"),
    # What only an image needs makes no project, if the tests are elsewhere.
    ("unittest", "app/cart.py", {"app/requirements.txt": "", "tests/test_x.py": ""}, ""),
    ("unittest", "app/cart.py", {"app/requirements.txt": ""}, ""),
    ("Jest", "web/src/a.js", {"web/package.json": '{"devDependencies": {"jest": "1"}}'}, "web/"),
    ("Jest", "web/src/a.js", {"web/package.json": "{}", "package.json": '{"scripts": {"t": "jest"}}'}, ""),
    (
        "Vitest",
        "web/src/a.js",
        {"web/vitest.config.mts": "", "package.json": '{"scripts": {"t": "vitest"}}'},
        "web/",
    ),
    ("Vitest", "web/src/a.js", {"web/package.json": "[" * 9_999}, ""),
    ("JUnit", "core/src/main/java/x/A.java", {"core/pom.xml": "", "pom.xml": ""}, ""),
]


@pytest.mark.parametrize(("name", "source", "texts", "expected"), HOMES)
def test_a_repository_may_hold_several_projects(name: str, source: str, texts: dict[str, str], expected: str):
    """Tests are run where the nearest settings are that hold for them, as people do."""
    project = Project(frozenset({source, *texts}), texts)
    assert BY_NAME[name].home(project, source) == expected
    assert source.removeprefix(expected) in project.below(expected).paths


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda one: one.name)
@given(st.text(min_size=1, max_size=30), st.text(max_size=20))
def test_no_name_leads_outside(framework: Framework, stem: str, function: str):
    """Whatever a file or a function is called, the test's own name is harmless and new."""
    source = f"src/main/java/{stem.replace('/', '')}{framework.suffixes[0]}"
    taken = Project(frozenset({source}))
    first = framework.place(taken, source, function)
    second = framework.place(Project(frozenset({source, first})), source, function)
    assert first != second
    for path in (first, second):
        assert framework.is_test(path)
        assert not {"..", ""} & set(path.split("/"))


def test_the_test_of_the_same_name_is_the_best_example():
    """Then come those that share directories."""
    tests = ["tests/z/test_other.py", "tests/api/test_b.py", "tests/test_cart.py"]
    assert nearest(tests, "src/api/cart.py") == [
        "tests/test_cart.py",
        "tests/api/test_b.py",
        "tests/z/test_other.py",
    ]


def junit(body: str) -> str:
    return f'<?xml version="1.0"?><testsuites><testsuite>{body}</testsuite></testsuites>'


PASS, FAIL = (
    '<testcase name="a"/>',
    '<testcase name="b"><failure message="assert 1 == 2">..</failure></testcase>',
)
ERROR = '<testcase name="c"><error message="collection failure">..</error></testcase>'
JEST = {"numPassedTests": 2, "numFailedTests": 0, "numRuntimeErrorTestSuites": 0, "testResults": []}
GO = '{"Action":"run","Test":"TestA"}\n{"Action":"pass","Test":"TestA"}\n{"Action":"pass"}\n'
RESULTS = [
    ("pytest", ran(report=junit(PASS * 2)), State.passed, 2),
    ("pytest", ran(1, report=junit(PASS + FAIL)), State.failed, 2),
    ("pytest", ran(2, report=junit(ERROR)), State.broken, 1),
    ("pytest", ran(0, report=junit(FAIL)), State.failed, 1),
    ("pytest", ran(1, report=junit(PASS)), State.broken, 1),
    ("pytest", ran(5, report=junit("")), State.broken, 0),
    ("pytest", ran(0, report=junit('<testcase name="s"><skipped/></testcase>')), State.broken, 0),
    ("pytest", ran(0, report=""), State.broken, 0),
    ("pytest", ran(0, report="<a>" * 50_000), State.broken, 0),
    ("pytest", ran(0, report='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), State.broken, 0),
    ("pytest", ran(0, report="\x00\xff not xml"), State.broken, 0),
    ("pytest", ran(1, err="/usr/bin/python3: No module named pytest"), State.absent, 0),
    ("pytest", ran(-9, ended="time", report=junit(PASS)), State.broken, 0),
    ("unittest", ran(err="Ran 3 tests in 0.1s\n\nOK\n"), State.passed, 3),
    ("unittest", ran(1, err="Ran 3 tests in 0.1s\n\nFAILED (failures=1, errors=1)\n"), State.failed, 3),
    (
        "unittest",
        ran(1, err="unittest.loader._FailedTest\nRan 1 test in 0.0s\n\nFAILED (errors=1)\n"),
        State.broken,
        1,
    ),
    ("unittest", ran(0, err="Ran 0 tests in 0.0s\n\nOK\n"), State.broken, 0),
    ("unittest", ran(0, err="Ran 1 test in 0.0s\n\nOK (skipped=1)\n"), State.broken, 0),
    ("unittest", ran(0, out="Ran 5 tests in 0s"), State.broken, 0),
    ("Jest", ran(report=json.dumps(JEST)), State.passed, 2),
    ("Jest", ran(1, report=json.dumps(JEST | {"numFailedTests": 1})), State.failed, 3),
    ("Jest", ran(1, report=json.dumps({"numRuntimeErrorTestSuites": 1})), State.broken, 0),
    ("Jest", ran(0, report="[]"), State.broken, 0),
    ("Jest", ran(0, report="[" * 100_000), State.broken, 0),
    ("Vitest", ran(0, report='{"numPassedTests": "many"}'), State.broken, 0),
    ("Vitest", ran(0, report='{"numPassedTests": 1e999}'), State.broken, 0),
    ("Vitest", ran(1, err="prlimit: failed to execute vitest: No such file or directory"), State.absent, 0),
    (
        "JUnit",
        ran(out="[         2 tests successful      ]\n[         0 tests failed          ]"),
        State.passed,
        2,
    ),
    (
        "JUnit",
        ran(1, out="[         1 tests successful      ]\n[         1 tests failed          ]"),
        State.failed,
        2,
    ),
    ("JUnit", ran(out="OK (3 tests)\n"), State.passed, 3),
    ("JUnit", ran(1, out="Tests run: 3,  Failures: 1\n"), State.failed, 3),
    ("JUnit", ran(90, err="A.java:3: error: ';' expected"), State.broken, 0),
    ("JUnit", ran(91), State.absent, 0),
    ("go test", ran(out=GO), State.passed, 1),
    ("go test", ran(1, out=GO + '{"Action":"fail","Test":"TestB"}\n'), State.failed, 2),
    ("go test", ran(1, out='{"Action":"build-fail"}\nnot json\n[]\n'), State.broken, 0),
    ("go test", ran(0, out=""), State.broken, 0),
]


@pytest.mark.parametrize(("name", "tried", "state", "tests"), RESULTS)
def test_results_are_read(name: str, tried: Tried, state: State, tests: int):
    """All is well only if tests ran, none failed, and the exit code agrees; damaged reports prove nothing."""
    outcome = BY_NAME[name].outcome(tried)
    assert (outcome.state, outcome.tests) == (state, tests)


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda one: one.name)
@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300), st.integers(-15, 200))
def test_hostile_results_prove_nothing(
    framework: Framework, out: bytes, err: bytes, report: bytes, code: int
):
    """Whatever a program writes, reading it does not fail."""
    outcome = framework.outcome(Tried(code, out, err, report, 0.0))
    assert outcome.state in State


OBJECTIONS = [
    ("pytest", "tests/test_a.py", "def test_a():\n    assert 1\n", True),
    ("pytest", "tests/test_a.py", "def check():\n    assert 1\n", False),
    (
        "unittest",
        "tests/test_a.py",
        "import unittest\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        pass\n",
        True,
    ),
    ("unittest", "tests/test_a.py", "def test_a():\n    pass\n", False),
    ("Jest", "a.test.js", "test('a', () => {})\n", True),
    ("Jest", "a.test.js", "const test = 1\n", False),
    ("JUnit", "src/test/java/x/ATest.java", "package x;\nclass ATest {\n@Test void a() {} }\n", True),
    ("JUnit", "src/test/java/x/ATest.java", "package y;\nclass ATest {\n@Test void a() {} }\n", False),
    ("JUnit", "test/x/y/ATest.java", "package x.y;\nclass ATest {\n@Test void a() {} }\n", True),
    ("JUnit", "test/x/y/ATest.java", "package y.x;\nclass ATest {\n@Test void a() {} }\n", False),
    ("JUnit", "test/x/y/ATest.java", "class ATest {\n@Test void a() {} }\n", True),
    ("JUnit", "src/test/java/x/ATest.java", "package x;\nclass BTest {\n@Test void a() {} }\n", False),
    ("go test", "a_test.go", 'package a\n\nimport "testing"\n\nfunc TestA(t *testing.T) {}\n', True),
    ("go test", "a_test.go", "package a\n\nfunc a() {}\n", False),
]


@pytest.mark.parametrize(("name", "path", "code", "fine"), OBJECTIONS)
def test_what_would_not_run_is_refused(name: str, path: str, code: str, fine: bool):
    """A file without a test that the framework finds is of no use."""
    assert (BY_NAME[name].objection(path, code) == "") is fine


def test_go_runs_only_the_tests_of_the_file():
    """Other tests of the package neither help nor disturb."""
    trial = BY_NAME["go test"].trial(
        "pkg/a_test.go", "package pkg\n\nfunc TestA(t *testing.T) {}\nfunc TestB(t *testing.T) {}\n"
    )
    assert ("-run=^(TestA|TestB)$" in trial.argv, trial.argv[-1]) == (True, "./pkg")
