"""Our comments as the ledger keeps them: what was said where, by whom of us, at which head."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from bot.domain.findings import Finding
from bot.domain.run import Run
from bot.domain.signals import Comment, comment_id


def commented(
    run: Run,
    findings: Iterable[Finding],
    refused: Collection[str],
    *,
    at: datetime,
    language_of: Callable[[str], str | None],
    author_is_bot: bool,
) -> list[Comment]:
    """Return the comments on *findings*, all but the *refused* fingerprints; the ledger knows what the model was."""
    return [
        Comment(
            id=comment_id(run.ref, one.fingerprint),
            ref=run.ref,
            fingerprint=one.fingerprint,
            run_id=run.id,
            head_sha=run.head_sha,
            rule=one.rule,
            scanner=one.scanner,
            category=one.category,
            severity=one.severity.value,
            confidence=one.confidence.value,
            language=language_of(one.path) or "",
            path=one.path,
            line=one.line,
            end_line=one.end_line,
            had_suggestion=one.fix is not None and bool(one.fix.verified),
            posted_at=at,
            author_is_bot=author_is_bot,
        )
        for one in findings
        if one.fingerprint not in refused
    ]
