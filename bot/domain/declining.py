"""What people said about findings by what they did to threads: remembered for the project, or taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from bot.domain.findings import Finding
from bot.domain.publication import Publication
from bot.domain.reconcile import Keep, Thread
from bot.domain.records import Declined
from bot.domain.run import Run


def declined_now(
    run: Run, publication: Publication, *, deleted: Collection[str], now: datetime
) -> list[Declined]:
    """Return what is declined on this merge request: its thread was resolved or deleted while the finding stands.

    The policy says for how long other merge requests of the project hear nothing of it; with no days that is not
    remembered at all.
    """
    until = now + timedelta(days=run.policy.comments.declined_days)
    if until == now:
        return []
    said: list[tuple[Finding, int | None]] = [
        (action.finding, action.thread.resolver)
        for action in publication.actions
        if isinstance(action, Keep) and action.thread.declined
    ]
    standing = {action.finding.fingerprint for action in publication.actions if isinstance(action, Keep)}
    said += [
        (item.finding, None)
        for item in publication.listed
        if item.finding.fingerprint in deleted and item.finding.fingerprint not in standing
    ]
    return [
        Declined(finding.fingerprint, finding.rule, run.ref.iid, until, user_id=who)
        for finding, who in said
        if not finding.commit
    ]


def taken_back(
    publication: Publication, threads: Iterable[Thread], scope: Collection[tuple[str, str]]
) -> set[str]:
    """Return the fingerprints of what is not declined on this merge request, whatever was remembered before.

    Somebody has opened the thread again without a word; or it was resolved because the code was about to be mended,
    and now is.
    """
    standing = {action.finding.fingerprint for action in publication.actions if isinstance(action, Keep)}
    return {
        thread.fingerprint
        for thread in threads
        if (not thread.resolved and not thread.touched)
        or (thread.declined and thread.fingerprint not in standing and (thread.scanner, thread.path) in scope)
    }
