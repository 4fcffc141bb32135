"""`cloister model`: which models there are and fit, whether they work, how fast they are."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.context import FOUND, print_json, print_table, quiet_logs, settings_of

if TYPE_CHECKING:
    from bot.cli.checks import Check
    from bot.cli.model_bench import Measured
    from bot.domain.model_presets import Machine, Preset
    from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Choose, check and measure the language models.")
_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "yes": "green", "no": "dim"}


@app.callback()
def model() -> None:
    """Choose, check and measure the language models."""


@app.command("list", epilog="Example: `cloister model list --gpu 24 --gpu 24`")
def list_models(
    ctx: typer.Context,
    ram: Annotated[
        float | None, typer.Option(min=1, metavar="GB", help="Memory of another machine than this one.")
    ] = None,
    gpu: Annotated[
        list[float] | None,
        typer.Option(min=1, metavar="GB", help="Memory of a graphics card there; once for each card."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models that Cloister knows: what they need, whether that fits, what the servers have.

    What fits is told for this machine, which need not be the one with the models: then say --ram and --gpu.
    """
    import asyncio

    settings = settings_of(ctx)
    quiet_logs()
    machine, there, problems = asyncio.run(_surveyed(settings, ram, tuple(gpu or ())))
    for problem in problems:
        typer.echo(f"warning: {problem}", err=True)
    rows = [_row(preset, machine, there, settings) for preset in _presets(there)]
    best = _best(machine, settings)
    if as_json:
        print_json({"machine": dataclasses.asdict(machine), "pull": best, "models": rows})
        return
    cards = ", ".join(f"{size:g}" for size in machine.gpus_gb)
    memory = f"{machine.ram_gb:g} GB" if machine.ram_gb else "not told"
    typer.echo(f"Memory: {memory}, graphics cards: {f'{cards} GB' if cards else 'none'}")
    titles = ["Model", "Needs GB", "Fits", "There", "Window", "Thinks", "For"]
    shown = [[_said(row[key]) for key in list(row)[:7]] for row in rows]
    print_table(titles, shown, styles=_STYLES)
    typer.echo(
        f"For reviews on this machine: {best}" if best else "No model for reviews fits into this memory."
    )


@app.command(epilog="Example: `cloister model check --json`")
def check(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask every model on every server something; say what to do about what is wrong.

    Each is looked at: whether the server answers, is safe and keeps code inside, whether it has the model, binds
    answers to a schema, thinks although it should not, with which context it runs, and whether all of it is on the
    graphics cards. Loading a model may take minutes. Exits with 1 if anything fails.
    """
    import asyncio

    settings = settings_of(ctx)
    settings.require("model_url")
    quiet_logs()
    checks = asyncio.run(_checked(settings))
    if as_json:
        print_json([dataclasses.asdict(one) for one in checks])
    else:
        rows = [[one.outcome, one.name, one.detail, one.remedy] for one in checks]
        print_table(["", "Check", "Found", "What to do"], rows, styles=_STYLES)
    if any(one.outcome == "fail" for one in checks):
        raise typer.Exit(FOUND)


@app.command(epilog="Example: `cloister model bench --most 4`")
def bench(
    ctx: typer.Context,
    most: Annotated[
        int | None,
        typer.Option(
            min=1, max=256, help="Requests at a time to try; CLOISTER_MODEL_PARALLEL times servers."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how fast the model for reviews reads and writes, and say how many merge requests an hour that is.

    The prompts are those of a review, about made-up code. Other users of the server make it slower.
    """
    import asyncio

    settings = settings_of(ctx)
    settings.require("model_url")
    quiet_logs()
    measured = asyncio.run(_measured(settings, most))
    if as_json:
        print_json(measured.as_json())
        return
    print_table(["Measured", ""], measured.rows())
    print_table(["At a time", "Requests an hour", "Merge requests an hour"], measured.rates())
    typer.echo(measured.advice())


async def _surveyed(
    settings: Settings, ram: float | None, gpus: tuple[float, ...]
) -> tuple[Machine, dict[str, list[str]], list[str]]:
    """Return the machine, the names of the models by server, and which server could not be asked."""
    from bot.adapters.machine import this_machine
    from bot.domain.errors import CloisterError
    from bot.domain.model_presets import Machine
    from bot.wiring_models import listed

    machine = await this_machine() if ram is None and not gpus else Machine(ram or 0.0, gpus)
    there: dict[str, list[str]] = {}
    problems = []
    for endpoint in settings.model_endpoints:
        try:
            there[endpoint.url] = await listed(settings, endpoint)
        except CloisterError as error:
            problems.append(str(error))
    return machine, there, problems


def _presets(there: dict[str, list[str]]) -> list[Preset]:
    """Return the table, and after it what the servers have beside."""
    from bot.domain.model_presets import PRESETS, is_known, preset_of

    names = dict.fromkeys(name for names in there.values() for name in names)
    return [*PRESETS, *(preset_of(name) for name in names if not is_known(preset_of(name)))]


def _row(preset: Preset, machine: Machine, there: dict[str, list[str]], settings: Settings) -> dict[str, Any]:
    from bot.domain.model_presets import preset_of

    window = None if preset.embeds else settings.model_context_tokens
    parallel = 1 if preset.embeds else settings.model_parallel
    servers = [url for url, names in there.items() if any(preset_of(name) == preset for name in names)]
    return {
        "model": preset.name,
        "needs_gb": preset.needs_gb(window, parallel),
        "fits": machine.fits(preset, window_tokens=window, parallel=parallel),
        "there": bool(servers) if there else None,
        "window_tokens": window or preset.window_tokens,
        "thinks": preset.thinking.value,
        "for": preset.remark,
        "defects": preset.defects,
        "servers": servers,
        "options": dict(preset.options),
        "embeds": preset.embeds,
    }


def _said(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "?" if value is None else value


def _best(machine: Machine, settings: Settings) -> str:
    """Return how to get the model for reviews, empty if none fits."""
    from bot.domain.model_presets import best_for

    best = best_for(machine, parallel=settings.model_parallel)
    if best is None:
        return ""
    if best.name == "deepseek-v3":
        return "vllm serve deepseek-ai/DeepSeek-V3.1 (see docs/models.md)"
    return f"ollama pull {best.name}"


async def _checked(settings: Settings) -> list[Check]:
    from bot.cli.checks.model import models, vectors
    from bot.wiring_models import models_of

    made = models_of(settings)
    try:
        typer.echo("Asking each model; one that is not loaded yet is loaded now.", err=True)
        checks = await models(made.servers, settings.model_context_tokens, probing=True)
        return [*checks, *(await vectors(made.embeddings) if made.embeddings else [])]
    finally:
        await made.close()


async def _measured(settings: Settings, most: int | None) -> Measured:
    from bot.cli.model_bench import measure
    from bot.domain.records import Task
    from bot.resources import resource
    from bot.wiring_models import models_of

    texts = sorted((resource("rules") / "review").rglob("*.md"))
    instructions = "\n\n".join(path.read_text(encoding="utf-8") for path in texts)
    places = most or settings.model_parallel * len(settings.model_endpoints)
    each = -(-places // len(settings.model_endpoints))
    made = models_of(settings.model_copy(update={"model_parallel": each}))
    try:
        return await measure(
            made.by_task[Task.review], instructions, places, progress=lambda text: typer.echo(text, err=True)
        )
    finally:
        await made.close()
