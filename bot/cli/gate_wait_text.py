"""What a gate prints that a server has decided, for people who read the log of a job and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from bot.cli.gate_text import (
    PATH_CHARS,
    UNDECIDED,
    WIDTH,
    Row,
    Style,
    answer_colour,
    counted,
    listing,
    table,
    unanswered,
)
from bot.cli.gate_wait import WaitResult
from bot.domain.awaited import AwaitedFinding, AwaitedVerdict, AwaitedWaiver, Question
from bot.domain.gate import Answer
from bot.domain.markdown import one_line

_WAIVE = (
    "To let one of these pass for a while, waive it on {place}, or in a comment on the merge request; who may is said in"
    " the policy of the target branch."
)
_BY_CODE = "a comment in the code asks to ignore it"
_SUPERSEDED = (
    "Nobody decides about this commit any more: {why}. This pipeline opens nothing, --fail-open or not; that of the"
    " newest commit decides."
)
_OUTDATED = "a newer commit was pushed"


def render(result: WaitResult, question: Question, style: Style) -> Iterator[str]:
    """Yield the lines of the log: what blocks and what to do, what is let pass, and last the answer."""
    verdict = result.verdict
    if verdict is not None:
        yield from table([_row(one) for one in verdict.blocking], style)
        if verdict.found > len(verdict.blocking):
            yield f"... and {verdict.found - len(verdict.blocking)} more, which the server does not list"
        yield from (style.paint(one_line(limit), answer_colour(Answer.blocked)) for limit in verdict.exceeded)
        if verdict.blocking:
            yield from _how_to_waive(verdict)
    if result.broken:
        yield from ["", *listing(result.broken)]
        yield from textwrap.wrap(UNDECIDED, WIDTH)
    if result.answer is Answer.superseded:
        why = one_line(verdict.description) if verdict else ""
        yield from [
            "",
            *textwrap.wrap(_SUPERSEDED.format(why=why or _OUTDATED), WIDTH, break_on_hyphens=False),
        ]
    if verdict is not None:
        yield from (f"warning: {one_line(warning, 1_000)}" for warning in verdict.warnings)
        yield from style.folded("asked", f"Waivers asked for: {len(verdict.asked)}", _waivers(verdict.asked))
        yield from style.folded("waived", f"Waived: {len(verdict.waived)}", _waivers(verdict.waived))
        ignored = table([_row(one) for one in verdict.suppressed], style, remedies=False)
        yield from style.folded(
            "ignored", f"Ignored because the code asks for it: {len(verdict.suppressed)}", ignored
        )
    yield from ["", style.paint(headline(result, question), answer_colour(result.answer))]


def headline(result: WaitResult, question: Question) -> str:
    """Return the answer in one line."""
    verdict = result.verdict
    about = one_line(question.why) + (f": {_url(verdict)}" if verdict and verdict.url else "")
    if result.answer is Answer.blocked:
        return f"cloister gate: BLOCKED{_by(verdict)} ({about})"
    if result.answer is Answer.undecided:
        return f"cloister gate: UNDECIDED, {unanswered(result.broken)} ({about})"
    return f"cloister gate: {result.answer} ({about})"


def _by(verdict: AwaitedVerdict | None) -> str:
    found, limits = (verdict.found, len(verdict.exceeded)) if verdict else (0, 0)
    parts = [counted(found, "finding")] if found else []
    parts += [f"{counted(limits, 'limit')} of the policy"] if limits else []
    return f" by {' and '.join(parts)}" if parts else ""


def as_json(result: WaitResult, question: Question) -> dict[str, object]:
    """Return *result* as it is printed for programs; keys that `--local` has too mean the same."""
    verdict = result.verdict
    told = verdict.model_dump(mode="json") if verdict else {}
    return {
        "version": 1,
        "answer": result.answer.value,
        "scope": question.why,
        "head": question.sha,
        "project_id": question.project_id,
        "iid": question.iid,
        "url": told.get("url"),
        "run_id": told.get("run_id"),
        "blocking": told.get("blocking", []),
        "suppressed": told.get("suppressed", []),
        "exceeded": told.get("exceeded", []),
        "undecided": dict(result.broken),
        "waived": told.get("waived", []),
        "asked": told.get("asked", []),
        "steps": told.get("steps", []),
        "problems": told.get("warnings", []),
    }


def _row(found: AwaitedFinding) -> Row:
    name = f" ({one_line(found.finding, 80)})" if found.finding else ""
    place = f"{one_line(found.path, PATH_CHARS)}:{found.line}"
    return Row(
        found.severity,
        f"{place} in {one_line(found.commit[:8])}" if found.commit else place,
        one_line(f"{found.scanner}: {found.rule}") + name,
        found.title,
        found.why,
        one_line(found.remedy, 1_000),
    )


def _how_to_waive(verdict: AwaitedVerdict) -> Iterator[str]:
    """Yield where to waive what blocks, and the comment for the first that can be waived."""
    place = f"the page ({_url(verdict)})" if verdict.url else "the server's page"
    yield from ["", *textwrap.wrap(_WAIVE.format(place=place), WIDTH, break_on_hyphens=False)]
    example = next((one.waive for one in verdict.blocking if one.waive), "")
    if example:
        yield f"  {one_line(example, 200)}"


def _waivers(waivers: Iterable[AwaitedWaiver]) -> Iterator[str]:
    for one in waivers:
        until = f" until {one_line(one.until, 80)}" if one.until else ""
        by = f" by {one_line(one.by, 80)}" if one.by else ""
        name = f" ({one_line(one.finding, 80)})" if one.title and one.finding else ""
        reason = one_line(one.reason) or _BY_CODE
        yield f"  {one_line(one.title or one.finding)}{name}{until}{by}: {reason}"


def _url(verdict: AwaitedVerdict) -> str:
    return one_line(verdict.url or "", 1_000)
