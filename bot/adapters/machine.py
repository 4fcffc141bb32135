"""How much memory this machine has for a model."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from bot.domain.model_presets import Machine

_GIB: Final = 1024**3
_LIMIT_S: Final = 5.0
_CGROUP: Final = Path("/sys/fs/cgroup/memory.max")


async def this_machine() -> Machine:
    """Return the memory of this machine, or of this container, and of its NVIDIA cards."""
    total = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # no container, or one without a limit
        total = min(total, int(_CGROUP.read_text()))
    return Machine(round(total / _GIB, 1), await _cards())


async def _cards() -> tuple[float, ...]:
    """Return the memory of each card; none where the driver's tool is missing."""
    try:
        process = await asyncio.create_subprocess_exec(
            "nvidia-smi",
            "--query-gpu=memory.total",
            "--format=csv,noheader,nounits",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ()
    try:
        async with asyncio.timeout(_LIMIT_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ()
    return cards_of(output.decode(errors="replace"))


def cards_of(output: str) -> tuple[float, ...]:
    """Return the memory of each card in GB, from the tool's numbers in MiB; what is no number is left out."""
    lines = (line.strip() for line in output.splitlines())
    return tuple(round(int(line) / 1024, 1) for line in lines if line.isascii() and line.isdigit())
