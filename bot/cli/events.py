"""`cloister events`: the event kinds and their fields, from the one list of them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import print_json, print_table

if TYPE_CHECKING:
    from bot.domain.events import Event


def events(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the kinds of events, the stage that consumes each, and their fields.

    Example: `cloister events --json | jq '.[].kind'`
    """
    from bot.domain.events import EVENTS

    entries = [described(event) for event in EVENTS.values()]
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        typer.secho(f"{entry['kind']} v{entry['version']} -> {entry['stage']}", bold=True)
        typer.echo(f"  {entry['description']}")
        print_table(
            ["  Field", "Type", "Meaning"],
            [[f"  {field['name']}", field["type"], field["description"]] for field in entry["fields"]],
        )
        typer.echo()


def described(event: type[Event]) -> dict[str, Any]:
    """Return kind, version, stage, meaning and fields of an event class."""
    schema = event.model_json_schema()
    required = schema.get("required", [])
    return {
        "kind": event.kind,
        "version": event.version,
        "stage": event.stage.value,
        "description": inspect.getdoc(event),
        "fields": [
            {
                "name": name,
                "type": _type(field),
                "required": name in required,
                "description": field.get("description", ""),
            }
            for name, field in schema["properties"].items()
        ],
    }


def _type(schema: dict[str, Any]) -> str:
    """Return a JSON Schema type as a reader says it."""
    if "anyOf" in schema:
        return " or ".join(_type(choice) for choice in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return str(schema.get("format") or schema.get("type", "any"))
