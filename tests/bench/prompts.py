"""What a model is asked about two changes: the demo's, and one of 2,000 lines. No model is needed."""

from __future__ import annotations

import os
import statistics
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bot.cli.subject import Subject, collect
from bot.cli.working_tree import WorkingTree
from bot.demo.showcase import access_key, fixed, planted
from bot.domain.context import Context
from bot.domain.prompt import Limits, Prompts, build
from bot.domain.tokens import TokenGauge
from bot.reviewer.context import Site, gather
from bot.reviewer.guides import guides
from bot.scanners import Setup
from bot.scanners.secrets import redactor
from tests.bench.figures import Figure

_ROUNDS = 5
_WINDOW_TOKENS = 16_384
_GUIDELINES = "# Conventions\n\n" + "- Amounts are integers in cents; never use floats for money.\n" * 25


async def prompts() -> list[Figure]:
    """Return tokens, prompts and times of both changes."""
    small = (fixed(), planted(*access_key()))
    return [*await _measured("demo", *small), *await _measured("2,000 lines", *_large())]


def _large() -> tuple[dict[str, str], dict[str, str]]:
    """Return larger modules of the standard library before and after 1,000 new lines in 100 places, and 5 new files."""
    before, after, places = {}, {}, 0
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        lines = path.read_text(encoding="utf-8").split("\n")
        if len(lines) < 400 or places == 100:
            continue
        kept = [*lines]
        for at in range(60, len(lines) - 60, 120):
            if places < 100:
                del kept[len(kept) - (len(lines) - at) : len(kept) - (len(lines) - at) + 10]
                places += 1
        before[f"lib/{path.name}"], after[f"lib/{path.name}"] = "\n".join(kept), "\n".join(lines)
    source = "\n".join(after.values()).split("\n")
    for number in range(5):
        after[f"new/module_{number}.py"] = "\n".join(source[number * 1_000 :][:200])
    return before, after


async def _measured(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="cloister-bench-") as directory:
        root = Path(directory)
        _commit(root, {**before, "AGENTS.md": _GUIDELINES})
        _write(root, after)
        environ = {"PATH": os.environ["PATH"], "HOME": directory}
        subject = collect(WorkingTree.around(root, environ), "main", staged=False)
        began = time.monotonic()
        context = await _gathered(subject)
        gathering_s = time.monotonic() - began
        building_s, prompts = _built(subject, context)
    estimate = TokenGauge().estimate
    system = guides().find.system
    total = sum(estimate(system + part.prompt) for part in prompts.parts)
    lines = sum(len(file.added_lines) for file in subject.diff.files)
    shown = sum(len(excerpt.added) for part in prompts.parts for excerpt in part.excerpts)
    note = f"{lines} added lines, {shown} shown, {len(prompts.coverage)} files"
    return [
        Figure(f"{name}: prompts", len(prompts.parts), "", note=note),
        Figure(f"{name}: tokens in prompts", total, "", note="estimated, system text included"),
        Figure(f"{name}: of these in the stable prefix", 100 * prompts.stable_share(system, estimate), "%"),
        Figure(f"{name}: signatures found", len(context.signatures), ""),
        Figure(f"{name}: gathering context", gathering_s * 1_000, "ms"),
        Figure(f"{name}: building prompts", building_s * 1_000, "ms", goal=100),
    ]


async def _gathered(subject: Subject) -> Context:
    contents = {file.new_path: subject.contents[file.new_path] for file in subject.diff.files}
    return await gather(subject.diff, contents, subject.policy, Site(subject.read, subject.search))


def _built(subject: Subject, context: Context) -> tuple[float, Prompts]:
    mask = redactor(Setup(rules=Path("rules"), key=b"k" * 32))
    times = []
    for _ in range(_ROUNDS):
        began = time.monotonic()
        built = build(
            subject.diff,
            {path: content.decode() for path, content in subject.contents.items()},
            title="Change the shop",
            description="As discussed.",
            system=guides().find.system,
            limits=Limits(_WINDOW_TOKENS),
            estimate=TokenGauge().estimate,
            redact=lambda text: mask.redact(text).text,
            context=context,
        )
        times.append(time.monotonic() - began)
    return statistics.median(times), built


def _commit(root: Path, files: Mapping[str, str]) -> None:
    _write(root, files)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "Before"]):
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
        subprocess.run(["git", *identity, *words], cwd=root, check=True)


def _write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
