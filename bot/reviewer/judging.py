"""Have a model look a second time at what was found, without the arguments of the first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.claims import ANSWER_TOKENS, FRAME, MOST_CLAIMS
from bot.domain.errors import CloisterError
from bot.domain.excerpt import Excerpt
from bot.domain.findings import Finding, Rejection
from bot.domain.prompt import Instructions
from bot.domain.reconcile import urgency
from bot.domain.records import Task
from bot.domain.verdicts import Judged, doubted, question, read_verdicts
from bot.domain.window import batches, windows
from bot.ports import ModelRequest
from bot.reviewer.asking import Asker, Ledger
from bot.reviewer.finding import is_away

#: Findings that are looked at again; those beyond would not become comments anyway.
_MOST_JUDGED = 2 * MOST_CLAIMS
#: Tokens that the server's template takes, and a prompt of claims at most.
_TEMPLATE_TOKENS = 64
_PROMPT_TOKENS = 4_000

_UNANSWERED = "Findings without a second look, so only listed: {count}. Why: {reason}"


@dataclass(frozen=True)
class Second:
    """Hold what is left after a second look; ``remarks`` say where there was none."""

    findings: tuple[Finding, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    remarks: tuple[str, ...] = ()


async def judge(
    findings: Sequence[Finding],
    excerpts: Sequence[Excerpt],
    guide: Instructions,
    asker: Asker,
    ledger: Ledger,
    *,
    patient: bool,
) -> Second:
    """Return *findings* as a second look leaves them; what nobody has looked at stays with low confidence.

    Args:
        findings: those that are worth the time.
        excerpts: all that the model was shown before.
        guide: what the model is told.
        asker: asks the model of the task ``judge``.
        ledger: takes the audit rows.
        patient: wait for a model that is away.

    Raises:
        Transient: *patient*, nothing was answered, and the model may be back soon.
    """
    order = sorted(findings, key=urgency)
    model = asker.models[Task.judge]
    room = (
        model.window_tokens - ANSWER_TOKENS - _TEMPLATE_TOKENS - model.estimate_tokens(guide.system + FRAME)
    )

    def fits(group: Sequence[Finding]) -> bool:
        prompt = question(group, windows(group, excerpts))
        return model.estimate_tokens(prompt) <= min(room, _PROMPT_TOKENS)

    groups = list(batches(order[:_MOST_JUDGED], most=MOST_CLAIMS, fits=fits))
    answers = await asyncio.gather(
        *(_ask(group, windows(group, excerpts), guide, asker, ledger) for group in groups),
        return_exceptions=True,
    )
    failed = [answer for answer in answers if isinstance(answer, BaseException)]
    for error in failed:
        if not isinstance(error, CloisterError):
            raise error
    if patient and failed and len(failed) == len(groups) and all(map(is_away, failed)):
        raise failed[0]
    judged = [answer for answer in answers if isinstance(answer, Judged)]
    seen = {
        finding.fingerprint
        for group, answer in zip(groups, answers, strict=True)
        if isinstance(answer, Judged)
        for finding in group
    }
    left = [doubted(finding) for finding in order if finding.fingerprint not in seen]
    unanswered = sum(
        len(group) for group, answer in zip(groups, answers, strict=True) if not isinstance(answer, Judged)
    )
    return Second(
        findings=(*(finding for answer in judged for finding in answer.findings), *left),
        rejected=tuple(rejection for answer in judged for rejection in answer.rejected),
        remarks=(_UNANSWERED.format(count=unanswered, reason=failed[0]),) if failed else (),
    )


async def _ask(
    group: Sequence[Finding], shown: Sequence[Excerpt], guide: Instructions, asker: Asker, ledger: Ledger
) -> Judged:
    request = ModelRequest(
        guide.system, question(group, shown), guide.schema, max_output_tokens=ANSWER_TOKENS
    )
    return await asker.ask(
        Task.judge,
        request,
        lambda text: read_verdicts(text, group, shown),
        version=guide.version,
        ledger=ledger,
    )
