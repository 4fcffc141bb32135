"""The places that CLOISTER_RULES_DIRS may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load
from bot.settings_rules import RuleRepository, rule_places
from bot.wiring_rules import rule_sources


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ()),
        (" , \n", ()),
        ("/etc/rules", (Path("/etc/rules"),)),
        ("/a, /b\n/a", (Path("/a"), Path("/b"))),
        ("/a@b", (Path("/a@b"),)),
        ("git+https://Host.example/g/r.git", (RuleRepository("https://host.example/g/r.git", "HEAD"),)),
        ("git+https://h:8443/r.git@v1.2/x", (RuleRepository("https://h:8443/r.git", "v1.2/x"),)),
        ("git+file:///srv/rules.git@main", (RuleRepository("file:///srv/rules.git", "main"),)),
    ],
)
def test_places(value: str, expected: tuple[object, ...]):
    """Directories and repositories, in order, each once."""
    assert rule_places(value) == expected


def test_relative_directories_are_made_absolute():
    """Where a process is started does not matter later."""
    assert rule_places("rules, ~/x") == (Path.cwd() / "rules", Path.home() / "x")


@pytest.mark.parametrize(
    "value",
    [
        *("https://h/r.git", "ssh://git@h/r.git", "git@h.example:g/r.git", "git+ssh://git@h/r.git", "git+https://h"),
        *("git+https://user:pw@h/r.git", "git+https://h/r.git?x=1", "git+https://h/r.git#x", "git+https:///r.git"),
        *("git+https://h/r.git@", "git+https://h/r.git@--upload-pack=x", "git+https://h/r.git@a..b", "git+ext::sh"),
        *("git+https://h/r.git@a b", "git+https://h/r.git@a:b", "git+https://h/r.git@x.lock", "git+https://h/r.git@a@b"),
    ],
)  # fmt: skip
def test_what_is_refused(value: str):
    """Other protocols, credentials and anything that git could take for an option are refused with a remedy."""
    with pytest.raises(SettingsError, match="CLOISTER_RULES_DIRS"):
        load(environ={"CLOISTER_RULES_DIRS": value}, dotenv=None)


def test_the_token_stays_with_our_gitlab(tmp_path: Path):
    """Only a repository on the configured GitLab, by the same protocol, is asked with the token."""
    settings = Settings(
        gitlab_url="https://gitlab.example",
        gitlab_token="glpat-" + "x" * 20,
        data_dir=tmp_path,
        rules_dirs="git+https://gitlab.example/r.git,git+http://gitlab.example/r.git,git+https://other.example/r.git",
    )
    ours, plain, other = rule_sources(settings)
    secrets = [source._git._secrets for source in (ours, plain, other)]  # type: ignore[attr-defined]
    assert [bool(found) for found in secrets] == [True, False, False]
