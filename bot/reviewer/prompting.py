"""The prompts of one run: made when it is reviewed, and made again when what was asked is to be known later."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.domain.context import Context
from bot.domain.diff import Diff
from bot.domain.prompt import Limits, Prompts, build
from bot.domain.run import Run
from bot.ports import Model
from bot.reviewer.guides import Guides


def prompts_of(
    run: Run,
    diff: Diff,
    heads: Mapping[str, str],
    context: Context,
    *,
    model: Model,
    guides: Guides,
    redact: Callable[[str], str],
) -> Prompts:
    """Return what *model* is asked about *diff*, which is the change of *run* or what is new in it.

    The same arguments give the same prompts, byte for byte, as long as the model's window and its estimate of tokens
    stay the same.
    """
    return build(
        diff,
        heads,
        title=run.title,
        description=run.description,
        system=guides.find.system,
        limits=Limits.of(model.name, model.window_tokens),
        estimate=model.estimate_tokens,
        redact=redact,
        language=run.policy.review.language,
        context=context,
    )
