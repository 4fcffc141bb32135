"""A comment is short, says where it comes from, and cannot act."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.domain import proof
from bot.domain.findings import Confidence, Finding, Fix, Severity
from bot.domain.marker import EXPLAINED, Word
from bot.domain.render import comment, word
from bot.domain.suggestion import Refusal, suggestion

MARKER = "<!-- cloister:v1:abc:" + "0" * 64 + " -->"
FINDING = Finding(
    scanner="semgrep",
    rule="python.sql-injection",
    category="security",
    severity=Severity.high,
    confidence=Confidence.high,
    path="app.py",
    line=2,
    end_line=3,
    title="SQL built from user input",
    message="Use `execute(sql, params)` instead.",
    cwe=("CWE-89",),
    owasp=("A03:2021",),
    references=("https://cwe.mitre.org/data/definitions/89.html",),
    fix=Fix(line=2, end_line=3, replacement="safe()"),
)
hostile = st.one_of(
    st.text(), st.lists(st.sampled_from([*"/a@!1`~<>\n\r *[]()#", "```", "<!--", "-->"])).map("".join)
)


def test_a_comment_reads_well() -> None:
    """Severity and title, the reason, the suggestion, how it was checked, the source, the marker."""
    block = suggestion(
        FINDING.fix or Fix(line=1, end_line=1, replacement=""), path="app.py", anchor=3, lines=["a", "b", "c"]
    )
    expected = f"""**High: SQL built from user input**

Use `execute(sql, params)` instead.

Suggested change:

```suggestion:-1+0
safe()
```

Checked: applies to `aaaaaaaa`, parses, semgrep no longer reports it, secrets and semgrep report nothing new.

See `https://cwe.mitre.org/data/definitions/89.html`.

`semgrep`, `python.sql-injection`, `CWE-89`, `OWASP A03:2021`, confidence high. Intended or wrong? Resolve \
this thread, and it is not raised again.

{MARKER}"""
    evidence = proof.evidence(
        ("applies", "parses", "gone:semgrep", "clean:secrets", "clean:semgrep"), "a" * 40
    )
    assert expected == comment(FINDING, marker=MARKER, fix=block, evidence=evidence)


def test_a_refused_fix_is_shown_as_code() -> None:
    """A fix that cannot be applied by a click is shown with the reason."""
    body = comment(FINDING, marker=MARKER, fix=Refusal.too_far)
    assert (
        "Possible change, to be made by hand because it reaches more than 100 lines from the commented line:"
        "\n\n```\nsafe()\n```" in body
    )


def test_a_refused_deletion_names_the_lines() -> None:
    """Deleting has no code to show."""
    finding = FINDING.model_copy(update={"fix": Fix(line=2, end_line=3, replacement="")})
    assert "because it was not verified: remove lines 2 to 3." in comment(
        finding, marker=MARKER, fix="it was not verified"
    )


def test_no_fix_no_word_about_it() -> None:
    """An unverified fix stays out unless the caller asks for it."""
    assert "change" not in comment(FINDING, marker=MARKER)


def test_a_test_is_shown_folded_away() -> None:
    """Who wants to see the defect can; it was not run, and the comment says so."""
    finding = FINDING.model_copy(update={"test": "def test_it():\n    assert f() == 1"})
    assert (
        "\n\n<details><summary>A test that should show it, as the model wrote it; it was not run</summary>\n\n"
        "```\ndef test_it():\n    assert f() == 1\n```\n\n</details>\n\n" in comment(finding, marker=MARKER)
    )


@given(hostile)
def test_a_hostile_test_stays_code(text: str) -> None:
    """It closes neither its fence nor the fold, and is no command."""
    body = comment(FINDING.model_copy(update={"test": text}), marker=MARKER)
    assert re.search("^/[A-Za-z]", body.replace("\r", ""), re.MULTILINE) is None
    tokens = MarkdownIt("commonmark").parse(body)
    blocks = [token.content.strip().split(">")[0] for token in tokens if token.type == "html_block"]
    folded = ["<details", "</details"] if text.strip() else []
    assert blocks == [*folded, MARKER.split(">", maxsplit=1)[0]]


@given(hostile.filter(bool), hostile, hostile.filter(bool), hostile)
def test_hostile_findings_are_inert(title: str, message: str, rule: str, replacement: str) -> None:
    """No field of a finding can act, and the marker stays the last and only comment."""
    finding = FINDING.model_copy(
        update={
            "title": title,
            "message": message,
            "rule": rule,
            "cwe": (title,),
            "references": (message,),
            "fix": Fix(line=2, end_line=3, replacement=replacement),
        }
    )
    outcome = suggestion(finding.fix or FINDING.fix, path="a", anchor=3, lines=["a", "b", "c"])  # type: ignore[arg-type]
    body = comment(finding, marker=MARKER, fix=outcome, evidence=(message,))
    assert body.split("\n")[-1] == MARKER
    assert re.search("^/[A-Za-z]", body.replace("\r", ""), re.MULTILINE) is None
    tokens = MarkdownIt("commonmark").parse(body)
    assert [token.content.strip() for token in tokens if token.type == "html_block"] == [MARKER]
    inner = {child.type for token in tokens for child in token.children or []}
    assert inner <= {"text", "code_inline", "strong_open", "strong_close", "softbreak", "text_special"}


def test_an_explanation_is_a_paragraph_of_its_own() -> None:
    """In the language of the review, with a sign that it is there; hostile text can set neither."""
    told = FINDING.model_copy(update={"explanation": "The id comes from a form."})
    body = comment(told, marker=MARKER)
    assert "instead.\n\n**Why it matters here:** The id comes from a form.\n\n" in body
    assert body.endswith(f"\n\n{EXPLAINED}\n{MARKER}")
    assert "**为何与此处有关：** The id" in comment(told, marker=MARKER, language="zh-CN")
    assert EXPLAINED not in comment(FINDING.model_copy(update={"message": EXPLAINED}), marker=MARKER)


def test_a_thread_is_told_in_one_line() -> None:
    """With the commit that it is about."""
    assert f"Fixed: not found any more in `aaaaaaaa`.\n\n{MARKER}" == word(
        Word.fixed, sha="a" * 40, marker=MARKER
    )
    assert "在 `aaaaaaaa` 中再次出现。" in word(Word.back, sha="a" * 40, marker=MARKER, language="zh")
