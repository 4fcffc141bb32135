"""The answers of this process, in front of those that are kept for all."""

from __future__ import annotations

from collections import OrderedDict

from bot.ports import Answers, ModelReply

_MOST = 512


class MemoryAnswers:
    """Keep the answers that were used last, at most *most*; what is not among them is asked of *behind*."""

    def __init__(self, behind: Answers | None = None, *, most: int = _MOST) -> None:
        self._behind = behind
        self._most = most
        self._kept: OrderedDict[str, ModelReply] = OrderedDict()

    async def find(self, key: str) -> ModelReply | None:
        """Return a kept answer; see the port."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        found = await self._behind.find(key) if self._behind else None
        if found is not None:
            self._remember(key, found)
        return found

    async def keep(self, key: str, reply: ModelReply) -> None:
        """Remember an answer; see the port."""
        if key in self._kept:
            return
        self._remember(key, reply)
        if self._behind:
            await self._behind.keep(key, reply)

    def _remember(self, key: str, reply: ModelReply) -> None:
        self._kept[key] = reply
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
