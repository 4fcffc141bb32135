"""Cloister in processes of its own, with GitLab and Ollama in ours."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psutil

from bot.demo.gitlab import MergeRequest
from bot.demo.ollama import ScriptedOllama
from tests.bench.workload import changes
from tests.cloister import WEBHOOK_SECRET
from tests.gitlab import GitLab
from tests.ports import free_address

_START_LIMIT_S = 60.0


@dataclass
class Product:
    """Start `cloister` on entering and stop it on leaving; the data directory may be one used before.

    ``arguments`` are those of the command, and ``environment`` is set besides the usual one.
    """

    gitlab: GitLab
    ollama: ScriptedOllama
    data_dir: Path
    arguments: tuple[str, ...] = ("up",)
    environment: Mapping[str, str] = field(default_factory=dict)
    address: str = field(default_factory=free_address)
    ready_after_s: float = 0.0
    _process: Any = None

    def __enter__(self) -> Self:
        """Start and wait until it says that it is ready."""
        command = [str(Path(sys.executable).with_name("cloister")), *self.arguments, "--listen", self.address]
        with (self.data_dir / "cloister.log").open("ab") as log:
            began = time.perf_counter()
            self._process = psutil.Popen(command, env=self._environment(), stdout=log, stderr=log)
        while not self._ready():
            if self._process.poll() is not None or time.perf_counter() - began > _START_LIMIT_S:
                raise RuntimeError(f"cloister did not start; see {self.data_dir / 'cloister.log'}")
            time.sleep(0.005)
        self.ready_after_s = time.perf_counter() - began
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop in an orderly way."""
        try:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._process.terminate()
            self._process.wait(_START_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def kill(self) -> None:
        """End it as the loss of power would, its memory apart."""
        self._process.kill()
        self._process.wait(_START_LIMIT_S)

    @property
    def webhook_url(self) -> str:
        """Return where GitLab sends its hooks."""
        return f"http://{self.address}/webhooks/gitlab"

    def memory_mb(self) -> float:
        """Return the resident memory of Cloister and the processes it started, Postgres apart."""
        total = 0
        for process in (self._process, *self._process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.name() != "postgres":
                    total += process.memory_info().rss
        return total / 1e6

    def cpu_s(self) -> float:
        """Return the processor time of Cloister itself."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def open_merge_request(self, variant: int) -> MergeRequest:
        """Open the merge request *variant* of the workload."""
        return self.gitlab.server.open_merge_request(
            self.gitlab.project, f"feature-{variant}", changes(variant), author=self.gitlab.developer
        )

    @property
    def database_url(self) -> str:
        """Return the URL of the embedded database."""
        # https://www.postgresql.org/docs/current/storage-file-layout.html: line 4 is the port, 5 the socket's place.
        _, _, _, port, place, *_ = (self.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
        return f"postgresql://postgres:@/postgres?host={quote(place)}&port={port}"

    def _ready(self) -> bool:
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            closing(self._connection()) as connection,
        ):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False

    def _connection(self) -> http.client.HTTPConnection:
        # Cheaper than any other client, so that asking takes no time from what is starting.
        return http.client.HTTPConnection(self.address, timeout=5)

    def _environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "CLOISTER_GITLAB_URL": self.gitlab.server.url,
            "CLOISTER_GITLAB_TOKEN": self.gitlab.token,
            "CLOISTER_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "CLOISTER_MODEL_URL": self.ollama.url,
            "CLOISTER_MODEL": self.ollama.models[0].name,
            "CLOISTER_DATA_DIR": str(self.data_dir),
            **self.environment,
        }


@contextlib.contextmanager
def listening(product: Product) -> Iterator[None]:
    """Let GitLab send the project's webhooks to *product* meanwhile."""
    project = product.gitlab.project
    hook = product.gitlab.server.add_hook(project, product.webhook_url, WEBHOOK_SECRET)
    try:
        yield
    finally:
        project.hooks.remove(hook)
