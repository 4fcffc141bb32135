"""Show a change to the model, part by part, and keep what holds against the code that it was shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.domain.answer import Answer, read_answer
from bot.domain.errors import CloisterError, Transient
from bot.domain.findings import Finding, Rejection
from bot.domain.prompt import Instructions, PromptPart, Prompts
from bot.domain.records import Task
from bot.domain.said import CutAnswer, UnusableAnswer, Useless
from bot.ports import ModelRequest
from bot.reviewer.asking import Asker, Ledger

_BROKE_OFF = "the answer broke off; what it had said until then counts"

Progress = Callable[[str], None]


@dataclass
class Found:
    """Collect what the model said about a change, and about which files it said nothing, with the reason.

    ``problem`` says why there is no answer at all.
    """

    findings: list[Finding] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)
    not_analysed: dict[str, str] = field(default_factory=dict)
    problem: str = ""


async def find(
    prompts: Prompts,
    guide: Instructions,
    asker: Asker,
    ledger: Ledger,
    *,
    patient: bool,
    progress: Progress,
) -> Found:
    """Ask all parts at once; the model admits as many as its server can take.

    Where it answered some parts only, it is there after all: the others are asked once more when these are done.

    Raises:
        Transient: *patient*, nothing was answered, and the model may be back soon.
    """
    found = Found(not_analysed={skipped.path: skipped.reason for skipped in prompts.skipped})
    told = list(_told(prompts, asker, progress))

    async def ask(numbers: Sequence[int]) -> dict[int, Answer | BaseException]:
        asked = (_ask(told[number][0], guide, asker, ledger, told[number][1]) for number in numbers)
        return dict(zip(numbers, await asyncio.gather(*asked, return_exceptions=True), strict=True))

    answers = await ask(range(len(told)))
    missed = [number for number, answer in answers.items() if is_away(answer)]
    if len(missed) < len(told):
        answers |= await ask(missed)
    failed: list[CloisterError] = []
    for part, answer in zip(prompts.parts, answers.values(), strict=True):
        if isinstance(answer, CloisterError):
            failed.append(answer)
            found.not_analysed.update(dict.fromkeys(part.paths, str(answer)))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            _add(found, part, answer)
    if failed and len(failed) == len(prompts.parts):
        if patient and all(is_away(one) for one in failed):
            raise failed[0]
        found.problem = str(failed[0])
    return found


def is_away(error: object) -> bool:
    """Say whether the model gave no answer at all, and may give one later; one that was at it to the end may not."""
    return isinstance(error, Transient) and not isinstance(error, UnusableAnswer | CutAnswer | Useless)


def _told(
    prompts: Prompts, asker: Asker, progress: Progress
) -> Iterator[tuple[PromptPart, Callable[[], None]]]:
    name = asker.models[Task.review].name
    for number, part in enumerate(prompts.parts, start=1):
        yield part, partial(progress, f"{name}: part {number} of {len(prompts.parts)}")


async def _ask(
    part: PromptPart, guide: Instructions, asker: Asker, ledger: Ledger, say: Callable[[], None]
) -> Answer:
    """Return the answer about one part; one that breaks off is taken only when no whole one comes.

    Raises:
        UnusableAnswer: nothing that the model said can be used.
        Transient, Permanent: as `Model.answer`.
    """
    say()
    broken: list[Answer] = []

    def read(text: str) -> Answer:
        answer = read_answer(text, part.excerpts)
        if answer.complete:
            return answer
        broken.append(answer)
        raise UnusableAnswer(_BROKE_OFF)

    request = ModelRequest(guide.system, part.prompt, guide.schema)
    try:
        return await asker.ask(Task.review, request, read, version=guide.version, ledger=ledger)
    except UnusableAnswer:
        if not broken:
            raise
        return broken[0]
    except CutAnswer as error:
        try:
            return read_answer(error.text, part.excerpts)
        except UnusableAnswer:
            raise error from None


def _add(found: Found, part: PromptPart, answer: Answer) -> None:
    found.findings.extend(answer.findings)
    found.rejected.extend(answer.rejected)
    found.changes.update(answer.changes)
    if not answer.complete:
        found.not_analysed.update(dict.fromkeys(part.paths, _BROKE_OFF))
