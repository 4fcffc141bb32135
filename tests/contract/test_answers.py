"""What every cache of model answers must do."""

from typing import Any

import pytest

from bot.adapters.answers_memory import MemoryAnswers
from bot.adapters.answers_postgres import PostgresAnswers
from bot.ports import Answers, ModelReply

REPLY = ModelReply('{"findings":[]}', "m", "d", 10, 5, 1.5)


@pytest.fixture(params=["memory", "postgres", "memory before postgres"])
def answers(request: pytest.FixtureRequest, pool: Any) -> Answers:
    """Return an empty cache."""
    kept = PostgresAnswers(pool)
    return {"memory": MemoryAnswers(), "postgres": kept}.get(request.param) or MemoryAnswers(kept)


async def test_an_answer_comes_back_as_it_was(answers: Answers) -> None:
    """What was kept is found under its key, and under no other."""
    await answers.keep("k", REPLY)
    assert await answers.find("k") == REPLY
    assert await answers.find("other") is None


async def test_the_first_answer_stays(answers: Answers) -> None:
    """Two processes that ask the same at the same time agree afterwards."""
    await answers.keep("k", REPLY)
    await answers.keep("k", ModelReply("later", "m", "d", 1, 1, 1.0))
    assert await answers.find("k") == REPLY


async def test_what_cannot_be_stored_costs_nothing(answers: Answers) -> None:
    """A NUL in an answer is no reason to fail."""
    odd = ModelReply("a\0b\ud800", "m", "d", 1, 1, 1.0)
    await answers.keep("k", odd)
    assert await answers.find("k") in {odd, None}


async def test_processes_share_what_is_kept(pool: Any) -> None:
    """An answer that another process kept is found, and then held in memory."""
    await MemoryAnswers(PostgresAnswers(pool)).keep("k", REPLY)
    mine = MemoryAnswers(PostgresAnswers(pool))
    assert await mine.find("k") == REPLY
    await pool.execute("DELETE FROM model_answer")
    assert await mine.find("k") == REPLY


async def test_memory_is_bounded() -> None:
    """The answer that was not needed for longest goes first."""
    answers = MemoryAnswers(most=2)
    for key in "ab":
        await answers.keep(key, REPLY)
    await answers.find("a")
    await answers.keep("c", REPLY)
    assert [await answers.find(key) for key in "abc"] == [REPLY, None, REPLY]


async def test_a_database_out_of_reach_is_no_error(pool: Any) -> None:
    """The model is asked again; that is all."""
    answers = PostgresAnswers(pool)
    await pool.close()
    await answers.keep("k", REPLY)
    assert await answers.find("k") is None
