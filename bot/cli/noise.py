"""`cloister noise`: which rules say nothing for a while, why a finding was not said, and the way to change that."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import print_json, print_table, settings_of
from bot.cli.operator import actor, on_database

if TYPE_CHECKING:
    from bot.domain.dashboard import Muted
    from bot.domain.quiet.muting import Subject
    from bot.domain.viewer import Viewer
    from bot.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Look after noise: rules that say nothing for a while, and findings withheld."
)

_NAME = re.compile(r"([^\s/]{1,255})/(\S{1,255})")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Project = Annotated[
    int | None, typer.Option(metavar="ID", min=1, max=2**63 - 1, help="Id of the project in GitLab.")
]
Group = Annotated[
    str, typer.Option(metavar="PATH", help="All projects below this group, those to come included.")
]
Name = Annotated[
    str, typer.Argument(metavar="SCANNER/NAME", help="A rule, as in semgrep/python-eval, or a category.")
]
Category = Annotated[bool, typer.Option("--category", help="The name is that of a whole category.")]
Because = Annotated[str, typer.Option(metavar="REASON", help="Why; it stays on record.")]


@app.callback()
def noise() -> None:
    """Look after noise: rules that say nothing for a while, and findings withheld."""


@app.command("list", epilog="Example: `cloister noise list --project 42`")
def list_(
    ctx: typer.Context,
    project: Annotated[
        int | None,
        typer.Option(metavar="ID", min=1, max=2**63 - 1, help="Only what this project's reviews do not say."),
    ] = None,
    group: Annotated[
        str, typer.Option(metavar="PATH", help="Only what concerns projects below this group.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List what is muted now, the first to end first."""
    from bot.adapters.muted_postgres import muted
    from bot.domain.dashboard import Filters

    settings, now = settings_of(ctx), datetime.now(UTC)
    instance = _instance(settings)

    async def act(pool: Any) -> tuple[Muted, ...]:
        filters = Filters(None, now.date(), now.date(), project, group)
        return (await muted(pool, instance, filters, now)).lines

    found = on_database(settings, act)
    if as_json:
        print_json([_described(one) for one in found], hostile=True)
    elif found:
        print_table(["Id", "Project or group", "What", "Since", "Until", "By", "Why"], list(map(_row, found)))
    else:
        typer.echo("nothing is muted")


@app.command(epilog="Example: `cloister noise mute semgrep/python-eval --project 42 --because 'tests only'`")
def mute(
    ctx: typer.Context,
    name: Name,
    because: Because,
    project: Project = None,
    group: Group = "",
    category: Category = False,
    lasting: Annotated[str, typer.Option("--for", metavar="SPAN", help="How long, as in 30d.")] = "30d",
) -> None:
    """Have a rule or a category say nothing for a while; what blocks, is critical or a secret is said all the same."""
    from bot.adapters.clock import SystemClock
    from bot.adapters.muting_postgres import PostgresMuting
    from bot.cli.moments import ahead

    settings, why = settings_of(ctx), _reason(because)
    subject = _subject(name, project, group, category=category)
    instance, until = _instance(settings), ahead(lasting, datetime.now(UTC))

    async def act(pool: Any) -> tuple[object, str]:
        muting = PostgresMuting(pool, instance, SystemClock())
        number = await muting.mute_subject(subject, why=why, until=until, by=_operator())
        return number, await _unheard_of(pool, instance, subject)

    number, warning = on_database(settings, act)
    typer.echo(f"muted the {subject} in {_where(subject)} until {until:%Y-%m-%d}: {number}")
    if warning:
        typer.echo(warning, err=True)


@app.command(
    epilog="Example: `cloister noise unmute semgrep/python-eval --project 42 --because 'we use it now'`"
)
def unmute(
    ctx: typer.Context,
    name: Name,
    because: Because,
    project: Project = None,
    group: Group = "",
    category: Category = False,
) -> None:
    """Have a rule or a category said for 30 days, whoever or whatever muted it; then the figures count anew."""
    from bot.adapters.clock import SystemClock
    from bot.adapters.muting_postgres import PostgresMuting

    settings, why = settings_of(ctx), _reason(because)
    subject = _subject(name, project, group, category=category)
    instance = _instance(settings)

    async def act(pool: Any) -> str:
        muting = PostgresMuting(pool, instance, SystemClock())
        await muting.say_subject(subject, why=why, by=_operator())
        return await _unheard_of(pool, instance, subject)

    warning = on_database(settings, act)
    typer.echo(f"the {subject} is said again in {_where(subject)} from the next review on")
    if warning:
        typer.echo(warning, err=True)


@app.command(epilog="Example: `cloister noise explain 1a2b3c4d`")
def explain(
    ctx: typer.Context,
    finding: Annotated[
        str, typer.Argument(metavar="FINGERPRINT", help="Of the finding; its first 4 digits are enough.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say why a finding was not said: by which mute, or by which comments that people rejected."""
    from bot.adapters.suppressions_postgres import named

    if not re.fullmatch("[0-9a-f]{4,64}", finding.lower()):
        raise typer.BadParameter(f"{finding!r} is no beginning of a fingerprint: at least 4 of 0-9 and a-f")
    settings = settings_of(ctx)
    instance = _instance(settings)

    async def act(pool: Any) -> list[dict[str, Any]]:
        return await named(pool, instance, finding.lower())

    found = on_database(settings, act)
    if as_json:
        print_json([_told(row) for row in found], hostile=True)
    elif found:
        print_table(
            ["When", "Merge request", "Severity", "Rule", "Cause", "Why", "Comments like it"],
            list(map(_reasoned, found)),
        )
    else:
        typer.echo("no review has withheld such a finding")


def _instance(settings: Settings) -> str:
    from bot.gitlab.instance import instance_name

    settings.require("gitlab_url")
    return instance_name(str(settings.gitlab_url))


def _subject(name: str, project: int | None, group: str, *, category: bool) -> Subject:
    from bot.domain.quiet.muting import Scope, Subject, rule_subject

    match = _NAME.fullmatch(name)
    if match is None:
        raise typer.BadParameter(f"{name!r} names no rule: say it like semgrep/python-eval")
    team, (scanner, plain) = _team(project, group), match.groups()
    return Subject(team, Scope.category, scanner, plain) if category else rule_subject(team, scanner, plain)


def _team(project: int | None, group: str) -> str:
    from bot.domain.quiet.groups import group_path
    from bot.domain.quiet.muting import group_team, team_of

    if (project is None) != bool(group):
        raise typer.BadParameter("say --project or --group, and not both")
    if project is not None:
        return team_of(project)
    if not group_path(group):
        raise typer.BadParameter(f"{group!r} is no path of a group", param_hint="--group")
    return group_team(group_path(group))


async def _unheard_of(pool: Any, instance: str, subject: Subject) -> str:
    """Return a warning if no comment was ever of *subject*: a rule may be new, or its name misspelt."""
    import difflib

    from bot.adapters.commented_postgres import subjects_like

    name, known = f"{subject.scanner}/{subject.name}", await subjects_like(pool, instance, subject)
    if name in known:
        return ""
    close = difflib.get_close_matches(name, sorted(known), n=3)
    advice = f"did you mean {' or '.join(close)}?" if close else "check the name if it is not meant for later"
    return f"note: no comment in {_where(subject)} was of the {subject} so far; {advice}"


def _where(subject: Subject) -> str:
    from bot.domain.quiet.muting import group_of

    group = group_of(subject.team)
    return f"group {group}" if group else f"project {subject.team}"


def _reason(because: str) -> str:
    from bot.domain.markdown import one_line

    reason = one_line(because)
    if not reason:
        raise typer.BadParameter("say why", param_hint="--because")
    return reason


def _operator() -> Viewer:
    """Return who runs the command, for the records."""
    from bot.domain.forge import ForgeUser
    from bot.domain.viewer import Via, Viewer

    _, number, name = actor().split(":", 2)
    return Viewer(ForgeUser(int(number), name), admin=True, via=Via.command)


def _described(one: Muted) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "project_id": one.project_id,
        "group": one.group or None,
        "rule": one.rule or None,
        "category": one.category or None,
        "since": one.since.isoformat(),
        "until": one.until.isoformat(),
        "automatic": one.automatic,
        "why": one.why,
    }


def _row(one: Muted) -> list[object]:
    what = one.rule or f"all of {one.category}"
    by = "the figures" if one.automatic else "a person"
    return [
        str(one.id)[:8],
        one.project_id or one.group,
        what,
        one.since.date(),
        one.until.date(),
        by,
        one.why,
    ]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "fingerprint",
        "iid",
        "project_id",
        "scanner",
        "rule",
        "category",
        "severity",
        "cause",
        "explanation",
    )
    return {
        **{name: row[name] for name in kept},
        "run_id": str(row["run_id"]),
        "mute": str(row["mute"]) if row["mute"] else None,
        "neighbours": row["neighbours"],
        "at": row["at"].isoformat(),
    }


def _reasoned(row: dict[str, Any]) -> list[object]:
    near = ", ".join(f"{one['comment']} ({one['likeness']:.2f})" for one in row["neighbours"])
    where = f"{row['project_id']}!{row['iid']}"
    rule = f"{row['scanner']}/{row['rule']}"
    return [row["at"].date(), where, row["severity"], rule, row["cause"], row["explanation"], near]
