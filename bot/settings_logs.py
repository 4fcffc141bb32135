"""What the operator gets to read: log lines and telemetry."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.settings_types import IgnoreCase, WebUrl

OtlpEndpoint = Annotated[
    WebUrl | None,
    Field(
        description="OpenTelemetry collector (OTLP over HTTP). Unset: no telemetry leaves the process.",
        examples=["http://127.0.0.1:4318"],
    ),
]
Form = Annotated[
    Literal["console", "json"],
    IgnoreCase,
    Field(description="Form of log lines: `console` or `json`.", examples=["json"]),
]
Level = Annotated[
    Literal["debug", "info", "warning", "error"],
    IgnoreCase,
    Field(description="Least level to log: `debug`, `info`, `warning` or `error`.", examples=["info"]),
]
