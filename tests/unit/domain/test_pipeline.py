"""GitLab's variables -> what a job compares, for every kind of pipeline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Permanent
from bot.domain.facts import Facts
from bot.domain.pipeline import VARIABLES, Pipeline, Scope, Target

HEAD, BASE, SOURCE, TIP, BEFORE = ("a" * 40, "b" * 40, "c" * 40, "d" * 40, "e" * 40)
ZEROS = "0" * 40
MERGE_REQUEST = {
    "CI_COMMIT_SHA": HEAD,
    "CI_COMMIT_BEFORE_SHA": ZEROS,
    "CI_DEFAULT_BRANCH": "main",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "42",
    "CI_PROJECT_ID": "42",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "stable",
    "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
    "CI_SERVER_HOST": "GitLab.example",
}
BRANCH = {
    "CI_COMMIT_SHA": HEAD,
    "CI_COMMIT_BEFORE_SHA": BEFORE,
    "CI_COMMIT_BRANCH": "topic",
    "CI_DEFAULT_BRANCH": "main",
    "CI_PIPELINE_SOURCE": "push",
}


def scope(values: dict[str, str], **changed: str) -> Scope:
    """Return what a job with these variables compares, without the words for people."""
    found = Pipeline({**values, **changed}).scope()
    return Scope(found.head, found.base, found.target, parent=found.parent, first=found.first)


def test_a_detached_pipeline_is_about_the_merge_request():
    """Its commit is the source branch's; only the name of the target is known."""
    assert Scope(HEAD, BASE, Target(branch="stable")) == scope(MERGE_REQUEST)


@pytest.mark.parametrize("kind", ["merged_result", "merge_train"])
def test_merged_results_are_about_what_people_wrote(kind: str):
    """The pipeline's own commit is a merge that GitLab made, and no thread could stand on its lines."""
    found = scope(
        MERGE_REQUEST,
        CI_MERGE_REQUEST_EVENT_TYPE=kind,
        CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=SOURCE,
        CI_MERGE_REQUEST_TARGET_BRANCH_SHA=TIP,
    )
    assert Scope(SOURCE, BASE, Target(TIP, "stable")) == found


def test_the_branches_of_a_fork_say_nothing():
    """Whoever owns the fork writes what they like into a branch with the target's name."""
    assert not scope(MERGE_REQUEST, CI_PROJECT_ID="43").target.trusted


def test_without_a_base_the_target_will_do():
    """As GitLab leaves it out while it still prepares the diff."""
    assert Scope(HEAD, "", Target(branch="stable")) == scope(MERGE_REQUEST, CI_MERGE_REQUEST_DIFF_BASE_SHA="")


def test_a_branch_counts_since_it_left_the_default_branch():
    """Not only the last push, or a second push would hide what the first brought."""
    expected = Scope(HEAD, target=Target(branch="main"))
    assert expected == scope(BRANCH)
    assert expected == scope(BRANCH, CI_COMMIT_BEFORE_SHA=ZEROS)


def test_the_default_branch_counts_since_the_push():
    """With the policy that held before it."""
    assert Scope(HEAD, BEFORE, Target(BEFORE)) == scope(BRANCH, CI_COMMIT_BRANCH="main")


def test_the_first_push_brings_everything():
    """There is nothing before it."""
    found = scope(BRANCH, CI_COMMIT_BRANCH="main", CI_COMMIT_BEFORE_SHA=ZEROS)
    assert Scope(HEAD, first=True) == found


@pytest.mark.parametrize("source", ["schedule", "web", "api", "trigger", "pipeline"])
def test_without_a_push_the_last_commit_counts(source: str):
    """GitLab names no commit before; tags are alike."""
    found = scope(BRANCH, CI_COMMIT_BRANCH="main", CI_COMMIT_BEFORE_SHA=ZEROS, CI_PIPELINE_SOURCE=source)
    assert Scope(HEAD, parent=True, first=True) == found
    assert found == scope(BRANCH, CI_COMMIT_BRANCH="", CI_COMMIT_BEFORE_SHA=ZEROS)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"CI_PIPELINE_SOURCE": "push"}, "CI_COMMIT_SHA is not set"),
        ({**BRANCH, "CI_COMMIT_SHA": "main"}, "CI_COMMIT_SHA is no commit id"),
        (
            {**MERGE_REQUEST, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "--upload-pack=x"},
            "DIFF_BASE_SHA is no commit",
        ),
        ({**MERGE_REQUEST, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "", "CI_PROJECT_ID": "43"}, "to trust"),
        (
            {"CI_COMMIT_SHA": HEAD, "CI_PIPELINE_SOURCE": "merge_request_event"},
            "CI_MERGE_REQUEST_DIFF_BASE_SHA is not set, nor",
        ),
    ],
)
def test_what_is_missing_or_odd_is_named(values: dict[str, str], named: str):
    """In one line, with the way out."""
    with pytest.raises(Permanent, match=named) as raised:
        Pipeline(values).scope()
    assert "--base" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_run_is_named_after_the_merge_request():
    """Where there is none, anything will do."""
    assert "gitlab.example:42:7" == Pipeline(MERGE_REQUEST).ref.key
    assert "localhost:1:1" == Pipeline({}).ref.key


def test_rules_of_the_gate_know_the_merge_request():
    """What is not said is not known, and the author's role never is."""
    more = {"CI_MERGE_REQUEST_LABELS": "b, a,", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic"}
    facts = Pipeline({**MERGE_REQUEST, **more, "CI_MERGE_REQUEST_DRAFT": "true"}).facts
    assert Facts(labels=("a", "b"), draft=True, target_branch="stable", source_branch="topic") == facts
    assert Facts(labels=(), target_branch="stable") == Pipeline(MERGE_REQUEST).facts
    assert Facts(target_branch="main", source_branch="topic") == Pipeline(BRANCH).facts


def test_outside_of_a_job_there_is_no_pipeline():
    """Somebody's shell may have any of the other variables."""
    assert not Pipeline({"CI_PROJECT_DIR": "/x"}).present
    assert Pipeline(BRANCH).present


@given(st.dictionaries(st.sampled_from(VARIABLES), st.one_of(st.text(max_size=50), st.just(HEAD))))
def test_no_variable_gets_through_unchecked(values: dict[str, str]):
    """Whatever they hold: a scope made of commit ids, or one line that says why not."""
    pipeline = Pipeline(values)
    assert pipeline.ref.iid > 0
    try:
        found = pipeline.scope()
    except Permanent:
        return
    assert {len(sha) for sha in (found.head, found.base, found.target.sha)} <= {0, 40, 64}
