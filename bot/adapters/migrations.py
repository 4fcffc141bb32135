"""Bring the database schema up to date with Alembic."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.adapters.postgres import connect, dsn
from bot.domain.errors import Permanent
from bot.resources import resource

if TYPE_CHECKING:
    from alembic.config import Config


def newest_revision() -> str:
    """Return the revision that this release needs: versions are numbered files."""
    return max(path.name.split("_")[0] for path in (resource("migrations") / "versions").glob("[0-9]*.py"))


async def current_revision(database_url: str) -> str | None:
    """Return the revision of the database, None when it is empty.

    Raises:
        Transient: the database is out of reach.
        Permanent: it refuses the login, or does not exist.
    """
    connection = await connect(database_url)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()


def alembic_config(database_url: str) -> Config:
    """Return Alembic's configuration for *database_url*."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resource("migrations")).replace("%", "%%"))
    config.attributes["dsn"] = dsn(database_url)
    return config


def upgrade(database_url: str) -> list[str]:
    """Upgrade the schema and return the revisions that were applied, oldest first; repeating it is fine.

    Of processes that upgrade at once one does it, and the others wait for it.

    Raises:
        Transient: the database is out of reach.
        Permanent: it refuses us, or a newer release has upgraded it.
    """
    before, newest = asyncio.run(current_revision(database_url)), newest_revision()
    if before == newest:
        return []
    if before is not None and before > newest:
        raise Permanent(
            f"the database has schema {before}, and this release knows up to {newest}:"
            " a newer Cloister works on it, so start that one here too"
        )
    from alembic import command

    command.upgrade(alembic_config(database_url), "head")
    versions = sorted(
        path.name.split("_")[0] for path in (resource("migrations") / "versions").glob("[0-9]*.py")
    )
    return [version for version in versions if before is None or version > before]
