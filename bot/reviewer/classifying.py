"""Say what a reply says: by the model where there is one that answers soon, or else by rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.domain import replies, reply_question
from bot.domain.errors import CloisterError
from bot.domain.prompt import Instructions, instructions
from bot.domain.records import Task
from bot.domain.reply_question import FRAME, SCHEMA
from bot.domain.signals import Comment, ReplyClass
from bot.ports import ModelRequest
from bot.resources import resource
from bot.reviewer.asking import Asker, Ledger

log = structlog.get_logger()

#: The answer is one word; a model that is busy with reviews is not waited for.
_LIMIT_S = 30.0


def guide() -> Instructions:
    """Return the instructions as this release has them."""
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in (resource("rules") / "reply").glob("*.md")
    }
    return instructions(texts, SCHEMA, FRAME)


@dataclass(frozen=True, slots=True)
class Said:
    """Hold a class and by which version of what it was told."""

    kind: ReplyClass
    by: str


@dataclass(frozen=True)
class Classifier:
    """Classify replies; one for all of a process.

    Args:
        asker: asks the models, None where there are none.
        guide: what the model is told.
        redact: masks secrets, before anybody sees the text.
        limit_s: how long a model may take.
    """

    asker: Asker | None
    guide: Instructions
    redact: Callable[[str], str]
    limit_s: float = _LIMIT_S

    async def classify(self, comment: Comment, text: str) -> Said:
        """Return what *text* says about *comment*; it never fails, and keeps nothing of *text*."""
        shown = await asyncio.to_thread(self.redact, text[: replies.READ_CHARS])
        if self.asker is not None and shown.strip():
            try:
                async with asyncio.timeout(self.limit_s):
                    return Said(await self._asked(self.asker, comment, shown), f"model:{self.guide.version}")
            except (CloisterError, TimeoutError) as error:
                log.info("reply.by_rules", error=str(error) or "the model took too long")
        return Said(await asyncio.to_thread(replies.classified, shown), replies.VERSION)

    async def _asked(self, asker: Asker, comment: Comment, text: str) -> ReplyClass:
        request = ModelRequest(
            self.guide.system,
            reply_question.prompt(comment, text),
            self.guide.schema,
            max_output_tokens=reply_question.ANSWER_TOKENS,
        )
        return await asker.ask(
            Task.judge,
            request,
            reply_question.read,
            version=self.guide.version,
            ledger=Ledger(comment.run_id),
        )
