"""Fixtures shared by all tests."""

pytest_plugins = ["tests.postgres", "tests.gitlab", "tests.ollama", "tests.cloister"]
