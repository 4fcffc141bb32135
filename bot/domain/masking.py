"""Findings without the secrets that a rule or a model has copied from the code."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.findings import Finding


def masked(finding: Finding, redact: Callable[[str], str]) -> Finding:
    """Mask secrets in the words of *finding*.

    A fix that holds one is dropped: masked it would break the code, unmasked it would leak.
    """
    keeps_fix = finding.fix is not None and redact(finding.fix.replacement) == finding.fix.replacement
    return finding.model_copy(
        update={
            "title": redact(finding.title),
            "message": redact(finding.message),
            "explanation": redact(finding.explanation),
            "test": redact(finding.test),
            "fix": finding.fix if keeps_fix else None,
        }
    )
