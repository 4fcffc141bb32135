"""When a review is asked for, show the change to the model and keep what holds against the code."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.domain.answer import UnusableAnswer, read_answer
from bot.domain.diff import Diff
from bot.domain.errors import CloisterError, Transient
from bot.domain.events import ReviewRequested, Stage, StepFinished
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of, stamp
from bot.domain.prompt import Instructions, Limits, PromptPart, Prompts, build
from bot.domain.records import CallOutcome, ModelCallRecord
from bot.domain.run import REVIEW_STEP, Outcome, Run, Step
from bot.ports import Model, ModelReply, ModelRequest, Telemetry, Workspaces
from bot.runtime.consumer import Work, consumer

#: A model that is away for longer than these tries is reported as absent, rather than waited for.
_TRIES = 3


@dataclass
class _Reading:
    """Collect what the model said about one revision, and what it could not be asked."""

    findings: list[Finding] = field(default_factory=list)
    not_analysed: dict[str, str] = field(default_factory=dict)
    calls: list[ModelCallRecord] = field(default_factory=list)
    problem: str = ""


async def give_up(event: ReviewRequested, *, problem: str, work: Work) -> None:
    """Record that there is no model review, and why."""
    await _finish(work, event.run_id, Step(outcome=Outcome.failed, problem=problem), _Reading())


@consumer(Stage.review, exhausted=give_up)
async def review(
    event: ReviewRequested,
    *,
    workspaces: Workspaces,
    model: Model,
    instructions: Instructions,
    redact: Callable[[str], str],
    telemetry: Telemetry,
    fingerprint_key: bytes,
    work: Work,
) -> None:
    """Ask the model about one revision."""
    run = await work.run(event.run_id)
    assert run.revision is not None, "work is handed out only once the revision is known"
    began = time.monotonic()
    diff = await workspaces.diff(run.revision)
    diff = Diff(tuple(file for file in diff.files if file.new_path not in run.skipped))
    async with work.while_current(run):
        blobs = await workspaces.read(run.revision, [file.new_path for file in diff.files])
        texts = {path: blob.content for path, blob in blobs.items() if blob.content is not None}
        heads = {path: text.decode(errors="replace") for path, text in texts.items()}
        prompts = await asyncio.to_thread(_prompts, run, diff, heads, model, instructions, redact)
        reading = await _read(prompts, model, instructions, run, work)
    renamed = {file.new_path: file.old_path for file in diff.files if file.old_path != file.new_path}
    lines = {path: lines_of(text) for path, text in texts.items()}
    reading.findings = stamp(reading.findings, lines, key=fingerprint_key, old_paths=renamed)
    _count(telemetry, reading)
    step = Step(
        outcome=Outcome.failed
        if reading.problem
        else Outcome.partial
        if reading.not_analysed
        else Outcome.done,
        problem=reading.problem,
        not_analysed=reading.not_analysed,
        duration_s=round(time.monotonic() - began, 3),
    )
    await _finish(work, run.id, step, reading)


def _prompts(
    run: Run,
    diff: Diff,
    heads: Mapping[str, str],
    model: Model,
    instructions: Instructions,
    redact: Callable[[str], str],
) -> Prompts:
    return build(
        diff,
        heads,
        title=run.title,
        description=run.description,
        system=instructions.system,
        limits=Limits(window_tokens=model.window_tokens),
        estimate=model.estimate_tokens,
        redact=redact,
        language=run.policy.review.language,
    )


async def _read(prompts: Prompts, model: Model, instructions: Instructions, run: Run, work: Work) -> _Reading:
    """Ask all parts at once; the model admits as many as its server can take.

    Raises:
        Transient: nothing was answered yet and the model may be back soon.
    """
    reading = _Reading(not_analysed={skipped.path: skipped.reason for skipped in prompts.skipped})
    answers = await asyncio.gather(
        *(_ask(part, model, instructions, run, reading) for part in prompts.parts), return_exceptions=True
    )
    failed: list[CloisterError] = []
    unanswered: dict[str, str] = {}
    for part, answer in zip(prompts.parts, answers, strict=True):
        if isinstance(answer, CloisterError):
            failed.append(answer)
            unanswered.update(dict.fromkeys(part.paths, str(answer)))
        elif isinstance(answer, BaseException):
            raise answer
    if failed and len(failed) == len(prompts.parts):
        away = all(isinstance(one, Transient) and not isinstance(one, UnusableAnswer) for one in failed)
        if away and work.failures < _TRIES:
            raise failed[0]
        reading.problem = str(failed[0])
    else:
        reading.not_analysed.update(unanswered)
    return reading


async def _ask(
    part: PromptPart, model: Model, instructions: Instructions, run: Run, reading: _Reading
) -> None:
    """Ask about one part, once more with another seed when the answer is of no use."""
    for seed in (0, 1):
        request = ModelRequest(instructions.system, part.prompt, instructions.schema, seed=seed)
        reply = await model.answer(request)
        try:
            answer = read_answer(reply.text, part.excerpts)
        except UnusableAnswer:
            reading.calls.append(_call(run, instructions, request, reply, CallOutcome.unusable))
            if seed:
                raise
        else:
            reading.calls.append(_call(run, instructions, request, reply, CallOutcome.used))
            reading.findings.extend(answer.findings)
            return


def _call(
    run: Run, instructions: Instructions, request: ModelRequest, reply: ModelReply, outcome: CallOutcome
) -> ModelCallRecord:
    text = f"{request.system}\0{request.prompt}"
    return ModelCallRecord(
        id=uuid.uuid4(),
        run_id=run.id,
        model=reply.model,
        digest=reply.digest,
        prompt_version=instructions.version,
        input_sha256=hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest(),
        output_sha256=hashlib.sha256(reply.text.encode(errors="surrogatepass")).hexdigest(),
        prompt_tokens=reply.prompt_tokens,
        output_tokens=reply.output_tokens,
        duration_s=reply.duration_s,
        outcome=outcome,
    )


def _count(telemetry: Telemetry, reading: _Reading) -> None:
    for call in reading.calls:
        telemetry.count("cloister_model_answers", outcome=call.outcome)
        telemetry.count("cloister_model_tokens", call.prompt_tokens, direction="in")
        telemetry.count("cloister_model_tokens", call.output_tokens, direction="out")
    for finding in reading.findings:
        telemetry.count("cloister_findings", scanner=finding.scanner, severity=finding.severity.value)


async def _finish(work: Work, run_id: uuid.UUID, step: Step, reading: _Reading) -> None:
    async with work.commit() as transaction:
        run = await transaction.run(run_id)
        await transaction.add_model_calls(reading.calls)
        if run.ended:
            return
        await transaction.replace_findings(run.id, REVIEW_STEP, reading.findings)
        tokens = sum(call.prompt_tokens + call.output_tokens for call in reading.calls)
        run = run.finish_step(REVIEW_STEP, step.model_copy(update={"tokens": tokens}))
        await transaction.save_run(run)
        transaction.emit(StepFinished(ref=run.ref, run_id=run.id, step=REVIEW_STEP))
