"""Answers of GitLab become the error that says what to do next."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import CloisterError, Permanent, Refused, Transient
from bot.gitlab.errors import (
    Answer,
    TokenRejected,
    is_same_state,
    is_taken_name,
    is_unprepared,
    moved_to,
    problem,
    reason,
    refuses_position,
    retry_after_s,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NO_LINE = '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}'


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes):
        return Answer(status, named, body)
    return Answer(status, {"content-type": "application/json", **named}, json.dumps(body).encode())


def met(given: Answer, *, writes: bool = False) -> CloisterError | None:
    return problem(given, "POST /x", now=NOW, writes=writes)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_problem(status: int):
    """Every 2xx is fine."""
    assert met(answer(status)) is None


@pytest.mark.parametrize(
    ("expected", "status"),
    [
        (Permanent, 301),
        (Permanent, 302),
        (Refused, 400),
        (TokenRejected, 401),
        (Refused, 403),
        (Refused, 404),
        (Transient, 408),
        (Transient, 409),
        (Refused, 412),
        (Refused, 422),
        (Transient, 429),
        (Transient, 500),
        (Transient, 502),
        (Transient, 503),
        (Transient, 520),
    ],
)
def test_status_decides_the_family(expected: type[CloisterError], status: int):
    """What may pass is transient, what will not is permanent."""
    assert expected is type(met(answer(status)))


@pytest.mark.parametrize(
    ("expected", "status", "writes"),
    [(True, 500, True), (True, 504, True), (False, 500, False), (False, 429, True), (False, 409, True)],
)
def test_only_a_broken_write_has_an_unknown_outcome(expected: bool, status: int, writes: bool):
    """A throttled or locked request was not carried out; after a server error nobody knows."""
    error = met(answer(status), writes=writes)
    assert isinstance(error, Transient)
    assert expected == error.outcome_unknown


@pytest.mark.parametrize(
    ("expected", "status", "headers"),
    [
        (7.0, 429, {"retry_after": "7", "ratelimit_reset": "1"}),
        (60.0, 429, {"ratelimit_reset": str(int(NOW.timestamp()) + 60)}),
        (0.0, 429, {"ratelimit_reset": "1"}),
        (30.0, 503, {"retry_after": "Thu, 01 Jan 2026 00:00:30 GMT"}),
        (None, 503, {"ratelimit_reset": "99999999999"}),
        (None, 429, {"retry_after": "soon", "ratelimit_reset": "9" * 30}),
        (None, 503, {"retry_after": "Thu, 01 Jan 2026 00:00:30 +99999999999999999999"}),
        (None, 503, {"retry_after": "Thu, 01 Jan 99999999999 00:00:30 GMT"}),
        (None, 429, {}),
    ],
)
def test_the_wait_is_what_gitlab_asks_for(expected: float | None, status: int, headers: dict[str, str]):
    """Retry-After comes first, the reset time stands in when throttled."""
    assert expected == retry_after_s(answer(status, b"Retry later", **headers), NOW)


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("404 Not found", answer(404, {"message": "404 Not found"})),
        ('{"name": ["is taken"]}', answer(400, {"message": {"name": ["is taken"]}})),
        ("position[base_sha] is missing", answer(400, {"error": "position[base_sha] is missing"})),
        ("Retry later", answer(429, b"Retry later\n", content_type="text/plain")),
        ("an HTML page", answer(502, b"<!DOCTYPE html><HTML><body>", content_type="text/html")),
        ("broken JSON", answer(500, b"{", content_type="application/json")),
        ("a b", answer(400, b"a\x00\x1b\r\nb")),
        ("x" * 300 + "...", answer(400, b"x" * 1000)),
    ],
)
def test_gitlabs_words_are_kept_short(expected: str, given: Answer):
    """Whatever form the message has, it becomes one short printable line."""
    assert expected == reason(given)


@pytest.mark.parametrize(
    ("remedy", "status"),
    [
        ("CLOISTER_GITLAB_TOKEN", 401),
        ("CLOISTER_GITLAB_URL", 302),
        ("scope api", 403),
        ("has no access", 404),
    ],
)
def test_messages_name_the_remedy(remedy: str, status: int):
    """The operator reads what to change."""
    assert remedy in str(met(answer(status)))


@pytest.mark.parametrize(
    "body",
    [
        {"message": NO_LINE},
        {"message": NO_LINE.replace(":line_code=>", "line_code: ")},
        {"message": '400 Bad request - Note {:position=>["is incomplete"]}'},
        {"message": {"line_code": ["can't be blank"]}},
        {"error": "position[base_sha] is missing"},
    ],
)
def test_a_refused_position_is_recognised(body: object):
    """Both of Ruby's notations, and the parameter check, mean that there is no such place."""
    assert refuses_position(answer(400, body))
    assert not refuses_position(answer(500, body))


def test_other_refusals_are_not_about_the_position():
    """A 400 for another reason is not taken for one."""
    assert not refuses_position(
        answer(400, {"message": '400 Bad request - Note {:note=>["can\'t be blank"]}'})
    )


def test_a_diff_in_preparation_is_not_a_refused_position():
    """Right after a merge request was opened every position is refused for now."""
    given = answer(400, {"message": '{:noteable=>["doesn\'t support new-style diff notes"], :line_code=>[]}'})
    assert is_unprepared(given)
    assert not refuses_position(given)


@pytest.mark.parametrize(
    ("expected", "state", "event", "current"),
    [
        (True, "running", "run", "running"),
        (True, "pending", "enqueue", "pending"),
        (True, "pending", "enqueue", "running"),
        (True, "success", "success", "success"),
        (False, "running", "run", "canceled"),
        (False, "success", "run", "running"),
        (False, "failed", "drop", "success"),
    ],
)
def test_only_the_same_state_is_fine(expected: bool, state: str, event: str, current: str):
    """A transition to where the status is already changes nothing; others are real refusals."""
    text = f"Cannot transition status via :{event} from :{current} (Reason(s): Status cannot transition)"
    assert expected == is_same_state(answer(400, {"message": text}), state)
    assert not is_same_state(answer(500, {"message": text}), state)


@pytest.mark.parametrize(
    ("expected", "status", "said"),
    [
        (True, 400, {"name": ["has already been taken"]}),
        (True, 400, {"name": ["已经被使用"]}),
        (False, 422, {"name": ["has already been taken"]}),
        (False, 400, {"name": ["is too long"], "target_url": ["is blocked"]}),
        (False, 400, "name"),
        (False, 400, ["name"]),
    ],
)
def test_a_taken_name_is_told_from_other_refusals(expected: bool, status: int, said: object):
    """In whatever language GitLab speaks."""
    assert expected == is_taken_name(answer(status, {"message": said}))


@pytest.mark.parametrize("said", ["404 Project Not Found", "Project Not Found"])
def test_a_status_is_told_once(said: str):
    """GitLab's own words often begin with it."""
    assert str(met(answer(404, {"message": said}))).startswith("POST /x: 404 Project Not Found. ")


@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=50) | st.just(b"[" * 5000),
    headers=st.dictionaries(
        st.sampled_from(["content-type", "retry-after", "ratelimit-reset", "location"]),
        st.text(max_size=20) | st.just("application/json"),
    ),
)
def test_any_answer_is_judged(status: int, body: bytes, headers: dict[str, str]):
    """No answer, however broken, makes the judgement itself fail."""
    given = Answer(status, headers, body)
    found = problem(given, "GET /x", now=NOW)
    assert (found is None) == (200 <= status < 300)
    assert not is_same_state(given, "pending")
    assert not is_taken_name(given)


def test_a_project_that_moved_is_named_by_its_number():
    """GitLab says where it went, which is neither a wrong address of GitLab nor a lack of rights."""
    there = "https://gitlab.example/api/v4/projects/12/repository/files/a.yml?ref=HEAD"
    moved = answer(301, location=there)
    refused = answer(405, {"message": "Non GET methods are not allowed for moved projects"})
    elsewhere = answer(301, location="https://gitlab.example/users/sign_in")

    assert [moved_to(one) for one in (moved, refused, elsewhere)] == [12, None, None]
    for one in (moved, refused):
        assert "name it by its new path" in str(met(one))
    assert "CLOISTER_GITLAB_URL" in str(met(elsewhere))
