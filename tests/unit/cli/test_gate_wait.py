"""Waiting for a verdict: it ends with the verdict or in time, and tells what changes, once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.gate_text import Style
from bot.cli.gate_wait import Waiting, WaitResult, progress
from bot.cli.gate_wait_text import as_json, headline, render
from bot.domain.awaited import AwaitedVerdict, Question
from bot.domain.errors import Permanent, Transient
from bot.domain.gate import Answer
from tests.verdicts import IID, PROJECT, SHA, blocking, verdict

QUESTION = Question(PROJECT, SHA, IID, "commit aaaaaaaa of merge request !5")
PLAIN, GITLAB = Style(), Style(colours=True, sections=True, now=1_700_000_000)
_OURS = re.compile(r"\x1b\[[0-9;]*[mK]|\r")


def step(name: str, state: str) -> dict[str, Any]:
    """Return one part of a review."""
    return {"step": name, "state": state, "problem": ""}


def read(said: dict[str, Any]) -> AwaitedVerdict:
    """Return it as the client reads it."""
    return QUESTION.read(json.dumps(said).encode())


@dataclass
class Scripted:
    """A server whose answers take time by a clock of the test's; the last one comes again and again."""

    script: list[Any]
    takes_s: float = 0.0
    now_s: float = 100.0
    waits_s: list[float] = field(default_factory=list)
    paused_s: list[float] = field(default_factory=list)

    async def verdict(self, _: Question, *, wait_s: float) -> AwaitedVerdict | None:
        self.waits_s.append(wait_s)
        self.now_s += self.takes_s
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        return None if said is None else read(said)

    def monotonic(self) -> float:
        return self.now_s

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        self.paused_s.append(seconds)
        self.now_s += seconds


async def waited(server: Scripted, timeout_s: float = 600) -> tuple[WaitResult, list[str]]:
    """Return what waiting comes to, and what was said meanwhile."""
    said: list[str] = []
    waiting = Waiting(server, server, said.append, sleep=server.sleep, jitter=lambda: 1.0)
    return await waiting.result(QUESTION, timeout_s), said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (verdict("passed"), Answer.passed),
        (verdict("blocked", blocking=[blocking()]), Answer.blocked),
        (verdict("undecided", broken={"scan:semgrep": "it crashed"}), Answer.undecided),
        (verdict("superseded"), Answer.superseded),
    ],
)
async def test_a_final_verdict_is_the_answer(said: dict[str, Any], expected: Answer):
    """At once: the job of a train asks for a head that was reviewed long ago."""
    server = Scripted([said])
    result, lines = await waited(server)
    assert (expected, [], []) == (result.answer, lines, server.paused_s)


async def test_it_waits_until_the_verdict_is_final():
    """What is found so far is no verdict; each change is told once, with the time and the page."""
    early = {"blocking": [blocking()], "final": False}
    server = Scripted(
        [
            None,
            None,
            verdict("waiting", steps=[step("scan:semgrep", "running"), step("review", "running")]),
            verdict("waiting", steps=[step("scan:semgrep", "running"), step("review", "running")]),
            verdict("blocked", steps=[step("scan:semgrep", "done"), step("review", "running")], **early),
            verdict("blocked", steps=[step("scan:semgrep", "done")], blocking=[blocking()]),
        ],
        takes_s=0.5,
    )
    result, lines = await waited(server)
    assert Answer.blocked is result.answer
    assert [
        "[   0 s] commit aaaaaaaa of merge request !5: the server has no review of it yet: it waits for GitLab's"
        " webhook, does not review this project, or the merge request has another target branch by now",
        "the verdict will be at https://cloister.example/verdicts/6f1c",
        "[   4 s] commit aaaaaaaa of merge request !5: running: semgrep, model review",
        "[   8 s] commit aaaaaaaa of merge request !5: running: model review; done: semgrep; 1 found that block",
    ] == lines
    assert [1.5] * 5 == server.paused_s
    assert {20.0} == set(server.waits_s)


async def test_failures_are_waited_out_longer_and_longer():
    """As long as the server asks for; what is said about them comes once."""
    down = Transient("cloister.example: 502")
    busy = Transient("cloister.example: 429", retry_after_s=45)
    server = Scripted([*[down] * 7, busy, verdict()])
    result, lines = await waited(server)
    assert Answer.passed is result.answer
    assert [1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0, 45] == server.paused_s
    assert [
        "[   0 s] cloister.example: 502; asking again",
        "[  90 s] cloister.example: 429; asking again",
    ] == lines


@pytest.mark.parametrize("problem", [None, Transient("cloister.example: 502", retry_after_s=3600)])
async def test_it_gives_up_in_time(problem: Exception | None):
    """Undecided, with the reason; it never sleeps past the end."""
    server = Scripted([problem])
    result, _ = await waited(server, timeout_s=60)
    assert Answer.undecided is result.answer
    assert "given up after 60 s (--timeout)" in result.broken["everything"]
    assert 160 == server.now_s


async def test_what_was_running_at_the_end_is_named():
    """So that people see what to look at."""
    server = Scripted([verdict("waiting", steps=[step("review", "running")]), Transient("gone")])
    result, _ = await waited(server, timeout_s=30)
    assert {
        "model review": "still running",
        "everything": "gone; given up after 30 s (--timeout)",
    } == result.broken


async def test_who_is_refused_does_not_wait():
    """Asking again does not help."""
    with pytest.raises(Permanent, match="no token"):
        await waited(Scripted([Permanent("no token")]))


async def test_a_log_is_not_flooded():
    """By a server that says something else each time."""
    script = [verdict("waiting", steps=[], description=f"number {n}") for n in range(250)]
    _, lines = await waited(Scripted(script), timeout_s=500)
    assert 101 == len(lines)
    many = read(verdict("waiting", steps=[step(f"scan:s{n}", "running") for n in range(1000)]))
    assert progress(many).endswith("s19, 980 more")


def printed(result: WaitResult, style: Style = PLAIN) -> str:
    """Return the log."""
    return "\n".join(render(result, QUESTION, style))


def test_a_log_says_what_blocks_and_where_it_can_be_waived():
    """Word for word, in the form of the local gate."""
    waived = {"finding": "abcd", "title": "Old key", "until": "2026-12-01", "by": "ada", "reason": "a test"}
    asked = {"finding": "ffff", "title": "Weak hash", "until": None, "by": "", "reason": ""}
    command = "@cloister waive ffff until 2026-12-26 because REASON"
    found = read(
        verdict(
            "blocked",
            blocking=[blocking(waive=command)],
            exceeded=["too many files"],
            waived=[waived],
            asked=[asked],
        )
    )
    assert """\
SEVERITY  PLACE       RULE
high      store.py:5  semgrep: weak-hash (ffff)
          Weak hash
          MD5 can be broken.
          -> Use scrypt.
too many files

To let one of these pass for a while, waive it on the page (https://cloister.example/verdicts/6f1c),
or in a comment on the merge request; who may is said in the policy of the target branch.
  @cloister waive ffff until 2026-12-26 because REASON

Waivers asked for: 1
  Weak hash (ffff): a comment in the code asks to ignore it

Waived: 1
  Old key (abcd) until 2026-12-01 by ada: a test

cloister gate: BLOCKED by 1 finding and 1 limit of the policy (commit aaaaaaaa of merge request !5: \
https://cloister.example/verdicts/6f1c)""" == printed(WaitResult(Answer.blocked, found))


def test_what_the_server_does_not_list_is_counted():
    """And what the code asks to ignore is told apart."""
    more = {"blocking_count": 201, "suppressed": [blocking(title="Quiet")]}
    log = printed(
        WaitResult(Answer.blocked, read(verdict("blocked", blocking=[blocking(commit="c" * 40)], **more)))
    )
    assert "... and 200 more, which the server does not list" in log
    assert "high      store.py:5 in cccccccc  semgrep: weak-hash (ffff)" in log
    assert "Ignored because the code asks for it: 1\nSEVERITY" in log
    assert "BLOCKED by 201 findings (" in log


def test_an_outdated_commit_is_told_apart():
    """Nobody decides about it."""
    log = printed(WaitResult(Answer.superseded, read(verdict("superseded"))))
    assert "Nobody decides about this commit any more: said by the server." in log
    assert "cloister gate: superseded (" in log


def test_json_has_the_keys_of_the_local_gate():
    """And those that only a server knows; without a verdict they are empty."""
    said = as_json(WaitResult(Answer.blocked, read(verdict("blocked", blocking=[blocking()]))), QUESTION)
    assert ("blocked", SHA, "6f1c", ["weak-hash"]) == (
        said["answer"],
        said["head"],
        said["run_id"],
        [one["rule"] for one in said["blocking"]],  # type: ignore[attr-defined]
    )
    empty = as_json(WaitResult(Answer.undecided, None, {"everything": "x"}), QUESTION)
    assert said.keys() == empty.keys()
    assert ({"everything": "x"}, None, []) == (empty["undecided"], empty["url"], empty["blocking"])


@pytest.mark.parametrize("style", [PLAIN, GITLAB])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_text_of_the_server_acts(style: Style, data: st.DataObject):
    """Neither in the log nor while waiting: no escape, no line break and no marker."""
    attack = st.one_of(
        st.text(min_size=1, max_size=40),
        st.sampled_from(
            ["\x1b[0Ksection_end:1:cloister_waived\r\x1b[0K", "a\r\nb", "\x9b31m", "\u202e", "\u2028x"]
        ),
    ).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text))
    names = ("rule", "scanner", "path", "title", "why", "remedy", "finding", "commit", "waive")
    evil = data.draw(attack)
    found = read(
        verdict(
            "blocked",
            blocking=[blocking(**{name: data.draw(attack) for name in names})],
            suppressed=[blocking(**{name: data.draw(attack) for name in names})],
            exceeded=[evil],
            broken={evil: evil},
            waived=[{"finding": evil, "title": evil, "until": evil, "by": evil, "reason": evil}],
            asked=[{"finding": evil, "title": evil, "until": evil, "by": evil, "reason": evil}],
            warnings=[evil],
            url=evil,
            description=evil,
            steps=[step(evil, "running")],
        )
    )
    result = WaitResult(Answer.blocked, found, {evil: evil})
    for line in [*render(result, QUESTION, style), progress(found), headline(result, QUESTION)]:
        marks = re.findall(
            r"\x1b\[0Ksection_(?:start|end):1700000000:cloister_(?:asked|waived|ignored)", line
        )
        assert len(marks) == line.count("\r") <= 1
        assert _OURS.sub("", line).isprintable()
