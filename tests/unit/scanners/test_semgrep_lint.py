"""What is said about a rule before it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scanners.semgrep_files import read_file
from bot.scanners.semgrep_lint import Remark, house_rules, lint

FINE = """\
rules:
  - id: python-fine
    languages: [python]
    severity: ERROR
    message: >-
      Whoever controls $X runs code of their own choice with the rights of this process. Parse the value instead.
    patterns:
      - pattern: eval($X)
      - metavariable-regex:
          metavariable: $X
          regex: ^(?s).*input
    metadata:
      title: Code from values
      severity: high
      confidence: high
      category: security
      cwe: [CWE-95]
      owasp: ["A03:2021"]
      references: ["https://cwe.mitre.org/data/definitions/95.html"]
"""


def remarks(text: str, tmp_path: Path) -> list[Remark]:
    file = tmp_path / "python" / "fine.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    (rule,), problems = read_file(file, tmp_path)
    assert problems == []
    return [*lint(rule), *house_rules(rule)]


def test_nothing_to_say(tmp_path: Path):
    """A complete rule gets no remark."""
    assert remarks(FINE, tmp_path) == []


@pytest.mark.parametrize(
    ("before", "after", "said", "style"),
    [
        ("severity: ERROR", "severity: ERROR\n    mode: join", "no mode join", False),
        ("severity: ERROR", "severity: ERROR\n    mode: extract", "no mode extract", False),
        ("severity: ERROR", "severity: ERROR\n    options: {interfile: true}", "ignores `interfile`", False),
        ("severity: ERROR", "severity: ERROR\n    validators: []", "never runs them", False),
        ("^(?s).*input", "^(a+)+$", "exponential", False),
        ("^(?s).*input", "a(?s).*b.*c", "line ends included", False),
        ("- pattern: eval($X)", "- pattern-regex: (?<X>a+)\\s*\\s*", "follow each other", False),
        ("- pattern: eval($X)", "- pattern: eval($X, '=~/(a|a)*\\//')", "exponential", False),
        ("metavariable: $X", "metavariable: $Y", "binds $Y", False),
        ("controls $X", "controls $OTHER", "binds $OTHER", True),
        ("  Whoever controls $X runs code of their own choice with the rights of this process. ", "  ", "characters", True),
        ("process. Parse", "process, parse", "one sentence", True),
        ("https://", "http://", "not an https address", True),
        ("[CWE-95]", "[cwe95]", "CWE-89", True),
        ('"A03:2021"', '"A11:2021"', "A03:2021", True),
        ("title: Code from values", "title: Code from values.", "full stop", True),
        ("id: python-fine", "id: python-other", "python-fine", False),
        ("      confidence: high\n", "", "`metadata.confidence` is missing", False),
        ("category: security", "category: other", "the category is none of", False),
        (
            '      cwe: [CWE-95]\n      owasp: ["A03:2021"]\n'
            '      references: ["https://cwe.mitre.org/data/definitions/95.html"]\n',
            "", "where to read on", True,
        ),
    ],
)  # fmt: skip
def test_remarks(before: str, after: str, said: str, style: bool, tmp_path: Path):
    """Each lack is named once, and only what changes nothing for the finding is style."""
    assert before in FINE
    found = remarks(FINE.replace(before, after), tmp_path)
    assert [said in remark.message for remark in found] == [True]
    assert found[0].style == style
