"""Have a model say what scanners' findings mean here, and how to mend them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.errors import CloisterError
from bot.domain.excerpt import Excerpt
from bot.domain.explanations import (
    ANSWER_TOKENS,
    FRAME,
    MOST_EXPLAINED,
    Explained,
    question,
    read_explanations,
)
from bot.domain.findings import Finding
from bot.domain.prompt import Instructions
from bot.domain.reconcile import urgency
from bot.domain.records import Task
from bot.domain.window import batches, showing, windows
from bot.ports import ModelRequest
from bot.reviewer.asking import Asker, Ledger

_TEMPLATE_TOKENS = 64
_PROMPT_TOKENS = 4_000
#: Categories whose texts are fixed: their code is not for a model.
_FIXED = frozenset({"secret"})


async def explain(
    static: Sequence[Finding],
    excerpts: Sequence[Excerpt],
    guide: Instructions,
    asker: Asker,
    ledger: Ledger,
    *,
    language: str,
) -> tuple[Explained, str]:
    """Return what one request adds to the gravest of *static* that *excerpts* show, and why it adds nothing.

    Never about a secret: of those no word goes to a model.
    """
    worth = [
        one for one in static if one.category not in _FIXED and not one.commit and showing(one, excerpts)
    ]
    model = asker.models[Task.review]
    room = (
        model.window_tokens - ANSWER_TOKENS - _TEMPLATE_TOKENS - model.estimate_tokens(guide.system + FRAME)
    )

    def fits(group: Sequence[Finding]) -> bool:
        return model.estimate_tokens(question(group, windows(group, excerpts))) <= min(room, _PROMPT_TOKENS)

    group = next(batches(sorted(worth, key=urgency), most=MOST_EXPLAINED, fits=fits), ())
    if not group:
        return Explained(), ""
    shown = windows(group, excerpts)
    spoken = "" if language == "en" else f" Write in the language with the code {language}."
    request = ModelRequest(
        guide.system, question(group, shown) + spoken, guide.schema, max_output_tokens=ANSWER_TOKENS
    )
    try:
        explained = await asker.ask(
            Task.review,
            request,
            lambda text: read_explanations(text, group, shown, language=language),
            version=guide.version,
            ledger=ledger,
        )
    except CloisterError as error:
        return Explained(), str(error)
    return explained, ""
