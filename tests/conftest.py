"""Fixtures shared by all tests."""

import importlib.util

pytest_plugins = [
    name for name in ("tests.postgres", "tests.gitlab", "tests.ollama") if importlib.util.find_spec(name)
]
