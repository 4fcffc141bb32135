"""The `cloister` command: global options and the list of commands.

Modules of commands import nothing slow at their top, so that help and completion stay fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot import __version__
from bot.cli import (
    advisories,
    audit,
    config,
    database,
    dead_letters,
    demo,
    doctor,
    evaluate,
    events,
    export,
    forget,
    gate,
    hooks,
    kafka,
    labels,
    login_link,
    model,
    noise,
    policy,
    reconcile,
    replay,
    retention,
    review,
    rules,
    serve,
    token,
    waivers,
)
from bot.cli.context import Commands, GlobalOptions

app = typer.Typer(
    name="cloister",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Review merge requests of a self-hosted GitLab; the code never leaves the building.",
    epilog="Settings are `CLOISTER_...` variables: see `cloister config show`. Start with `cloister doctor`.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cloister {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="TOML file with settings; variables win over it."),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Keep the global options for the command."""
    ctx.obj = GlobalOptions(config=config)


app.command("demo")(demo.demo)
app.command("up")(serve.up)
app.command("web")(serve.web)
app.command("consume")(serve.consume)
app.command("reconcile")(reconcile.reconcile)
app.command("review")(review.review)
app.command("gate")(gate.gate)
app.command("eval")(evaluate.evaluate)
app.command("doctor")(doctor.doctor)
app.command("events")(events.events)
app.command("replay")(replay.replay)
app.command("login-link")(login_link.login_link)
app.command("export")(export.export)
app.command("forget")(forget.forget)
app.add_typer(config.app, name="config")
app.add_typer(hooks.app, name="hooks")
app.add_typer(advisories.app, name="advisories")
app.add_typer(database.app, name="db")
app.add_typer(retention.app, name="retention")
app.add_typer(rules.app, name="rules")
app.add_typer(policy.app, name="policy")
app.add_typer(model.app, name="model")
app.add_typer(kafka.app, name="kafka")
app.add_typer(dead_letters.app, name="dlq")
app.add_typer(waivers.app, name="waivers")
app.add_typer(token.app, name="token")
app.add_typer(audit.app, name="audit")
app.add_typer(labels.app, name="labels")
app.add_typer(noise.app, name="noise")
