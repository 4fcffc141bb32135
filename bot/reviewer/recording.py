"""Keep what was published: threads, comments for the ledger, what is declined, verdict, waivers, and what it came to."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.commented import commented
from bot.domain.declining import declined_now, taken_back
from bot.domain.events import FeedbackExpected, VerdictOutdated
from bot.domain.findings import Finding
from bot.domain.ours import forgotten, opened, remember, unseen
from bot.domain.publication import analysed
from bot.domain.review_fact import review_fact
from bot.domain.run import Run
from bot.domain.watching import Watch, Why
from bot.ports import Transaction
from bot.reviewer.publishing import Met, Said
from bot.reviewer.waiving import take
from bot.syntax import language_of


async def keep(
    transaction: Transaction, met: Met, said: Said, *, event: uuid.UUID, project: str, now: datetime
) -> Run:
    """Write down what was *said*, and return the run as it is then.

    Args:
        transaction: where.
        met: what the run met.
        said: what was made of it.
        event: the id of the event that had it published.
        project: the path of the project.
        now: the time.
    """
    run, publication = met.run, said.publication
    settled = [action for action in publication.actions if action not in said.unsettled]
    posts = [*publication.posts, *forgotten(publication.actions, met.known)]
    threads = [
        *remember(said.mine, settled, met.known),
        *opened(run, posts, said.refused, said.hushed),
    ]
    await transaction.save_threads(run.ref, threads)
    # The ledger knows a comment by its finding, so it does not matter who tells it twice.
    told = [*posts, *unseen(publication.actions, met.known)]
    await _keep_comments(transaction, met, told, said.refused, now)
    scope = analysed(run, met.diff, met.mine.threads)
    await transaction.undecline(run.ref, taken_back(publication, met.mine.threads, scope))
    await transaction.decline(run.ref, declined_now(run, publication, deleted=met.deleted, now=now))
    run = await _keep_run(transaction, met, said)
    await transaction.save_verdict(said.verdict)
    for other in said.outdated:
        transaction.emit(VerdictOutdated(ref=other.ref, cause=said.verdict.run_id))
    await transaction.save_withheld(run.ref, run.id, publication.withheld)
    await _keep_waivers(transaction, met, said, event)
    fact = review_fact(
        run,
        met.findings,
        publication,
        met.diff,
        threads=[*met.known.values(), *threads],
        refused=said.refused,
        project=project,
        now=now,
        author_id=met.found.author_id,
    )
    await transaction.save_fact(fact)
    return run


async def _keep_comments(
    transaction: Transaction, met: Met, findings: Sequence[Finding], refused: Collection[str], now: datetime
) -> None:
    """Have the ledger watch what becomes of the comments on *findings*."""
    run, found = met.run, met.found
    comments = commented(
        run, findings, refused, at=now, language_of=language_of, author_is_bot=found.author_bot
    )
    watch = Watch(run.ref, now, found.author_id, target_branch=found.target_branch)
    await transaction.add_comments(run.ref, comments, watch)
    if comments:
        transaction.emit(FeedbackExpected(ref=run.ref, why=Why.posted))


async def _keep_run(transaction: Transaction, met: Met, said: Said) -> Run:
    """Mark the run as published as far as it got when it was looked at; results may have come in since."""
    state = await transaction.merge_request(met.run.ref)
    # Once a publication was broken off, a draft of it may still come: GitLab can be slow.
    interrupted = met.state.posting
    await transaction.save_merge_request(
        replace(state, summary_note_id=said.mine.summary_id, posting=interrupted)
    )
    published = (await transaction.run(met.run.id)).mark_published(met.run.results)
    run = published.model_copy(update={"facts": met.run.facts})
    await transaction.save_run(run)
    return run


async def _keep_waivers(transaction: Transaction, met: Met, said: Said, event: uuid.UUID) -> None:
    steps = met.here.steps(
        said.publication,
        met.named,
        met.mine.threads,
        met.diff,
        count=met.standing,
        author_id=met.found.author_id,
        event=event,
    )
    await take(transaction, met.run.ref, steps, met.here.now)
