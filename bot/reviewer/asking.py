"""Put a question to the model of a task: from the cache if it was answered before, and never without an audit row."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from bot.domain.control_tokens import plain
from bot.domain.errors import CloisterError
from bot.domain.records import CallOutcome, ModelCallRecord, Task
from bot.domain.said import CutAnswer, UnusableAnswer
from bot.ports import Answers, Audit, Model, ModelReply, ModelRequest, Telemetry

Read = TypeVar("Read")

#: Tries per question; each has a seed of its own.
_TRIES: Final = 2


@dataclass
class Ledger:
    """Collect what one run asks: the rows that are in the audit too."""

    run_id: uuid.UUID
    calls: list[ModelCallRecord] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """Return the tokens that were read and written; what came from the cache cost none."""
        return sum(call.prompt_tokens + call.output_tokens for call in self.calls)


class Unaudited:
    """Keep no rows: for commands whose user sees all that is asked, on a machine without a database."""

    async def note(self, call: ModelCallRecord) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Asker:
    """Ask the models; one for all of a process.

    Args:
        models: one per task.
        answers: what was answered before.
        telemetry: counts answers by outcome, and tokens.
        audit: gets a row for every call.
    """

    models: Mapping[Task, Model]
    answers: Answers
    telemetry: Telemetry
    audit: Audit = field(default_factory=Unaudited)

    async def ask(
        self,
        task: Task,
        request: ModelRequest,
        read: Callable[[str], Read],
        *,
        version: str,
        ledger: Ledger,
    ) -> Read:
        """Return what *read* makes of the answer; one that it refuses is asked for once more with another seed.

        Only answers that *read* takes are kept, under all that decided them: the model's identity, *version* of
        the instructions, the request with its schema and limits.

        Raises:
            UnusableAnswer: *read* refused every answer.
            Transient: as `Model.answer`, or the audit is out of reach.
            Permanent: as `Model.answer`.
        """
        # What was shown of code is plain already; this holds for whatever else a prompt may quote.
        request = replace(request, prompt=plain(request.prompt))
        for number in range(_TRIES):
            attempt = replace(request, seed=request.seed + number)
            try:
                return await self._ask(task, attempt, read, version, ledger)
            except UnusableAnswer:
                if number == _TRIES - 1:
                    raise
        raise AssertionError("the loop returns or raises")

    async def _ask(
        self, task: Task, request: ModelRequest, read: Callable[[str], Read], version: str, ledger: Ledger
    ) -> Read:
        model = self.models[task]
        row = _Row(task, version, request, ledger, self.telemetry, self.audit)
        try:
            key = cache_key(request, model=model.name, identity=await model.identity(), version=version)
            known = await self.answers.find(key)
            if known is not None:
                try:
                    answer = read(known.text)
                except UnusableAnswer:
                    pass  # kept by a release that read answers otherwise
                else:
                    await row.close(known, CallOutcome.cached)
                    return answer
            await row.open(model.name)
            reply = await model.answer(request)
        except CutAnswer as cut:
            await row.close(_left_of(cut, model.name), CallOutcome.failed)
            raise
        except CloisterError:
            await row.close(_nothing_from(model.name), CallOutcome.failed)
            raise
        try:
            answer = read(reply.text)
        except UnusableAnswer:
            await row.close(reply, CallOutcome.unusable)
            raise
        await row.close(reply, CallOutcome.used)
        await self.answers.keep(key, reply)
        return answer


def cache_key(request: ModelRequest, *, model: str, identity: str, version: str) -> str:
    """Return the name under which the answer to *request* is kept: SHA-256 over all that decides it."""
    parts = [
        identity,
        model,
        version,
        json.dumps(request.schema, sort_keys=True, separators=(",", ":")),
        str(request.max_output_tokens),
        str(request.seed),
        request.system,
        _normalised(request.prompt),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _normalised(text: str) -> str:
    """Return *text* without what no model could tell from it: blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.splitlines())


@dataclass(frozen=True)
class _Row:
    """Write the audit row of one call: hashes and counts, no text."""

    task: Task
    version: str
    request: ModelRequest
    ledger: Ledger
    telemetry: Telemetry
    audit: Audit
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    async def open(self, model: str) -> None:
        """Write the row before the call."""
        await self.audit.note(self._call(_nothing_from(model), CallOutcome.asked))

    async def close(self, reply: ModelReply, outcome: CallOutcome) -> None:
        """Write what became of the call; what came from the cache cost nothing."""
        if outcome is CallOutcome.cached:
            reply = replace(reply, prompt_tokens=0, output_tokens=0, duration_s=0.0)
        call = self._call(reply, outcome)
        self.ledger.calls.append(call)
        self.telemetry.count("cloister_model_answers", outcome=outcome.value, task=self.task.value)
        self.telemetry.count("cloister_model_tokens", call.prompt_tokens, direction="in")
        self.telemetry.count("cloister_model_tokens", call.output_tokens, direction="out")
        await self.audit.note(call)

    def _call(self, reply: ModelReply, outcome: CallOutcome) -> ModelCallRecord:
        return ModelCallRecord(
            id=self.id,
            run_id=self.ledger.run_id,
            model=reply.model,
            digest=reply.digest,
            prompt_version=self.version,
            input_sha256=_sha256(f"{self.request.system}\0{self.request.prompt}"),
            output_sha256=_sha256(reply.text),
            prompt_tokens=reply.prompt_tokens,
            output_tokens=reply.output_tokens,
            duration_s=reply.duration_s,
            outcome=outcome,
            task=self.task,
        )


def _nothing_from(model: str) -> ModelReply:
    return ModelReply("", model, "", 0, 0, 0.0)


def _left_of(cut: CutAnswer, model: str) -> ModelReply:
    return ModelReply(cut.text, model, cut.digest, cut.prompt_tokens, cut.output_tokens, cut.duration_s)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
