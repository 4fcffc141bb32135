"""What an operator runs, against a GitLab, a model server and a database that answer as real ones do."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.demo.gitlab.server import GitLabServer
from bot.demo.ollama import ScriptedOllama
from tests.kafka_secured import PASSWORD, USER, Secured
from tests.unit.cli.command import run

SECRET = "0123456789abcdef0123456789abcdef"
#: What the model server has.
MODEL = "deepseek-coder:6.7b"
SIGNING = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass(frozen=True)
class Place:
    """Hold a GitLab with one project and the settings of a Maintainer's token."""

    gitlab: GitLabServer
    environ: dict[str, str]


@pytest.fixture(params=["16.11", "19.0"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Serve GitLab, before and after it learnt to sign webhooks."""
    with GitLabServer(version=request.param) as gitlab:
        project = gitlab.create_project("group/app", {"README.md": "x\n"})
        _, token = gitlab.create_project_token(project, level=40)
        environ = {
            "CLOISTER_GITLAB_URL": gitlab.url,
            "CLOISTER_GITLAB_TOKEN": token,
            "CLOISTER_WEBHOOK_SECRET": SECRET,
            "CLOISTER_DATA_DIR": str(tmp_path),
        }
        yield Place(gitlab, environ)


def outcomes(*arguments: str, **environ: str) -> tuple[int, dict[str, str]]:
    """Run the doctor; return its exit status and the outcome of each check."""
    result = run("doctor", "--json", *arguments, **environ)
    return result.exit_code, {check["name"]: check["outcome"] for check in json.loads(result.stdout)}


def test_the_doctor_finds_a_good_place_good(place: Place):
    """Everything is there: the exit status is 0."""
    with ScriptedOllama() as ollama:
        status, found = outcomes(
            "--project", "group/app", **place.environ, CLOISTER_MODEL_URL=ollama.url, CLOISTER_MODEL=MODEL
        )

    assert status == 0
    names = ("settings", "gitlab", "token scopes", "project role", "model", "git", "scanner semgrep")
    assert {name: found[name] for name in names} == dict.fromkeys(names, "ok")


def test_the_doctor_names_what_is_wrong(place: Place):
    """A wrong token, a model that is not there and a dead database each fail for themselves."""
    with ScriptedOllama() as ollama:
        status, found = outcomes(
            **place.environ
            | {
                "CLOISTER_GITLAB_TOKEN": "glpat-wrong",
                "CLOISTER_MODEL_URL": ollama.url,
                "CLOISTER_MODEL": "missing",
                "CLOISTER_DATABASE_URL": "postgresql://u:p@127.0.0.1:9/d",
            }
        )

    assert status == 1
    assert (found["gitlab"], found["token"]) == ("ok", "fail")
    assert (found["model"], found["database"]) == ("fail", "fail")
    assert found["git"] == "ok"


def test_installing_a_webhook_twice_changes_nothing(place: Place):
    """The first run creates it, the second finds it, a rotation updates it."""
    arguments = ("hooks", "install", "group/app", "--url", "https://bot.example")

    said = [run(*arguments, *more, **place.environ).stdout.split(":")[0] for more in ((), (), ("--rotate",))]

    assert said == ["created", "unchanged", "updated"]
    (hook,) = next(iter(place.gitlab.instance.state.projects.values())).hooks
    assert (hook.url, hook.token) == ("https://bot.example/webhooks/gitlab", SECRET)
    assert {"merge_requests_events", "note_events"} <= hook.events


def test_a_dry_run_installs_nothing(place: Place):
    """It says what would happen."""
    result = run(
        "hooks", "install", "group/app", "--url", "https://bot.example", "--dry-run", **place.environ
    )

    assert result.stdout == "would create a webhook of group/app -> https://bot.example/webhooks/gitlab\n"
    assert next(iter(place.gitlab.instance.state.projects.values())).hooks == []


def test_a_signing_token_alone_needs_a_gitlab_that_signs(place: Place):
    """An older GitLab would send nothing that proves who it is."""
    environ = place.environ | {"CLOISTER_WEBHOOK_SECRET": SIGNING}

    result = run("hooks", "install", "group/app", "--url", "https://bot.example", **environ)

    if place.gitlab.instance.state.version >= (19, 0):
        assert result.stdout.rstrip().endswith(", signed")
    else:
        assert result.exit_code == 2
        assert "GitLab signs deliveries from 19.0 on" in result.stderr


def test_an_upgraded_database_stays_as_it_is(database_url: str):
    """Upgrading twice is fine, and the doctor agrees."""
    result = run("db", "upgrade", CLOISTER_DATABASE_URL=database_url)

    assert result.stdout == "the schema is up to date already\n"
    assert outcomes(CLOISTER_DATABASE_URL=database_url)[1]["database"] == "ok"


def test_only_a_database_of_ones_own_is_upgraded_by_hand():
    """The embedded one is upgraded when Cloister starts it."""
    result = run("db", "upgrade")

    assert result.exit_code == 2
    assert "whenever Cloister starts it" in result.stderr


def test_the_doctor_looks_into_kafka(secured_kafka: Secured):
    """It gets in with the settings, misses the topics until they are made, and says why it does not get in."""
    environ = {
        "CLOISTER_LOG_URL": f"kafka://{secured_kafka.kafka.address_of('SASL_SSL')}",
        "CLOISTER_KAFKA_CA_FILE": str(secured_kafka.ca_file),
        "CLOISTER_KAFKA_SASL": "scram-sha-512",
        "CLOISTER_KAFKA_USER": USER,
        "CLOISTER_KAFKA_PASSWORD": PASSWORD,
        "CLOISTER_KAFKA_PREFIX": "doctor",
    }

    _, before = outcomes(**environ)
    made = run("kafka", "init", **environ)
    _, after = outcomes(**environ)
    refused = run("doctor", "--json", **{**environ, "CLOISTER_KAFKA_PASSWORD": "wrong"})
    failed = run("kafka", "init", **{**environ, "CLOISTER_KAFKA_CA_FILE": "/nowhere/ca.pem"})

    names = ("event log", "kafka transport", "kafka topics")
    assert ["ok", "ok", "fail"] == [before[name] for name in names]
    assert made.exit_code == 0
    assert ["ok", "ok", "ok"] == [after[name] for name in names]
    (check,) = [check for check in json.loads(refused.stdout) if check["name"] == "event log"]
    assert ("fail", "check CLOISTER_KAFKA_USER and CLOISTER_KAFKA_PASSWORD") == (
        check["outcome"],
        check["remedy"],
    )
    assert "" == refused.stderr
    assert failed.stderr.startswith("error: CLOISTER_KAFKA_CA_FILE: cannot use /nowhere/ca.pem: No such file")
