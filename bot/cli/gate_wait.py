"""The gate that asks a server: wait until its verdict on the job's commit is final, and tell meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from bot.domain.awaited import AwaitedStep, AwaitedVerdict, Question, State, StepState
from bot.domain.errors import Transient
from bot.domain.gate import Answer
from bot.domain.markdown import one_line
from bot.domain.reports import EVERYTHING
from bot.domain.steps import spoken
from bot.ports import Clock

#: What the server is asked to keep a request for; proxies cut off idle ones after 30 s or more.
_LONG_POLL_S: Final = 20.0
#: Nobody is asked more often than this, however quickly it answers.
_PACE_S: Final = 2.0
#: Waits after the first, second, ... failure in a row.
_DELAYS_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
#: Said lines after which only the end is told: a log is no place for a flood.
_MOST_LINES: Final = 100
_MOST_STEPS: Final = 20
_ANSWERS: Final = {
    State.passed: Answer.passed,
    State.blocked: Answer.blocked,
    State.superseded: Answer.superseded,
}


class Verdicts(Protocol):
    """Ask a server for verdicts."""

    async def verdict(self, question: Question, *, wait_s: float) -> AwaitedVerdict | None:
        """Return what the server says, after up to *wait_s* if that is news; None if it has not heard of the head.

        Raises:
            Transient: there is no answer, or none that could be a verdict; asking again may help.
            Permanent: the server does not accept us or the question.
        """


@dataclass(frozen=True, slots=True)
class WaitResult:
    """Hold the answer, the last ``verdict`` that came, and by name what gave no answer and why."""

    answer: Answer
    verdict: AwaitedVerdict | None = None
    broken: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Waiting:
    """Ask *server* until it has decided.

    Args:
        server: who decides.
        clock: tells the time.
        say: told when something changes, for people who wait.
        sleep: waits.
        jitter: returns a number from 0 to 1; keeps jobs that failed together from coming back together.
    """

    server: Verdicts
    clock: Clock
    say: Callable[[str], None]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    _began: float = 0.0
    _last: str = ""
    _lines: int = 0
    _url: str = ""

    async def result(self, question: Question, timeout_s: float) -> WaitResult:
        """Return the final verdict, undecided with the reason when there is none after *timeout_s*.

        Raises:
            Permanent: the server does not accept us or the question.
        """
        self._began = self.clock.monotonic()
        over_at = self._began + timeout_s
        seen: AwaitedVerdict | None = None
        failures, why = 0, "it has not answered"
        while (left_s := over_at - self.clock.monotonic()) > 0:
            asked_at = self.clock.monotonic()
            try:
                async with asyncio.timeout(left_s):
                    found = await self.server.verdict(question, wait_s=min(_LONG_POLL_S, left_s))
            except TimeoutError:
                break
            except Transient as error:
                failures, why = failures + 1, str(error)
                self._tell(f"{one_line(why)}; asking again")
                pause_s = max(self._delay_s(failures), error.retry_after_s or 0.0)
            else:
                failures, seen = 0, found or seen
                if found is not None and found.final:
                    return _ended(found)
                why = self._told(question, found)
                pause_s = _PACE_S - (self.clock.monotonic() - asked_at)
            await self.sleep(max(0.0, min(pause_s, over_at - self.clock.monotonic())))
        broken = {**_silent(seen), EVERYTHING: f"{why}; given up after {timeout_s:.0f} s (--timeout)"}
        return WaitResult(Answer.undecided, seen, broken)

    def _delay_s(self, failures: int) -> float:
        longest = _DELAYS_S[min(failures, len(_DELAYS_S)) - 1]
        return longest * (0.5 + self.jitter() / 2)

    def _told(self, question: Question, found: AwaitedVerdict | None) -> str:
        """Tell how far it is, and return that."""
        if found is None:
            why = (
                "the server has no review of it yet: it waits for GitLab's webhook, does not review this project, or"
                " the merge request has another target branch by now"
            )
        else:
            why = progress(found)
            if found.url and found.url != self._url:
                self._url = found.url
                self.say(f"the verdict will be at {one_line(found.url, 1_000)}")
        self._tell(f"{question.why}: {why}")
        return why

    def _tell(self, line: str) -> None:
        if line == self._last or self._lines >= _MOST_LINES:
            return
        self._last, self._lines = line, self._lines + 1
        self.say(f"[{self.clock.monotonic() - self._began:4.0f} s] {line}")


def progress(verdict: AwaitedVerdict) -> str:
    """Return in one line how far a review is."""
    parts = []
    for state in (StepState.running, StepState.done, StepState.partial, StepState.failed, StepState.late):
        names = [_name(one) for one in verdict.steps if one.state is state]
        if names:
            more = [f"{len(names) - _MOST_STEPS} more"] if len(names) > _MOST_STEPS else []
            parts.append(f"{state}: {', '.join([*names[:_MOST_STEPS], *more])}")
    if not parts:
        return one_line(verdict.description) or "the review has not begun"
    return "; ".join([*parts, *([f"{verdict.found} found that block"] if verdict.found else [])])


def _ended(verdict: AwaitedVerdict) -> WaitResult:
    answer = _ANSWERS.get(verdict.state, Answer.undecided)
    broken = {spoken(name): why for name, why in verdict.broken.items()}
    if answer is Answer.undecided:
        broken |= dict.fromkeys(verdict.unread, "it could not be read")
        broken = broken or {EVERYTHING: one_line(verdict.description) or "the server does not say why"}
    # Where it passes, what gave no answer does not decide.
    return WaitResult(answer, verdict, broken if answer in (Answer.blocked, Answer.undecided) else {})


def _silent(verdict: AwaitedVerdict | None) -> dict[str, str]:
    running = [one for one in verdict.steps if one.state is StepState.running] if verdict else []
    return {_name(one): "still running" for one in running[:_MOST_STEPS]}


def _name(step: AwaitedStep) -> str:
    return one_line(spoken(step.step), 80)
