"""Traces and metrics through OpenTelemetry, logs through structlog.

Spans leave the process only when an OTLP endpoint is configured; metrics are read at ``/metrics``.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import generate_latest

from bot import __version__
from bot.adapters.kafka_logging import forward_client_logs
from bot.runtime.metrics import METRICS

_PROPAGATOR = TraceContextTextMapPropagator()

#: Seconds; from an accepted webhook to a model on a CPU.
_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0]


class OpenTelemetry:
    """Implement telemetry; use as a context manager.

    Args:
        otlp_endpoint: base URL of an OTLP/HTTP collector; None keeps all spans in the process.
    """

    def __init__(self, otlp_endpoint: str | None = None) -> None:
        resource = Resource({"service.name": "cloister", "service.version": __version__})
        self._tracing = TracerProvider(resource=resource, shutdown_on_exit=False)
        if otlp_endpoint:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace.export import BatchSpanProcessor

            exporter = OTLPSpanExporter(f"{otlp_endpoint.rstrip('/')}/v1/traces")
            self._tracing.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._tracing.get_tracer("cloister", __version__)
        self._exporting = otlp_endpoint is not None
        self._metering = MeterProvider(
            [PrometheusMetricReader()],
            resource=resource,
            shutdown_on_exit=False,
            # Prometheus' exporter leaves them out, and looking for them takes a third of the time of a count.
            exemplar_filter=AlwaysOffExemplarFilter(),
        )
        self._instruments = self._declare()

    def __enter__(self) -> OpenTelemetry:
        """Return the telemetry itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Send what is left and stop."""
        self._tracing.shutdown()
        self._metering.shutdown()

    @contextmanager
    def span(
        self, name: str, *, parent: Mapping[str, str] | None = None, **attributes: str | int | float
    ) -> Iterator[None]:
        """Measure a piece of work; see the port."""
        context = _PROPAGATOR.extract(parent) if parent else None
        if not self._exporting:
            with trace.use_span(self._unmeasured(context)):
                yield
            return
        with self._tracer.start_as_current_span(
            name,
            context=context,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                # Its message may quote somebody's code, and traces leave the process.
                span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                raise

    def trace_context(self) -> dict[str, str]:
        """Return the context of the running span; see the port."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier

    def _unmeasured(self, context: Context | None) -> trace.Span:
        """Return a span that has a name in logs and events, and that nobody is going to look at."""
        parent = trace.get_current_span(context).get_span_context()
        ids = self._tracing.id_generator
        known = parent.is_valid
        return trace.NonRecordingSpan(
            trace.SpanContext(
                parent.trace_id if known else ids.generate_trace_id(),
                ids.generate_span_id(),
                is_remote=False,
                # Another process of the same installation may export what follows from this.
                trace_flags=parent.trace_flags if known else trace.TraceFlags(trace.TraceFlags.SAMPLED),
                trace_state=parent.trace_state,
            )
        )

    def count(self, metric: str, value: int = 1, **labels: str) -> None:
        """Add to a counter; see the port."""
        self._instruments[metric].add(value, labels)

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Record a value; see the port."""
        self._instruments[metric].record(value, labels)

    def gauge(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge; see the port."""
        self._instruments[metric].set(value, labels)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest()

    def _declare(self) -> dict[str, Any]:
        meter = self._metering.get_meter("cloister", __version__)
        instruments: dict[str, Any] = {}
        for name, metric in METRICS.items():
            match metric.kind:
                case "counter":
                    instruments[name] = meter.create_counter(name, metric.unit, metric.meaning)
                case "histogram":
                    instruments[name] = meter.create_histogram(
                        name, metric.unit, metric.meaning, explicit_bucket_boundaries_advisory=_BUCKETS_S
                    )
                case "gauge":
                    instruments[name] = meter.create_gauge(name, metric.unit, metric.meaning)
        return instruments


def configure_logging(*, level: str, json: bool) -> None:
    """Send structured logs to standard error: one JSON object a line, or text for people, coloured on a terminal."""
    renderer: Any = structlog.processors.JSONRenderer() if json else _console()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_id,
    ]
    if json:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # Looked up for each line, as programs that redirect standard error expect.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # The HTTP client logs every URL at INFO; uvicorn's access log has no place beside our own.
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    forward_client_logs()


def mask_logs(redact: Callable[[str], str]) -> None:
    """Let *redact* mask secrets in all that is logged from now on, other libraries' lines included.

    A line takes some hundredths of a millisecond more.
    """
    *before, renderer = structlog.get_config()["processors"]
    before = [one for one in before if not isinstance(one, _Mask)]
    structlog.configure(processors=[*before, _Mask(redact), renderer])
    for handler in logging.getLogger().handlers:
        for old in [one for one in handler.filters if isinstance(one, _Mask)]:
            handler.removeFilter(old)
        handler.addFilter(_Mask(redact))


class _Mask(logging.Filter):
    """Mask secrets in lines of structlog, as a processor, and of the standard library, as a filter."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Return *event* with its traceback as text and without secrets."""
        event = structlog.processors.format_exc_info(logger, name, event)
        return {key: self._redact(one) if isinstance(one, str) else one for key, one in event.items()}

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the message of *record*, with its arguments and its traceback, and let it pass."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        record.msg, record.args, record.exc_info = self._redact(text), None, None
        return True


def _console() -> Any:
    # The default shows local variables in tracebacks, and those may be somebody's code.
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _add_trace_id(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace"] = f"{context.trace_id:032x}"
    return event
