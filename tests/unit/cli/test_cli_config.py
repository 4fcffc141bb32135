"""`cloister config show` and `cloister events`."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.config import described
from bot.cli.events import described as described_event
from bot.domain.events import EVENTS, Event
from bot.settings import SettingsError, load
from tests.unit.cli.command import run


def test_values_come_with_their_origin(tmp_path: Path):
    """Somebody who wonders about a value sees where it was set."""
    config = tmp_path / "c.toml"
    config.write_text("concurrency = 9\n")

    result = run("--config", str(config), "config", "show", "--json", CLOISTER_LOG_LEVEL="debug")

    entries = {entry["name"]: (entry["value"], entry["origin"]) for entry in json.loads(result.stdout)}
    assert entries["concurrency"] == (9, str(config))
    assert entries["log_level"] == ("debug", "environment")
    assert entries["model_url"] == (None, "default")


def test_the_table_shows_the_same():
    """Without --json the values are a table."""
    result = run("config", "show", CLOISTER_MODEL="my-model", CLOISTER_MARKER_KEY="k" * 30)

    (line,) = [line.split() for line in result.stdout.splitlines() if line.startswith("CLOISTER_MODEL ")]
    assert line == ["CLOISTER_MODEL", "my-model", "environment"]
    assert "kkk" not in result.stdout


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=40).map("x9!{}".format))
def test_secrets_are_masked_without_their_length(secret: str):
    """Any secret looks the same."""
    environ = {
        "CLOISTER_GITLAB_TOKEN": secret,
        "CLOISTER_WEBHOOK_SECRET": secret,
        "CLOISTER_DATABASE_URL": f"postgresql://user:{secret}@db/name",
    }
    try:
        entries = {entry["name"]: entry["value"] for entry in described(load(environ=environ, dotenv=None))}
    except SettingsError:
        return  # not every text can stand in a URL

    assert (entries["gitlab_token"], entries["webhook_secret"]) == ("****", "****")
    assert secret not in str(entries)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@db:5432/name", "postgresql://u:****@db:5432/name"),
        ("postgresql://u@db/name", "postgresql://u@db/name"),
        ("postgresql:///name?host=/run&password=p", "postgresql:///name?****"),
    ],
)
def test_of_a_database_url_only_the_password_is_masked(url: str, shown: str):
    """The rest helps to find out which database is meant."""
    entries = described(load(environ={"CLOISTER_DATABASE_URL": url}, dotenv=None))

    assert [entry["value"] for entry in entries if entry["name"] == "database_url"] == [shown]


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())
def test_every_event_is_listed_with_all_its_fields(event: type[Event]):
    """The list is made from the classes."""
    entry = described_event(event)

    assert (entry["kind"], entry["stage"]) == (event.kind, event.stage)
    assert {field["name"] for field in entry["fields"]} == set(event.model_fields)
    assert all(field["type"] not in {"", "any"} for field in entry["fields"])
    assert entry["description"]


def test_events_are_printed_for_people_and_programs():
    """Both forms name every kind."""
    assert [entry["kind"] for entry in json.loads(run("events", "--json").stdout)] == list(EVENTS)
    assert all(f"{kind} v" in run("events").stdout for kind in EVENTS)
