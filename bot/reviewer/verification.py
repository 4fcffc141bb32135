"""Check fixes before anybody is offered to apply them with one click.

Each fix is put into a copy of its file and judged alone, so that suggestions on overlapping lines are both right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain import proof
from bot.domain.findings import MODEL, Finding, Fix
from bot.domain.outline import Syntax
from bot.domain.policy import Policy, commentable
from bot.domain.reconcile import urgency
from bot.domain.sameness import same
from bot.domain.suggestion import Refusal
from bot.ports import Runner
from bot.reviewer.edit import Edit, edit
from bot.reviewer.parsing import Parses, Parsing
from bot.reviewer.rescan import Outlook, Rescan
from bot.scanners import Scanner
from bot.syntax import parse

#: More fixes than anybody wants to see in one review, and as many copies of files as scanners take quickly.
_MOST = 40
_LIMIT_S = 60.0


@dataclass(frozen=True)
class Verification:
    """Verify the fixes of one review.

    Args:
        scanners: those that look at the fixed files, the same ones that found what is to be fixed.
        runner: runs their tools.
        policy: which findings count.
        redact: masks secrets in fixes that are refused and shown all the same.
        parse: reads the syntax of a file, if there is a grammar for it.
        limit_s: for all fixes together.
    """

    scanners: Collection[Scanner]
    runner: Runner
    policy: Policy
    redact: Callable[[str], str]
    parse: Callable[[str, bytes], Syntax | None] = parse
    limit_s: float = _LIMIT_S

    async def judge(self, findings: Sequence[Finding], heads: Mapping[str, bytes]) -> list[Finding]:
        """Return *findings* in their order, each fix that was unchecked with what was proven of it, or why not.

        Args:
            findings: everything that was found.
            heads: the files with fixes at the head, as far as they can be read.

        Raises:
            Transient: a scanner broke in a way that another try may mend.
            Permanent: the same, without hope.
        """
        waiting = [(at, one.fix) for at, one in enumerate(findings) if one.fix and one.fix.unchecked]
        waiting.sort(
            key=lambda one: (not commentable(findings[one[0]], self.policy), *urgency(findings[one[0]]))
        )
        judged = {at: refused(fix, Refusal.too_many, self.redact) for at, fix in waiting[_MOST:]}
        edits: dict[int, Edit] = {}
        for at, fix in waiting[:_MOST]:
            attempt = self._edit(findings[at], fix, findings, heads)
            if isinstance(attempt, Refusal):
                judged[at] = refused(fix, attempt, self.redact)
            else:
                edits[at] = attempt
        outcomes = await self._outcomes(list(edits.values()))
        judged |= dict(zip(edits, outcomes, strict=True))
        return [
            one.model_copy(update={"fix": judged[at]}) if at in judged else one
            for at, one in enumerate(findings)
        ]

    def _edit(
        self, finding: Finding, fix: Fix, findings: Sequence[Finding], heads: Mapping[str, bytes]
    ) -> Edit | Refusal:
        content = heads.get(finding.path)
        if content is None:
            return Refusal.unreadable
        return edit(finding, fix, content, _ends(finding, findings, {one.name for one in self.scanners}))

    async def _outcomes(self, edits: Sequence[Edit]) -> list[Fix]:
        if not edits:
            return []
        try:
            async with asyncio.timeout(self.limit_s):
                parsings = await Parses(self.runner, self.parse, self.limit_s).judge(edits)
                outlooks = await Rescan(self.scanners, self.runner, self.policy).judge(edits)
        except TimeoutError:
            return [refused(one.fix, Refusal.too_slow, self.redact) for one in edits]
        return [self._outcome(*one) for one in zip(edits, parsings, outlooks, strict=True)]

    def _outcome(self, edit: Edit, parsing: Parsing, outlook: Outlook) -> Fix:
        problem: str = _unparsed(edit, parsing) or outlook.problem
        if problem:
            return refused(edit.fix, problem, self.redact)
        verified = (
            proof.APPLIES,
            proof.UNPARSED if parsing is Parsing.unknown else proof.PARSES,
            *(proof.gone(name) for name in outlook.looked if name in edit.ends),
            *(proof.clean(name) for name in outlook.looked),
        )
        return edit.fix.model_copy(update={"verified": verified})


def refused(fix: Fix, why: str, redact: Callable[[str], str]) -> Fix:
    """Return *fix* as it may be shown, but not be offered; what it writes may be a secret."""
    return fix.model_copy(update={"refusal": str(why), "replacement": redact(fix.replacement)})


def unproven(findings: Iterable[Finding], why: Refusal, redact: Callable[[str], str]) -> list[Finding]:
    """Return *findings*, those fixes refused that were not checked."""
    return [
        one.model_copy(update={"fix": refused(one.fix, why, redact)})
        if one.fix and one.fix.unchecked
        else one
        for one in findings
    ]


def _ends(
    finding: Finding, findings: Sequence[Finding], scanners: Collection[str]
) -> dict[str, frozenset[str]]:
    """Return the rules, by scanner, that a fix of *finding* has to satisfy.

    What the model says may stand for a finding of a scanner, which then has to be gone too.
    """
    told = [finding]
    if finding.scanner == MODEL:
        told += [one for one in findings if one.path == finding.path and _stands_for(finding, one)]
    rules: dict[str, set[str]] = {}
    for one in told:
        if one.scanner in scanners:
            rules.setdefault(one.scanner, set()).add(one.rule)
    return {name: frozenset(ids) for name, ids in rules.items()}


def _stands_for(finding: Finding, other: Finding) -> bool:
    explained = finding.explains
    return other.fingerprint == explained if explained else same(finding, other)


def _unparsed(edit: Edit, parsing: Parsing) -> Refusal | None:
    if parsing is Parsing.broken:
        return Refusal.breaks
    # The author of a rule knows what goes.
    if parsing is Parsing.poorer and edit.finding.scanner == MODEL:
        return Refusal.removes
    if edit.unbalanced_tags or (parsing is Parsing.unknown and edit.unbalanced):
        return Refusal.brackets
    return Refusal.imports if parsing is Parsing.unknown and edit.imports else None
