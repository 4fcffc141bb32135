"""Where a CI job finds the server that knows the verdicts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.settings_types import LocalPath, Token, WebUrl

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
