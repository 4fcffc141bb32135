"""The document of the API: complete, in step with the code, with examples that are true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from bot.web.api.listing import listing
from bot.web.api.reference import reference

DOCUMENT = json.loads(reference())
OPERATIONS = {
    f"{method} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


def test_the_copy_in_docs_is_the_document():
    """`.venv/bin/python -m bot.web.api.reference > docs/openapi.json` makes it anew."""
    assert (Path(__file__).parents[3] / "docs/openapi.json").read_text(encoding="utf-8") == reference()


async def test_it_is_made_once_somebody_asks_for_it():
    """No start of a process waits for it."""
    made = []

    def make() -> dict[str, Any]:
        made.append(DOCUMENT)
        return DOCUMENT

    app = FastAPI()
    app.include_router(listing(make))
    assert made == []
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://cloister.test"
    ) as client:
        answers = [(await client.get("/api/v1/openapi.json")).json() for _ in range(2)]
    assert [DOCUMENT, DOCUMENT] == answers
    assert len(made) == 1


def test_operations_have_names_of_their_own():
    """By which clients are generated."""
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_may_happen(name: str):
    """How one says who one is, every error in the one form, and what is answered."""
    operation = OPERATIONS[name]
    answers = {status: _resolved(answer) for status, answer in operation["responses"].items()}

    assert operation["description"]
    assert operation["security"]
    assert {"401", "403", "422", "429", "503"} <= set(answers)
    for status, answer in answers.items():
        assert status.startswith("2") or answer["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Failed"
        }


@pytest.mark.parametrize("name", OPERATIONS)
def test_examples_fit(name: str):
    """Each example is what its schema says."""
    for answer in OPERATIONS[name]["responses"].values():
        for kind, content in _resolved(answer).get("content", {}).items():
            if kind == "application/json":
                schema = {**content["schema"], "components": DOCUMENT["components"]}
                Draft202012Validator(schema).validate(content["example"])


def _resolved(value: dict[str, Any]) -> dict[str, Any]:
    found = DOCUMENT
    for part in value.get("$ref", "").split("/")[1:]:
        found = found[part]
    return found if "$ref" in value else value
