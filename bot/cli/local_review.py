"""A review of one diff without GitLab, database or log: scan, ask the model, clip, stamp."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.answer import UnusableAnswer, read_answer
from bot.domain.clip import clip, deduplicate
from bot.domain.diff import Change, Diff
from bot.domain.errors import Permanent, Transient
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of, stamp
from bot.domain.masking import masked
from bot.domain.prompt import Instructions, Limits, PromptPart, build
from bot.ports import Model, ModelRequest, Runner
from bot.scanners import Scanner, Source, absent, folded

_ANSWER_TOKENS = 2_048

Progress = Callable[[str], None]
Redact = Callable[[str], str]


@dataclass(frozen=True)
class Reviewed:
    """Hold what a review says.

    ``findings`` are clipped to the change, stamped, gravest first within their file. ``not_reviewed`` maps
    who could not look at what to the reason: it is never empty only because nobody looked. ``code`` has the lines
    of the files with findings, secrets masked.
    """

    findings: tuple[Finding, ...] = ()
    code: Mapping[str, Sequence[str]] = field(default_factory=dict)
    not_reviewed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reviewer:
    """Review diffs; ``key`` is the secret of fingerprints, *model* None leaves the model part out.

    Args:
        scanners: the static part.
        runner: runs the scanners' tools.
        key: fingerprints of two reviews can be compared if their keys are equal.
        redact: masks secrets, keeping the number of lines.
        model: the model part.
        instructions: what the model is told; needed with *model*.
        progress: told about each step, for people who wait.
        imported: findings of other tools.
        unread: what those tools could not look at, with the reason.
    """

    scanners: Sequence[Scanner]
    runner: Runner
    key: bytes
    redact: Redact
    model: Model | None = None
    instructions: Instructions | None = None
    progress: Progress = lambda _: None
    imported: Sequence[Finding] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    async def review(self, diff: Diff, contents: Mapping[str, bytes]) -> Reviewed:
        """Review *diff*; *contents* are the changed files at the head as far as they could be read.

        Raises:
            Transient: a scanner broke; what it would have found is unknown, so nothing is reported.
            Permanent: a scanner is not installed properly.
        """
        heads = {path: lines_of(content) for path, content in contents.items()}
        missing = dict(_unread(diff, contents))
        scanned, unscanned = await self._scan(diff, contents)
        asked, unasked = await self._ask(diff, contents)
        renames = {file.new_path: file.old_path for file in diff.files}
        stamped = stamp([*scanned, *asked, *self.imported], heads, key=self.key, old_paths=renames)
        kept, _ = clip(stamped, diff)
        kept = self._folded(kept)
        findings = sorted(deduplicate(kept), key=lambda found: (found.path, found.line, -found.severity.rank))
        safe = tuple(masked(finding, self.redact) for finding in findings)
        code = {
            path: self.redact("\n".join(heads.get(path, ()))).split("\n")
            for path in {found.path for found in safe}
        }
        return Reviewed(safe, code, {**missing, **unscanned, **self.unread, **unasked})

    def _folded(self, kept: Sequence[Finding]) -> list[Finding]:
        names = {scanner.name for scanner in self.scanners}
        parts = [folded(scanner, [f for f in kept if f.scanner == scanner.name]) for scanner in self.scanners]
        return [*(f for part in parts for f in part), *(f for f in kept if f.scanner not in names)]

    async def _scan(self, diff: Diff, contents: Mapping[str, bytes]) -> tuple[list[Finding], dict[str, str]]:
        sources = [
            Source(path, content, diff.by_new_path[path].added_lines) for path, content in contents.items()
        ]
        jobs = [(scanner, [s for s in sources if scanner.wants(s.path)]) for scanner in self.scanners]
        missing = {
            f"{source.path} ({scanner.name})": why
            for scanner, wanted in jobs
            if (why := absent(scanner))
            for source in wanted
        }
        jobs = [(scanner, wanted) for scanner, wanted in jobs if not absent(scanner)]
        for scanner, wanted in jobs:
            self.progress(f"{scanner.name}: {len(wanted)} file{'' if len(wanted) == 1 else 's'}")
        reports = await asyncio.gather(
            *(scanner.scan(wanted, self.runner) for scanner, wanted in jobs if wanted)
        )
        findings = [finding for report in reports for finding in report.findings]
        return findings, missing | {
            f"{path} ({report.scanner})": why
            for report in reports
            for path, why in report.not_analysed.items()
        }

    async def _ask(self, diff: Diff, contents: Mapping[str, bytes]) -> tuple[list[Finding], dict[str, str]]:
        if self.model is None or self.instructions is None:
            return [], {}
        prompts = build(
            diff,
            {path: content.decode(errors="replace") for path, content in contents.items()},
            title="",
            description="",
            system=self.instructions.system,
            limits=Limits(self.model.window_tokens, answer_tokens=_ANSWER_TOKENS),
            estimate=self.model.estimate_tokens,
            redact=self.redact,
        )
        findings: list[Finding] = []
        skipped = {f"{skip.path} (model)": skip.reason for skip in prompts.skipped if skip.path in contents}
        for number, part in enumerate(prompts.parts, start=1):
            self.progress(f"{self.model.name}: part {number} of {len(prompts.parts)}")
            try:
                findings += await self._answers(self.model, self.instructions, part)
            except (Transient, Permanent) as error:
                skipped |= {f"{path} (model)": str(error) for path in part.paths}
        return findings, skipped

    async def _answers(self, model: Model, instructions: Instructions, part: PromptPart) -> Sequence[Finding]:
        """Return the findings for one prompt; an answer that cannot be used is asked for once more."""
        request = ModelRequest(
            instructions.system, part.prompt, instructions.schema, max_output_tokens=_ANSWER_TOKENS
        )
        try:
            return read_answer((await model.answer(request)).text, part.excerpts).findings
        except UnusableAnswer:
            again = replace(request, seed=request.seed + 1)
            return read_answer((await model.answer(again)).text, part.excerpts).findings


def _unread(diff: Diff, contents: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield the changed files that nobody can look at, with the reason."""
    for file in diff.files:
        if file.new_path in contents or file.change is Change.deleted:
            continue
        if file.binary or file.submodule:
            yield file.new_path, "a submodule" if file.submodule else "binary"
        elif file.truncated or file.added_lines:
            yield file.new_path, "too large, or not a readable file"
