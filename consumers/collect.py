"""When a step ends, a deadline comes, or a verdict rests on a waiver that has ended, let the run say what follows."""

from __future__ import annotations

from bot.domain.events import DeadlineReached, Stage, StepFinished, VerdictOutdated
from bot.reviewer.redeciding import decide_anew
from bot.runtime.consumer import Work, consumer


@consumer(Stage.collect)
async def collect(event: StepFinished | DeadlineReached | VerdictOutdated, *, work: Work) -> None:
    """Advance one run."""
    async with work.commit() as transaction:
        if isinstance(event, VerdictOutdated):
            await decide_anew(transaction, event.ref)
            return
        run = await transaction.run(event.run_id)
        if isinstance(event, DeadlineReached):
            run, due = run.reach_deadline(event.step)
        else:
            run, due = run.advance()
        await transaction.save_run(run)
        for one in due:
            transaction.emit(one.event, delay=one.delay)
