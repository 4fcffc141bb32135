"""What a rule says about its findings, in our own words or in those of other people's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from bot.domain.findings import Confidence, Severity
from bot.domain.merge_request import Value

#: Semgrep's scale -> ours.
_SEVERITIES = {
    "INFO": "info",
    "WARNING": "medium",
    "ERROR": "high",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "CRITICAL": "critical",
    "INVENTORY": "info",
    "EXPERIMENT": "info",
}
_TITLE_CHARS = 100
_TAG = re.compile(r"\b(?:CWE-\d+|A\d{2}:\d{4})")


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _tags(value: object) -> object:
    """Return the identifiers in *value*; other people's rules add the names, as in "CWE-89: SQL injection"."""
    if not isinstance(value, list | str):
        return value
    return [tag for text in _list(value) for tag in _TAG.findall(str(text)) or [text]]  # type: ignore[attr-defined]


_Tags = Annotated[tuple[str, ...], BeforeValidator(_tags), Field(strict=False)]


class Metadata(Value):
    """Hold what stands under ``metadata`` in a rule's file.

    ``default`` says whether the rule applies where the policy of a project does not mention it.
    """

    title: str = Field(min_length=1, max_length=_TITLE_CHARS)
    severity: Severity = Field(strict=False)
    confidence: Confidence = Field(strict=False)
    category: str = Field(min_length=1, max_length=50)
    cwe: _Tags = ()
    owasp: _Tags = ()
    references: Annotated[tuple[str, ...], BeforeValidator(_list), Field(strict=False)] = ()
    default: bool = True


def metadata_of(rule: Mapping[str, Any]) -> Metadata:
    """Return the metadata of a rule, from Semgrep's usual keys where ours are missing.

    Raises:
        ValidationError: a key has a value that cannot be used.
    """
    given: dict[str, Any] = dict(rule.get("metadata") or {})
    usual = {
        "title": _title(rule),
        "severity": _SEVERITIES.get(str(rule.get("severity")).upper(), "medium"),
        "confidence": "medium",
        "category": "security" if given.get("cwe") or given.get("owasp") else "correctness",
    }
    values = usual | {key: value for key, value in given.items() if value is not None}
    for key in ("severity", "confidence"):
        if isinstance(values[key], str):
            values[key] = values[key].lower()
    if values.get("default") in ("on", "off"):
        values["default"] = values["default"] == "on"
    return Metadata.model_validate({key: values[key] for key in Metadata.model_fields if key in values})


def _title(rule: Mapping[str, Any]) -> str:
    """Return the first sentence of the message if it is short, or else the last part of the id in words."""
    sentence = re.split(r"(?<=[.!?])\s|\n\n", str(rule.get("message", "")).strip(), maxsplit=1)[0]
    sentence = " ".join(sentence.split()).rstrip(".")
    if 0 < len(sentence) <= _TITLE_CHARS and "$" not in sentence:
        return sentence
    words = str(rule.get("id", "rule")).rpartition(".")[2].replace("-", " ").replace("_", " ").strip()
    return (words[:1].upper() + words[1:])[:_TITLE_CHARS] or "Rule"
