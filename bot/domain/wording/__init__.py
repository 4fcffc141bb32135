"""All that we say to people, in the languages that we speak.

A text that a catalogue lacks cannot be left out: each is a field without a default.
"""

from __future__ import annotations

from bot.domain.wording.chinese import CHINESE
from bot.domain.wording.english import ENGLISH
from bot.domain.wording.texts import CommentText, Fate, SummaryText, Talk, Wording

__all__ = ["LANGUAGES", "CommentText", "Fate", "SummaryText", "Talk", "Wording", "spoken_in", "wording"]

#: By the code of the language alone: zh-TW gets what zh has.
LANGUAGES = {"en": ENGLISH, "zh": CHINESE}


def wording(language: str) -> Wording:
    """Return our texts in *language*, as in ``en`` or ``zh-CN``; in English where we do not speak it."""
    return LANGUAGES[spoken_in(language)]


def spoken_in(language: str) -> str:
    """Return the code of the language that our texts are in where *language* is wanted."""
    code = language.partition("-")[0].lower()
    return code if code in LANGUAGES else "en"
