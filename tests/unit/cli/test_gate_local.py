"""The flow of a gate without a server, with scanners that say what they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.policy_versions_memory import MemoryPolicyVersions
from bot.cli.gate_local import LocalGate
from bot.cli.working_tree import added_file
from bot.domain.diff import Diff
from bot.domain.errors import Permanent, Transient
from bot.domain.findings import Finding, ScanReport, Severity
from bot.domain.gate import Answer, GateResult
from bot.domain.history import History
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.ports import Blob, Runner
from bot.reviewer.levels import Levels
from bot.scanners import Source
from tests.unit.cli.test_cli_local_review import NoRunner

CODE = b"import os\nos.system(command)\n"
REVISION = Revision(
    ref=MergeRequestRef(instance="gitlab.example", project_id=1, iid=1),
    base_sha="a" * 40,
    start_sha="b" * 40,
    head_sha="c" * 40,
)
GRAVE = Finding(
    scanner="semgrep",
    rule="shell",
    category="security",
    severity=Severity.high,
    path="app.py",
    line=2,
    end_line=2,
    title="Shell injection by hunter2",
    message="The command is not checked.",
)


@dataclass
class Clone:
    """Give one new file, and the policy at the start."""

    policy: bytes | None = None
    sides: list[tuple[str, str]] = field(default_factory=list)

    async def diff(self, revision: Revision) -> Diff:
        return Diff((added_file("app.py", CODE),))

    async def read(
        self, revision: Revision, paths: Sequence[str], *, side: str = "head", max_bytes: int = 1_000_000
    ) -> Mapping[str, Blob]:
        files = {("head", "app.py"): CODE, ("start", ".cloister.yml"): self.policy}
        self.sides += [(side, path) for path in paths]
        found = {path: files.get((side, path)) for path in paths}
        return {path: Blob(len(one), one) for path, one in found.items() if one is not None}

    async def commits(self, revision: Revision) -> History:
        return History()


@dataclass
class FakeScanner:
    """Report what it was given, or break."""

    name: str = "semgrep"
    findings: tuple[Finding, ...] = ()
    error: Exception | None = None
    everywhere: bool = False
    history: bool = False

    def wants(self, path: str) -> bool:
        return path.endswith(".py")

    async def scan(self, sources: Sequence[Source], runner: Runner) -> ScanReport:
        if self.error:
            raise self.error
        return ScanReport(
            scanner=self.name, findings=self.findings, analysed=tuple(one.path for one in sources)
        )


async def ask(*scanners: FakeScanner, policy: str | None = None) -> GateResult:
    """Return what the gate says."""
    gate = LocalGate(
        scanners={one.name: one for one in scanners},
        runner=NoRunner(),
        key=b"k",
        redact=lambda text: text.replace("hunter2", "h****"),
        levels=Levels(None, None, MemoryPolicyVersions()),
        clock=SystemClock(),
    )
    return await gate.ask(Clone(policy.encode() if policy else None), REVISION)  # type: ignore[arg-type]


async def test_a_finding_on_an_added_line_blocks():
    """Secrets in its words are masked."""
    result = await ask(FakeScanner(findings=(GRAVE,)))
    (found,) = result.blocking
    assert (Answer.blocked, "Shell injection by h****") == (result.answer, found.title)


@pytest.mark.parametrize("error", [Transient("it crashed on hunter2"), Permanent("not installed, hunter2")])
async def test_a_scanner_that_breaks_leaves_it_undecided(error: Exception):
    """The reason is told without secrets; what the others found still counts."""
    broken = FakeScanner("secrets", error=error)
    result = await ask(FakeScanner(), broken)
    assert Answer.undecided is result.answer
    assert {"secrets": str(error).replace("hunter2", "h****")} == dict(result.broken)
    assert Answer.blocked is (await ask(FakeScanner(findings=(GRAVE,)), broken)).answer


async def test_the_policy_of_the_target_holds():
    """Files that it leaves out are listed."""
    scanners = (FakeScanner(findings=(GRAVE,)), FakeScanner("secrets"))
    result = await ask(*scanners, policy="paths: {exclude: [app.py]}\n")
    assert Answer.passed is result.answer
    assert {"app.py": "excluded by the policy (app.py)"} == dict(result.not_reviewed)


async def test_a_policy_that_cannot_be_read_opens_nothing():
    """The defaults hold, and a warning says where it is wrong."""
    result = await ask(FakeScanner(findings=(GRAVE,)), policy="gate:\n  block_att: never\n")
    assert Answer.blocked is result.answer
    (problem,) = result.problems
    assert problem.startswith(".cloister.yml, line 2: ")


async def test_what_only_a_server_can_ask_is_told():
    """Where the policy lets it block."""
    result = await ask(FakeScanner(), policy="gate: {scanners: [semgrep, model]}\n")
    assert {"model": "not part of a gate without a server"} == dict(result.not_reviewed)
