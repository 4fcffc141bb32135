"""What a model found against what is known already: scanners' findings and earlier threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.domain.findings import MODEL, Finding, Rejection
from bot.domain.fingerprint import recognise
from bot.domain.noise import alike, noise
from bot.domain.reconcile import urgency
from bot.domain.records import ThreadRecord
from bot.domain.sameness import gap, says_it_too

_RAISED: Final = "an earlier comment says it"
_SCANNED: Final = "a scanner reports it"
_REPEATED: Final = "it repeats another finding"

#: So many lines apart is one place.
_REACH: Final = 2
#: Titles that share so much speak of the same thing.
_ALIKE: Final = 0.5
_SECRETS: Final = frozenset({"secret"})


@dataclass(frozen=True, slots=True)
class Screened:
    """Hold which findings are news, which only explain a scanner's, and which nobody needs to hear.

    ``raised`` are fingerprints of news that has a thread from an earlier head.
    """

    news: tuple[Finding, ...] = ()
    explaining: tuple[Finding, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    raised: frozenset[str] = frozenset()


@dataclass
class _Sieve:
    """Let findings through one by one, the gravest first."""

    static: Sequence[Finding]
    threads: Mapping[str, ThreadRecord]
    lines: Mapping[str, Sequence[str]]
    news: list[Finding] = field(default_factory=list)
    explaining: list[Finding] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    raised: set[str] = field(default_factory=set)

    def put(self, finding: Finding, known_as: str, spoken_for: Collection[str]) -> None:
        code = self.lines.get(finding.path, ())[finding.line - 1 : finding.end_line]
        if known_as in self.threads:
            self.raised.add(finding.fingerprint)
            self.news.append(finding)
        elif reason := noise(finding, code):
            self._reject(finding, reason)
        elif self._raised_otherwise(finding, spoken_for):
            self._reject(finding, _RAISED)
        elif twin := next((one for one in self.static if self._covers(one, finding)), None):
            self._lend(finding, twin)
        elif any(_repeats(finding, one) for one in self.news):
            self._reject(finding, _REPEATED)
        else:
            self.news.append(finding)

    @staticmethod
    def _covers(static: Finding, finding: Finding) -> bool:
        return static.path == finding.path and not static.commit and says_it_too(finding, static)

    def _lend(self, finding: Finding, twin: Finding) -> None:
        taken = {one.explains for one in self.explaining}
        if twin.category in _SECRETS or twin.suppressed or twin.fingerprint in taken or not twin.fingerprint:
            self._reject(finding, _SCANNED)
        else:
            self.explaining.append(finding.model_copy(update={"explains": twin.fingerprint}))

    def _raised_otherwise(self, finding: Finding, spoken_for: Collection[str]) -> bool:
        """Say whether a thread stands on the same code, under another category."""
        return any(
            thread.path == finding.path and thread.anchor == finding.anchor and mark not in spoken_for
            for mark, thread in self.threads.items()
            if thread.scanner == MODEL and thread.anchor
        )

    def _reject(self, finding: Finding, reason: str) -> None:
        self.rejected.append(Rejection(reason, finding.path, finding.line, title=finding.title))


def screen(
    findings: Sequence[Finding],
    *,
    static: Sequence[Finding] = (),
    threads: Sequence[ThreadRecord] = (),
    lines: Mapping[str, Sequence[str]] | None = None,
) -> Screened:
    """Sort out the *findings* of a model.

    A scanner's finding wins over the model's that says the same (see `says_it_too`). The model's words then explain
    it, except where it is a secret, whose words are fixed.

    Args:
        findings: stamped.
        static: the scanners' findings of the same head that count, stamped.
        threads: what was said about earlier heads, by anybody.
        lines: the head's lines by path.
    """
    marks = {thread.fingerprint: thread for thread in threads}
    known = [one.fingerprint for one in recognise(findings, list(marks))]
    sieve = _Sieve(sorted(static, key=urgency), marks, lines if lines is not None else {})
    # What has a thread comes first, so that nothing takes its place.
    order = sorted(zip(findings, known, strict=True), key=lambda one: (one[1] not in marks, urgency(one[0])))
    for finding, known_as in order:
        sieve.put(finding, known_as, frozenset(known))
    return Screened(
        tuple(sieve.news), tuple(sieve.explaining), tuple(sieve.rejected), frozenset(sieve.raised)
    )


def _repeats(finding: Finding, other: Finding) -> bool:
    if finding.path != other.path or gap(finding, other) > _REACH:
        return False
    return alike(finding.title, other.title) >= _ALIKE or (
        gap(finding, other) == 0 and finding.category == other.category
    )
