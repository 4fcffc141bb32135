"""How fast a model reads and writes, and what that means for reviews."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from bot.domain.answer import SCHEMA
from bot.domain.errors import Transient
from bot.ports import Model, ModelReply, ModelRequest

#: What a merge request of usual size costs: two prompts that look for defects, one that confirms, one to spare.
PROMPTS_PER_MERGE_REQUEST: Final = 4
_ANSWER_TOKENS: Final = 1024
#: As many functions make a prompt of some 2,000 tokens, the usual size of a part.
_FUNCTIONS: Final = 32
#: Long enough to time the writing, the same for every model, and nothing that repeats.
_QUESTIONS: Final = [f"q{number:02}" for number in range(1, 17)]
_FORM: Final = {
    "type": "object",
    "properties": {name: {"enum": ["yes", "no"]} for name in _QUESTIONS},
    "required": _QUESTIONS,
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Rate:
    """Hold how many requests an hour the servers answer when so many come at a time."""

    at_a_time: int
    requests_per_hour: float

    @property
    def merge_requests_per_hour(self) -> float:
        """Return how many merge requests of usual size that is."""
        return self.requests_per_hour / PROMPTS_PER_MERGE_REQUEST


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold what was measured; *cold* prompts begin like none before, *warm* ones like the one before."""

    model: str
    load_s: float
    prompt_tokens: int
    cold_first_token_s: float
    warm_first_token_s: float
    read_tokens_per_s: float
    write_tokens_per_s: float
    thinks: bool
    useless: int
    speeds: tuple[Rate, ...]

    @property
    def best(self) -> Rate:
        """Return the fastest; of those within a tenth of it the one with the fewest at a time."""
        top = max(speed.requests_per_hour for speed in self.speeds)
        return next(speed for speed in self.speeds if speed.requests_per_hour >= 0.9 * top)

    def rows(self) -> list[list[str]]:
        """Return the lines of a table."""
        return [
            ["Model", self.model],
            ["First answer, with loading", f"{self.load_s:.1f} s"],
            ["Prompt", f"{self.prompt_tokens} tokens"],
            ["First token, nothing of the prompt known", f"{self.cold_first_token_s:.2f} s"],
            ["First token, instructions known", f"{self.warm_first_token_s:.2f} s"],
            ["Reads", f"{self.read_tokens_per_s:.0f} tokens/s"],
            ["Writes", f"{self.write_tokens_per_s:.0f} tokens/s"],
            ["Thinks although it should not", "yes" if self.thinks else "no"],
            ["Useless answers", str(self.useless)],
        ]

    def rates(self) -> list[list[str]]:
        """Return the lines of a table."""
        return [
            [str(one.at_a_time), f"{one.requests_per_hour:.0f}", f"{one.merge_requests_per_hour:.0f}"]
            for one in self.speeds
        ]

    def advice(self) -> str:
        """Return what to expect and how to get it."""
        best = self.best
        requests = "request" if best.at_a_time == 1 else "requests"
        return (
            f"Expect some {best.merge_requests_per_hour:.0f} merge requests an hour with {best.at_a_time} {requests}"
            f" at a time, at {PROMPTS_PER_MERGE_REQUEST} prompts for each; pushes to a merge request that was"
            " reviewed cost less."
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything, with what follows from it."""
        speeds = [
            {**asdict(one), "merge_requests_per_hour": one.merge_requests_per_hour} for one in self.speeds
        ]
        return {
            **asdict(self),
            "speeds": speeds,
            "best_at_a_time": self.best.at_a_time,
            "merge_requests_per_hour": self.best.merge_requests_per_hour,
            "prompts_per_merge_request": PROMPTS_PER_MERGE_REQUEST,
        }


async def measure(
    model: Model,
    instructions: str,
    most: int,
    *,
    progress: Callable[[str], None],
    monotonic: Callable[[], float] = time.monotonic,
) -> Measured:
    """Return how fast *model* is, with up to *most* requests at a time.

    Args:
        model: the model.
        instructions: what prompts begin with.
        most: requests at a time.
        progress: told about each step.
        monotonic: seconds that never go back.

    Raises:
        Transient: it is out of reach, or its answers are of no use.
        Permanent: it cannot be used.
    """
    progress(f"Loading {model.name}")
    nonce = secrets.token_hex(8)
    began = monotonic()
    await model.answer(ModelRequest("Answer.", f"Say yes. {nonce}", _FORM, _ANSWER_TOKENS))
    load_s = monotonic() - began
    progress("Reading a prompt that begins like no other")
    cold = await model.answer(_form(f"{nonce}\n{instructions}", 1))
    progress("Reading one that begins like the one before")
    warm = await model.answer(_form(f"{nonce}\n{instructions}", 2))
    speeds, useless = [], 0
    for at_a_time in _steps(most):
        progress(f"Reviewing with {at_a_time} at a time")
        speed, failed = await _rate(model, instructions, at_a_time, monotonic)
        speeds.append(speed)
        useless += failed
    return Measured(
        model=model.name,
        load_s=round(load_s, 3),
        prompt_tokens=cold.prompt_tokens,
        cold_first_token_s=round(cold.first_token_s, 3),
        warm_first_token_s=round(warm.first_token_s, 3),
        read_tokens_per_s=round(cold.prompt_tokens / max(cold.first_token_s, 1e-6), 1),
        write_tokens_per_s=round(_writes(cold, warm), 1),
        thinks=bool(cold.thought_chars or warm.thought_chars),
        useless=useless,
        speeds=tuple(speeds),
    )


def _steps(most: int) -> Iterator[int]:
    """Yield 1, 2, 4 and so on, and *most* at the end."""
    step = 1
    while step < most:
        yield step
        step *= 2
    yield most


def _writes(*replies: ModelReply) -> float:
    tokens = sum(reply.output_tokens for reply in replies)
    return tokens / max(sum(reply.duration_s - reply.first_token_s for reply in replies), 1e-6)


async def _rate(
    model: Model, instructions: str, at_a_time: int, monotonic: Callable[[], float]
) -> tuple[Rate, int]:
    """Return how many requests an hour are answered, and how many answers were of no use."""
    requests = [
        ModelRequest(instructions, _change(seed), SCHEMA, _ANSWER_TOKENS, seed)
        for seed in range(100 * at_a_time, 100 * at_a_time + 2 * at_a_time)
    ]
    slots = asyncio.Semaphore(at_a_time)

    async def one(request: ModelRequest) -> None:
        async with slots:
            await model.answer(request)

    began = monotonic()
    results = await asyncio.gather(*(one(request) for request in requests), return_exceptions=True)
    took_s = monotonic() - began
    failed = [result for result in results if isinstance(result, BaseException)]
    for error in failed:
        if not isinstance(error, Transient) or len(failed) == len(requests):
            raise error
    return Rate(at_a_time, round(3600 * (len(requests) - len(failed)) / max(took_s, 1e-6), 1)), len(failed)


def _form(instructions: str, seed: int) -> ModelRequest:
    prompt = f"{_change(seed)}\nAnswer each question about the code with yes or no."
    return ModelRequest(instructions, prompt, _FORM, _ANSWER_TOKENS, seed)


def _change(seed: int) -> str:
    """Return the diff of a made-up file; each seed gives another one, as real changes differ."""
    lines = [f"~~~~ data ~~~~\nFile: shop/orders_{seed}.py", "@@ -0,0 +1,192 @@"]
    for number in range(_FUNCTIONS):
        name = f"total_{seed}_{number}"
        lines += [
            f"+def {name}(items, rate={number}):",
            f"+    paid = [item for item in items if item.state == 'paid-{(seed * 7 + number) % 97}']",
            "+    if not paid:",
            "+        return 0",
            f"+    return sum(item.price * item.count for item in paid) * (100 + rate) / {100 + number}",
            "+",
        ]
    return "\n".join([*lines, "~~~~ data ~~~~"])
