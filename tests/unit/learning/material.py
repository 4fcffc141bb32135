"""Material for data sets, as it would be gathered."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta
from typing import Any

from bot.domain.labels import Label
from bot.learning.rows import Material, Prompt
from tests.histories import HOUR, START, telling

WORDS = [
    "query",
    "user",
    "input",
    "table",
    "row",
    "cache",
    "index",
    "lock",
    "file",
    "path",
    "token",
    "list",
    "loop",
    "value",
    "error",
    "buffer",
    "key",
    "time",
]


def text(chance: random.Random, count: int = 40) -> str:
    """Return words in any order, so that two texts are not alike."""
    return " ".join(chance.choices(WORDS, k=count))


def material(number: int, *, accepted: bool, iid: int | None = None, **values: Any) -> Material:
    """Return a comment of the model with a clear label, about code of its own."""
    chance = random.Random(number)
    tell = telling(iid or number)
    comment = tell.comment.model_copy(
        update={
            "id": uuid.UUID(int=number),
            "scanner": "model",
            "rule": "correctness",
            "language": "python",
            "model": "deepseek",
            "model_digest": "d" * 64,
            "prompt_version": "v1",
        }
    )
    code = f"src/{number}.py\n+{text(chance)}"
    words = f"Title {number}\n{text(chance)}"
    usual: dict[str, Any] = {
        "comment": comment,
        "label": Label.accepted_strong if accepted else Label.rejected_strong,
        "reasons": (uuid.UUID(int=10**6 + number),),
        "merged_at": START + (iid or number) * HOUR + timedelta(days=1),
        "people": 1,
        "code": code,
        "words": words,
        "prompt": Prompt(f"{iid or number:064x}", "Review.", f"Title: change {iid or number}\n{code}"),
        "answer": {"path": "a.py", "line": number, "title": f"Title {number}", "message": words},
    }
    return Material(**{**usual, **values})


def many(count: int) -> list[Material]:
    """Return material of which every other one was accepted, two of each merge request."""
    return [material(n, accepted=n % 2 == 0, iid=1 + n // 2) for n in range(1, count + 1)]
