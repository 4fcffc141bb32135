"""`cloister policy`: what holds for a project and where it comes from, and whether a file may be committed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import FOUND, print_json, print_table, printable, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.adapters.forge_gitlab_api import GitLabApi
    from bot.domain.policy_layers import Resolved
    from bot.reviewer.levels import Found, Levels
    from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Look at policies and check files with them.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Shared = Annotated[
    bool, typer.Option("--shared", help="A file for many projects: that of the instance, or of a group.")
]


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file, or - for standard input.")] = Path(
        ".cloister.yml"
    ),
    shared: Shared = False,
    as_json: Json = False,
) -> None:
    """Check a policy file before it is committed; needs no server and no settings.

    Exits with 0 if it can be used, with 1 and the first problem if not, with 2 if it cannot be read.

    Example: `cloister policy check .cloister.yml`
    """
    from bot.domain.policy_file import PolicyProblem, parse_sections, parse_shared

    content = _content(file)
    found = parse_shared(content) if shared else parse_sections(content)
    problem = found if isinstance(found, PolicyProblem) else None
    name = "standard input" if str(file) == "-" else str(file)
    if as_json:
        print_json(
            {"file": name, "valid": problem is None, "problem": problem and _described(problem)}, hostile=True
        )
    elif problem is None:
        typer.echo(printable(f"{name}: valid"))
    else:
        place = f"{name}:{problem.line}:{problem.column}"
        typer.echo(printable(f"{place}: {problem.message}; {problem.remedy}"))
    if problem is not None:
        raise typer.Exit(FOUND)


def _described(problem: Any) -> dict[str, Any]:
    return {
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _content(file: Path) -> bytes:
    """Return what *file* holds.

    Raises:
        Permanent: it cannot be read.
    """
    from bot.domain.errors import Permanent

    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Permanent(f"cannot read {file}: {error.strerror}; name a policy file") from error


@app.command()
def schema(shared: Shared = False) -> None:
    """Print the JSON Schema of policy files, for editors and for pipelines.

    Example: `cloister policy schema --shared`
    """
    from bot.domain.policy_schema import schema as schema_of

    print_json(schema_of(shared=shared))


@app.command()
def show(
    ctx: typer.Context,
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="As in group/project.")],
    branch: Annotated[
        str, typer.Option(metavar="NAME", help="The target branch; default: the project's default branch.")
    ] = "HEAD",
    as_json: Json = False,
) -> None:
    """Print what holds for merge requests of a project: every key, its value, and the level that sets it.

    Reads the files as they are now. A broken one is named; the running Cloister uses its last valid version then.

    Example: `cloister policy show group/project --branch main`
    """
    import asyncio

    settings = settings_of(ctx)
    settings.require("gitlab_url", "gitlab_token")
    quiet_logs()
    found = asyncio.run(_found(settings, project, branch))
    entries = described(found.resolved)
    if as_json:
        overruled = [{"key": one.key, "origin": one.origin, "by": one.by} for one in found.resolved.overruled]
        problems = list(found.problems)
        print_json(
            {"project": project, "keys": entries, "overruled": overruled, "problems": problems}, hostile=True
        )
        return
    for problem in found.problems:
        typer.echo(f"warning: {printable(problem)}", err=True)
    rows = [[one["key"], _shown(one["value"]), one["origin"], one["enforced_by"] or ""] for one in entries]
    print_table(["Key", "Value", "From", "Enforced by"], rows)


def described(resolved: Resolved) -> list[dict[str, Any]]:
    """Return key, value, origin and who enforces it, for every key in the order of their declaration."""
    from bot.domain.policy_layers import DEFAULT
    from bot.domain.policy_model import GATE, keys

    values = resolved.policy.model_dump(mode="json")
    return [
        {
            "key": key,
            "value": values[section][name],
            "origin": resolved.origins.get(key, DEFAULT),
            "enforced_by": resolved.enforced.get(GATE if section == GATE else key),
        }
        for key in keys()
        for section, _, name in [key.partition(".")]
    ]


def _shown(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _NothingRemembered:
    """Stand in for the database, which commands do without."""

    async def last_valid(self, name: str) -> str | None:
        del name
        return None

    async def remember(self, name: str, said: str) -> None:
        del name, said

    async def forget(self, name: str) -> None:
        del name


@asynccontextmanager
async def levels_at(settings: Settings) -> AsyncIterator[tuple[GitLabApi, Levels]]:
    """Provide the levels above projects as they are now, and what they are read through."""
    from bot.adapters.forge_gitlab_api import GitLabApi
    from bot.wiring_policy import levels_of

    token = settings.gitlab_token.get_secret_value() if settings.gitlab_token else ""
    api = GitLabApi(str(settings.gitlab_url), token, verify=settings.gitlab_tls())
    try:
        yield api, levels_of(settings, api, _NothingRemembered(), str)
    finally:
        await api.aclose()


async def _found(settings: Settings, project: str, branch: str) -> Found:
    from urllib.parse import quote

    from bot.adapters.policy_files_gitlab import GitLabPolicyFiles
    from bot.domain.errors import Permanent, Refused
    from bot.domain.policy_file import PATH
    from bot.gitlab.administration import Project

    async with levels_at(settings) as (api, levels):
        # Its groups are told by its path as GitLab has it: a former path, or another case, would name others.
        try:
            known = await api.one(Project, f"projects/{quote(project.strip('/'), safe='')}")
        except Refused as error:
            msg = f"the project {project} cannot be seen; correct its path, or add our account to it as Reporter"
            raise Permanent(msg) from error
        path = known.path_with_namespace
        content = await GitLabPolicyFiles(api, path, ref=branch).read(PATH)
        return await levels.effective(path, content, name=path)
