"""Have the verdict on a merge request made anew from what was found."""

from __future__ import annotations

import uuid

from bot.domain.merge_request import MergeRequestRef
from bot.ports import Transaction


async def show_again(transaction: Transaction, run_id: uuid.UUID) -> None:
    """Have the run published once more; one whose results are still to come needs nothing."""
    run, due = (await transaction.run(run_id)).show_again()
    await transaction.save_run(run)
    for one in due:
        transaction.emit(one.event, delay=one.delay)


async def decide_anew(transaction: Transaction, ref: MergeRequestRef) -> None:
    """Have the verdict on the newest head of *ref* made anew, unless it is closed."""
    state = await transaction.merge_request(ref)
    if not state.closed and state.run_id is not None:
        await show_again(transaction, state.run_id)
