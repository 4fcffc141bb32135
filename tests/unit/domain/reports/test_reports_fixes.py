"""Proven fixes as a patch and in SARIF: what they make of a file is what was proven."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.findings import Finding, Fix, Severity
from bot.domain.fingerprint import lines_of
from bot.domain.reports.fixes import fixes
from bot.domain.reports.sarif import sarif
from bot.domain.suggestion import SuggestionBlock, applied, suggestion
from bot.scanners.sarif import read
from bot.scanners.sarif_paths import Checkout

PROVEN = ("applies", "parses", "clean:semgrep")


def finding(fix: Fix | None, path: str = "src/a.py") -> Finding:
    """Return a finding with *fix*."""
    line = fix.end_line if fix else 1
    return Finding(
        scanner="semgrep", rule="r", category="c", severity=Severity.high, path=path, line=line, end_line=line,
        title="t", message="m", fix=fix, fingerprint=f"{path}:{fix}",
    )  # fmt: skip


def fix(line: int, replacement: str, *, end_line: int = 0, **changes: object) -> Fix:
    """Return a fix that was proven."""
    usual = {"line": line, "end_line": end_line or line, "replacement": replacement, "verified": PROVEN}
    return Fix.model_validate(usual | changes)


def patched(root: Path, path: str, content: bytes, patch: bytes) -> bytes:
    """Return the file as git leaves it."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    quiet = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CEILING_DIRECTORIES": str(root.parent)}
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(command, cwd=root, input=patch, env=quiet, check=True, capture_output=True)
    return place.read_bytes()


texts = st.text(st.sampled_from("ab \té"), min_size=1, max_size=4).map(lambda text: f"{text}|")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_git_makes_the_file_that_was_proven(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever ends its lines, with or without a last one, and wherever the fix stands."""
    lines = data.draw(st.lists(texts, min_size=1, max_size=12))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    content = (end.join(lines) + data.draw(st.sampled_from(["", end]))).encode()
    first = data.draw(st.integers(1, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    one = fix(first, "\n".join(data.draw(st.lists(texts, max_size=3))), end_line=last)
    block = suggestion(one, path="src/a.py", anchor=last, lines=lines_of(content))
    if isinstance(block, SuggestionBlock):
        expected = applied(content, block, last)
        found = fixes([finding(one)], {"src/a.py": content})
        assert (1, ()) == (found.count, found.left_out)
        assert expected == patched(tmp_path, "src/a.py", content, found.patch)


def test_only_proven_fixes_are_in_it_and_each_place_once() -> None:
    """What was refused is not; of two on one line the first is, and the other is named."""
    content = b"one\ntwo\nthree\n"
    found = fixes(
        [
            finding(fix(3, "3")),
            finding(fix(1, "1")),
            finding(fix(1, "eins", end_line=2)),
            finding(fix(2, "2", verified=(), refusal="no")),
            finding(fix(2, "2", verified=())),
            finding(None),
            finding(fix(1, "x"), path='a"b.py'),
        ],
        {"src/a.py": content, 'a"b.py': content},
    )
    assert found.count == 2
    assert b"-one\n+1\n two\n-three\n+3\n" in found.patch
    assert [reason.rpartition(": ")[2] for reason in found.left_out] == [
        "its name cannot be written into a patch",
        "another fix changes the same lines",
    ]


@pytest.mark.parametrize(
    "one", [fix(2, "zwei"), fix(2, "a\nb"), fix(1, "x", end_line=3), fix(2, ""), fix(3, "drei")]
)
def test_sarif_holds_the_fix_as_other_programs_read_it(one: Fix) -> None:
    """Reading it back gives the same lines."""
    content = b"one\ntwo\nthree\n"
    log = sarif([finding(one)])
    (back,) = read(
        log.encode(), scanner="sarif:x", files={"src/a.py": content}, checkout=Checkout("")
    ).findings
    assert back.fix is not None
    lines = content.decode().split("\n")

    def after(made: Fix) -> list[str]:
        new = made.replacement.split("\n") if made.replacement else []
        return [*lines[: made.line - 1], *new, *lines[made.end_line :]]

    assert after(one) == after(back.fix)


def test_sarif_holds_no_fix_that_was_not_proven() -> None:
    """Programs apply what they find there."""
    log = json.loads(
        sarif([finding(fix(1, "x", verified=(), refusal="no")), finding(fix(2, "y", verified=()))])
    )
    assert [["fixes" in result for result in log["runs"][0]["results"]]] == [[False, False]]
