"""A model whose calls are counted."""

from __future__ import annotations

import json

from bot.domain.errors import CloisterError
from bot.domain.evaluation.report import Calls
from bot.ports import Model, ModelReply, ModelRequest


class ObservedModel:
    """Pass questions on to *model* and count what comes back; models that share *tally* count together."""

    def __init__(self, model: Model, tally: Tally) -> None:
        self._model = model
        self._tally = tally

    @property
    def name(self) -> str:
        """Return the configured model name."""
        return self._model.name

    @property
    def window_tokens(self) -> int:
        """Return the model's window; see the port."""
        return self._model.window_tokens

    async def identity(self) -> str:
        """Return what decides answers; see the port."""
        return await self._model.identity()

    def estimate_tokens(self, text: str) -> int:
        """Return an estimate; see the port."""
        return self._model.estimate_tokens(text)

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return an answer; see the port."""
        try:
            reply = await self._model.answer(request)
        except CloisterError:
            self._tally.calls = _plus(self._tally.calls, failed=1)
            raise
        self._tally.digest = reply.digest
        self._tally.calls = _plus(
            self._tally.calls,
            made=1,
            usable=int(has_form(reply.text, request)),
            prompt_tokens=reply.prompt_tokens,
            output_tokens=reply.output_tokens,
        )
        return reply


class Tally:
    """Hold what models were asked since the last `reset`."""

    def __init__(self) -> None:
        self.calls = Calls()
        self.digest = ""

    def reset(self) -> None:
        """Start to count anew."""
        self.calls = Calls()


def has_form(text: str, request: ModelRequest) -> bool:
    """Say whether *text* is nothing but a JSON object with what the schema of *request* requires of it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and set(request.schema.get("required", ())) <= set(value)


def _plus(calls: Calls, **more: int) -> Calls:
    return calls.model_copy(update={name: getattr(calls, name) + count for name, count in more.items()})
