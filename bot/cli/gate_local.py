"""The gate without a server: the scanners of the server on the commits of a clone, and its decision."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot.adapters.git_borrowed import BorrowedClone
from bot.domain.diff import Diff
from bot.domain.errors import CloisterError
from bot.domain.facts import Facts
from bot.domain.findings import Finding
from bot.domain.gate import GateResult, answer
from bot.domain.masking import masked
from bot.domain.merge_request import Revision
from bot.domain.policy import Policy, left_out, unknown_rules
from bot.domain.policy_file import PATH, PolicyProblem
from bot.domain.run import Outcome, Plan, Run, Step
from bot.domain.steps import SCAN_PREFIX
from bot.ports import Blob, Clock, Runner
from bot.reviewer.levels import Levels
from bot.scanners import Scanner, known_rules, max_bytes, scheduled, wanted
from bot.scanners.examination import Examination

#: As much of the policy file as the server reads.
_POLICY_BYTES = 100_000
_UNKNOWN = Facts()
_NO_MODEL = "not part of a gate without a server"


@dataclass(frozen=True)
class LocalGate:
    """Ask *scanners* about a change, and the policy about what they say.

    Args:
        scanners: who looks.
        runner: runs their tools.
        key: the secret of fingerprints.
        redact: masks secrets.
        levels: puts the policy together.
        clock: tells the time.
        progress: told about each step, for people who wait.
    """

    scanners: Mapping[str, Scanner]
    runner: Runner
    key: bytes
    redact: Callable[[str], str]
    levels: Levels
    clock: Clock
    progress: Callable[[str], None] = lambda _: None

    async def ask(self, clone: BorrowedClone, revision: Revision, facts: Facts = _UNKNOWN) -> GateResult:
        """Return what the gate says to *revision*; a scanner that breaks leaves it undecided unless others block.

        Raises:
            Permanent: the commits cannot be read.
        """
        policy, problems = await self._policy(clone, revision)
        diff = await clone.diff(revision)
        names, missing = scheduled(self.scanners, diff, policy)
        plan = Plan(
            revision=revision,
            policy=policy,
            steps=tuple(f"{SCAN_PREFIX}{name}" for name in names),
            skipped=left_out(diff, policy),
            absent={**missing, **self._elsewhere(policy)},
            facts=facts,
            problems=tuple(problems),
        )
        run = Run(id=uuid.uuid4(), ref=revision.ref, head_sha=revision.head_sha, created_at=self.clock.now())
        run = run.start_work(plan)
        ended = await asyncio.gather(*(self._step(name, clone, revision, diff, policy) for name in names))
        findings: dict[str, Sequence[Finding]] = {}
        for name, (step, found) in zip(names, ended, strict=True):
            run = run.finish_step(f"{SCAN_PREFIX}{name}", step)
            findings[f"{SCAN_PREFIX}{name}"] = found
        return answer(run, findings, diff)

    async def _policy(self, clone: BorrowedClone, revision: Revision) -> tuple[Policy, list[str]]:
        blobs = await clone.read(revision, [PATH], side="start", max_bytes=_POLICY_BYTES)
        content: bytes | PolicyProblem | None = None
        if found := blobs.get(PATH):
            content = found.content
            if content is None:
                content = PolicyProblem(1, "the file is larger than 100 kB", "shorten it")
        effective = await self.levels.effective("", content, name=str(revision.ref))
        policy, problems = effective.resolved.policy, list(effective.problems)
        problems += [
            f"{PATH}: {key} names {pattern!r}, which is no rule here; see `cloister rules list`"
            for key, pattern in unknown_rules(policy, known_rules(self.scanners.values()))
        ]
        return policy, [self.redact(problem) for problem in problems]

    def _elsewhere(self, policy: Policy) -> dict[str, str]:
        """Return what the policy lets block and only a server can ask."""
        return {name: _NO_MODEL for name in policy.gate.scanners if name not in self.scanners}

    async def _step(
        self, name: str, clone: BorrowedClone, revision: Revision, diff: Diff, policy: Policy
    ) -> tuple[Step, Sequence[Finding]]:
        scanner = self.scanners[name]
        looked_at = wanted(scanner, diff, policy)
        self.progress(f"{name}: {len(looked_at)} file{'' if len(looked_at) == 1 else 's'}")

        async def read(paths: Sequence[str], side: str) -> Mapping[str, Blob]:
            return await clone.read(revision, paths, side=side, max_bytes=max_bytes(scanner))

        examination = Examination(
            scanner,
            self.runner,
            read,
            diff,
            policy,
            self.key,
            target_moved=revision.start_sha != revision.base_sha,
            commits=partial(clone.commits, revision),
        )
        try:
            examined = await examination.findings()
        except CloisterError as error:
            return Step(outcome=Outcome.failed, problem=self.redact(str(error))), ()
        step = Step(
            outcome=Outcome.partial if examined.not_analysed or examined.past else Outcome.done,
            not_analysed=dict(examined.not_analysed),
            past=examined.past,
            everywhere=scanner.everywhere,
            shown=dict.fromkeys(looked_at, 1),
        )
        findings = [masked(finding, self.redact) for finding in examined.findings]
        if examined.not_compared:
            note = f"not compared with what was there before: {examined.not_compared}"
            self.progress(f"{name}: {note}")
        return step, findings
