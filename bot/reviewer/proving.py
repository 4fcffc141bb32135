"""Find out what a test is worth: run it on the head, on the base, and on code that was broken on purpose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot import syntax
from bot.domain.diff import Diff
from bot.domain.errors import Permanent
from bot.domain.merge_request import Revision
from bot.domain.mutation import Mutant, varied
from bot.domain.unit_tests import Offer, Outcome, Proof, State, Written
from bot.frameworks import Framework
from bot.ports import Sandbox, SandboxTree, Tried, Workspaces

SWITCHED_OFF = "the operator has not switched the sandbox on"
_MOST_MUTANTS: Final = 5
_MOST_FILES, _MOST_BYTES = 20_000, 200_000_000
#: What proving one test file may take; what does not fit is left out, and the count says so.
_BUDGET_S: Final = 300.0
_LEAST_MUTANT_S: Final = 10.0

Mutate = Callable[[str, bytes, int, int], tuple[Mutant, ...]]


@dataclass(frozen=True)
class Prover:
    """Run tests in the sandbox.

    Args:
        sandbox: where code is executed; None when the operator has not switched it on.
        workspaces: the code.
        frameworks: those that tests were written for.
        mutate: breaks code on purpose.
        monotonic: seconds that never go back.
    """

    sandbox: Sandbox | None
    workspaces: Workspaces
    frameworks: Sequence[Framework]
    mutate: Mutate = syntax.mutants
    parse: Callable[[str, bytes], object] = syntax.parse
    monotonic: Callable[[], float] = time.monotonic

    async def prove(self, revision: Revision, diff: Diff, written: Sequence[Written]) -> tuple[Offer, ...]:
        """Return *written* with what running it has shown; nothing is executed outside the sandbox."""
        if not written:
            return ()
        if self.sandbox is None:
            return tuple(Offer(one, Proof(not_run=SWITCHED_OFF)) for one in written)
        problem = await self.sandbox.problem()
        if problem:
            return tuple(Offer(one, Proof(not_run=problem)) for one in written)
        try:
            head = await self._files(revision)
            before = await self._before(revision, diff)
            async with self.sandbox.holding(head) as tree:
                return tuple([Offer(one, await self._prove(tree, one, head, before)) for one in written])
        except Permanent as error:
            return tuple(Offer(one, Proof(not_run=str(error))) for one in written)

    async def _files(self, revision: Revision) -> dict[str, bytes]:
        """Return the regular files of the head; links and submodules are not there."""
        paths = await self.workspaces.paths(revision)
        if len(paths) > _MOST_FILES:
            raise Permanent(f"the repository has more than {_MOST_FILES} files, too many for the sandbox")
        blobs = await self.workspaces.read(revision, sorted(paths), max_bytes=_MOST_BYTES)
        files = {path: blob.content for path, blob in blobs.items() if blob.content is not None}
        if len(files) < len(blobs) or sum(map(len, files.values())) > _MOST_BYTES:
            raise Permanent("the repository is larger than 200 MB, too large for the sandbox")
        return files

    async def _before(self, revision: Revision, diff: Diff) -> dict[str, bytes | None]:
        """Return what makes the head's files those of the base again, tests apart; None takes a file away."""
        code = [file for file in diff.files if not self._is_test(file.new_path)]
        old = await self.workspaces.read(revision, [file.old_path for file in code], side="base")
        gone: dict[str, bytes | None] = {file.new_path: None for file in code}
        return gone | {path: blob.content for path, blob in old.items() if blob.content is not None}

    def _is_test(self, path: str) -> bool:
        return any(path.endswith(one.suffixes) and one.is_test(path) for one in self.frameworks)

    async def _prove(
        self,
        tree: SandboxTree,
        written: Written,
        head: Mapping[str, bytes],
        before: Mapping[str, bytes | None],
    ) -> Proof:
        deadline = self.monotonic() + _BUDGET_S
        bench = _Bench(tree, written, next(one for one in self.frameworks if one.name == written.framework))
        first, tried = await bench.run({})
        if first.state is State.absent:
            return Proof(not_run=first.detail)
        proof = Proof(head=first, seconds=tried.duration_s)
        if first.state is not State.passed:
            return proof
        second, _ = await bench.run({})
        if second.state is not State.passed:
            return replace(proof, steady=False, head=replace(first, detail=second.detail))
        if before.get(written.subject.path) is not None:
            base, _ = await bench.run(before)
            proof = replace(proof, base=base)
        return await self._against_mutants(bench, proof, head[written.subject.path], deadline)

    async def _against_mutants(self, bench: _Bench, proof: Proof, content: bytes, deadline: float) -> Proof:
        path = bench.written.subject.path
        tried = killed = 0
        survivor = ""
        for mutant in await asyncio.to_thread(self._mutants, bench.written, content):
            if self.monotonic() > deadline or tried == _MOST_MUTANTS:
                break
            limit_s = _LEAST_MUTANT_S + 5 * proof.seconds
            outcome, run = await bench.run({path: mutant.applied(content)}, limit_s=limit_s)
            # One that cannot be compiled says nothing; one that does not end was noticed.
            if outcome.state is State.failed or run.ended == "time":
                tried, killed = tried + 1, killed + 1
            elif outcome.state is State.passed:
                tried += 1
                survivor = survivor or mutant.change
        return replace(proof, mutants=tried, killed=killed, survivor=survivor)

    def _mutants(self, written: Written, content: bytes) -> tuple[Mutant, ...]:
        path = written.subject.path
        found = [
            mutant
            for function in written.subject.functions
            for mutant in self.mutate(path, content, function.first_line, function.last_line)
            # What stands in the first line of a function is its signature, and changes what callers must give.
            if mutant.line > function.first_line or function.first_line == function.last_line
        ]
        whole = self._errors(path, content)
        sound = (
            mutant
            for mutant in varied(found, 3 * _MOST_MUTANTS)
            if self._errors(path, mutant.applied(content)) <= whole
        )
        return tuple(sound)

    def _errors(self, path: str, content: bytes) -> int:
        return int(getattr(self.parse(path, content), "error_count", 1_000_000))


@dataclass(frozen=True)
class _Bench:
    """Run one test file against variants of the code."""

    tree: SandboxTree
    written: Written
    framework: Framework

    async def run(
        self, changed: Mapping[str, bytes | None], *, limit_s: float | None = None
    ) -> tuple[Outcome, Tried]:
        """Return what the test says of the head with *changed*."""
        home = self.written.home
        trial = self.framework.trial(self.written.path.removeprefix(home), self.written.code)
        trial = replace(
            trial,
            folder=home,
            changed={**changed, self.written.path: self.written.code.encode()},
            limit_s=min(trial.limit_s, limit_s or trial.limit_s),
        )
        tried = await self.tree.run(trial)
        return self.framework.outcome(tried), tried
