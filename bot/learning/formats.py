"""The kinds of data sets; imports nothing, since the command line needs it for its help."""

from __future__ import annotations

import enum


class Format(enum.StrEnum):
    """What kind of training the rows are for."""

    sft = "sft"
    kto = "kto"
    dpo = "dpo"
    classifier = "classifier"

    @property
    def asks(self) -> bool:
        """Say whether its rows hold prompts."""
        return self is not Format.classifier

    @property
    def whole(self) -> bool:
        """Say whether an answer of its rows is all that there is to say to the prompt."""
        return self in {Format.sft, Format.dpo}
