"""What every model server is held to, whatever it speaks: deadlines, admission, and answers that are whole."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.adapters.chat_server import ChatServer, ModelFacts, Part
from bot.adapters.model_errors import Broken
from bot.domain.breaker import Breaker
from bot.domain.degenerate import degenerate, repeats
from bot.domain.errors import Permanent, Transient
from bot.domain.said import Useless
from bot.domain.thoughts import without_thoughts
from bot.domain.tokens import TokenGauge
from bot.ports import ModelReply, ModelRequest

_FACTS_KEPT_S: Final = 60.0
_LOOKUP_S: Final = 10.0
_TEMPLATE_TOKENS: Final = 64
#: No vocabulary has longer tokens on average; what goes beyond is not an answer.
_CHARS_PER_TOKEN: Final = 16
_REPEAT_CHECK_CHARS: Final = 1_000
#: Our own reason for the end of an answer, beside the server's.
_LOOP: Final = "loop"
#: Far from the seeds that callers count up from zero.
_SECOND_SEED: Final = 1_000_003


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Bound an answer in seconds: to its first token, between tokens, and in total."""

    first_token_s: float = 120.0
    gap_s: float = 30.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True)
class _Completion:
    text: str
    reason: str
    prompt_tokens: int | None
    output_tokens: int | None
    digest: str = ""
    duration_s: float = 0.0
    first_token_s: float = 0.0
    thought_chars: int = 0

    @property
    def fault(self) -> str | None:
        """Return why it is useless, None if it is not; one at its limit of tokens need not be closed."""
        if self.reason == "length":
            return "it repeats itself" if repeats(self.text) else None
        return degenerate(self.text)


class ChatModel:
    """Answer prompts through one server.

    Args:
        server: how to speak to it.
        model: name, as the server knows it.
        window_tokens: prompt and answer together; a model made for less gets less.
        options: sampling, which decides the answer as the model does.
        deadlines: see there.
        parallel: requests at a time; as many as the server works on side by side.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        server: ChatServer,
        model: str,
        *,
        window_tokens: int,
        options: Mapping[str, Any],
        deadlines: Deadlines,
        parallel: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._model = model
        self._wanted_tokens = window_tokens
        self._options = hashlib.sha256(json.dumps(dict(options), sort_keys=True).encode()).hexdigest()[:8]
        self._deadlines = deadlines
        self._monotonic = monotonic
        self._slots = asyncio.Semaphore(parallel)
        self._lookup = asyncio.Lock()
        self._breaker = Breaker(server.label, monotonic=monotonic)
        self._gauge = TokenGauge()
        self._facts: ModelFacts | None = None
        self._facts_at = -math.inf

    @property
    def name(self) -> str:
        """Return the configured model name."""
        return self._model

    @property
    def label(self) -> str:
        """Return what the operator knows the server as."""
        return self._server.label

    @property
    def window_tokens(self) -> int:
        """Return the context in use: the configured one, or the model's own once known to be smaller.

        Thoughts need room beside it.
        """
        made_for = self._facts.context_tokens if self._facts else None
        room = max(0, made_for - self._server.thought_tokens) if made_for else self._wanted_tokens
        return min(self._wanted_tokens, room)

    def estimate_tokens(self, text: str) -> int:
        """Return a cautious estimate, sharpened by what the server counted in earlier prompts."""
        return self._gauge.estimate(text)

    async def identity(self) -> str:
        """Return what decides an answer besides the request; a server that is down is not asked each time."""
        facts = await self._known(guarded=True)
        return f"{facts.digest}:{self.window_tokens}:{self._options}"

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()

    async def check(self) -> ModelFacts:
        """Ask the server now what it is and has; also the way to learn ``window_tokens`` before first use.

        Raises:
            Transient: it is out of reach.
            Permanent: it is too old to be safe, lacks the model, or the model runs in a cloud.
        """
        self._facts_at = -math.inf
        facts = await self._known()
        loaded = await self._server.loaded()
        return replace(facts, loaded_tokens=loaded.context_tokens, gpu_share=loaded.gpu_share)

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return a complete answer; one that is empty, loops or breaks off is asked for once more.

        The second try has another seed. If it fails too, the model is unloaded, so that the next request
        finds it fresh.
        """
        completions = [await self._exchange(request, self._deadlines.total_s)]
        if completions[0].fault is not None:
            again = replace(request, seed=request.seed + _SECOND_SEED)
            left_s = self._deadlines.total_s - completions[0].duration_s
            completions.append(await self._exchange(again, left_s))
        reply = self._reply(request, completions)
        if (fault := completions[-1].fault) is not None:
            unloaded = await self._unloaded()
            raise Broken(
                f"the model's answer is useless, {fault}{'; the model was unloaded' * unloaded}", reply
            )
        if completions[-1].reason == "length":
            raise Broken(f"the answer was cut at {request.max_output_tokens} tokens", reply)
        return reply

    def _reply(self, request: ModelRequest, completions: Sequence[_Completion]) -> ModelReply:
        """Return the last answer, with what all of them cost; what the server did not count is estimated."""
        last, sent = completions[-1], self._gauge.estimate(request.system + request.prompt)
        read = [sent if one.prompt_tokens is None else one.prompt_tokens for one in completions]
        written = [
            self._gauge.estimate(one.text) if one.output_tokens is None else one.output_tokens
            for one in completions
        ]
        return ModelReply(
            text=last.text,
            model=self._model,
            digest=last.digest,
            prompt_tokens=sum(read),
            output_tokens=sum(written),
            duration_s=sum(one.duration_s for one in completions),
            first_token_s=last.first_token_s,
            thought_chars=last.thought_chars,
        )

    async def _unloaded(self) -> bool:
        with suppress(Transient, Permanent, TimeoutError):
            async with asyncio.timeout(_LOOKUP_S):
                return await self._server.unload()
        return False

    async def _exchange(self, request: ModelRequest, limit_s: float) -> _Completion:
        """Make one request, when it is our turn and the server is not known to be down."""
        self._breaker.check()
        async with self._slots:
            with self._breaker.call():
                started = self._monotonic()
                try:
                    async with asyncio.timeout(limit_s):
                        facts = await self._known()
                        self._refuse_overlong(request)
                        completion = await self._collect(request, facts)
                except TimeoutError:
                    msg = f"the model did not finish in {self._deadlines.total_s:g} s"
                    raise Useless(msg) from None
        if completion.reason != _LOOP and completion.prompt_tokens is not None:
            self._refuse_truncated(request, completion.prompt_tokens)
        return replace(completion, digest=facts.digest, duration_s=self._monotonic() - started)

    def _refuse_overlong(self, request: ModelRequest) -> None:
        least = self._gauge.least(request.system + request.prompt) + request.max_output_tokens
        if least + _TEMPLATE_TOKENS > self.window_tokens:
            msg = f"the prompt does not fit: at least {least} of {self.window_tokens} tokens with the answer"
            raise Permanent(msg)

    async def _collect(self, request: ModelRequest, facts: ModelFacts) -> _Completion:
        text, thoughts, checked, began = "", 0, 0, self._monotonic()
        most_chars = (request.max_output_tokens + self._server.thought_tokens) * _CHARS_PER_TOKEN
        async with aclosing(self._server.parts(request, facts, self.window_tokens)) as stream:
            part = await _next(stream, self._deadlines.first_token_s, "the model has not begun to answer")
            first_s = self._monotonic() - began
            while part.reason is None:
                text += part.text
                thoughts += part.thought_chars
                if len(text) - checked > _REPEAT_CHECK_CHARS:
                    checked = len(text)
                    if repeats(text):
                        return _Completion(text, _LOOP, None, None)
                if len(text) + thoughts > most_chars:
                    msg = "the model answers more than it was asked for"
                    raise Useless(msg)
                part = await _next(stream, self._deadlines.gap_s, "the model has stopped answering")
        text += part.text
        said = without_thoughts(text)
        thoughts += len(text) - len(said)
        return _Completion(
            said,
            part.reason,
            part.prompt_tokens,
            part.output_tokens,
            first_token_s=first_s,
            thought_chars=thoughts,
        )

    def _refuse_truncated(self, request: ModelRequest, counted: int) -> None:
        """Refuse an answer to a prompt that the server cut, for all that it was told.

        A server that cuts keeps about half of its context; a count of exactly that much gives it away, unless the
        prompt is so short that there was nothing to cut.
        """
        sent = request.system + request.prompt
        long = self._gauge.estimate(sent) + request.max_output_tokens > self.window_tokens
        cut = {self.window_tokens // 2 + extra for extra in (1, 2, 3)} if long else set()
        if counted in cut or counted < self._gauge.least(sent):
            msg = (
                f"{self._server.label} read only {counted} tokens of a prompt of {len(sent)} characters: "
                "update the server, or give the model a larger context"
            )
            raise Permanent(msg)
        self._gauge.learn(sent, counted)

    async def _known(self, *, guarded: bool = False) -> ModelFacts:
        """Return the facts, asked for again when they are old; *guarded* by the breaker unless the caller is."""
        async with self._lookup:
            if self._facts is None or self._monotonic() - self._facts_at > _FACTS_KEPT_S:
                if guarded:
                    self._breaker.check()
                try:
                    self._facts = await self._look_up()
                except Transient as error:
                    if guarded:
                        self._breaker.failed(error)
                    raise
                self._facts_at = self._monotonic()
            return self._facts

    async def _look_up(self) -> ModelFacts:
        try:
            async with asyncio.timeout(_LOOKUP_S):
                return await self._server.facts()
        except TimeoutError:
            msg = f"{self._server.label} does not answer in time"
            raise Transient(msg) from None


async def _next(stream: AsyncGenerator[Part, None], limit_s: float, late: str) -> Part:
    try:
        async with asyncio.timeout(limit_s):
            return await anext(stream)
    except TimeoutError:
        msg = f"{late} for {limit_s:g} s"
        raise Transient(msg) from None
    except StopAsyncIteration:
        msg = "the model's answer broke off"
        raise Transient(msg) from None
