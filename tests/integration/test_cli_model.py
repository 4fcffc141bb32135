"""`cloister model` against servers that answer as real ones do."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.demo.ollama import ScriptedOllama
from bot.demo.openai import ScriptedOpenAI
from bot.demo.script import Reply, ScriptedModel
from tests.unit.cli.command import run

REVIEWER = ScriptedModel("deepseek-coder-v2:16b")
JUDGE = ScriptedModel("deepseek-r1:14b", digest="c" * 64, capabilities=("completion", "thinking"))
VECTORS = ScriptedModel("embeddinggemma:latest", digest="d" * 64, capabilities=("embedding",), dimension=32)


def complying(request: Mapping[str, Any]) -> Reply:
    """Fill in the form that the schema is."""
    schema = request.get("format") or request["response_format"]["json_schema"]["schema"]
    values = {name: part["enum"][0] if "enum" in part else [] for name, part in schema["properties"].items()}
    return Reply(json.dumps(values))


@pytest.fixture
def ollama(ollama_server: ScriptedOllama) -> ScriptedOllama:
    """Serve the default model, a judge and one for vectors, all obedient."""
    ollama_server.models = (REVIEWER, JUDGE, VECTORS)
    ollama_server.script = complying
    return ollama_server


def checked(*arguments: str, **environ: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Run ``cloister model check``; return its exit status and the checks by name."""
    result = run("model", "check", "--json", *arguments, **environ)
    return result.exit_code, {check["name"]: check for check in json.loads(result.stdout)}


def test_what_works_passes(ollama: ScriptedOllama):
    """Server, context, schema and how the model is loaded."""
    status, checks = checked(CLOISTER_MODEL_URL=ollama.url)

    assert {name: check["outcome"] for name, check in checks.items()} == {
        "model": "ok",
        "model context": "ok",
        "model JSON schema": "ok",
        "model loaded": "ok",
    }
    assert status == 0
    assert "0.33.0" in checks["model"]["detail"]
    assert checks["model loaded"]["detail"] == "with 16384 tokens"


def test_every_model_on_every_server_is_checked(ollama: ScriptedOllama, openai_server: ScriptedOpenAI):
    """A server without a model is a warning as long as another one has it."""
    openai_server.models = (REVIEWER,)
    openai_server.script = complying
    status, checks = checked(
        CLOISTER_MODEL_URL=f"{ollama.url},openai+{openai_server.url}",
        CLOISTER_MODEL_JUDGE=JUDGE.name,
        CLOISTER_MODEL_EMBEDDINGS="embeddinggemma",
    )

    by_ollama, by_openai = f"Ollama at {ollama.url}", f"the model server at {openai_server.url}"
    assert checks[f"{REVIEWER.name} on {by_ollama}"]["outcome"] == "ok"
    assert checks[f"{REVIEWER.name} on {by_openai}"]["outcome"] == "ok"
    assert checks[f"{JUDGE.name} on {by_ollama}"]["outcome"] == "ok"
    assert checks[f"{JUDGE.name} on {by_openai}"]["outcome"] == "warn"
    assert "another server has the model" in checks[f"{JUDGE.name} on {by_openai}"]["detail"]
    assert "32 numbers" in checks["embeddings embeddinggemma"]["detail"]
    assert status == 0


def test_a_model_that_is_not_pulled_fails_with_the_command(ollama: ScriptedOllama):
    """The remedy can be copied."""
    status, checks = checked(CLOISTER_MODEL_URL=ollama.url, CLOISTER_MODEL="qwen2.5-coder:7b")

    assert status == 1
    assert "`ollama pull qwen2.5-coder:7b`" in checks["model"]["remedy"]


def test_prose_under_a_schema_is_warned_about(ollama: ScriptedOllama):
    """Reviews still work, with more answers that are of no use."""
    ollama.script = lambda request: Reply("Good morning to you!")
    status, checks = checked(CLOISTER_MODEL_URL=ollama.url)

    assert (status, checks["model JSON schema"]["outcome"]) == (0, "warn")


def test_thoughts_that_were_not_wanted_are_warned_about(openai_server: ScriptedOpenAI):
    """They multiply the time of an answer."""
    openai_server.models = (JUDGE,)
    openai_server.script = complying
    _, checks = checked(CLOISTER_MODEL_URL=f"openai+{openai_server.url}", CLOISTER_MODEL=JUDGE.name)

    assert checks["model JSON schema"]["outcome"] == "warn"
    assert "thinks although" in checks["model JSON schema"]["detail"]


def test_without_a_server_the_setting_is_named():
    """Nothing can be checked."""
    result = run("model", "check")

    assert result.exit_code == 2
    assert "CLOISTER_MODEL_URL is not set" in result.stderr


def test_the_list_says_what_fits_and_what_is_there(ollama: ScriptedOllama):
    """For the machine that is named rather than this one."""
    result = run("model", "list", "--gpu", "24", "--gpu", "24", "--json", CLOISTER_MODEL_URL=ollama.url)

    said = json.loads(result.stdout)
    models = {model["model"]: model for model in said["models"]}
    assert said["pull"] == "ollama pull deepseek-coder-v2:16b"
    assert said["machine"]["gpus_gb"] == [24, 24]
    assert (models["deepseek-coder-v2:16b"]["fits"], models["deepseek-coder-v2:16b"]["there"]) == (True, True)
    assert (models["deepseek-coder-v2:236b"]["fits"], models["deepseek-coder:33b"]["there"]) == (False, False)
    assert models["deepseek-r1:14b"]["servers"] == [ollama.url]


def test_the_list_needs_no_server():
    """Choosing comes before installing; a server that is away is a warning."""
    alone = run("model", "list")
    away = run("model", "list", CLOISTER_MODEL_URL="http://127.0.0.1:9")

    assert (alone.exit_code, away.exit_code) == (0, 0)
    assert "deepseek-coder-v2:16b" in alone.stdout
    assert "out of reach" in away.stderr


def test_models_that_only_the_server_knows_are_listed(ollama: ScriptedOllama):
    """With what is assumed of them."""
    ollama.models = (ScriptedModel("house-model:7b"),)
    said = json.loads(run("model", "list", "--json", CLOISTER_MODEL_URL=ollama.url).stdout)

    (own,) = (model for model in said["models"] if model["model"] == "house-model:7b")
    assert (own["needs_gb"], own["fits"], own["there"], own["window_tokens"]) == (None, None, True, 16_384)


def test_a_bench_measures_and_says_what_to_expect(ollama: ScriptedOllama):
    """Cold and warm prompts, and as many at a time as there are places."""
    ollama.script = lambda request: Reply(complying(request).text, pieces=8, delay_s=0.01)
    result = run("model", "bench", "--most", "3", "--json", CLOISTER_MODEL_URL=ollama.url)

    said = json.loads(result.stdout)
    assert [speed["at_a_time"] for speed in said["speeds"]] == [1, 2, 3]
    assert said["speeds"][2]["requests_per_hour"] > said["speeds"][0]["requests_per_hour"]
    assert said["merge_requests_per_hour"] > 0
    assert 1_500 < said["prompt_tokens"] < 6_000
    assert said["useless"] == 0
    systems = [request["messages"][0]["content"] for request in ollama.requests]
    assert systems[1] == systems[2]
    assert systems[1] != systems[3] == systems[4]
    assert "Loading deepseek-coder-v2:16b" in result.stderr


def test_a_bench_for_people(ollama: ScriptedOllama):
    """A table and one sentence."""
    result = run("model", "bench", CLOISTER_MODEL_URL=ollama.url)

    assert result.exit_code == 0
    assert "merge requests an hour with 1 request at a time" in result.stdout


def test_a_bench_of_a_model_that_is_away_fails(ollama: ScriptedOllama):
    """With the remedy, and no figures."""
    result = run("model", "bench", CLOISTER_MODEL_URL=ollama.url, CLOISTER_MODEL="absent:1b")

    assert result.exit_code == 2
    assert "ollama pull absent:1b" in result.stderr
