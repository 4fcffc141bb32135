"""Make the prompts of a past run again, and believe only those that the audit knows."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.domain.answer import read_answer
from bot.domain.control_tokens import plain
from bot.domain.diff import Diff
from bot.domain.errors import Transient
from bot.domain.findings import MODEL, Finding
from bot.domain.incremental import increment
from bot.domain.prompt import PromptPart
from bot.domain.run import REVIEW_STEP, Run
from bot.learning.rows import Prompt
from bot.ports import Learning, Model, Workspaces
from bot.reviewer.context import Site, gather
from bot.reviewer.guides import Guides
from bot.reviewer.prompting import prompts_of

#: Lines of a hunk on each side of what a comment is about.
_AROUND: Final = 15
_GAP: Final = "\n"


@dataclass(frozen=True, slots=True)
class Mind:
    """Hold what prompts are made with: the model's window and tokens, our instructions, what masks secrets."""

    model: Model
    guides: Guides
    redact: Callable[[str], str]


@dataclass(frozen=True)
class Remade:
    """Hold the change of a run, and those of its prompts that were made again byte for byte, by their hash."""

    diff: Diff
    parts: Mapping[str, PromptPart] = field(default_factory=dict)
    system: str = ""

    def prompt_of(self, finding: Finding) -> tuple[Prompt, PromptPart] | None:
        """Return the prompt that showed the line of *finding* as one to review, None if none did."""
        for sha256, part in self.parts.items():
            if any(one.path == finding.path and finding.line in one.added for one in part.excerpts):
                return Prompt(sha256, self.system, plain(part.prompt), asked=_asked(part)), part
        return None

    def said(self, findings: Iterable[Finding]) -> Mapping[str, frozenset[str]]:
        """Return the fingerprints of what of *findings* the model said to each prompt, by its hash."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for one in findings:
            asked = self.prompt_of(one) if one.scanner == MODEL else None
            if asked is not None:
                found[asked[0].sha256].add(one.fingerprint)
        return {sha256: frozenset(marks) for sha256, marks in found.items()}

    def code_of(self, finding: Finding) -> str:
        """Return the lines of the change around *finding*, empty if it changes nothing there."""
        file = self.diff.by_new_path.get(finding.path)
        for hunk in file.hunks if file else ():
            at = next((n for n, line in enumerate(hunk.lines) if line.new == finding.line), None)
            if at is not None:
                shown = hunk.lines[max(0, at - _AROUND) : at + finding.end_line - finding.line + _AROUND + 1]
                return _GAP.join([finding.path, *(f"{line.sign}{line.text}" for line in shown)])
        return ""


async def remade(run: Run, learning: Learning, workspaces: Workspaces, mind: Mind | None) -> Remade:
    """Return what *run* was about; without a *mind* its prompts are not made again.

    Raises:
        Transient: the code is out of reach, or gone.
        Permanent: access is denied.
    """
    assert run.revision is not None, "a run with comments has a revision"
    diff = await workspaces.diff(run.revision)
    diff = Diff(tuple(file for file in diff.files if file.new_path not in run.skipped))
    if mind is None:
        return Remade(diff)
    audited = await learning.inputs(run.id)
    shown = await _shown(run, diff, learning, workspaces)
    blobs = await workspaces.read(run.revision, [file.new_path for file in shown.files])
    texts = {path: blob.content for path, blob in blobs.items() if blob.content is not None}
    heads = {path: text.decode(errors="replace") for path, text in texts.items()}
    context = await gather(shown, texts, run.policy, Site.of(workspaces, run.revision))
    prompts = await asyncio.to_thread(
        prompts_of, run, shown, heads, context, model=mind.model, guides=mind.guides, redact=mind.redact
    )
    system = mind.guides.find.system
    parts = {_input_sha256(system, part): part for part in prompts.parts}
    return Remade(diff, {sha256: part for sha256, part in parts.items() if sha256 in audited}, system)


async def _shown(run: Run, diff: Diff, learning: Learning, workspaces: Workspaces) -> Diff:
    """Return what of *diff* the model was shown: all of it, or what was new since the head that it had seen."""
    step = run.steps.get(REVIEW_STEP)
    if step is None or not step.since:
        return diff
    before = await learning.run_at(run.ref, step.since)
    if before is None or before.revision is None:
        raise Transient("the run that it builds on is gone")
    unseen = {*before.skipped, *before.steps[REVIEW_STEP].not_analysed}
    then = await workspaces.diff(before.revision)
    return (await asyncio.to_thread(increment, then, diff, unseen=unseen)).diff


def answer_of(finding: Finding, part: PromptPart) -> Mapping[str, Any] | None:
    """Return *finding* as the model should say it; None if we would not take it back from such an answer."""
    excerpt = next(one for one in part.excerpts if one.path == finding.path and finding.line in one.added)
    answer: dict[str, Any] = {
        "path": finding.path,
        "line": finding.line,
        "end_line": finding.end_line,
        "quote": excerpt.shown[finding.line].text.strip(),
        "evidence": [{"line": one.line, "quote": one.quote} for one in finding.evidence],
        "category": finding.category,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "title": finding.title,
        "message": finding.message,
    }
    if finding.fix is not None:
        answer["fix"] = finding.fix.model_dump(include={"line", "end_line", "replacement"})
    if finding.test:
        answer["test"] = finding.test
    read = read_answer(json.dumps({"findings": [answer]}), part.excerpts)
    same = [(one.path, one.line, one.end_line) for one in read.findings] == [
        (finding.path, finding.line, finding.end_line)
    ]
    return answer if same and not read.rejected else None


def _asked(part: PromptPart) -> str:
    """Return the lines that *part* has to be reviewed."""
    return "\n".join(one.shown[number].text for one in part.excerpts for number in sorted(one.added))


def _input_sha256(system: str, part: PromptPart) -> str:
    text = f"{system}\0{plain(part.prompt)}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
