"""Find out at start which way of running Semgrep works here, and which rules it does not accept."""

from __future__ import annotations

from pathlib import Path

from bot.domain.errors import Transient
from bot.domain.findings import Confidence, Severity
from bot.ports import Runner
from bot.scanners import Source
from bot.scanners.semgrep_batches import overrun
from bot.scanners.semgrep_files import Rule
from bot.scanners.semgrep_metadata import Metadata
from bot.scanners.semgrep_report import parse
from bot.scanners.semgrep_ways import FATAL, Input, RuleFile, Way

_LIMIT_S = 60.0
_RULE = Rule(
    id="cloister-canary",
    file=Path(__file__),
    languages=frozenset({"python"}),
    metadata=Metadata(
        title="Canary", severity=Severity.info, confidence=Confidence.high, category="correctness"
    ),
    body={
        "id": "cloister-canary",
        "languages": ["python"],
        "severity": "INFO",
        "message": "Found $X.",
        "pattern": "cloister_canary($X)",
        "paths": {"include": ["sub/*.py"]},
    },
)
_SOURCE = Source(
    "sub/canary.py",
    b"cloister_canary(1)\ncloister_canary(2)  # nosemgrep\n# cloister_canary(3)\n",
    frozenset(),
)
_EXPECTED = [(1, "Found 1.", False), (2, "Found 2.", True)]


async def sing(way: Way, rules: RuleFile, runner: Runner) -> dict[str, str]:
    """Scan a file whose findings are known, beside all *rules*; return those that are refused, and why.

    Raises:
        Transient: this way does not work here; the message says why.
        Permanent: Semgrep is not installed completely.
    """
    everything = RuleFile([*rules.by_id.values(), _RULE])
    inputs = [Input(0, _SOURCE, ("python",), frozenset(everything.by_id))]
    completed = await runner.run(way.command(inputs, everything, way.start_s + _LIMIT_S))
    if problem := overrun(completed):
        raise Transient(f"a tiny program {problem}")
    if completed.returncode not in (0, FATAL):
        last = completed.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Transient(f"it ends with exit code {completed.returncode}: {last[:200]}")
    parsed = parse(completed.stdout, way.names(inputs), everything.by_id, engine=way.engine)
    found = sorted(
        (one.line, one.message, one.suppressed) for one in parsed.report.findings if one.rule == _RULE.id
    )
    if found != _EXPECTED or parsed.report.not_analysed:
        raise Transient("it does not find what is in a tiny program")
    return dict(parsed.refused)
