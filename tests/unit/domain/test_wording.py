"""Every language says everything, about the same things, and nothing that acts."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.domain.findings import Confidence, Severity
from bot.domain.proof import evidence
from bot.domain.risk import Ground, Level
from bot.domain.suggestion import Refusal
from bot.domain.wording import LANGUAGES, wording
from bot.domain.wording.chinese_phrases import PHRASES
from bot.domain.wording.phrases import Phrases

OTHERS = [language for language in LANGUAGES if language != "en"]


def texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with the path to it; phrases apart, which have no English."""
    if isinstance(value, str):
        yield where, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name), f"{where}.{field.name}")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from texts(one, f"{where}.{key}")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_says_all_that_english_does(language: str) -> None:
    """With the same placeholders, which a translation must not lose."""
    english, other = (dict(texts(LANGUAGES[one])) for one in ("en", language))
    assert set(english) == set(other)
    assert [] == [
        where
        for where, text in english.items()
        if not (placeholders(other[where]) <= placeholders(text) and bool(other[where]) == bool(text))
    ]
    lost = [
        where
        for where, text in english.items()
        if placeholders(text) - {"count"} - placeholders(other[where])
    ]
    assert lost == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_maps_are_complete(language: str) -> None:
    """A severity, level or ground without a word would end a publication."""
    words = wording(language)
    assert set(Severity) == set(words.severities)
    assert set(Confidence) == set(words.confidences)
    assert (set(Level), set(Ground)) == (set(words.risk.levels), set(words.risk.reasons))


@pytest.mark.parametrize("language", OTHERS)
def test_another_language_is_another_language(language: str) -> None:
    """Nothing stays in English but names and codes."""
    ascii_only = {
        where for where, text in texts(LANGUAGES[language]) if text.isascii() and re.search("[a-z]{3}", text)
    }
    assert ascii_only <= {".language"}


def test_unknown_languages_get_english() -> None:
    """Regions do not matter."""
    assert wording("fr").language == wording("en-GB").language == "en"
    assert wording("zh-TW").language == wording("zh").language == "zh"


def test_reasons_of_refused_fixes_are_translated() -> None:
    """All of them."""
    assert [] == [refusal for refusal in Refusal if refusal.value not in PHRASES]


def test_phrases_are_those_that_are_said() -> None:
    """A phrase that nobody says any more is a translation of nothing."""
    root = Path(__file__).parents[3]
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("bot", "consumers")
        for path in (root / folder).rglob("*.py")
        if "wording" not in path.parts
    ]
    flat = re.sub(r"\s+", " ", "\n".join(sources))
    pieces = {
        phrase: [piece for piece in re.split(r"\{\w+\}", phrase) if len(piece.strip(" ()")) > 2]
        for phrase in PHRASES
    }
    names = {"secrets", "semgrep", "dependencies", "secrets and semgrep"}
    missing = [
        phrase
        for phrase, parts in pieces.items()
        if phrase not in names and not all(part in flat for part in parts)
    ]
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_scanner_that_checked_a_fix_is_named(language: str) -> None:
    """A translation must not lose one of them."""
    proven = evidence(["gone:semgrep", "clean:secrets", "clean:semgrep"])
    gone, clean = map(wording(language).phrases.say, proven)
    assert gone == "semgrep 不再报告此问题"
    assert clean == "密钥扫描和 semgrep 没有报告新问题"


def test_what_stands_in_a_phrase_is_translated_too() -> None:
    """And what is not known stays as it is, whatever it holds."""
    phrases = Phrases({"lock file": "锁文件", "{reason}; only {who} looked": "{reason}；只有{who}看过"})
    assert phrases.say("lock file; only {x} looked") == "锁文件；只有{x}看过"
    assert phrases.say("something {else}") == "something {else}"
    assert phrases.say("") == ""
