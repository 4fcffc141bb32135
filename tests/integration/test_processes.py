"""The same consumers in processes of their own, on a shared database."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.adapters.kafka_topics import Topics
from bot.cli.serve import STAGES
from bot.cli.serving import serve
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from bot.settings import Settings, SettingsError
from tests.cloister import WEBHOOK_SECRET, Cloister, settings_for
from tests.gitlab import GitLab

#: A dozen processes that stop at once have few processors.
_STOP_LIMIT_S = 120
_START_LIMIT_S = 120


@contextlib.contextmanager
def process(cloister: Cloister, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``cloister`` with *arguments* on the settings of *cloister* until the block ends."""
    settings = cloister.settings
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(settings.data_dir),
        "CLOISTER_GITLAB_URL": str(settings.gitlab_url),
        "CLOISTER_GITLAB_TOKEN": cloister.gitlab.token,
        "CLOISTER_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "CLOISTER_MODEL_URL": str(settings.model_url),
        "CLOISTER_MODEL": settings.model,
        "CLOISTER_DATABASE_URL": cloister.database_url,
        "CLOISTER_DATA_DIR": str(settings.data_dir),
        "CLOISTER_LISTEN": settings.listen,
        "CLOISTER_LOG_FORMAT": "json",
    }
    if settings.log_url is not None:
        environment["CLOISTER_LOG_URL"] = settings.log_url.get_secret_value()
        environment["CLOISTER_KAFKA_PREFIX"] = settings.kafka_prefix
    command = [sys.executable, "-m", "bot", *arguments]
    with subprocess.Popen(command, env=environment, cwd=settings.data_dir) as running:
        try:
            yield running
            running.send_signal(signal.SIGTERM)
            assert running.wait(_STOP_LIMIT_S) == 0
        finally:
            # Otherwise the block waits for good, whatever went wrong in it.
            running.kill()


def wait_until_ready(cloister: Cloister) -> None:
    """Wait until webhooks are accepted."""
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://{cloister.settings.listen}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail("the receiver did not become ready")


async def test_stages_run_in_processes_of_their_own(
    gitlab: GitLab, ollama_server: ScriptedOllama, database_url: str, tmp_path: Path
) -> None:
    """A receiver and two sets of consumers review a merge request together, and stop in an orderly way."""
    ollama_server.script = planted_review
    settings = settings_for(gitlab, ollama_server.url, database_url, tmp_path)
    cloister = Cloister(settings, gitlab, database_url, ollama_server)
    with (
        process(cloister, "web"),
        process(cloister, "consume", "intake", "fetch", "report", "collect", "publish"),
        process(cloister, "consume", "scan", "verify", "review"),
    ):
        wait_until_ready(cloister)
        gitlab.server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
        merge_request = gitlab.server.open_merge_request(
            gitlab.project, "feature", {"a.py": "def add(item, items=[]):\n    items.append(item)\n"}
        )
        outcome = await cloister.outcome(merge_request)
    assert outcome.lines == [("a.py", 1)]
    assert outcome.status == "success"


async def test_every_stage_runs_in_a_process_of_its_own_on_kafka(
    gitlab: GitLab,
    ollama_server: ScriptedOllama,
    database_url: str,
    tmp_path: Path,
    kafka_address: str,
    kafka_topics: Topics,
) -> None:
    """The layout of the distributed installation: events go through Kafka, and nothing goes missing between stages."""
    ollama_server.script = planted_review
    settings = settings_for(
        gitlab,
        ollama_server.url,
        database_url,
        tmp_path,
        log_url=f"kafka://{kafka_address}",
        kafka_prefix=kafka_topics.prefix,
    )
    cloister = Cloister(settings, gitlab, database_url, ollama_server)
    with contextlib.ExitStack() as stack:
        for arguments in (("web",), *(("consume", stage) for stage in STAGES)):
            stack.enter_context(process(cloister, *arguments))
        wait_until_ready(cloister)
        gitlab.server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
        merge_request = gitlab.server.open_merge_request(
            gitlab.project, "feature", {"a.py": "def add(item, items=[]):\n    items.append(item)\n"}
        )
        outcome = await cloister.outcome(merge_request)
    assert outcome.lines == [("a.py", 1)]
    assert outcome.status == "success"


async def test_cancelling_ends_the_receivers_thread(
    gitlab: GitLab, ollama_server: ScriptedOllama, database_url: str, tmp_path: Path
) -> None:
    """Whatever ends the command, no thread keeps the process alive or the address taken."""
    settings = settings_for(gitlab, ollama_server.url, database_url, tmp_path)
    started = asyncio.Event()
    serving = asyncio.create_task(
        serve(settings, hooks=True, stages=(), stop=asyncio.Event(), started=started)
    )
    async with asyncio.timeout(150):
        await started.wait()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    socket.create_server((settings.host, settings.port)).close()


async def test_what_fails_in_receiver_and_consumers_is_told_once(database_url: str, data_dir: Path) -> None:
    """A file that both need is named by one error, without a traceback beside it."""
    settings = Settings(
        gitlab_url="https://gitlab.example",
        gitlab_token="t",
        gitlab_ca_file=data_dir / "none.pem",
        webhook_secret=WEBHOOK_SECRET,
        database_url=database_url,
        data_dir=data_dir,
        listen="127.0.0.1:0",
    )
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    with pytest.raises(SettingsError, match="CLOISTER_GITLAB_CA_FILE"):
        await serve(settings, hooks=True, stages=("scan",), stop=asyncio.Event())
    gc.collect()
    assert complaints == []
