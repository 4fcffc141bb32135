"""An installation of real processes, each started again when it dies, as systemd or Kubernetes would."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bot.demo.gitlab import Project
from bot.demo.gitlab.faults import Fault, Faults
from bot.gitlab.instance import instance_name
from bot.settings import Settings
from tests.cloister import WEBHOOK_SECRET, Cloister
from tests.faults.process import SESSION_VARIABLE
from tests.waiting import until

_ROOT = Path(__file__).parents[2]
_READY_LIMIT_S = 180.0
#: An orderly stop takes a few seconds, and container engines are told 30: a busy machine may need longer.
_STOP_GIVEN_UP_S = 120.0
#: As short as it can be on a busy machine; a dead member holds its group up for so long.
SESSION_S = 4.0


class Journal(Faults):
    """Note when requests arrive at the stand-in for GitLab, and let a test act at that moment.

    ``watchers`` are called with method and path before a request has any effect.
    """

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[tuple[float, str, str]] = []
        self.watchers: list[Callable[[str, str], None]] = []

    def take(self, method: str, path: str) -> Fault | None:
        """Note a request and return what shall go wrong with it."""
        self.arrivals.append((time.time(), method, path))
        for watcher in list(self.watchers):
            watcher(method, path)
        return super().take(method, path)

    def last(self, method: str, part: str) -> float:
        """Return when the last request with *part* in its path arrived, 0 if none did."""
        return max((at for at, m, path in list(self.arrivals) if m == method and part in path), default=0.0)


class Member:
    """One process that is started again whenever it ends, until told to stop.

    Args:
        name: for messages and its file of output.
        command: what to run.
        environment: all of its environment.
        directory: where it runs and its output goes.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], directory: Path
    ) -> None:
        self.name = name
        #: How its processes ended: minus the signal's number, or the exit status.
        self.exits: list[int] = []
        self.output = directory / f"{name}.log"
        self._command = command
        self._environment = dict(environment)
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor = threading.Thread(target=self._supervise, name=f"supervise {name}", daemon=True)
        self._supervisor.start()

    @property
    def kills(self) -> int:
        """Return how often it was killed."""
        return self.exits.count(-signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Return the number of the running process."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send a signal to the process that runs now, if one does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """End it in an orderly way, for good.

        Raises:
            AssertionError: it took too long, or did not end well.
        """
        self._ending.set()
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        self._supervisor.join(_STOP_GIVEN_UP_S)
        if self._supervisor.is_alive():
            self.signal(signal.SIGUSR1)
            time.sleep(1)
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {_STOP_GIVEN_UP_S:g} s; see {self.output}")
        # One that has only just been started does not know the signal yet.
        assert self.exits[-1] in {0, -signal.SIGTERM}, (
            f"{self.name} ended with {self.exits[-1]}: {self.output}"
        )

    def kill(self) -> None:
        """End it at once, for good."""
        self._ending.set()
        self.signal(signal.SIGKILL)
        self._supervisor.join(10)

    def _supervise(self) -> None:
        while not self._ending.is_set():
            with self.output.open("ab") as output:
                self._process = subprocess.Popen(
                    self._command, env=self._environment, cwd=_ROOT, stdout=output, stderr=output
                )
            if self._ending.is_set():
                self._process.terminate()
            self.exits.append(self._process.wait())
            self._ending.wait(0.1)


class Cluster:
    """Processes of one installation, and the GitLab, the model and the database that they share.

    Args:
        cloister: settings and stand-ins.
        directory: for output and requests to die.
        session_s: how soon a dead member of a Kafka group is missed.
    """

    def __init__(self, cloister: Cloister, directory: Path, *, session_s: float = SESSION_S) -> None:
        self.cloister = cloister
        self.members: dict[str, Member] = {}
        self.journal = Journal()
        server = cloister.gitlab.server
        server.faults = server._app._faults = self.journal
        self._directory = directory
        self._traps = directory / "traps"
        self._traps.mkdir(parents=True, exist_ok=True)
        self._session_s = session_s

    def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Member:
        """Start a process of ``cloister`` with *arguments*."""
        command = [sys.executable, "-m", "tests.faults.process", str(self._traps), *arguments]
        settings = {**environment_of(self.cloister.settings), SESSION_VARIABLE: str(self._session_s)}
        member = Member(name, command, {**settings, **(environment or {})}, self._directory)
        self.members[name] = member
        return member

    def start_stages(self, *stages: str) -> None:
        """Start a process for each of *stages*."""
        for stage in stages:
            self.start(stage, "consume", stage)

    async def ready(self) -> None:
        """Wait until webhooks are accepted, and let GitLab send them."""
        await self.listening()
        gitlab = self.cloister.gitlab
        if not gitlab.project.hooks:
            gitlab.server.add_hook(gitlab.project, self.cloister.webhook_url, WEBHOOK_SECRET)

    async def listening(self, *, within_s: float = _READY_LIMIT_S) -> None:
        """Wait until webhooks are accepted."""
        async with httpx.AsyncClient(trust_env=False) as client:

            async def ready() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.get(f"http://{self.cloister.settings.listen}/readyz")
                    return answer.status_code == 200
                return False

            await until(ready, "the receiver is not ready", within_s=within_s)

    def arm(self, step: str, key: str = "*", passing: int = 1) -> None:
        """Ask whoever passes *step* for the merge request *key* to die there, at every passing if that is 0."""
        request = self._traps / f".{step}"
        request.write_text(f"{key} {passing}")
        request.rename(self._traps / step)

    def sprung(self, step: str) -> bool:
        """Say whether somebody died at *step*, and forget it."""
        taken = self._traps / f"{step}.sprung"
        happened = taken.exists()
        taken.unlink(missing_ok=True)
        return happened

    def disarm(self, step: str) -> None:
        """Take a request back."""
        (self._traps / step).unlink(missing_ok=True)

    def key(self, project: Project, iid: int) -> str:
        """Return the key of a merge request's events."""
        return f"{instance_name(self.cloister.gitlab.server.url)}:{project.id}:{iid}"

    async def redeliver(self) -> int:
        """Send again what got no answer or 503, as a person in GitLab would; return how many that were."""
        server = self.cloister.gitlab.server
        await asyncio.to_thread(server.drain_hooks, 60)
        await self.listening()
        answered = {one.headers["Idempotency-Key"] for one in server.deliveries if one.status == 202}
        failed = {
            one.headers["Idempotency-Key"]: one
            for one in server.deliveries
            if one.headers["Idempotency-Key"] not in answered
        }
        for delivery in failed.values():
            server.instance.core.hooks.resend(delivery)
        await asyncio.to_thread(server.drain_hooks, 60)
        return len(failed)

    async def stop(self) -> None:
        """End all processes in an orderly way, at the same time."""
        await asyncio.gather(*(asyncio.to_thread(member.stop) for member in self.members.values()))

    def kill(self) -> None:
        """End all processes at once."""
        for member in self.members.values():
            member.kill()


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment of a process with *settings*."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(settings.data_dir), "CLOISTER_LOG_FORMAT": "json"}
    for name, value in settings.model_dump(exclude_unset=True, exclude_none=True).items():
        shown = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        environment[f"CLOISTER_{name.upper()}"] = str(shown)
    return environment


@asynccontextmanager
async def running(cluster: Cluster) -> AsyncIterator[Cluster]:
    """Stop the processes of *cluster* at the end; if the block fails, at once."""
    try:
        yield cluster
    except BaseException:
        cluster.kill()
        raise
    await cluster.stop()
