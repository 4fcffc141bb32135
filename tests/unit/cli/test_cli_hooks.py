"""`cloister hooks install`: where GitLab shall send to, and with which secret."""

from dataclasses import dataclass, field

import pytest

from bot.adapters.forge_gitlab_admin import HookScope, InstalledHook
from bot.cli.hooks import newest, preview, receiver_url
from bot.gitlab.administration import WebHook
from bot.settings import Settings, SettingsError
from tests.unit.cli.command import run


def settings(listen: str, gitlab_url: str = "https://gitlab.example") -> Settings:
    """Return settings for a receiver that listens on *listen*."""
    return Settings(listen=listen, gitlab_url=gitlab_url)


@pytest.mark.parametrize(
    ("url", "listen", "expected"),
    [
        ("https://bot.example/", "127.0.0.1:1", "https://bot.example/webhooks/gitlab"),
        ("https://bot.example/webhooks/gitlab", "127.0.0.1:1", "https://bot.example/webhooks/gitlab"),
        ("https://bot.example/sub", "127.0.0.1:1", "https://bot.example/sub/webhooks/gitlab"),
        (None, "10.0.0.5:8080", "http://10.0.0.5:8080/webhooks/gitlab"),
    ],
)
def test_the_receivers_address_is_completed(url: str | None, listen: str, expected: str):
    """Nobody needs to know the path of the receiver."""
    assert receiver_url(url, settings(listen)) == expected


def test_loopback_will_do_for_a_gitlab_on_this_machine():
    """A trial on one machine needs no --url."""
    assert (
        receiver_url(None, settings("127.0.0.1:1", "http://localhost"))
        == "http://127.0.0.1:1/webhooks/gitlab"
    )


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "0.0.0.0:8080", "[::]:8080", "localhost:8080"])
def test_an_address_that_gitlab_cannot_call_is_refused(listen: str):
    """The remedy is in the message."""
    with pytest.raises(SettingsError, match="--url https://cloister"):
        receiver_url(None, settings(listen))


def test_a_url_needs_a_scheme():
    """GitLab would refuse it later, with less of a reason."""
    with pytest.raises(SettingsError, match="must start with http"):
        receiver_url("bot.example", settings("127.0.0.1:1"))


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        (("new", "old"), ("new", None)),
        (("whsec_a", "plain"), ("plain", "whsec_a")),
        (("whsec_new", "whsec_old"), (None, "whsec_new")),
    ],
)
def test_the_first_secret_of_each_kind_is_installed(
    secrets: tuple[str, ...], expected: tuple[str | None, str | None]
):
    """During a rotation the new secret comes first."""
    assert newest(secrets) == expected


@dataclass
class FakeInstaller:
    """Hold webhooks; installing one is a mistake in these tests."""

    present: list[WebHook] = field(default_factory=list)

    async def hooks(self, scope: HookScope, target: str | int) -> list[WebHook]:
        return self.present

    async def install_hook(self, scope: HookScope, target: str | int, **wanted: object) -> InstalledHook:
        raise AssertionError


async def test_a_preview_changes_nothing():
    """It says whether a webhook is there."""
    here = FakeInstaller([WebHook(id=4, url="http://bot/webhooks/gitlab")])

    created = await preview(here, HookScope.project, "g/p", "http://other/webhooks/gitlab")
    updated = await preview(here, HookScope.project, "g/p", "http://bot/webhooks/gitlab")

    assert created == "would create a webhook of g/p -> http://other/webhooks/gitlab"
    assert updated.startswith("would update webhook 4 of g/p")


def test_what_is_missing_is_told_at_once():
    """All three settings that an installation needs are named."""
    result = run("hooks", "install", "group/app")

    assert result.exit_code == 2
    assert [line.split()[1] for line in result.stderr.splitlines()] == [
        "CLOISTER_GITLAB_URL",
        "CLOISTER_GITLAB_TOKEN",
        "CLOISTER_WEBHOOK_SECRET",
    ]
