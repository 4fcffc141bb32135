"""Which GitLab to review for, and what we and it show each other."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from bot.settings_types import LocalPath, Token, WebhookSecrets, WebUrl

Url = Annotated[
    WebUrl | None,
    Field(
        description="Base URL of GitLab, with its path if it has one.", examples=["https://gitlab.example"]
    ),
]
ApiToken = Annotated[
    Token | None,
    Field(
        description="Project, group or service account token with scope `api` and role Developer.",
        examples=["glpat-..."],
    ),
]
CaFile = Annotated[
    LocalPath | None,
    Field(
        description="PEM file with the authority that signed GitLab's certificate. Unset: the public ones.",
        examples=["/etc/ssl/certs/example-ca.pem"],
    ),
]
WebhookSecret = Annotated[
    WebhookSecrets | None,
    Field(
        description="Secret that GitLab sends with each webhook. During a rotation two, separated by a comma"
        " or a line break.",
        examples=["(32 random characters)"],
    ),
]
MarkerKey = Annotated[
    SecretStr | None,
    Field(
        description="Key that signs the hidden markers in our comments."
        " Unset: one is made and kept in the database.",
        examples=["(32 random characters)"],
    ),
]
