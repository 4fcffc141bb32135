"""What a gate prints reads well, and nothing in it can act on the log."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.gate_text import Style, as_json, headline, render, unanswered
from bot.domain.findings import Severity
from bot.domain.gate import Answer, GateResult
from bot.domain.reports import EVERYTHING
from tests.unit.domain.test_gate import finding

PLAIN, GITLAB = Style(), Style(colours=True, sections=True, now=1_700_000_000)
_OURS = re.compile(r"\x1b\[[0-9;]*[mK]|\r")


def printed(result: GateResult, style: Style = PLAIN) -> str:
    """Return the log."""
    return "\n".join(render(result, style, why="the merge request"))


def test_a_log_says_what_blocks_and_what_to_do():
    """Word for word, in lines that fit."""
    result = GateResult(
        Answer.blocked,
        blocking=(
            finding(path="src/app.py"),
            finding(scanner="secrets", rule="aws", title="AWS key", commit="c" * 40),
        ),
        files=2,
        added_lines=1,
    )
    assert """\
SEVERITY  PLACE                 RULE
high      src/app.py:2          semgrep: shell
          Shell injection
          The command is not checked.
          -> Change the code as the message says.
high      app.py:2 in cccccccc  secrets: aws
          AWS key
          The command is not checked.
          -> Revoke it where it was issued, then read it from the environment or a vault. It is in
          commit cccccccc only: take that commit out of the branch, or squash it away.

To let one pass for a while, ask for a waiver on the merge request: answer in the thread of the
finding with `@cloister waive for 30 days because REASON`. Waivers are known to the server only: the
commit status heeds them, a gate without a server does not.
To let such findings pass for good, change the policy on the target branch: rules.disable,
rules.severity or gate.block_at in .cloister.yml.

cloister gate: BLOCKED by 2 findings (2 files, 1 added line: the merge request)""" == printed(result)


def test_what_gave_no_answer_is_named():
    """With the reason, and what to do."""
    log = printed(GateResult(Answer.undecided, broken={"semgrep": "it crashed"}))
    assert "  semgrep: it crashed\n" in log
    assert log.endswith("UNDECIDED, no answer of semgrep (0 files, 0 added lines: the merge request)")


def test_no_answer_at_all_is_not_called_a_scanner():
    """Nobody is named everything."""
    assert "there is no answer" == unanswered([EVERYTHING])
    assert "no answer of semgrep" == unanswered(["semgrep", EVERYTHING])


def test_gitlab_folds_what_does_not_block():
    """Sections begin and end with one name; outside of GitLab they are plain headings."""
    result = GateResult(Answer.passed, advice=(finding(),), not_reviewed={"a.lock": "lock file"})
    log = printed(result, GITLAB)
    assert (
        "\x1b[0Ksection_start:1700000000:cloister_advice[collapsed=true]\r\x1b[0K1 finding that does not block"
        in log
    )
    assert ["advice", "not_reviewed"] == re.findall(r"section_end:\d+:cloister_(\w+)\r", log)
    assert "section_" not in printed(result)
    assert "\x1b" not in printed(result)
    assert "cloister_" not in printed(GateResult(Answer.passed), GITLAB)


@pytest.mark.parametrize("style", [PLAIN, GITLAB])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_text_from_outside_acts(style: Style, data: st.DataObject):
    """No escape, no line break and no marker of theirs; removing ours leaves only what can be seen."""
    attack = st.one_of(
        st.text(min_size=1, max_size=40),
        st.sampled_from(
            ["\x1b[0Ksection_end:1:cloister_advice\r\x1b[0K", "a\r\nb", "\x9b31m", "\u202e", "\u2028x"]
        ),
    )
    evil = finding(
        **{name: data.draw(attack) for name in ("title", "message", "path", "rule", "scanner", "commit")}
    )
    other = {data.draw(attack): data.draw(attack)}
    result = GateResult(
        Answer.blocked, blocking=(evil,), advice=(evil,), broken=other, not_reviewed=other, problems=(*other,)
    )
    for line in render(result, style, why=data.draw(attack)):
        marks = re.findall(r"\x1b\[0Ksection_(?:start|end):1700000000:cloister_(?:advice|not_reviewed)", line)
        assert len(marks) == line.count("\r") <= 1
        rest = _OURS.sub("", line)
        assert rest.isprintable(), rest


def test_many_findings_are_cut():
    """A flood is no use to anybody; JSON has them all."""
    found = tuple(finding(fingerprint=str(number), line=number, end_line=number) for number in range(1, 301))
    assert "... and 100 more" in printed(GateResult(Answer.blocked, blocking=found))


def test_json_has_everything():
    """With the number of findings of each severity, and which commits were compared."""
    result = GateResult(Answer.blocked, blocking=(finding(),), advice=(finding(severity=Severity.low),))
    said = as_json(result, base="b", start="s", head="h", why="w")
    assert {"info": 0, "low": 1, "medium": 0, "high": 1, "critical": 0} == said["counts"]
    assert ["blocked", "b", "s", "h"] == [said[key] for key in ("answer", "base", "policy_at", "head")]


def test_the_answer_is_one_line():
    """It is what people look for at the end of a log."""
    assert "cloister gate: passed (0 files, 0 added lines: w)" == headline(GateResult(Answer.passed), "w")
