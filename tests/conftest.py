"""Fixtures shared by all tests."""

from collections.abc import Iterator

import pytest
import structlog

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
]


@pytest.fixture(autouse=True)
def fresh_logging() -> Iterator[None]:
    """Forget how a command that ran in this process has set up its logs."""
    yield
    structlog.reset_defaults()
