"""Sentences that other parts say in English, found again and said in another language."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Longer texts are no phrases of ours, and looking for fields in them takes long.
_MAX_CHARS = 400
_FIELD = re.compile(r"\\\{(\w+)\\\}")


class Phrases:
    """Translate whole phrases; ``{name}`` in one stands for any text, which is translated in its turn.

    What is not known stays as it is.
    """

    def __init__(self, phrases: Mapping[str, str]) -> None:
        self._plain = {known: said for known, said in phrases.items() if "{" not in known}
        self._forms = [
            (re.compile(_FIELD.sub(r"(?P<\1>.+?)", re.escape(known)), re.DOTALL), said)
            for known, said in phrases.items()
            if "{" in known
        ]

    def say(self, text: str) -> str:
        """Return *text* as these phrases say it."""
        if text in self._plain:
            return self._plain[text]
        if len(text) > _MAX_CHARS:
            return text
        for form, said in self._forms:
            if match := form.fullmatch(text):
                return said.format(**{name: self.say(value) for name, value in match.groupdict().items()})
        return text
