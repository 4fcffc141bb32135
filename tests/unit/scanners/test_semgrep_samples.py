"""What comments in samples promise, and when a promise is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.scanners.semgrep_rules import Pack
from bot.scanners.semgrep_samples import Promise, broken, promises, samples_of


@pytest.mark.parametrize(
    "comment",
    ["# ruleid: a-b", "// ruleid:a-b", "/* ruleid: a-b */", "<!-- ruleid: a-b -->", "<!--ruleid:a-b-->",
     "-- ruleid: a-b", "'//': 'ruleid: a-b',", "{{/* ruleid: a-b, c */}}", "x = 1  # ruleid: c, a-b", "# ruleid : a-b"],
)  # fmt: skip
def test_comment_styles(comment: str):
    """The comment of any language speaks of the line after it."""
    assert promises(f"first\n{comment}\ncode\n")["a-b"] == Promise(found=frozenset({3}))


def test_marks():
    """Each mark has its meaning, todo marks leave it open, and stacked comments speak of the same line."""
    sample = (
        "# ruleid: a\n# ok: b\n# todook: c\ncode\n# todoruleid: c\ncode\n# book: a\n# ruleid: abc\ncode\n"
    )
    assert promises(sample) == {
        "a": Promise(found=frozenset({4})),
        "b": Promise(quiet=frozenset({4})),
        "c": Promise(open=frozenset({4, 6})),
        "abc": Promise(found=frozenset({9})),
    }


def test_broken_promises():
    """A line that is missing, wrong or not announced is named; one left open may be either."""
    promise = Promise(found=frozenset({1, 2}), quiet=frozenset({3}), open=frozenset({4, 5}))
    assert dict(broken(promise, {1, 3, 4, 6})) == {
        2: "is not reported, although the comment before it says `ruleid`",
        3: "is reported, although the comment before it says `ok`",
        6: "is reported, and no comment before it says `ruleid`",
    }
    assert list(broken(promise, {1, 2})) == []


def test_samples_beside_a_rule(tmp_path: Path):
    """All files of the rule's name that mention it are its samples, apart from fixed ones and namesakes."""
    (tmp_path / "a.yaml").write_text(
        "rules: [{id: x, languages: [python], severity: INFO, message: m, pattern: f()}]"
    )
    for name in ("a.py", "a.test.yml", "a.gitlab-ci.yml", "a.fixed.py", "ab.py", "b.py"):
        (tmp_path / name).write_text("# ruleid: x\nf()\n")
    (tmp_path / "a.txt").write_text("nothing\n")
    rule = Pack(tmp_path).by_id["x"]
    assert [sample.name for sample in samples_of(rule)] == ["a.gitlab-ci.yml", "a.py", "a.test.yml"]
