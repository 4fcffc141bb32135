"""How a question is put to a model."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.telemetry import OpenTelemetry
from bot.domain.errors import Transient
from bot.domain.records import CallOutcome, ModelCallRecord, Task
from bot.domain.said import CutAnswer, UnusableAnswer
from bot.ports import ModelReply, ModelRequest
from bot.reviewer.asking import Asker, Ledger, cache_key

REQUEST = ModelRequest("system", "prompt", {"type": "object"})


@dataclass
class Scripted:
    """A model that gives one answer after the other; an exception is raised."""

    script: list[str | Exception]
    digest: str = "d1"
    name: str = "m"
    window_tokens: int = 8192
    asked: list[ModelRequest] = field(default_factory=list)

    async def identity(self) -> str:
        """Return the digest."""
        return self.digest

    def estimate_tokens(self, text: str) -> int:
        """Count characters."""
        return len(text)

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return the next answer."""
        self.asked.append(request)
        said = self.script.pop(0)
        if isinstance(said, Exception):
            raise said
        return ModelReply(said, self.name, self.digest, 7, 3, 0.5)


def read(text: str) -> int:
    """Return a number, and refuse the rest."""
    try:
        return int(json.loads(text))
    except ValueError:
        raise UnusableAnswer("not a number") from None


def asker(model: Scripted, answers: MemoryAnswers | None = None) -> Asker:
    """Return an asker that has one model for everything."""
    return Asker(dict.fromkeys(Task, model), answers or MemoryAnswers(), OpenTelemetry(None))


@dataclass
class Rows:
    """An audit in memory; *broken* takes no row."""

    broken: bool = False
    calls: dict[uuid.UUID, list[str]] = field(default_factory=dict)

    async def note(self, call: ModelCallRecord) -> None:
        """Remember the row."""
        if self.broken:
            raise Transient("out of reach")
        self.calls.setdefault(call.id, []).append(call.outcome.value)


def outcomes(ledger: Ledger) -> list[str]:
    """Return what became of each call."""
    return [call.outcome.value for call in ledger.calls]


async def test_the_same_question_is_asked_once() -> None:
    """The second time the answer comes from the cache, costs nothing and leaves a row."""
    model, ledger = Scripted(["5"]), Ledger(uuid.uuid4())
    ask = asker(model)
    assert [await ask.ask(Task.review, REQUEST, read, version="v", ledger=ledger) for _ in range(2)] == [5, 5]
    assert outcomes(ledger) == ["used", "cached"]
    assert ledger.tokens == 10


async def test_a_useless_answer_is_asked_for_once_more() -> None:
    """The second try has another seed; both leave a row."""
    model, ledger = Scripted(["no", "5"]), Ledger(uuid.uuid4())
    assert await asker(model).ask(Task.judge, REQUEST, read, version="v", ledger=ledger) == 5
    assert [request.seed for request in model.asked] == [0, 1]
    assert outcomes(ledger) == ["unusable", "used"]
    assert {call.task for call in ledger.calls} == {Task.judge}


async def test_failures_are_not_kept() -> None:
    """After two useless answers and after an outage the model is asked anew."""
    model, ledger = Scripted(["no", "no", Transient("away"), "5"]), Ledger(uuid.uuid4())
    ask = asker(model)
    with pytest.raises(UnusableAnswer):
        await ask.ask(Task.review, REQUEST, read, version="v", ledger=ledger)
    with pytest.raises(Transient):
        await ask.ask(Task.review, REQUEST, read, version="v", ledger=ledger)
    assert await ask.ask(Task.review, REQUEST, read, version="v", ledger=ledger) == 5
    assert outcomes(ledger) == ["unusable", "unusable", "failed", "used"]


async def test_an_answer_that_broke_off_costs_what_it_cost() -> None:
    """The row tells which model it was, and the tokens that went into nothing."""
    cut = CutAnswer("cut", '{"findings": [', digest="d1", prompt_tokens=7, output_tokens=3, duration_s=0.5)
    ledger = Ledger(uuid.uuid4())
    with pytest.raises(CutAnswer):
        await asker(Scripted([cut])).ask(Task.review, REQUEST, read, version="v", ledger=ledger)

    (row,) = ledger.calls
    assert (row.outcome.value, row.digest, ledger.tokens, row.duration_s) == ("failed", "d1", 10, 0.5)


async def test_another_model_behind_the_name_is_asked_anew() -> None:
    """A pulled update of the model changes its digest, and with it the answers."""
    model, ledger = Scripted(["5", "6"]), Ledger(uuid.uuid4())
    ask = asker(model)
    assert await ask.ask(Task.review, REQUEST, read, version="v", ledger=ledger) == 5
    model.digest = "d2"
    assert await ask.ask(Task.review, REQUEST, read, version="v", ledger=ledger) == 6


async def test_a_kept_answer_that_cannot_be_read_any_more_is_asked_for_anew() -> None:
    """A cache that an earlier release has filled does not stand in the way."""
    model, ledger, answers = Scripted(["5"]), Ledger(uuid.uuid4()), MemoryAnswers()
    key = cache_key(REQUEST, model="m", identity="d1", version="v")
    await answers.keep(key, ModelReply("no", "m", "d1", 1, 1, 1.0))
    assert await asker(model, answers).ask(Task.review, REQUEST, read, version="v", ledger=ledger) == 5
    assert outcomes(ledger) == [CallOutcome.used.value]


@given(st.sampled_from(["model", "identity", "version", "system", "prompt", "schema", "tokens", "seed"]))
def test_each_thing_that_decides_an_answer_is_in_the_key(part: str) -> None:
    """Answers to questions that differ in anything are never mixed up."""
    names = {"model": "m", "identity": "i", "version": "v"}
    other = {
        "system": replace(REQUEST, system="s"),
        "prompt": replace(REQUEST, prompt="p"),
        "schema": replace(REQUEST, schema={}),
        "tokens": replace(REQUEST, max_output_tokens=1),
        "seed": replace(REQUEST, seed=9),
    }.get(part, REQUEST)
    changed = names | ({part: "other"} if part in names else {})
    assert cache_key(REQUEST, **names) != cache_key(other, **changed)


def test_blanks_at_the_ends_of_lines_do_not_count() -> None:
    """They change nothing that a model could tell."""
    same = replace(REQUEST, prompt="prompt  ")
    names = {"model": "m", "identity": "i", "version": "v"}
    assert cache_key(REQUEST, **names) == cache_key(same, **names)


async def test_every_call_has_a_row_from_before_it() -> None:
    """So it has when nobody waits for the answer any more; a row says what became of its call."""
    rows, ledger = Rows(), Ledger(uuid.uuid4())
    model = Scripted(["5", "no", Transient("away")])
    ask = replace(asker(model), audit=rows)
    await ask.ask(Task.review, REQUEST, read, version="v", ledger=ledger)
    await ask.ask(Task.review, REQUEST, read, version="v", ledger=ledger)
    with pytest.raises(Transient):
        await ask.ask(Task.review, replace(REQUEST, prompt="other"), read, version="v", ledger=ledger)
    assert list(rows.calls.values()) == [
        ["asked", "used"],
        ["cached"],
        ["asked", "unusable"],
        ["asked", "failed"],
    ]


async def test_a_cancelled_call_keeps_its_row() -> None:
    """A newer head ends the waiting, not the audit."""
    rows, asked = Rows(), asyncio.Event()

    class Slow(Scripted):
        async def answer(self, request: ModelRequest) -> ModelReply:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    ask = replace(asker(Slow([])), audit=rows)
    waiting = asyncio.create_task(
        ask.ask(Task.review, REQUEST, read, version="v", ledger=Ledger(uuid.uuid4()))
    )
    await asked.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert list(rows.calls.values()) == [["asked"]]


async def test_nobody_is_asked_without_a_row() -> None:
    """Where the audit is out of reach the model gets no prompt."""
    model = Scripted(["5"])
    ask = replace(asker(model), audit=Rows(broken=True))
    with pytest.raises(Transient):
        await ask.ask(Task.review, REQUEST, read, version="v", ledger=Ledger(uuid.uuid4()))
    assert model.asked == []
