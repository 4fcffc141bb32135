"""Several servers with the same model: ask the least busy healthy one, and once another if it is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bot.adapters.model_chat import ChatModel
from bot.adapters.model_errors import Unfit
from bot.domain.errors import CloisterError, Permanent, Transient
from bot.domain.said import Useless
from bot.ports import Embeddings, ModelReply, ModelRequest

#: A server that failed is left alone for so long, unless there is no other.
_AVOIDED_S: Final = 30.0
#: One try, and one more on another server; servers that cannot be used at all do not count.
_TRIES: Final = 2

Member = TypeVar("Member")
Result = TypeVar("Result")


@dataclass
class _Seat(Generic[Member]):
    """Hold one server, how many of its places are taken, and whether it may be trusted."""

    member: Member
    places: int
    busy: int = 0
    avoided_until: float = 0.0
    proven: bool = True

    @property
    def room(self) -> bool:
        """Say whether one more request may go there: one at a time until one has succeeded."""
        return self.busy < (self.places if self.proven else 1)


class Pool(Generic[Member]):
    """Share out calls among *members*.

    Args:
        members: each with the number of calls that it takes at a time; the first of equals is preferred.
        monotonic: seconds that never go back.
    """

    def __init__(
        self, members: Sequence[tuple[Member, int]], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        if not members:
            msg = "no model server is configured: set CLOISTER_MODEL_URL"
            raise Permanent(msg)
        self._seats = [_Seat(member, places) for member, places in members]
        self._monotonic = monotonic
        self._changed = asyncio.Event()

    @property
    def members(self) -> list[Member]:
        """Return all members, in the order given."""
        return [seat.member for seat in self._seats]

    async def run(self, call: Callable[[Member], Awaitable[Result]]) -> Result:
        """Return what *call* returns for one member; another one is tried when the first is away.

        Raises:
            Transient: all that were tried are away, or the answer is of no use.
            Permanent: the request is at fault, or no server can be used.
        """
        failed: list[Transient] = []
        unfit: list[Unfit] = []
        tried: list[_Seat[Member]] = []
        while len(failed) < _TRIES and len(tried) < len(self._seats):
            seat = await self._take(tried)
            tried.append(seat)
            try:
                result = await call(seat.member)
            except Useless:
                seat.proven = True
                raise
            except Transient as error:
                self._avoid(seat)
                failed.append(error)
            except Unfit as error:
                self._avoid(seat)
                unfit.append(error)
            else:
                seat.proven, seat.avoided_until = True, 0.0
                return result
            finally:
                seat.busy -= 1
                self._changed.set()
        raise _joined(failed, unfit)

    async def _take(self, tried: Sequence[_Seat[Member]]) -> _Seat[Member]:
        """Return a seat with one more place taken, after waiting until there is one."""
        while True:
            now = self._monotonic()
            left = [seat for seat in self._seats if seat not in tried]
            trusted = [seat for seat in left if seat.avoided_until <= now]
            free = [seat for seat in trusted or left if seat.room]
            if free:
                seat = min(free, key=lambda one: one.busy / one.places)
                seat.busy += 1
                return seat
            self._changed.clear()
            await self._changed.wait()

    def _avoid(self, seat: _Seat[Member]) -> None:
        seat.proven, seat.avoided_until = False, self._monotonic() + _AVOIDED_S


def _joined(failed: Sequence[Transient], unfit: Sequence[Unfit]) -> Transient | Unfit:
    """Return one error for all: what may pass counts for more than what will not."""
    said = "; ".join(dict.fromkeys(str(error) for error in (*failed, *unfit)))
    if not failed:
        return Unfit(said)
    waits = [error.retry_after_s for error in failed if error.retry_after_s is not None]
    return Transient(said, retry_after_s=min(waits) if len(waits) == len(failed) else None)


class PooledModel:
    """Answer prompts through the least busy of several servers.

    Args:
        models: the same model on each server, with the number of requests that it takes at a time.
        monotonic: seconds that never go back.
    """

    def __init__(
        self, models: Sequence[tuple[ChatModel, int]], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = Pool(models, monotonic=monotonic)
        self._monotonic = monotonic
        self._identities: dict[ChatModel, str] = {}
        self._silent_until: dict[ChatModel, float] = {}

    @property
    def members(self) -> list[ChatModel]:
        """Return the model on each server."""
        return self._pool.members

    @property
    def name(self) -> str:
        """Return the configured model name."""
        return self.members[0].name

    @property
    def window_tokens(self) -> int:
        """Return what fits on every server, as far as they are known."""
        return min(model.window_tokens for model in self.members)

    def estimate_tokens(self, text: str) -> int:
        """Return the most cautious estimate."""
        return max(model.estimate_tokens(text) for model in self.members)

    async def identity(self) -> str:
        """Return the identities of all servers that were ever reached; it is one where all have the same model.

        Raises:
            Transient: none was ever reached.
            Permanent: none can be used.
        """
        now = self._monotonic()
        # One that did not answer is not waited for each time.
        asked = [model for model in self.members if self._silent_until.get(model, now) <= now] or self.members
        results = await asyncio.gather(*(model.identity() for model in asked), return_exceptions=True)
        errors: list[CloisterError] = []
        for model, result in zip(asked, results, strict=True):
            if isinstance(result, str):
                self._identities[model] = result
                continue
            if not isinstance(result, CloisterError):
                raise result
            errors.append(result)
            self._silent_until[model] = now + _AVOIDED_S
            if isinstance(result, Unfit):
                self._identities.pop(model, None)
        if not self._identities:
            raise next((error for error in errors if isinstance(error, Transient)), errors[0])
        return " ".join(sorted(set(self._identities.values())))

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Return a complete answer, of the first server that can give one."""
        return await self._pool.run(lambda model: model.answer(request))

    async def close(self) -> None:
        """Close the connections."""
        for model in self.members:
            await model.close()


class PooledEmbeddings:
    """Make vectors on the least busy of several servers, which must have the same model.

    Args:
        members: the same model on each server, with the number of requests that it takes at a time.
    """

    def __init__(self, members: Sequence[tuple[Embeddings, int]]) -> None:
        self._pool = Pool(members)

    @property
    def name(self) -> str:
        """Return the configured model name."""
        return self._pool.members[0].name

    async def identity(self) -> str:
        """Return the identity that a server in use gives."""
        return await self._pool.run(lambda member: member.identity())

    async def dimension(self) -> int:
        """Return the length of a vector."""
        return await self._pool.run(lambda member: member.dimension())

    async def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Return a vector for each of *texts*."""
        return await self._pool.run(lambda member: member.embed(texts))
