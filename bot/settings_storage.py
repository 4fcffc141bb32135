"""Where data is kept: the database, the mirrors, the advisories."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.settings_types import LocalPath, PostgresUrl

DatabaseUrl = Annotated[
    PostgresUrl | None,
    Field(
        description="Postgres 15 or newer. Unset: a Postgres of our own in the data directory.",
        examples=["postgresql://cloister@db.example/cloister"],
    ),
]
DataDir = Annotated[
    LocalPath,
    Field(
        validate_default=True,
        description="Directory for the git mirrors and the embedded database, on a local disk."
        " Default: `cloister` in `$XDG_DATA_HOME`.",
        examples=["/var/lib/cloister"],
    ),
]
AdvisoriesDir = Annotated[
    LocalPath | None,
    Field(
        description="Directory for the imported advisories about packages."
        " Unset: `advisories` in the data directory.",
        examples=["/srv/cloister/advisories"],
    ),
]
AdvisoriesMaxAgeDays = Annotated[
    int,
    Field(
        ge=1,
        le=3650,
        description="Days after which `cloister doctor` warns that no newer advisory was imported.",
        examples=[7],
    ),
]
