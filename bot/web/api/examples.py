"""Examples for the document of the API, put together from what fields are called and what they may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ID = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
_SHA = "5f2b7c0de1a94368b0c1d2e3f4a5968778695a4b"
_TIME = "2026-05-29T09:30:00Z"

#: What a field of this name holds; others hold a value of their type.
_BY_NAME: Mapping[str, Any] = {
    "acted_on": 348,
    "action": "token.create",
    "actor": "gitlab:7:lea",
    "branch": "main",
    "category": "readability",
    "count": 201,
    "description": "1 blocking finding",
    "detail": "",
    "digest": "63fb193b3a9b",
    "error": "Permanent",
    "fingerprint": "ab12cd34" * 4,
    "form_token": "9c1e",
    "generated": 1984,
    "granted_by": "lea",
    "hash": "6d3f" * 16,
    "head_sha": _SHA,
    "head": f"12:{'6d3f' * 16}",
    "high": 0.53,
    "kind": "scan.requested",
    "label": "accepted_strong",
    "language": "python",
    "leads": True,
    "limit": 50,
    "low": 0.44,
    "meaning": "Comments whose suggestion was applied, of those that people decided about.",
    "model": "deepseek-coder-v2:16b",
    "of": 416,
    "outcome": "done",
    "path": "retail/shop",
    "previous": "2c7a" * 16,
    "problem": "",
    "project": "retail/shop",
    "prompt_version": "review v7",
    "reason": "the vendor mends it in June",
    "role": "tech lead",
    "rule": "python.sql-from-format",
    "scanner": "semgrep",
    "severity": "high",
    "sha": _SHA,
    "stage": "scan",
    "state": "finished",
    "subject": "nightly-report",
    "target_branch": "main",
    "title": "SQL is built from a name",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "url": "https://cloister.example/verdicts/1b4e28ba",
    "username": "lea",
    "value": 0.48,
    "why": "0 of 12 accepted, which is beyond chance",
}
#: What there is none of: no next page, and nothing against a label that says what people think.
_ABSENT = frozenset({"censored_why", "next"})
_BY_TYPE: Mapping[str, Any] = {"integer": 12, "number": 0.5, "boolean": False, "string": "text", "null": None}
_BY_FORMAT: Mapping[str, Any] = {"uuid": _ID, "date": "2026-05-29", "date-time": _TIME}


def example(schema: Mapping[str, Any], named: Mapping[str, Any], name: str = "") -> Any:
    """Return a value that fits *schema*; ``named`` are the schemas that it may refer to."""
    if name in _ABSENT:
        return None
    if "$ref" in schema:
        return example(named[schema["$ref"].rpartition("/")[2]], named, name)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], named, name)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {key: example(value, named, key) for key, value in properties.items()}
    if schema.get("type") == "array":
        return [example(schema["items"], named, name)]
    return _scalar(schema, name)


def _scalar(schema: Mapping[str, Any], name: str) -> Any:
    kind = schema.get("type", "string")
    if "format" in schema:
        return _BY_FORMAT[schema["format"]]
    said = _BY_NAME.get(name, _BY_TYPE[kind])
    fits = {"integer": int, "number": float, "string": str, "boolean": bool}
    return said if isinstance(said, fits[kind]) else _BY_TYPE[kind]
