"""Where Cloister serves its pages and takes webhooks, and where a CI job finds the server that knows the verdicts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.settings_types import ListenAddress, LocalPath, Token, WebUrl

Listen = Annotated[
    ListenAddress,
    Field(description="HOST:PORT for webhooks, health and metrics.", examples=["0.0.0.0:8080"]),
]
PublicUrl = Annotated[
    WebUrl | None,
    Field(
        description="Where people and CI jobs reach the pages of Cloister. Unset: no link leads to them from GitLab.",
        examples=["https://cloister.example"],
    ),
]

Url = Annotated[
    WebUrl | None,
    Field(
        description="Where a CI job asks for verdicts (`cloister gate --wait`): the server's `CLOISTER_PUBLIC_URL`.",
        examples=["https://cloister.example"],
    ),
]
CaFile = Annotated[
    LocalPath | None,
    Field(
        description="PEM file with the authority that signed that server's certificate. Unset: the public ones.",
        examples=["/etc/ssl/certs/example-ca.pem"],
    ),
]
ApiToken = Annotated[
    Token | None,
    Field(
        description="API token of that server, for jobs whose `CI_JOB_TOKEN` it does not accept.",
        examples=["..."],
    ),
]
