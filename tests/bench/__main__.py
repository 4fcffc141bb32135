"""Measure everything, or the parts named on the command line, and print a table."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bot.demo.gitlab import GitLabServer
from bot.demo.ollama import ScriptedOllama
from bot.demo.planted import planted_review
from tests.bench.dashboard import dashboard
from tests.bench.distributed import distributed
from tests.bench.figures import Figure, table, write_json
from tests.bench.gate import gate
from tests.bench.measures import killed, session, starts
from tests.bench.prompts import prompts
from tests.bench.scanning import scanning
from tests.bench.secrets import secrets
from tests.bench.verdict import verdict
from tests.gitlab import start_with_accounts
from tests.kafka import missing_for_kafka

#: Of no Cloister at all, of one that comes and goes, of one that stays, and of one on Kafka, in this order.
FRESH = {"starts": starts, "killed": killed, "verdict": verdict}
EMBEDDED = ("idle", "alone", "webhooks", "burst", "grown")
KAFKA = ("accepted", "review", "stage", "takeover", "backlog")
#: Of nothing that runs: the scanners, and what models are asked.
ALONE = ("semgrep", "secrets", "prompts", "gate", "dashboard")
PARTS = (*ALONE, *FRESH, *EMBEDDED, *KAFKA)


async def measure(parts: list[str], data_dir: Path, backlog: int, comments: int) -> list[Figure]:
    """Return the figures of *parts*."""
    figures = await scanning() if "semgrep" in parts else []
    figures += secrets() if "secrets" in parts else []
    figures += await prompts() if "prompts" in parts else []
    figures += await asyncio.to_thread(gate) if "gate" in parts else []
    figures += await dashboard(comments) if "dashboard" in parts else []
    if set(parts) <= set(ALONE):
        return figures
    with GitLabServer(hook_workers=4) as server, ScriptedOllama(planted_review) as ollama:
        gitlab = start_with_accounts(server)
        for part in [part for part in FRESH if part in parts]:
            figures += await FRESH[part](gitlab, ollama, data_dir)
        if wanted := [part for part in EMBEDDED if part in parts]:
            async with session(gitlab, ollama, data_dir) as running:
                for part in wanted:
                    figures += await getattr(running, part)()
        if missing := missing_for_kafka():
            print(f"nothing is measured on Kafka: {missing} not found", file=sys.stderr)
        elif wanted := [part for part in KAFKA if part in parts]:
            async with distributed(gitlab, ollama, data_dir, backlog) as cluster:
                for part in wanted:
                    figures += await getattr(cluster, part)()
    return figures


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures as JSON")
    parser.add_argument(
        "--backlog", type=int, default=1000, metavar="N", help="merge requests that wait; 1000 by default"
    )
    parser.add_argument(
        "--comments",
        type=int,
        default=20_000,
        metavar="N",
        help="comments of the dashboard's history; 20000 by default",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="cloister-bench-", ignore_cleanup_errors=True) as directory:
        parts = arguments.parts or list(PARTS)
        figures = asyncio.run(measure(parts, Path(directory), arguments.backlog, arguments.comments))
    print(table(figures))
    if arguments.json:
        write_json(arguments.json, figures)


if __name__ == "__main__":
    main()
