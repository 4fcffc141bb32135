"""Unit tests from the wish to the proof: written by a model, then run where that is allowed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.domain.diff import Diff
from bot.domain.merge_request import Revision
from bot.domain.unit_tests import Offer, Problem
from bot.reviewer.asking import Ledger
from bot.reviewer.proving import Prover
from bot.reviewer.unit_tests import Author


@dataclass(frozen=True, slots=True)
class Drafted:
    """Hold tests with what is known of them, and why there are none for some of the code."""

    offers: tuple[Offer, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitTesting:
    """Pair who writes tests with who tries them."""

    author: Author
    prover: Prover

    async def draft(
        self,
        revision: Revision,
        diff: Diff,
        *,
        skipped: Collection[str],
        place: tuple[str, int] | None,
        ledger: Ledger,
    ) -> Drafted:
        """Return tests for what *diff* changes outside the *skipped* files, or for what is around *place*.

        Raises:
            Transient: the model is busy or out of reach.
        """
        reviewed = Diff(tuple(file for file in diff.files if file.new_path not in skipped))
        drafts = await self.author.write(revision, reviewed, place=place, ledger=ledger)
        return Drafted(await self.prover.prove(revision, diff, drafts.written), drafts.problems)
