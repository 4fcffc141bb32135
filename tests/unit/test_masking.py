"""What is logged or traced while something goes wrong holds no secret."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path

import pytest
import structlog

from bot.adapters.telemetry import OpenTelemetry, configure_logging, mask_logs
from bot.scanners import Setup
from bot.scanners.secrets import redactor

TOKEN = "glpat-" + "aB3dE5gH7jK9mN1pQ3sT"
REDACTOR = redactor(Setup(rules=Path(__file__).parents[2] / "rules", key=b"key of the tests"))


def redact(text: str) -> str:
    return REDACTOR.redact(text).text


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Leave the logging of the other tests as it was."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


@pytest.mark.parametrize("json", [True, False])
def test_no_secret_is_logged(json: bool):
    """Fields, messages of exceptions and lines of other libraries are masked."""
    with redirect_stderr(io.StringIO()) as written:
        configure_logging(level="info", json=json)
        # Pytest's own handlers keep basicConfig from adding this one.
        logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))
        mask_logs(redact)
        structlog.get_logger().info("scan.failed", error=f"cannot read {TOKEN}", lines=3)
        try:
            int(TOKEN)
        except ValueError:
            structlog.get_logger().exception("scan.broke")
            logging.getLogger("library").exception("request to %s failed", f"https://ci:{TOKEN}@host/")
    text = written.getvalue()
    assert TOKEN not in text
    assert text.count("[secret:gitlab-personal-access-token:") >= 4
    assert "scan.failed" in text
    assert "ValueError" in text
    assert "\x1b" not in text, "colours are for terminals"


def test_masking_twice_masks_once():
    """Another start in the same process does not make lines slower and slower."""
    configure_logging(level="info", json=True)
    mask_logs(redact)
    count = len(structlog.get_config()["processors"])
    mask_logs(redact)
    assert len(structlog.get_config()["processors"]) == count
    assert all(len(handler.filters) == 1 for handler in logging.getLogger().handlers)


def test_traces_name_the_kind_of_an_error_only():
    """A span that fails says which kind of error it was, not what the error says."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exported = InMemorySpanExporter()
    with OpenTelemetry("http://127.0.0.1:9") as telemetry:
        telemetry._tracing._active_span_processor._span_processors = (SimpleSpanProcessor(exported),)
        with pytest.raises(ValueError, match="glpat"), telemetry.span("scan"):
            raise ValueError(TOKEN)
    (span,) = exported.get_finished_spans()
    assert span.status.description == "ValueError"
    assert TOKEN not in span.to_json()
    assert sys.exc_info() == (None, None, None)
