"""Fixtures shared by all tests."""

import os
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
    "tests.feedback",
    "tests.ollama",
    "tests.openai",
    "tests.llama",
    "tests.cloister",
    "tests.browser",
    "tests.verdicts",
    "tests.pages",
    "tests.api",
]

# What whoever runs the tests has set for a Cloister of their own is not for the one that is tested.
for name in [name for name in os.environ if name.startswith("CLOISTER_")]:
    del os.environ[name]

# A busy machine is no reason to fail: how long an example takes says nothing about what it shows.
settings.register_profile("cloister", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("cloister")


@pytest.fixture(autouse=True)
def fresh_logging() -> Iterator[None]:
    """Forget how a command that ran in this process has set up its logs."""
    yield
    structlog.reset_defaults()
