"""Measure everything, or the parts named on the command line, and print a table."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from bot.demo.gitlab import GitLabServer
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from tests.bench.figures import Figure, table, write_json
from tests.bench.measures import session, starts
from tests.gitlab import start_with_accounts

#: In this order: webhooks are made after the example of those that reviews caused.
PARTS = ("starts", "idle", "alone", "webhooks", "burst", "grown")


async def measure(parts: list[str], data_dir: Path) -> list[Figure]:
    """Return the figures of *parts*."""
    with GitLabServer(hook_workers=4) as server, ScriptedOllama(planted_review) as ollama:
        gitlab = start_with_accounts(server)
        figures = await starts(gitlab, ollama, data_dir) if "starts" in parts else []
        async with session(gitlab, ollama, data_dir) as running:
            for part in PARTS[1:]:
                if part in parts:
                    figures += await getattr(running, part)()
        return figures


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures as JSON")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="cloister-bench-", ignore_cleanup_errors=True) as directory:
        figures = asyncio.run(measure(arguments.parts or list(PARTS), Path(directory)))
    print(table(figures))
    if arguments.json:
        write_json(arguments.json, figures)


if __name__ == "__main__":
    main()
