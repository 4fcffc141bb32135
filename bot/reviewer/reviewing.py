"""A model's review of one change: find, check against what is known, look a second time, explain.

The stage ``review``, ``cloister review`` and ``cloister eval`` share it: prompts go in, findings come out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.excerpt import Excerpt
from bot.domain.findings import Finding, Rejection
from bot.domain.fingerprint import stamp
from bot.domain.masking import masked
from bot.domain.policy import Policy, commentable, governed
from bot.domain.prompt import Prompts
from bot.domain.records import Task, ThreadRecord
from bot.domain.screening import Screened, screen
from bot.ports import Model
from bot.reviewer.asking import Asker, Ledger
from bot.reviewer.explaining import explain
from bot.reviewer.finding import Found, Progress, find
from bot.reviewer.guides import Guides
from bot.reviewer.judging import Second, judge
from bot.reviewer.unseen import basis_of

_UNEXPLAINED = "No explanations of the scanners' findings: {reason}"


async def _nothing() -> Sequence[Finding]:
    return ()


@dataclass(frozen=True)
class Matter:
    """Hold what is known about a change besides its prompts.

    Args:
        policy: of the project.
        lines: the head's lines of the changed files, by path.
        old_paths: path at the head -> path at the base, for renamed files.
        static: gives the scanners' findings of this review, stamped; awaited once, after the model was asked.
        threads: what was said about earlier heads.
    """

    policy: Policy = field(default_factory=Policy)
    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    old_paths: Mapping[str, str] = field(default_factory=dict)
    static: Callable[[], Awaitable[Sequence[Finding]]] = _nothing
    threads: Sequence[ThreadRecord] = ()


@dataclass(frozen=True)
class Reviewed:
    """Hold what came of a review.

    Args:
        findings: stamped, secrets masked; those that ``explains`` names only explain a scanner's finding.
        rejected: what the model said and nobody hears, with the reasons.
        not_analysed: path -> why the model did not look at it, or not at all of it.
        walkthrough: path -> one sentence about what changed there.
        remarks: what the reader must know.
        problem: why there is no review, empty if there is one.
    """

    findings: tuple[Finding, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    not_analysed: Mapping[str, str] = field(default_factory=dict)
    walkthrough: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Reviewing:
    """Review changes; one for all of a process.

    Args:
        asker: asks the models.
        guides: what the models are told.
        key: the secret of fingerprints.
        redact: masks secrets, keeping the number of lines.
    """

    asker: Asker
    guides: Guides
    key: bytes
    redact: Callable[[str], str]

    @property
    def model(self) -> Model:
        """Return the model that finds, whose window prompts must fit."""
        return self.asker.models[Task.review]

    async def basis(self, policy: Policy) -> str:
        """Return what decides answers besides the change; see `basis_of`."""
        return await basis_of(self.asker.models.values(), self.guides.versions, policy)

    async def review(
        self,
        prompts: Prompts,
        matter: Matter,
        *,
        ledger: Ledger,
        patient: bool = False,
        progress: Progress = lambda _: None,
    ) -> Reviewed:
        """Return what the models have to say about the change that *prompts* show.

        Every call is noted in *ledger*. A model that fails costs its part only, and the result says so.

        Raises:
            Transient: *patient*, no model answered, and one may soon.
        """
        found = await find(prompts, self.guides.find, self.asker, ledger, patient=patient, progress=progress)
        if found.problem or not prompts.parts:
            return Reviewed(not_analysed=found.not_analysed, problem=found.problem)
        static = [masked(one, self.redact) for one in governed(await matter.static(), matter.policy)]
        screened = self._screened(found, static, matter)
        excerpts = [excerpt for part in prompts.parts for excerpt in part.excerpts]
        judged = await self._judge(screened, excerpts, matter.policy, ledger, patient=patient)
        told = {finding.explains for finding in screened.explaining}
        explained, silence = await explain(
            [s for s in static if commentable(s, matter.policy) and s.fingerprint not in told],
            excerpts,
            self.guides.explain,
            self.asker,
            ledger,
            language=matter.policy.review.language,
        )
        findings = [*judged.findings, *screened.explaining, *explained.findings]
        rejected = [*found.rejected, *screened.rejected, *judged.rejected, *explained.rejected]
        return Reviewed(
            findings=tuple(masked(finding, self.redact) for finding in findings),
            rejected=tuple(map(self._masked, rejected)),
            not_analysed=found.not_analysed,
            walkthrough={path: self.redact(text) for path, text in found.changes.items()},
            remarks=(*judged.remarks, *([_UNEXPLAINED.format(reason=silence)] if silence else [])),
        )

    def _screened(self, found: Found, static: Sequence[Finding], matter: Matter) -> Screened:
        stamped = stamp(found.findings, matter.lines, key=self.key, old_paths=matter.old_paths)
        return screen(
            [masked(finding, self.redact) for finding in stamped],
            static=static,
            threads=matter.threads,
            lines=matter.lines,
        )

    async def _judge(
        self,
        screened: Screened,
        excerpts: Sequence[Excerpt],
        policy: Policy,
        ledger: Ledger,
        *,
        patient: bool,
    ) -> Second:
        """Have those findings judged that would become new comments; all others stay as they are."""
        doubtful = [
            finding
            for finding in screened.news
            if policy.review.judge
            and commentable(finding, policy)
            and finding.fingerprint not in screened.raised
        ]
        if not doubtful:
            return Second(screened.news)
        second = await judge(doubtful, excerpts, self.guides.judge, self.asker, ledger, patient=patient)
        others = [finding for finding in screened.news if finding not in doubtful]
        return replace(second, findings=(*others, *second.findings))

    def _masked(self, rejection: Rejection) -> Rejection:
        return replace(rejection, title=self.redact(rejection.title), detail=self.redact(rejection.detail))
