"""The settings: read once at the edge, checked, frozen.

`load` is the only reader of the environment. Below the command line and the wiring nothing sees a
`Settings`: constructors take the two values they need.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot import settings_access as access
from bot import settings_gitlab as gitlab
from bot import settings_kafka as kafka
from bot import settings_logs as logs
from bot import settings_model as models
from bot import settings_pace as pace
from bot import settings_server as server
from bot import settings_storage as storage
from bot.settings_policy import PolicyFile, PolicyProject
from bot.settings_retention import DropFeedbackAfterDays, DropReviewsAfterDays, number
from bot.settings_rules import Kingfisher, RulesDirs
from bot.settings_sandbox import Sandbox, SandboxRoots
from bot.settings_sources import (
    DEBUG_VARIABLE,
    Layer,
    SettingsError,
    dotenv_variables,
    from_overrides,
    from_secret_files,
    from_toml,
    from_variables,
    merge,
    variable,
)
from bot.settings_tls import trusting
from bot.settings_types import separated

__all__ = [
    "Loaded",
    "Settings",
    "SettingsError",
    "check_access",
    "debugging",
    "inherited",
    "load",
    "variable",
]


class Settings(BaseSettings):
    """Hold every setting of Cloister.

    Building it directly takes exactly what it is given, so that no test or embedding program picks up
    somebody's shell; `load` reads the sources.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    gitlab_url: gitlab.Url = None
    gitlab_token: gitlab.ApiToken = None
    gitlab_ca_file: gitlab.CaFile = None
    webhook_secret: gitlab.WebhookSecret = None
    model_url: models.Urls = None
    model_api_key: models.Key = None
    model_ca_file: models.CaFile = None
    model: models.Review = "deepseek-coder-v2:16b"
    model_judge: models.Judge = None
    model_tests: models.Tests = None
    model_embeddings: models.EmbeddingModel = None
    model_context_tokens: models.ContextTokens = None
    model_parallel: models.Parallel = 1
    model_first_token_s: models.FirstTokenS = 120
    model_gap_s: models.GapS = 30
    model_total_s: models.TotalS = 600
    database_url: storage.DatabaseUrl = None
    log_url: kafka.Log = None
    kafka_prefix: kafka.Prefix = "cloister"
    kafka_tls: kafka.Tls = None
    kafka_ca_file: kafka.CaFile = None
    kafka_cert_file: kafka.CertFile = None
    kafka_key_file: kafka.KeyFile = None
    kafka_sasl: kafka.Sasl = "none"
    kafka_user: kafka.User = None
    kafka_password: kafka.Password = None
    kafka_token_url: kafka.TokenUrl = None
    kafka_token_file: kafka.TokenFile = None
    data_dir: storage.DataDir = Path("~/.local/share/cloister")
    advisories_dir: storage.AdvisoriesDir = None
    advisories_max_age_days: storage.AdvisoriesMaxAgeDays = 30
    listen: server.Listen = "127.0.0.1:8080"
    public_url: server.PublicUrl = None
    server_url: server.Url = None
    server_ca_file: server.CaFile = None
    api_token: server.ApiToken = None
    oauth_client_id: access.ClientId = None
    oauth_client_secret: access.ClientSecret = None
    admins: access.Admins = None
    auditors: access.Auditors = None
    marker_key: gitlab.MarkerKey = None
    otlp_endpoint: logs.OtlpEndpoint = None
    log_format: logs.Form = "console"
    log_level: logs.Level = "info"
    kingfisher: Kingfisher = False
    concurrency: pace.Concurrency = 4
    debounce_s: pace.DebounceS = 5
    review_deadline_s: pace.ReviewDeadlineS = 900
    policy_file: PolicyFile = None
    policy_project: PolicyProject = None
    rules_dirs: RulesDirs = None
    sandbox: Sandbox = "off"
    sandbox_roots: SandboxRoots = None
    reconcile: pace.Reconcile = "known"
    feedback_per_minute: pace.FeedbackPerMinute = 60
    drop_feedback_after_days: DropFeedbackAfterDays = 730
    drop_reviews_after_days: DropReviewsAfterDays = "never"

    @field_validator("*", mode="before")
    @classmethod
    def _strip(cls, value: object) -> object:
        return value.strip() if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the base class prescribes these
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take given values only: `load` reads the sources, since it must know each value's origin."""
        return (init_settings,)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the accepted webhook secrets, newest first; empty when none is set."""
        return separated(self.webhook_secret) if self.webhook_secret else ()

    @property
    def advisories(self) -> Path:
        """Return the directory with the imported advisories; it need not exist."""
        return self.advisories_dir or self.data_dir / "advisories"

    @property
    def feedback_days(self) -> int | None:
        """Return after how many days the raw record of feedback goes, None for never."""
        return number(self.drop_feedback_after_days)

    @property
    def review_days(self) -> int | None:
        """Return after how many days reviews go from the inside, None for never."""
        return number(self.drop_reviews_after_days)

    @property
    def model_endpoints(self) -> tuple[models.ModelEndpoint, ...]:
        """Return the model servers; empty when none is set."""
        return models.model_endpoints(self.model_url)

    @property
    def kafka_bootstrap(self) -> str | None:
        """Return the brokers as HOST:PORT,HOST:PORT; None when the log is in the database."""
        return kafka.bootstrap(self.log_url)

    @property
    def host(self) -> str:
        """Return the address to listen on, an IPv6 one without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Return the port to listen on; 0 lets the system choose."""
        return int(self.listen.rpartition(":")[2])

    def gitlab_tls(self) -> ssl.SSLContext | Literal[True]:
        """Return what to verify GitLab's certificate with; True means the usual authorities.

        Raises:
            SettingsError: the file with the authority cannot be used.
        """
        return True if self.gitlab_ca_file is None else trusting("gitlab_ca_file", self.gitlab_ca_file)

    def model_tls(self) -> ssl.SSLContext | Literal[True]:
        """Return what to verify the model servers' certificates with; True means the usual authorities.

        Raises:
            SettingsError: the file with the authority cannot be used.
        """
        return True if self.model_ca_file is None else trusting("model_ca_file", self.model_ca_file)

    def missing(self, *names: str) -> list[str]:
        """Return one line for each of *names* that is not set, saying how to set it."""
        return [
            f"{variable(name)} is not set; {_remedy(name)}" for name in names if getattr(self, name) is None
        ]

    def require(self, *names: str) -> None:
        """Check that all of *names* are set.

        Raises:
            SettingsError: some are not; the message has one line for each.
        """
        if problems := self.missing(*names):
            raise SettingsError(problems)


def check_access(settings: Settings) -> None:
    """Check that people can sign in as the settings say, before pages are served.

    Raises:
        SettingsError: they could not; the message has one line for each reason.
    """
    if problems := list(access.problems(settings)):
        raise SettingsError(problems)


def secret_names() -> tuple[str, ...]:
    """Return the settings that hold secrets, which a ``CLOISTER_X_FILE`` may supply."""
    return tuple(
        name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
    )


@dataclass(frozen=True, slots=True)
class Loaded:
    """Hold the settings, where each value came from, and what looked like a mistake."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...]


def load(
    *,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = Path(".env"),
    config: Path | None = None,
) -> Loaded:
    """Read the settings; the first source that has a value wins.

    The order is: *overrides* (from the command line), the environment, files named by ``CLOISTER_X_FILE``,
    *dotenv* (and the files that it names), the TOML file *config*, the default. *dotenv* None reads no such
    file, which is right wherever the working directory may hold somebody else's code.

    Raises:
        SettingsError: a value is wrong or a named file cannot be read.
    """
    environ = os.environ if environ is None else environ
    names, secrets = tuple(Settings.model_fields), secret_names()
    local = dotenv_variables(dotenv) if dotenv else {}
    merged = merge(
        [
            from_overrides(overrides or {}),
            from_variables(environ, names, secrets, "environment"),
            from_secret_files(environ, secrets),
            from_variables(local, names, secrets, str(dotenv)),
            from_secret_files(local, secrets),
            from_toml(config, names) if config else Layer(),
        ]
    )
    values: dict[str, Any] = {name: given.value for name, given in merged.values.items()}
    if "data_dir" not in values and Path(environ.get("XDG_DATA_HOME", "")).is_absolute():
        values["data_dir"] = Path(environ["XDG_DATA_HOME"], "cloister")
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError([_problem(detail, merged) for detail in error.errors()]) from None
    if problems := list(kafka.problems(settings)):
        raise SettingsError(problems)
    origins = {name: merged.values[name].origin if name in merged.values else "default" for name in names}
    return Loaded(settings, origins, (*merged.warnings, *kafka.warnings(settings, origins)))


def debugging(environ: Mapping[str, str] | None = None) -> bool:
    """Say whether tracebacks are wanted (``CLOISTER_DEBUG`` is set to anything)."""
    return bool((os.environ if environ is None else environ).get(DEBUG_VARIABLE))


def inherited(*names: str) -> dict[str, str]:
    """Return those of the variables *names* that are set, for a program that we start."""
    return {name: os.environ[name] for name in names if name in os.environ}


def _problem(detail: Any, merged: Layer) -> str:
    name = str(detail["loc"][0])
    origin = merged.values[name].origin if name in merged.values else "default"
    reason = str(detail["msg"]).removeprefix("Value error, ").replace("Input should", "should")
    remedy = "" if detail["type"] == "value_error" else f"; {_remedy(name)}"
    return f"{variable(name)} ({origin}): {reason}{remedy}"


def _remedy(name: str) -> str:
    field = Settings.model_fields.get(name)
    example = field.examples[0] if field and field.examples else "..."
    return f"set it like {variable(name)}={example}"
