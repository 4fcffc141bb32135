"""A suggestion that GitLab applies makes exactly the file that was verified."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.findings import Finding, Fix, Severity
from bot.domain.fingerprint import lines_of
from bot.domain.render import comment
from bot.domain.suggestion import SuggestionBlock, offer
from bot.reviewer.edit import Edit, edit
from tests.gitlab import GitLab

NUMBERS = itertools.count(1)
_INDENTS = st.sampled_from(["", "    ", "\t", "\t\t", "  "])
_CODE = st.sampled_from(
    ["a = 1", "b(2)", "`c`", "```", "~~~ d", "é()", "/ 2", "# e", "x\xa0y", "/close", "suggestion"]
)
_LINES = st.builds(str.__add__, _INDENTS, _CODE) | st.just("")


def in_file(lines: list[str], end: str, closed: bool) -> bytes:
    """Return lines as a file, with or without a last line break."""
    return (end.join(lines) + (end if closed else "")).encode()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_click_makes_the_file_that_was_checked(gitlab: GitLab, data: st.DataObject) -> None:
    """Whatever ends the lines, with or without a last line break, with tabs, fences, and the comment elsewhere."""
    lines = data.draw(st.lists(_LINES, min_size=1, max_size=9))
    content = in_file(lines, data.draw(st.sampled_from(["\n", "\r\n"])), data.draw(st.booleans()))
    count = len(lines_of(content))
    if not count:
        return
    first = data.draw(st.integers(1, count))
    last = data.draw(st.integers(first, count))
    anchor = data.draw(st.integers(1, count))
    new = data.draw(st.lists(_LINES, max_size=3))
    fix = Fix(line=first, end_line=last, replacement="\n".join(new))
    finding = Finding(
        scanner="semgrep", rule="r", category="c", severity=Severity.high, path="a.txt", line=anchor, end_line=anchor,
        title="t", message="m", fix=fix, fingerprint="f",
    )  # fmt: skip
    attempt = edit(finding, fix, content, {})
    if not isinstance(attempt, Edit):
        return
    verified = fix.model_copy(update={"verified": ("applies",)})
    block = offer(verified, path="a.txt", anchor=anchor, lines=lines_of(content))
    assert isinstance(block, SuggestionBlock)
    assert attempt.after == applied_by_gitlab(gitlab, finding, block, content)


def applied_by_gitlab(
    gitlab: GitLab, finding: Finding, block: SuggestionBlock, content: bytes
) -> bytes | None:
    """Post the comment on a merge request that adds the file, press the button, and return the file."""
    branch = f"feature-{next(NUMBERS)}"
    merge_request = gitlab.server.open_merge_request(gitlab.project, branch, {"a.txt": content})
    place = f"projects/{gitlab.project.id}/merge_requests/{merge_request.iid}"
    with gitlab.client() as client:
        position = {
            **client.get(place).json()["diff_refs"],
            "position_type": "text",
            "old_path": "a.txt",
            "new_path": "a.txt",
            "new_line": finding.line,
        }
        body = comment(finding, marker="<!-- mark -->", fix=block)
        answer = client.post(f"{place}/discussions", json={"body": body, "position": position})
    assert answer.status_code == 201, answer.text
    assert gitlab.server.quick_actions == []
    (suggestion,) = answer.json()["notes"][0]["suggestions"]
    assert suggestion["appliable"], suggestion
    gitlab.server.apply_suggestion(suggestion["id"], user=gitlab.developer)
    return gitlab.project.repository.blob(merge_request.head_sha, "a.txt")
