"""Which verdict a job asks for, and what passes as an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.awaited import AwaitedVerdict, Question, State, asked
from bot.domain.errors import Permanent
from bot.domain.pipeline import Pipeline
from tests.verdicts import IID, JOB, PROJECT, SHA, blocking, verdict

OTHER = "b" * 40
QUESTION = Question(PROJECT, SHA, IID, "the merge request")
BRANCH = {
    "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_SHA": SHA,
    "CI_PROJECT_ID": "7",
    "CI_PROJECT_PATH": "group/app",
}


def job(**changes: str) -> Pipeline:
    """Return a merge request's job with other variables."""
    usual = {name: value for name, value in JOB.items() if value is not None}
    return Pipeline({name: value for name, value in (usual | changes).items() if value})


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (job(), (PROJECT, SHA, IID)),
        (job(CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=OTHER), (PROJECT, OTHER, IID)),
        (job(CI_PROJECT_ID="9"), (PROJECT, SHA, IID)),
        (job(CI_MERGE_REQUEST_PROJECT_ID="", CI_PROJECT_ID="9"), (9, SHA, IID)),
        (Pipeline({**BRANCH, "CI_OPEN_MERGE_REQUESTS": "group/app!12"}), (PROJECT, SHA, 12)),
    ],
    ids=["detached", "merged results or train", "fork", "old runner", "branch"],
)
def test_each_pipeline_asks_for_its_head(pipeline: Pipeline, expected: tuple[int, str, int]):
    """The commit that people wrote, in the project that it is to go into."""
    question = asked(pipeline)
    assert expected == (question.project_id, question.sha, question.iid)


@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        (Pipeline({}), "CI_COMMIT_SHA is not set here; in a clone use --local"),
        (job(CI_MERGE_REQUEST_PROJECT_ID="", CI_PROJECT_ID=""), "CI_PROJECT_ID is not set here"),
        (job(CI_COMMIT_SHA="main"), "'main', which is no commit id"),
        (job(CI_MERGE_REQUEST_IID=""), "CI_MERGE_REQUEST_IID is not set in a merge request pipeline"),
        (job(CI_MERGE_REQUEST_IID="five"), "CI_MERGE_REQUEST_IID is no number of GitLab's ('five')"),
        (job(CI_MERGE_REQUEST_IID=str(2**31)), "CI_MERGE_REQUEST_IID is no number"),
        (job(CI_MERGE_REQUEST_PROJECT_ID="-1"), "CI_MERGE_REQUEST_PROJECT_ID is no number"),
        (Pipeline(BRANCH), "run the job in merge request pipelines only, or use --local"),
        (Pipeline({**BRANCH, "CI_OPEN_MERGE_REQUESTS": "group/app!1,group/app!2"}), "exactly one"),
        (Pipeline({**BRANCH, "CI_OPEN_MERGE_REQUESTS": "up/app!1"}), "of this project"),
        (
            Pipeline({**BRANCH, "CI_OPEN_MERGE_REQUESTS": "group/app!x"}),
            "CI_OPEN_MERGE_REQUESTS is no number",
        ),
    ],
)
def test_a_job_that_names_no_merge_request_is_told_what_to_do(pipeline: Pipeline, said: str):
    """With the variable that is missing or wrong."""
    with pytest.raises(Permanent) as error:
        asked(pipeline)
    assert said in str(error.value)


def test_a_verdict_is_read():
    """Whatever else a newer server says besides."""
    found = QUESTION.read(json.dumps(verdict("blocked", blocking=[blocking()], news=1)).encode())
    assert State.blocked is found.state
    (one,) = found.blocking
    assert ("store.py", 5, "MD5 can be broken.") == (one.path, one.line, one.as_finding().message)


@pytest.mark.parametrize(
    "answer",
    [
        verdict(sha=OTHER),
        verdict(project_id=8),
        verdict(iid=6),
        verdict("passed", blocking=[blocking()]),
        verdict("passed", blocking_count=1),
        verdict("passed", exceeded=["too long"]),
        verdict("passed", unread=["a.py"]),
        verdict("waiting", final=True),
        verdict("open"),
        verdict(final="yes"),
        verdict(blocking={}),
        verdict("blocked", blocking=[blocking(line="5")]),
        verdict("blocked", blocking=[blocking(severity="grave")]),
        {},
        [],
        None,
        "passed",
    ],
    ids=str,
)
def test_what_lies_or_is_none_is_no_verdict(answer: Any):
    """Least of all one that passes; the message quotes nothing of it."""
    with pytest.raises(ValueError, match=r"the answer is (no verdict|about another)") as error:
        QUESTION.read(json.dumps(answer).encode())
    assert "too long" not in str(error.value)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=10),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(verdict())), inner)
            ),
            max_leaves=10,
        ).map(lambda value: json.dumps(value).encode()),
        st.dictionaries(
            st.sampled_from(sorted(verdict())), st.none() | st.text(max_size=5) | st.integers()
        ).map(lambda some: json.dumps(verdict() | some).encode()),
    )
)
def test_bytes_are_a_verdict_or_an_error(answer: bytes):
    """Nothing else comes out, and only of the asked head."""
    try:
        found = QUESTION.read(answer)
    except ValueError:
        return
    assert isinstance(found, AwaitedVerdict)
    assert (SHA, PROJECT) == (found.sha, found.project_id)


def test_a_bottomless_answer_is_no_verdict():
    """Depth does not break the reader."""
    with pytest.raises(ValueError, match="no verdict"):
        QUESTION.read(b"[" * 1_000_000)
