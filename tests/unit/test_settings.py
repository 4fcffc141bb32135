"""Settings: where they come from, what they accept, and what they say when they do not."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.settings import Loaded, Settings, SettingsError, load, secret_names
from bot.settings_reference import reference

ROOT = Path(__file__).parents[2]


def read(environ: Mapping[str, str] | None = None, **sources: Any) -> Loaded:
    """Load with nothing around but what a test gives."""
    return load(environ=environ or {}, **{"dotenv": None, **sources})


def problems(environ: Mapping[str, str], **sources: Any) -> tuple[str, ...]:
    """Return the lines that loading fails with."""
    with pytest.raises(SettingsError) as caught:
        read(environ, **sources)
    return caught.value.problems


def test_everything_has_a_default():
    """Without any source the settings load, and nothing points outside."""
    settings = read().settings

    assert [
        settings.gitlab_url,
        settings.model_url,
        settings.database_url,
        settings.otlp_endpoint,
    ] == [None] * 4
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)


def test_sources_win_in_order(tmp_path: Path):
    """An option beats the environment, that a secret file, that .env, that the TOML file."""
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / ".env").write_text("CLOISTER_MODEL=from-dotenv\nCLOISTER_GITLAB_TOKEN=from-dotenv\n")
    (tmp_path / "c.toml").write_text(
        'model = "from-toml"\nconcurrency = 7\nlog_level = "error"\nlisten = "[::1]:1"'
    )
    environ = {
        "CLOISTER_GITLAB_TOKEN_FILE": str(tmp_path / "token"),
        "CLOISTER_LOG_LEVEL": "warning",
        "CLOISTER_LISTEN": "0.0.0.0:2",
    }

    loaded = load(
        overrides={"listen": "127.0.0.1:3", "model": None},
        environ=environ,
        dotenv=tmp_path / ".env",
        config=tmp_path / "c.toml",
    )

    settings = loaded.settings
    assert settings.gitlab_token is not None
    assert (
        settings.listen,
        settings.log_level,
        settings.gitlab_token.get_secret_value(),
        settings.model,
        settings.concurrency,
    ) == ("127.0.0.1:3", "warning", "from-file", "from-dotenv", 7)
    assert {
        "listen": "command line",
        "log_level": "environment",
        "gitlab_token": f"file {tmp_path / 'token'}",
        "model": str(tmp_path / ".env"),
        "concurrency": str(tmp_path / "c.toml"),
        "model_url": "default",
    } == {
        name: loaded.origins[name]
        for name in ("listen", "log_level", "gitlab_token", "model", "concurrency", "model_url")
    }


def test_an_empty_variable_is_unset(tmp_path: Path):
    """Compose files pass empty variables; the next source then counts."""
    (tmp_path / "c.toml").write_text('model = "mine"')

    assert read({"CLOISTER_MODEL": " "}, config=tmp_path / "c.toml").settings.model == "mine"


def test_a_dotenv_file_may_name_secret_files_and_is_literal(tmp_path: Path):
    """A dollar sign in a secret is a dollar sign."""
    (tmp_path / "secret").write_text(" s$HOME,t\r\n")
    (tmp_path / ".env").write_text(
        f"CLOISTER_WEBHOOK_SECRET_FILE={tmp_path / 'secret'}\nCLOISTER_MARKER_KEY=sixteen ${{HOME}} bytes\n"
    )

    settings = read(dotenv=tmp_path / ".env").settings

    assert settings.webhook_secrets == ("s$HOME", "t")
    assert settings.marker_key is not None
    assert settings.marker_key.get_secret_value() == "sixteen ${HOME} bytes"


def test_the_data_directory_follows_xdg():
    """The default is below XDG_DATA_HOME when that is an absolute path."""
    assert Path("/data/cloister") == read({"XDG_DATA_HOME": "/data"}).settings.data_dir
    assert Path("~/.local/share/cloister").expanduser() == read({"XDG_DATA_HOME": "x"}).settings.data_dir


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("GITLAB_URL", "gitlab.example", "must start with http:// or https:// and name a host"),
        ("GITLAB_URL", "ftp://gitlab.example", "must start with http"),
        ("GITLAB_URL", "https://", "name a host"),
        ("DATABASE_URL", "postgresql://u:7/secret@db/cloister", "as %XX"),
        ("GITLAB_URL", "https://u:p@gitlab.example", "user name or password"),
        ("GITLAB_URL", "https://gitlab.example/?a=b", "query"),
        ("GITLAB_URL", "https://gitlab.example:x", "is not a URL"),
        ("GITLAB_TOKEN", "two words", "without white space"),
        ("GITLAB_TOKEN", "tökén", "printable ASCII"),
        ("GITLAB_URL", "https://gitlab.example:99999", "port as a number up to 65535"),
        ("WEBHOOK_SECRET", ", ,", "separators only"),
        ("WEBHOOK_SECRET", "old,whsec_no base64", "whsec_ followed by base64"),
        ("MARKER_KEY", "short", "at least 16 random characters"),
        ("POLICY_PROJECT", "https://gitlab.example/security/policies", "full path of a project"),
        ("OAUTH_CLIENT_ID", "two words", "without white space"),
        ("ADMINS", "alice, @bob", "'@bob' is no user name of GitLab"),
        ("AUDITORS", "alice;bob", "separate names by commas"),
        ("MODEL", "deepseek-v3.1:671b-cloud", "cloud model"),
        ("MODEL_PARALLEL", "two", "CLOISTER_MODEL_PARALLEL=1"),
        ("MODEL_CONTEXT_TOKENS", "10", "greater than or equal to 2048"),
        ("DATABASE_URL", "mysql://db", "must start with postgresql://"),
        (
            "DATABASE_URL",
            "postgresql://db/cloister?sslmode=on",
            "unknown sslmode; take one of disable, allow",
        ),
        ("DATABASE_URL", "postgresql://db/cloister?ssl=true", "write sslmode=verify-full"),
        ("LOG_URL", "redis://x", "kafka:// or postgresql://"),
        ("LISTEN", "8080", "HOST:PORT"),
        ("LISTEN", "::1:80", "brackets"),
        ("LISTEN", "localhost:65536", "HOST:PORT"),
        ("LOG_FORMAT", "xml", "'console' or 'json'"),
        ("LOG_LEVEL", "trace", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_wrong_value_is_one_line_with_variable_and_remedy(name: str, value: str, reason: str):
    """A wrong value names its variable, its source and what would be right."""
    (line,) = problems({f"CLOISTER_{name}": value})

    assert line.startswith(f"CLOISTER_{name} (environment): ")
    assert reason in line
    assert "\n" not in line


def test_all_wrong_values_are_told_at_once():
    """Nobody fixes settings one run at a time."""
    found = problems({"CLOISTER_GITLAB_URL": "x", "CLOISTER_LISTEN": "y", "CLOISTER_CONCURRENCY": "z"})

    assert len(found) == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "empty"),
        (b"\xff\xfe", "UTF-8"),
        (b"x" * 70_000, "larger than 65536 bytes"),
    ],
)
def test_a_bad_secret_file_is_named(tmp_path: Path, content: bytes | None, reason: str):
    """A secret file that cannot be used names variable, path and reason."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    (line,) = problems({"CLOISTER_GITLAB_TOKEN_FILE": str(path)})

    assert line.startswith(f"CLOISTER_GITLAB_TOKEN_FILE: cannot use {path}: ")
    assert reason in line


def test_a_bad_config_file_is_named(tmp_path: Path):
    """A missing or malformed --config file is an error that names it."""
    (tmp_path / "c.toml").write_text("model = ")

    assert problems({}, config=tmp_path / "none.toml") == (
        f"--config {tmp_path}/none.toml: cannot be read: No such file or directory; name a readable TOML file",
    )
    assert "not valid TOML" in problems({}, config=tmp_path / "c.toml")[0]


def test_unknown_names_get_a_hint(tmp_path: Path):
    """A misspelt variable or key is not an error, but it is told, with the likely name."""
    (tmp_path / "c.toml").write_text('modle = "x"')
    environ = {
        "CLOISTER_GITLAB_TOKN": "x",
        "CLOISTER_DEBUG": "1",
        "CLOISTER_LISTEN_FILE": "/run/listen",
        "CLOISTER_MARKER_KEY_FILE": "",
        "OTHER": "x",
    }

    warnings = read(environ, config=tmp_path / "c.toml").warnings

    assert (
        "CLOISTER_GITLAB_TOKN (environment) is not a setting and is ignored; did you mean CLOISTER_GITLAB_TOKEN?",
        "CLOISTER_LISTEN_FILE (environment) is not a setting and is ignored; did you mean CLOISTER_LISTEN?",
        f"{tmp_path / 'c.toml'}: modle is not a setting and is ignored; did you mean model?",
    ) == warnings


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126)).map("x9!{}".format))
def test_a_secret_is_never_shown(secret: str):
    """Neither the settings nor an error about a secret contain it."""
    environ = {"CLOISTER_GITLAB_TOKEN": secret, "CLOISTER_DATABASE_URL": f"postgresql://u:{secret}@h/d"}
    try:
        shown = repr(read(environ))
    except SettingsError as error:
        shown = str(error)

    assert secret not in shown
    assert secret not in problems({"CLOISTER_GITLAB_TOKEN": f"{secret} x"})[0]


def test_urls_lose_the_trailing_slash_and_the_case_of_the_host():
    """Equal instances have equal URLs, a path prefix keeps its case."""
    settings = read({"CLOISTER_GITLAB_URL": " https://GitLab.Example:8443/Git/ "}).settings

    assert settings.gitlab_url == "https://gitlab.example:8443/Git"


def test_two_webhook_secrets_are_accepted_during_a_rotation():
    """Commas and line breaks separate secrets."""
    assert read({"CLOISTER_WEBHOOK_SECRET": "new,\n old\n"}).settings.webhook_secrets == ("new", "old")


def test_what_a_command_needs_is_required_by_name():
    """A missing setting is told with the way to set it."""
    with pytest.raises(SettingsError) as caught:
        read({"CLOISTER_MODEL_URL": "http://m"}).settings.require("gitlab_url", "model_url")

    assert caught.value.problems == (
        "CLOISTER_GITLAB_URL is not set; set it like CLOISTER_GITLAB_URL=https://gitlab.example",
    )


def test_settings_are_frozen_and_ignore_the_surroundings():
    """A built value never changes, and building one directly reads no environment."""
    os.environ["CLOISTER_MODEL"] = "from-the-shell"
    try:
        settings = Settings()
    finally:
        del os.environ["CLOISTER_MODEL"]

    assert settings.model == "deepseek-coder-v2:16b"
    with pytest.raises(ValidationError):
        settings.model = "other"


def test_secrets_are_those_that_hide_their_value():
    """Exactly the secrets can come from files."""
    assert {
        "gitlab_token",
        "webhook_secret",
        "marker_key",
        "api_token",
        "oauth_client_secret",
        "database_url",
        "log_url",
        "kafka_password",
        "model_api_key",
    } == set(secret_names())


def test_every_setting_is_described_with_an_example_that_works():
    """The reference can be copied from."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert read(overrides={name: field.examples[0]}), name


def test_the_reference_page_is_up_to_date():
    """docs/configuration.md says what the declaration says."""
    page = (ROOT / "docs" / "configuration.md").read_text()

    assert reference() == page, "run: python -m bot.settings_reference > docs/configuration.md"


def test_only_the_settings_read_the_environment():
    """No other module looks at environment variables; the stand-in for GitLab is not part of the product."""
    readers = [
        path.relative_to(ROOT).as_posix()
        for folder in ("bot", "consumers")
        for path in (ROOT / folder).rglob("*.py")
        if ROOT / "bot" / "demo" not in path.parents
        and any(word in path.read_text() for word in ("os.environ", "getenv("))
    ]

    assert readers == ["bot/settings.py"]


@pytest.mark.parametrize(
    ("value", "endpoints"),
    [
        ("http://m:11434/", [("ollama", "http://m:11434")]),
        ("ollama+https://m", [("ollama", "https://m")]),
        ("OpenAI+http://V:8000/v1", [("openai", "http://v:8000/v1")]),
        (
            " http://a:11434 , openai+http://b:8000 ",
            [("ollama", "http://a:11434"), ("openai", "http://b:8000")],
        ),
    ],
)
def test_model_servers_have_a_kind_and_an_address(value: str, endpoints: list[tuple[str, str]]):
    """One or several, Ollama unless another kind is named."""
    settings = read({"CLOISTER_MODEL_URL": value}).settings

    assert endpoints == [(one.kind, one.url) for one in settings.model_endpoints]
    assert (
        settings.model_endpoints
        == read({"CLOISTER_MODEL_URL": str(settings.model_url)}).settings.model_endpoints
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("http://a,,http://b", "empty entry"),
        ("http://a,http://a/", "names a server twice"),
        ("vllm+http://a", "must start with http"),
        ("openai+ftp://a", "must start with http"),
        ("http://user:pw@a", "user name or password"),
        (",".join(f"http://m{number}" for number in range(33)), "more than 32"),
    ],
)
def test_wrong_model_servers_are_explained(value: str, says: str):
    """Each says what to write instead."""
    (problem,) = problems({"CLOISTER_MODEL_URL": value})

    assert says in problem
    assert "pw@" not in problem


def test_models_for_tasks_stay_inside():
    """Each of them is checked like the first."""
    for name in ("MODEL", "MODEL_JUDGE", "MODEL_TESTS", "MODEL_EMBEDDINGS"):
        (problem,) = problems({f"CLOISTER_{name}": "gpt-oss:120b-cloud"})
        assert "cloud model" in problem
