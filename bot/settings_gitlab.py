"""Which GitLab to review for, and what we and it show each other."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from bot.domain.marker import LEAST_KEY_BYTES
from bot.settings_types import LocalPath, Token, WebhookSecrets, WebUrl


def _marker_key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value().encode()) < LEAST_KEY_BYTES:
        msg = f"is too short to be a key; give at least {LEAST_KEY_BYTES} random characters"
        raise ValueError(msg)
    return value


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
    Annotated[SecretStr, AfterValidator(_marker_key)] | None,
    Field(
        description="Key that signs the hidden markers in our comments."
        " Unset: one is made and kept in the database.",
        examples=["(32 random characters)"],
    ),
]
