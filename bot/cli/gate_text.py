"""What a gate says, for people who read the log of a job.

Text from the repository cannot act: it has no escape sequences and no line breaks of its own, so it can neither
colour the log nor forge the markers by which GitLab folds it
(https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.findings import Finding, Severity
from bot.domain.gate import Answer, GateResult
from bot.domain.markdown import one_line
from bot.domain.remedy import WAIVER, remedy
from bot.domain.reports import EVERYTHING

#: Logs are read in windows of any size, and a pipe has none.
WIDTH = 100
_MOST = 200
PATH_CHARS, _MESSAGE_CHARS = 300, 400
_COLOURS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "info": "2"}
_ANSWERS = {Answer.passed: "1;32", Answer.blocked: "1;31"}
_POLICY = (
    "To let such findings pass for good, change the policy on the target branch: rules.disable, rules.severity or"
    " gate.block_at in .cloister.yml."
)
_UNREAD = (
    "Where a scanner that decides could not read one of these, the policy lets the change pass all the same; with"
    " gate.unread: all in .cloister.yml on the target branch it would not."
)
UNDECIDED = "The gate cannot tell whether the change may pass. Run the job again; if that does not help, ask the operator."


@dataclass(frozen=True, slots=True)
class Style:
    """Say what the reader's screen can do: ``colours``, and ``sections`` that it folds; ``now`` is in seconds."""

    colours: bool = False
    sections: bool = False
    now: int = 0

    def paint(self, text: str, code: str) -> str:
        """Return *text* in a colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours else text

    def folded(self, name: str, title: str, lines: Iterable[str]) -> Iterator[str]:
        """Yield *lines* below *title*, folded away where that is possible; nothing without lines."""
        inside = list(lines)
        if not inside:
            return
        if not self.sections:
            yield from ["", title, *inside]
            return
        mark = f"\x1b[0Ksection_start:{self.now}:cloister_{name}[collapsed=true]\r\x1b[0K"
        yield from ["", mark + title, *inside]
        yield f"\x1b[0Ksection_end:{self.now}:cloister_{name}\r\x1b[0K"


def render(result: GateResult, style: Style, *, why: str) -> Iterator[str]:
    """Yield the lines of the log: what blocks and what to do, what is folded away, and last the answer."""
    yield from table([_row(finding) for finding in result.blocking], style)
    yield from (style.paint(one_line(limit), answer_colour(Answer.blocked)) for limit in result.exceeded)
    if result.blocking:
        yield from ["", *textwrap.wrap(WAIVER, WIDTH), *textwrap.wrap(_POLICY, WIDTH)]
    if result.broken:
        yield from ["", *listing(result.broken)]
        yield from textwrap.wrap(UNDECIDED, WIDTH)
    yield from (f"warning: {one_line(problem, 1_000)}" for problem in result.problems)
    advice = [*result.advice, *result.suppressed]
    title = (
        f"{counted(len(advice), 'finding')} that do not block"
        if len(advice) != 1
        else "1 finding that does not block"
    )
    yield from style.folded("advice", title, table([_row(one) for one in advice], style, remedies=False))
    missing = result.not_reviewed
    unread = [*listing(missing), *(textwrap.wrap(_UNREAD, WIDTH) if missing and _passes(result) else [])]
    yield from style.folded("not_reviewed", f"Not looked at: {len(missing)}", unread)
    yield from ["", style.paint(headline(result, why), answer_colour(result.answer))]


def _passes(result: GateResult) -> bool:
    return result.answer is Answer.passed and result.rules.unread != "all"


def headline(result: GateResult, why: str) -> str:
    """Return the answer in one line."""
    looked = f"{counted(result.files, 'file')}, {counted(result.added_lines, 'added line')}: {one_line(why)}"
    if result.answer is Answer.blocked:
        limits = [f"{counted(len(result.exceeded), 'limit')} of the policy"] if result.exceeded else []
        found = [counted(len(result.blocking), "finding")] if result.blocking or not limits else []
        return f"cloister gate: BLOCKED by {' and '.join([*found, *limits])} ({looked})"
    if result.answer is Answer.undecided:
        return f"cloister gate: UNDECIDED, {unanswered(result.broken)} ({looked})"
    return f"cloister gate: passed ({looked})"


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a finding as the table shows it; ``place`` and ``rule`` are in one line already."""

    severity: Severity
    place: str
    rule: str
    title: str
    message: str
    remedy: str


def table(rows: Sequence[Row], style: Style, *, remedies: bool = True) -> Iterator[str]:
    """Yield rows of severity, place and rule, with the title and the remedy below each; nothing without rows."""
    if not rows:
        return
    shown = rows[:_MOST]
    width = min(max(len(row.place) for row in shown), 60)
    yield style.paint(f"{'SEVERITY':<10}{'PLACE':<{width}}  RULE", "1")
    for row in shown:
        severity = style.paint(f"{row.severity:<10}", _COLOURS[row.severity])
        yield f"{severity}{row.place:<{width}}  {row.rule}"
        yield from _indented(one_line(row.title))
        if remedies:
            yield from _indented(one_line(row.message, _MESSAGE_CHARS))
            yield from _indented(f"-> {row.remedy}" if row.remedy else "")
    if len(rows) > len(shown):
        yield f"... and {len(rows) - len(shown)} more"


def unanswered(broken: Iterable[str]) -> str:
    """Return in words who gave no answer, *broken* or nobody at all."""
    names = [one_line(name) for name in broken if name != EVERYTHING]
    return f"no answer of {', '.join(names)}" if names else "there is no answer"


def answer_colour(answer: Answer) -> str:
    """Return the colour of an answer; yellow is for those that are none."""
    return _ANSWERS.get(answer, "1;33")


def _row(finding: Finding) -> Row:
    rule = one_line(f"{finding.scanner}: {finding.rule}")
    return Row(finding.severity, _place(finding), rule, finding.title, finding.message, remedy(finding))


def _place(finding: Finding) -> str:
    place = f"{one_line(finding.path, PATH_CHARS)}:{finding.line}"
    return f"{place} in {one_line(finding.commit[:8])}" if finding.commit else place


def _indented(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 10)


def listing(items: Mapping[str, str]) -> list[str]:
    """Return what is named with its reason, one a line."""
    lines = [f"  {one_line(what, PATH_CHARS)}: {one_line(why)}" for what, why in list(items.items())[:_MOST]]
    return [*lines, *([f"  ... and {len(items) - _MOST} more"] if len(items) > _MOST else [])]


def counted(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def as_json(result: GateResult, *, base: str, start: str, head: str, why: str) -> dict[str, object]:
    """Return *result* as it is printed for programs."""
    return {
        "version": 1,
        "answer": result.answer.value,
        "scope": why,
        "base": base,
        "policy_at": start,
        "head": head,
        "block_at": str(result.rules.block_at),
        "scanners": list(result.rules.scanners),
        "counts": {
            severity.value: sum(one.severity is severity for one in result.findings) for severity in Severity
        },
        "blocking": [one.model_dump(mode="json") for one in result.blocking],
        "advice": [one.model_dump(mode="json") for one in result.advice],
        "suppressed": [one.model_dump(mode="json") for one in result.suppressed],
        "exceeded": list(result.exceeded),
        "undecided": dict(result.broken),
        "not_reviewed": dict(result.not_reviewed),
        "problems": list(result.problems),
    }
