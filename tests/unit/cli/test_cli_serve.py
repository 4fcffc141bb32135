"""The long-running commands refuse what cannot work, in one line."""

import asyncio
import socket
from pathlib import Path

import pytest

from bot.adapters.embedded_postgres import EmbeddedPostgres
from bot.cli.serving import serve
from bot.domain.errors import Permanent, Transient
from bot.settings import Settings
from tests.unit.cli.command import run


def settings(listen: str, **changes: object) -> Settings:
    """Return settings that are complete for `cloister up`."""
    usual = {
        "gitlab_url": "http://127.0.0.1:9",
        "gitlab_token": "t",
        "webhook_secret": "a webhook secret",
        "database_url": "postgresql://nobody@127.0.0.1:9/nothing",
        "listen": listen,
    }
    return Settings(**usual | changes)


async def test_an_address_in_use_is_named_with_the_remedy() -> None:
    """Nothing else is started when nobody could listen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Permanent, match=f"{address}.*CLOISTER_LISTEN"):
            await serve(settings(address), hooks=True, stages=(), stop=asyncio.Event())


async def test_a_database_out_of_reach_is_named_without_its_password() -> None:
    """The message says which setting to check."""
    url = "postgresql://someone:hidden@127.0.0.1:9/nothing"
    with pytest.raises(Transient, match="CLOISTER_DATABASE_URL") as raised:
        await serve(settings("127.0.0.1:0", database_url=url), hooks=True, stages=(), stop=asyncio.Event())
    assert "hidden" not in str(raised.value)


async def test_a_log_of_its_own_is_refused() -> None:
    """The log is in the database; another one would lose what is written together."""
    other = settings("127.0.0.1:0", log_url="postgresql://nobody@127.0.0.1:9/other")
    with pytest.raises(Permanent, match="CLOISTER_LOG_URL"):
        await serve(other, hooks=True, stages=(), stop=asyncio.Event())


def test_one_data_directory_serves_one_process(tmp_path: Path) -> None:
    """Two servers on the same files would damage them."""
    directory = tmp_path / "data"
    first = EmbeddedPostgres(directory)
    held = first.take_lock()
    with pytest.raises(Permanent, match="CLOISTER_DATA_DIR"):
        EmbeddedPostgres(directory).start()
    held.close()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("up",), "CLOISTER_GITLAB_URL"),
        (("web",), "CLOISTER_GITLAB_URL"),
        (("consume", "scan"), "CLOISTER_GITLAB_URL"),
        (("consume", "scna"), "intake, fetch, scan"),
        (("consume",), "STAGE"),
    ],
)
def test_missing_settings_and_wrong_stages_are_named(arguments: tuple[str, ...], named: str) -> None:
    """Each mistake is one message and exit status 2."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert named in result.output
