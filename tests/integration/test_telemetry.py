"""Traces, metrics and logs of a whole review."""

import asyncio
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot.demo.ollama import ScriptedOllama
from tests.cloister import WEBHOOK_SECRET, Cloister, running, settings_for
from tests.gitlab import GitLab


class Collector:
    """An OTLP collector that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str]] = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = ExportTraceServiceRequest()
                request.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans += [(span.trace_id.hex(), span.name) for span in scope.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Run a collector."""
    collecting = Collector()
    threading.Thread(target=collecting.server.serve_forever, daemon=True).start()
    yield collecting
    collecting.server.shutdown()
    collecting.server.server_close()


async def test_one_trace_from_webhook_to_published_note(
    collector: Collector, gitlab: GitLab, ollama_server: ScriptedOllama, database_url: str, tmp_path: Path
) -> None:
    """All stages of a review share the trace that began with its webhook."""
    settings = settings_for(gitlab, ollama_server.url, database_url, tmp_path, otlp_endpoint=collector.url)
    async with running(settings, gitlab, ollama_server) as cloister:
        gitlab.server.add_hook(gitlab.project, cloister.webhook_url, WEBHOOK_SECRET)
        merge_request = gitlab.server.open_merge_request(gitlab.project, "feature", {"a.py": "x = 1\n"})
        await cloister.reviewed(merge_request)
    by_trace: dict[str, set[str]] = {}
    for trace, name in collector.spans:
        by_trace.setdefault(trace, set()).add(name)
    stages = ("intake", "fetch", "scan", "review", "collect", "verify", "publish")
    assert {"receive webhook", *(f"process {stage}" for stage in stages)} in by_trace.values()


async def test_metrics_health_and_readiness_are_served(cloister: Cloister, gitlab: GitLab) -> None:
    """Prometheus finds the declared metrics, and probes get plain answers."""
    merge_request = gitlab.server.open_merge_request(gitlab.project, "feature", {"a.py": "x = 1\n"})
    await cloister.reviewed(merge_request)
    async with httpx.AsyncClient(base_url=f"http://{cloister.settings.listen}", trust_env=False) as client:
        metrics = (await client.get("/metrics")).text
        assert (await client.get("/healthz")).json()["status"] == "alive"
        assert (await client.get("/readyz")).json() == {"status": "ready", "problems": []}
    assert "cloister_webhooks_total{" in metrics
    assert "cloister_stage_duration_seconds_count{" in metrics
    assert str(merge_request.head_sha) not in metrics


async def test_logs_name_the_merge_request_and_nothing_of_its_content(
    cloister: Cloister, gitlab: GitLab, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is logged helps to find the review, and holds no code and no token."""
    gitlab.server.faults.add("GET", r"/merge_requests/\d+$", status=502, times=1)
    code = "unmistakable_name = 'a string in the code'\n"
    merge_request = await asyncio.to_thread(
        gitlab.server.open_merge_request, gitlab.project, "feature", {"a.py": code}
    )
    await cloister.reviewed(merge_request)
    logged = "".join(capfd.readouterr())
    assert f"{gitlab.project.id}:{merge_request.iid}" in logged
    assert "event.retried" in logged
    for private in ("unmistakable_name", gitlab.token, cloister.settings.webhook_secret.get_secret_value()):
        assert private not in logged
