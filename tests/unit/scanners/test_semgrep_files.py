"""Rule files: what is read, what is named as broken and where, and what it costs others (nothing)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Severity
from bot.scanners.languages import languages_of
from bot.scanners.semgrep_files import line_of, read_file, rule_files
from bot.scanners.semgrep_rules import Pack

GOOD = """\
  - id: {id}
    languages: [python]
    severity: ERROR
    message: m
    pattern: eval(...)
"""


def write(directory: Path, text: str, name: str = "a.yaml") -> Path:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


BROKEN = {
    "not YAML": ("rules:\n  - id: [x\n", 2, "not YAML"),
    "a control character": ("rules:\n- id: a\x01b\n", 1, "not YAML"),
    "empty": ("", 1, "begin with `rules:`"),
    "a list": ("- rules: 1\n", 1, "begin with `rules:`"),
    "no list": ("rules:\n  id: x\n", 2, "not a list"),
    "an empty list": ("a: 1\nrules: []\n", 2, "not a list"),
    "a rule that is a text": ("rules:\n  - text\n", 2, "mapping"),
    "no id": ("rules:\n  - languages: [python]\n", 2, "`id`"),
    "an id with a space": ("rules:\n  - languages: [python]\n    id: a b\n", 3, "`id`"),
    "an id that is a number": ("rules:\n  - id: 1\n", 2, "`id`"),
    "no languages": ("rules:\n  - id: x\n", 2, "`languages`"),
    "languages as a text": ("rules:\n  - id: x\n    languages: python\n", 3, "`languages`"),
    "an unknown language": ("rules:\n  - id: x\n    languages: [pyton]\n", 3, "did you mean python"),
    "no message": (GOOD.replace("    message: m\n", "").join(["rules:\n", ""]), 2, "`message`"),
    "a severity that is a list": ("rules:\n" + GOOD.replace("ERROR", "[ERROR]"), 4, "`severity`"),
    "metadata as a list": ("rules:\n" + GOOD + "    metadata: [x]\n", 7, "`metadata`"),
    "a severity that does not exist": (
        "rules:\n" + GOOD + "    metadata:\n      title: x\n      severity: bad\n", 9, "metadata.severity",
    ),
    "a title that is a list": ("rules:\n" + GOOD + "    metadata:\n      title: [x]\n", 8, "metadata.title"),
    "a date that does not exist": ("rules:\n" + GOOD + "    x: 2021-99-99\n", 2, "cannot be read"),
    "an unknown tag": ("rules:\n" + GOOD + "    x: !!python/name:os.system 1\n", 2, "cannot be read"),
    "a bomb": (
        "rules:\n- &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"- &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)), 2, "aliases",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_rules_are_named(kind: str, tmp_path: Path):
    """What is broken is named with its line."""
    text, line, message = BROKEN[kind]
    file = write(tmp_path, text.format(id="x") if GOOD[:10] in text else text)
    rules, problems = read_file(file, tmp_path)
    assert rules == []
    assert [(problem.file, problem.line) for problem in problems] == [(file, line)]
    assert message in problems[0].message
    assert str(problems[0]).startswith(f"{file}:{line}: ")


def test_the_rest_still_runs(tmp_path: Path):
    """A broken rule keeps neither its file nor the pack from working."""
    write(tmp_path, f"rules:\n{GOOD.format(id='one')}  - id: broken\n{GOOD.format(id='two')}", "many.yml")
    write(tmp_path, "rules: [", "torn.yaml")
    pack = Pack(tmp_path)
    assert set(pack.by_id) == {"one", "two"}
    assert [(problem.file.name, problem.line, problem.rule) for problem in pack.problems] == [
        ("many.yml", 7, "broken"),
        ("torn.yaml", 1, ""),
    ]


def test_unreadable_file_is_named(tmp_path: Path):
    """Bytes that are no text are a problem of that file."""
    write(tmp_path, f"rules:\n{GOOD.format(id='one')}")
    (tmp_path / "b.yaml").write_bytes(b"rules: \xff\xfe")
    pack = Pack(tmp_path)
    assert set(pack.by_id) == {"one"}
    assert [problem.file.name for problem in pack.problems] == ["b.yaml"]


def test_an_id_belongs_to_the_first(tmp_path: Path):
    """A pack cannot replace a shipped rule; the second of a name is a problem with the place of both."""
    first = write(tmp_path, f"rules:\n{GOOD.format(id='one')}", "1/a.yaml")
    second = write(tmp_path, f"rules:\n{GOOD.format(id='one')}", "2/a.yaml")
    pack = Pack(tmp_path / "1", tmp_path / "2")
    assert pack.by_id["one"].file == first
    assert (pack.problems[0].file, pack.problems[0].line) == (second, 2)
    assert f"{first}:2" in pack.problems[0].message


def test_no_rule_at_all(tmp_path: Path):
    """A directory without a usable rule is an error that says why."""
    with pytest.raises(Permanent, match="no Semgrep rules"):
        Pack(tmp_path)
    write(tmp_path, "rules: [")
    with pytest.raises(Permanent, match=r"a\.yaml:1: this is not YAML"):
        Pack(tmp_path)


def test_files_of_a_pack(tmp_path: Path):
    """Samples, resources and hidden directories are not taken for rules; links, as in a mounted ConfigMap, count."""
    rules = f"rules:\n{GOOD.format(id='x')}"
    root = tmp_path / "pack"
    for name in ("a.yaml", "deep/er/b.yml", ".git/c.yaml", "d.test.yaml", "e.fixed.yml", "f.json"):
        write(root, rules, name)
    write(root, "apiVersion: v1\nkind: Role\nrules:\n- verbs: []\n", "role.yaml")
    write(root, "a:\n  rules: []\n", "ci.yml")
    write(root, rules, "..data/link.yaml")
    (root / "link.yaml").symlink_to("..data/link.yaml")
    assert [str(file.relative_to(root)) for file in rule_files(root)] == [
        "a.yaml",
        "deep/er/b.yml",
        "link.yaml",
    ]


def test_other_peoples_rules(tmp_path: Path):
    """Keys that the Semgrep community uses stand in for ours; unknown ones do no harm."""
    write(
        tmp_path,
        """\
rules:
  - id: org.python.eval-used
    languages: [py, sh]
    severity: WARNING
    message: Do not call eval. It runs code.
    pattern: eval(...)
    metadata:
      cwe: "CWE-95: Improper Neutralization"
      owasp: ["A03:2021 - Injection", "A1:2017"]
      confidence: HIGH
      likelihood: LOW
      references: https://owasp.org
      technology: [python]
      created: 2021-02-03
""",
    )
    pack = Pack(tmp_path)
    (rule,) = pack.by_id.values()
    metadata = rule.metadata
    assert (metadata.title, metadata.category) == ("Do not call eval", "security")
    assert (metadata.severity, metadata.confidence) == (Severity.medium, Confidence.high)
    assert (metadata.cwe, metadata.owasp) == (("CWE-95",), ("A03:2021", "A1:2017"))
    assert metadata.references == ("https://owasp.org",)
    assert metadata.default
    assert rule.languages == {"python", "bash"}
    assert json.loads(pack.as_json(["bash"]))["rules"][0]["languages"] == ["bash", "python"]


@pytest.mark.parametrize("value", ["off", '"off"', "false"])
def test_a_rule_can_be_off_by_default(value: str, tmp_path: Path):
    """A rule may wait until a policy enables it."""
    write(tmp_path, f"rules:\n{GOOD.format(id='x')}    metadata: {{default: {value}}}\n")
    assert not Pack(tmp_path).by_id["x"].metadata.default


def test_line_of_a_key(tmp_path: Path):
    """What stands below a rule has its line, as far as it is there."""
    write(tmp_path, f"rules:\n{GOOD.format(id='one')}{GOOD.format(id='two')}")
    rule = Pack(tmp_path).by_id["two"]
    assert (rule.line, line_of(rule, ("message",)), line_of(rule, ("languages", 0))) == (7, 10, 8)
    assert line_of(rule, ("languages", 9)) == 8
    assert line_of(rule, ("nothing",)) == 7


@given(st.text(alphabet="rules: \n-[]{}&*!|>'\"id#x1", max_size=60))
def test_any_text_is_read(text: str):
    """Garbage gives problems, never an error."""
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        rules, problems = read_file(write(Path(directory), text), Path(directory))
    assert rules or problems


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("a/b.py", None, "python"),
        ("Dockerfile.dev", None, "dockerfile"),
        ("deploy/app.Containerfile", None, "dockerfile"),
        (".gitlab-ci.yml", None, "yaml"),
        ("prod.tfvars", None, "terraform"),
        ("a.h", None, "c cpp"),
        ("a.h", b"int f(void);\n", "c"),
        ("a.h", b"namespace x { class A; }\n", "cpp"),
        ("run", b"#!/bin/sh -e\n", "bash"),
        ("run", b"#!/usr/bin/env -S python3.12 -u\n", "python"),
        ("bin/run", b"#! /usr/local/bin/ruby\n", "ruby"),
        ("run", b"#!/usr/bin/env fish\n", ""),
        ("run", b"text\n#!/bin/sh\n", ""),
        ("run", b"\xff\xfe\x00", ""),
        ("run", None, "bash javascript lua php powershell python ruby"),
        ("LICENSE.md", b"#!/bin/sh\n", ""),
        ("Rakefile", b"", "ruby"),
    ],
)
def test_languages_of_files(path: str, content: bytes | None, expected: str):
    """Names, and where they say nothing the first lines, decide the language."""
    found = [language for language in languages_of(path, content) if language not in ("generic", "regex")]
    assert found == expected.split()
