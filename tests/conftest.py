"""Fixtures shared by all tests."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.postgres",
    "tests.kafka",
    "tests.kafka_secured",
    "tests.postgres_tls",
    "tests.gitlab",
    "tests.ollama",
    "tests.openai",
    "tests.llama",
    "tests.cloister",
    "tests.browser",
    "tests.verdicts",
    "tests.pages",
    "tests.api",
]

# A busy machine is no reason to fail: how long an example takes says nothing about what it shows.
settings.register_profile("cloister", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cloister")


@pytest.fixture(autouse=True)
def fresh_logging() -> Iterator[None]:
    """Forget how a command that ran in this process has set up its logs."""
    yield
    structlog.reset_defaults()
