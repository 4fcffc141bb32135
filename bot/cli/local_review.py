"""A review of one diff without GitLab, database or log: scan, ask the model, clip, stamp."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.cli.subject import Subject
from bot.domain.clip import clip, deduplicate
from bot.domain.diff import Change, Diff
from bot.domain.errors import Permanent, Transient
from bot.domain.findings import Finding
from bot.domain.fingerprint import lines_of, stamp
from bot.domain.masking import masked
from bot.domain.prompt import Limits, build
from bot.domain.publication import explained
from bot.domain.suggestion import Refusal
from bot.ports import Blob, Runner
from bot.reviewer.asking import Ledger
from bot.reviewer.context import Site, gather
from bot.reviewer.reviewing import Matter, Reviewing
from bot.reviewer.verification import Verification, unproven
from bot.scanners import Scanner, absent, wanted
from bot.scanners.examination import Examination

Progress = Callable[[str], None]
Redact = Callable[[str], str]


@dataclass(frozen=True)
class Reviewed:
    """Hold what a review says.

    ``findings`` are clipped to the change, stamped, their fixes checked, gravest first within their file. ``not_reviewed`` maps
    who could not look at what to the reason: it is never empty only because nobody looked. ``code`` has the lines
    of the files with findings, secrets masked.
    """

    findings: tuple[Finding, ...] = ()
    code: Mapping[str, Sequence[str]] = field(default_factory=dict)
    not_reviewed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reviewer:
    """Review diffs; ``key`` is the secret of fingerprints, *reviewing* None leaves the model part out.

    Args:
        scanners: the static part.
        runner: runs the scanners' tools.
        key: fingerprints of two reviews can be compared if their keys are equal.
        redact: masks secrets, keeping the number of lines.
        reviewing: the model part.
        progress: told about each step, for people who wait.
        imported: findings of other tools.
        unread: what those tools could not look at, with the reason.
    """

    scanners: Sequence[Scanner]
    runner: Runner
    key: bytes
    redact: Redact
    reviewing: Reviewing | None = None
    progress: Progress = lambda _: None
    imported: Sequence[Finding] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    async def review(self, subject: Subject) -> Reviewed:
        """Review *subject*.

        Raises:
            Transient: a scanner broke; what it would have found is unknown, so nothing is reported.
            Permanent: a scanner is not installed properly.
        """
        diff, contents = subject.diff, subject.contents
        heads = {path: lines_of(content) for path, content in contents.items()}
        missing = dict(_unread(diff, contents))
        scanned, unscanned = await self._scan(subject)
        renames = {file.new_path: file.old_path for file in diff.files}
        imported = stamp(self.imported, heads, key=self.key, old_paths=renames)
        asked, unasked = await self._ask(subject, [*scanned, *imported])
        others, _ = clip([*asked, *imported], diff)
        told = explained({"scanned": scanned, "others": others})
        findings = sorted(
            deduplicate([*told["scanned"], *told["others"]]),
            key=lambda found: (found.path, found.line, -found.severity.rank),
        )
        safe = await self._verified([masked(finding, self.redact) for finding in findings], subject)
        code = {
            path: self.redact("\n".join(heads.get(path, ()))).split("\n")
            for path in {found.path for found in safe}
        }
        return Reviewed(safe, code, {**missing, **unscanned, **self.unread, **unasked})

    async def _verified(self, findings: Sequence[Finding], subject: Subject) -> tuple[Finding, ...]:
        """Return *findings* with their fixes checked; findings are worth more than the fixes in them."""
        verification = Verification(self.scanners, self.runner, subject.policy, self.redact)
        try:
            return tuple(await verification.judge(findings, subject.contents))
        except (Transient, Permanent):
            return tuple(unproven(findings, Refusal.failed, self.redact))

    async def _scan(self, subject: Subject) -> tuple[list[Finding], dict[str, str]]:
        diff, policy = subject.everything, subject.policy

        async def read(paths: Sequence[str], side: str) -> Mapping[str, Blob]:
            give = subject.contents.get if side == "head" else subject.before
            found = {path: await asyncio.to_thread(give, path) for path in paths}
            return {path: Blob(len(one), one) for path, one in found.items() if one is not None}

        asked = [(one, names) for one in self.scanners if (names := wanted(one, diff, policy))]
        missing = {
            f"{name} ({one.name})": why for one, names in asked if (why := absent(one)) for name in names
        }
        jobs = [(one, len(names)) for one, names in asked if not absent(one)]
        for scanner, count in jobs:
            self.progress(f"{scanner.name}: {count} file{'' if count == 1 else 's'}")
        all_examined = await asyncio.gather(
            *(
                Examination(scanner, self.runner, read, diff, policy, self.key).findings()
                for scanner, _ in jobs
            )
        )
        findings = [finding for examined in all_examined for finding in examined.findings]
        return findings, missing | {
            f"{path} ({scanner.name})": why
            for (scanner, _), examined in zip(jobs, all_examined, strict=True)
            for path, why in examined.not_analysed.items()
        }

    async def _ask(self, subject: Subject, static: Sequence[Finding]) -> tuple[list[Finding], dict[str, str]]:
        if self.reviewing is None:
            return [], {}
        diff, contents, model = subject.diff, subject.contents, self.reviewing.model
        reviewed = {file.new_path for file in diff.files}
        context = await gather(
            diff,
            {path: content for path, content in contents.items() if path in reviewed},
            subject.policy,
            Site(subject.read, subject.search),
        )
        prompts = await asyncio.to_thread(
            build,
            diff,
            {path: content.decode(errors="replace") for path, content in contents.items()},
            title=subject.title,
            description=subject.description,
            system=self.reviewing.guides.find.system,
            limits=Limits.of(model.name, model.window_tokens),
            estimate=model.estimate_tokens,
            redact=self.redact,
            language=subject.policy.review.language,
            context=context,
        )

        async def known() -> Sequence[Finding]:
            return static

        matter = Matter(
            policy=subject.policy,
            lines={path: lines_of(content) for path, content in contents.items()},
            old_paths={file.new_path: file.old_path for file in diff.files},
            static=known,
        )
        said = await self.reviewing.review(
            prompts, matter, ledger=Ledger(uuid.uuid4()), progress=self.progress
        )
        prompted = {path for part in prompts.parts for path in part.paths}
        skipped = {
            f"{path} (model)": why
            for path, why in said.not_analysed.items()
            if path in contents or path in prompted
        }
        return list(said.findings), skipped


def _unread(diff: Diff, contents: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield the changed files that nobody can look at, with the reason."""
    for file in diff.files:
        if file.new_path in contents or file.change is Change.deleted:
            continue
        if file.binary or file.submodule:
            yield file.new_path, "a submodule" if file.submodule else "binary"
        elif file.truncated or file.added_lines:
            yield file.new_path, "too large, or not a readable file"
