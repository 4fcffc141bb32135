"""`cloister forget`: delete what is kept of a project or of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import print_json, print_table, settings_of
from bot.cli.operator import actor, on_database

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.settings import Settings


def forget(
    ctx: typer.Context,
    project: Annotated[
        int | None, typer.Option(metavar="ID", min=1, max=2**63 - 1, help="All of this project.")
    ] = None,
    user: Annotated[
        int | None,
        typer.Option(metavar="ID", min=1, max=2**63 - 1, help="What this person did, and the name."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; only with `--yes`.")] = False,
) -> None:
    """Delete what is kept of a project or of a person, for good.

    Take the webhook of the project away first, or the next event brings it back. Backups, exports and what stands in
    GitLab are not touched, nor is the mirror of the project's repository in the data directory.
    """
    if (project is None) == (user is None):
        raise typer.BadParameter("say either --project or --user")
    if as_json and not yes:
        raise typer.BadParameter("--json asks nothing, so it needs --yes")
    settings = settings_of(ctx)
    settings.require("gitlab_url")
    what = f"project {project}" if project is not None else f"user {user}"
    if not yes:
        typer.confirm(f"Delete what is kept of {what} for good?", abort=True)
    gone = _run(settings, project, user)
    if as_json:
        print_json({"forgotten": what, "rows": dict(gone)})
        return
    if not gone:
        typer.echo(f"nothing is kept of {what}")
        return
    print_table(["Table", "Rows"], [[table, count] for table, count in sorted(gone.items())])
    if user is not None:
        typer.echo("now derive the labels anew: cloister labels rebuild")


def _run(settings: Settings, project: int | None, user: int | None) -> Mapping[str, int]:
    from bot.adapters.forgetting_postgres import forget_person, forget_project
    from bot.adapters.store_postgres import PostgresStore
    from bot.domain.signals import pseudonym
    from bot.gitlab.instance import instance_name

    instance = instance_name(str(settings.gitlab_url))

    async def act(pool: Any) -> Mapping[str, int]:
        if project is not None:
            return await forget_project(pool, instance, project, actor=actor())
        key = await PostgresStore(pool).secret("forgotten")
        number = user or 0
        return await forget_person(pool, instance, number, pseudonym(key, instance, number), actor=actor())

    return on_database(settings, act)
