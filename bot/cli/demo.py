"""`cloister demo`: the main job from start to end, on this machine alone."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running, and print where.")] = False,
) -> None:
    """Review a merge request with planted defects on a small GitLab of our own, then review its fix.

    Uses the Ollama at CLOISTER_MODEL_URL if one answers there, and a scripted stand-in otherwise. Nothing is
    left behind.

    Example: cloister demo --keep
    """
    import asyncio

    from bot.adapters.telemetry import configure_logging
    from bot.cli.demo_run import run

    configure_logging(level="error", json=False)
    asyncio.run(run(keep=keep))
