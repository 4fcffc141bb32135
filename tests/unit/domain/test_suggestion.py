"""A suggestion replaces exactly the intended lines or is refused with a reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import Fix
from bot.domain.fingerprint import lines_of
from bot.domain.suggestion import Refusal, SuggestionBlock, suggestion

LINES = [f"line {number}" for number in range(1, 301)]


def offer(
    fix: Fix, *, anchor: int, path: str = "app.py", lines: list[str] | None = None
) -> SuggestionBlock | Refusal:
    """Suggest *fix* on a file of 300 lines."""
    return suggestion(fix, path=path, anchor=anchor, lines=LINES if lines is None else lines)


def apply(block: str, anchor: int, lines: list[str]) -> list[str]:
    """Apply a suggestion block as GitLab does: clamp the offsets, replace, delete on blank content."""
    head, *content, closing = block.split("\n")
    match = re.fullmatch(r"(`{3,})suggestion:-(\d+)\+(\d+)", head)
    assert match is not None
    assert match[1] == closing
    assert not any(line.strip() == closing for line in content)
    above, below = min(int(match[2]), 100), min(int(match[3]), 100)
    first, last = max(anchor - above, 1), anchor + below
    new = content if "\n".join(content).strip() else []
    return lines[: first - 1] + new + lines[last:]


@given(st.data())
def test_applying_gives_the_fixed_file(data: st.DataObject) -> None:
    """The block, applied by GitLab's rules, changes the file as the fix says, wherever the comment stands."""
    line = st.text(st.sampled_from("ab`~ \t/"), max_size=6)
    lines = data.draw(st.lists(line, min_size=1, max_size=260))
    first = data.draw(st.integers(1, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    anchor = data.draw(st.integers(1, len(lines)))
    replacement = data.draw(st.lists(line, max_size=4).map("\n".join))
    fixed = lines[: first - 1] + (replacement.split("\n") if replacement else []) + lines[last:]
    outcome = offer(Fix(line=first, end_line=last, replacement=replacement), anchor=anchor, lines=lines)
    if isinstance(outcome, SuggestionBlock):
        assert fixed == apply(outcome.markdown, anchor, lines)
        assert not re.search("^/[A-Za-z]", outcome.markdown, re.MULTILINE)


def apply_to_bytes(block: SuggestionBlock, anchor: int, content: bytes) -> bytes:
    """Apply a suggestion to a file as GitLab does: it takes the line break from the last replaced line."""
    lines = re.findall(rb"[^\n]*\n|[^\n]+", content)
    first, last = anchor - 1 - block.above, anchor + block.below
    text = "\n".join(block.replacement).encode()
    ending = re.search(rb"\r\n|\r|\n", lines[last - 1])
    lines[first:last] = [text + (ending[0] if ending else b"")] if text.strip() else []
    return b"".join(lines)


@given(st.data())
def test_applying_keeps_every_line_ending(data: st.DataObject) -> None:
    """Line endings of all sorts, in one file, are the same after the suggestion, and so are all other bytes."""
    text = st.text(st.sampled_from("a\xe9\r "), max_size=3).map(lambda text: f"{text}|".encode("latin-1"))
    texts = data.draw(st.lists(text, min_size=1, max_size=5))
    endings = [data.draw(st.sampled_from([b"\n", b"\r\n"])) for _ in texts]
    endings[-1] = data.draw(st.sampled_from([b"\n", b"\r\n", b""]))
    content = b"".join(map(bytes.__add__, texts, endings))
    line, anchor = (data.draw(st.integers(1, len(texts))) for _ in range(2))
    fix = Fix(line=line, end_line=line, replacement="new")
    outcome = offer(fix, anchor=anchor, lines=lines_of(content))
    if isinstance(outcome, SuggestionBlock):
        texts[line - 1] = b"new"
        assert b"".join(map(bytes.__add__, texts, endings)) == apply_to_bytes(outcome, anchor, content)


def test_the_anchor_is_the_end_of_the_finding() -> None:
    """A fix of lines 5 to 7, commented on line 7, reaches two lines up."""
    outcome = offer(Fix(line=5, end_line=7, replacement="a\nb"), anchor=7)
    assert SuggestionBlock("```suggestion:-2+0\na\nb\n```", 2, 0, ("a", "b")) == outcome


def test_a_fix_beside_the_anchor_is_widened() -> None:
    """Lines between the fix and the comment are kept as they are."""
    outcome = offer(Fix(line=5, end_line=5, replacement="new"), anchor=7)
    assert (
        SuggestionBlock("```suggestion:-2+0\nnew\nline 6\nline 7\n```", 2, 0, ("new", "line 6", "line 7"))
        == outcome
    )


def test_deleting_leaves_the_block_empty() -> None:
    """An empty replacement removes the lines."""
    outcome = offer(Fix(line=7, end_line=7, replacement=""), anchor=7)
    assert SuggestionBlock("```suggestion:-0+0\n```", 0, 0, ()) == outcome


def test_the_fence_is_longer_than_any_inside() -> None:
    """Code with backticks cannot close the block."""
    outcome = offer(Fix(line=7, end_line=7, replacement="````\nx"), anchor=7)
    assert isinstance(outcome, SuggestionBlock)
    assert outcome.markdown.startswith("`````suggestion:")


@pytest.mark.parametrize(("line", "end_line", "anchor"), [(100, 200, 200), (100, 200, 100)])
def test_a_hundred_lines_are_allowed(line: int, end_line: int, anchor: int) -> None:
    """The largest offset that GitLab keeps is used."""
    assert isinstance(
        offer(Fix(line=line, end_line=end_line, replacement="x"), anchor=anchor), SuggestionBlock
    )


def test_windows_line_endings_are_noted() -> None:
    """One changed line keeps its ending; the carriage return itself is not part of the text."""
    lines = ["a\r", "b\r"]
    outcome = offer(Fix(line=2, end_line=2, replacement="c\r"), anchor=2, lines=lines)
    assert SuggestionBlock("```suggestion:-0+0\nc\n```", 0, 0, ("c",), crlf=True) == outcome
    two = Fix(line=1, end_line=2, replacement="c\nd")
    assert Refusal.line_endings == offer(two, anchor=2, lines=lines)


@pytest.mark.parametrize(
    ("fix", "anchor", "path", "refusal"),
    [
        (Fix(line=99, end_line=200, replacement="x"), 200, "app.py", Refusal.too_far),
        (Fix(line=100, end_line=201, replacement="x"), 100, "app.py", Refusal.too_far),
        (Fix(line=300, end_line=301, replacement="x"), 300, "app.py", Refusal.outside_file),
        (Fix(line=7, end_line=7, replacement="line 7"), 7, "app.py", Refusal.unchanged),
        (Fix(line=7, end_line=7, replacement="  "), 7, "app.py", Refusal.blank),
        (Fix(line=7, end_line=7, replacement="a\u202eb"), 7, "app.py", Refusal.invisible),
        (Fix(line=7, end_line=7, replacement="a\x1bb"), 7, "app.py", Refusal.invisible),
        (Fix(line=7, end_line=7, replacement="a\rb"), 7, "app.py", Refusal.invisible),
        (Fix(line=7, end_line=7, replacement="x\n/Close"), 7, "app.py", Refusal.command),
        (Fix(line=7, end_line=7, replacement="x" * 20_000), 7, "app.py", Refusal.too_long),
        (Fix(line=7, end_line=7, replacement="x"), 7, ".gitlab-ci.yml", Refusal.governing),
        (Fix(line=7, end_line=7, replacement="x"), 7, "ci/build.gitlab-ci.yml", Refusal.governing),
        (Fix(line=7, end_line=7, replacement="x"), 7, "docs/CODEOWNERS", Refusal.governing),
        (Fix(line=7, end_line=7, replacement="x"), 7, "a.ipynb", Refusal.notebook),
    ],
)
def test_unfit_fixes_are_refused(fix: Fix, anchor: int, path: str, refusal: Refusal) -> None:
    """What GitLab would misapply, or a reader could not check, is not offered."""
    assert refusal == offer(fix, anchor=anchor, path=path)
