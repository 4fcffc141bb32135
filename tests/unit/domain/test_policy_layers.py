"""Levels of policies come together key by key, and what a level enforces stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy import Policy, Sections, excluded
from bot.domain.policy_file import PolicyProblem, parse, parse_sections, parse_shared
from bot.domain.policy_layers import Layer, Overruled, resolve
from bot.domain.policy_model import enforceable, keys


def shared(origin: str, text: str) -> Layer:
    """Return a level above projects."""
    found = parse_shared(text)
    assert not isinstance(found, PolicyProblem), found
    return Layer(origin, found)


def project(text: str) -> Layer:
    """Return the level of a project."""
    found = parse_sections(text)
    assert not isinstance(found, PolicyProblem), found
    return Layer("project", found)


def test_each_key_has_the_value_of_the_most_specific_level_that_sets_it() -> None:
    """Keys of one section may come from several levels."""
    found = resolve(
        [
            shared("instance", "comments: {max_inline: 1, min_severity: high}\nreview: {language: zh}\n"),
            shared("group a", "comments: {max_inline: 2}\n"),
            shared("group a/b", "comments: {declined_days: 3}\n"),
            project("comments: {max_inline: 4}\n"),
        ]
    )
    assert (4, "high", 3, "zh") == (
        found.policy.comments.max_inline,
        found.policy.comments.min_severity.value,
        found.policy.comments.declined_days,
        found.policy.review.language,
    )
    assert {
        "comments.max_inline": "project",
        "comments.min_severity": "instance",
        "comments.declined_days": "group a/b",
        "review.language": "instance",
    } == found.origins
    assert (found.policy.floors, found.overruled) == ((), ())


def test_a_value_that_is_set_to_the_default_still_counts() -> None:
    """A project takes back what its group says by writing it out."""
    layers = [shared("group a", "review: {model: false}\n"), project("review: {model: true}\n")]
    assert resolve(layers).policy.review.model


def test_an_enforced_key_keeps_its_value() -> None:
    """Also against the level in between, and it is told whose value does not count."""
    found = resolve(
        [
            shared("instance", "enforced: [review.model, conversation]\nreview: {model: false}\n"),
            shared("group a", "review: {model: true}\n"),
            project("review: {model: true, judge: false}\nconversation: {fix: reporter}\n"),
        ]
    )
    assert (False, False, "developer") == (
        found.policy.review.model,
        found.policy.review.judge,
        found.policy.conversation.fix.value,
    )
    assert (
        Overruled("review.model", "group a", "instance"),
        Overruled("review.model", "project", "instance"),
        Overruled("conversation.fix", "project", "instance"),
    ) == found.overruled


def test_each_level_that_enforces_its_gate_becomes_a_floor() -> None:
    """With all that holds at that level; what lower ones say stays theirs."""
    found = resolve(
        [
            shared("instance", "enforced: [gate]\ngate: {block_at: critical}\n"),
            shared("group a", "enforced: [gate]\npaths: {exclude: [docs/]}\n"),
            project("gate: {block_at: never}\npaths: {exclude: ['**']}\n"),
        ]
    )
    assert ("critical", "critical") == tuple(floor.gate.block_at for floor in found.policy.floors)
    assert [(), ("docs/",)] == [floor.paths.exclude for floor in found.policy.floors]
    assert found.policy.gate.block_at == "never"
    assert {"gate": "instance"} == found.enforced
    assert excluded("docs/a.md", found.policy) is None


def test_without_levels_the_defaults_hold() -> None:
    """A file without a word changes nothing."""
    assert Policy() == resolve([]).policy
    assert Policy() == resolve([shared("instance", ""), project("")]).policy


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("enforced: [gate.rules]\n", 1, ["enforced as a whole", "write gate instead"]),
        ("enforced:\n  - gate\n  - revue\n", 3, ["'revue' is no section and no key"]),
        ("enforced: gate\n", 1, ["valid list"]),
        ("gate: {scanners: [semgrpe]}\n", 1, ["did you mean 'semgrep'?"]),
    ],
)
def test_mistakes_in_shared_files_are_explained(text: str, line: int, words: list[str]) -> None:
    """As those in a project's file are."""
    problem = parse_shared(text)
    assert isinstance(problem, PolicyProblem)
    assert line == problem.line
    assert [word for word in words if word not in str(problem)] == []


def test_a_shared_file_may_name_reports_of_jobs_that_projects_have() -> None:
    """Which jobs there are is known only further down."""
    assert not isinstance(parse_shared("gate: {scanners: ['sarif:lint']}\n"), PolicyProblem)
    assert isinstance(parse_sections("gate: {scanners: ['sarif:lint']}\n"), PolicyProblem)


def test_a_project_enforces_nothing_and_sets_no_floor() -> None:
    """There is nobody below it, and floors are not for files."""
    for text, word in (
        ("enforced: [gate]\n", "only files of the instance"),
        ("floors: []\n", "not a known key"),
    ):
        problem = parse(text)
        assert isinstance(problem, PolicyProblem)
        assert word in str(problem)


def test_every_key_can_be_enforced_alone_but_those_of_the_gate() -> None:
    """The gate is one."""
    names = enforceable()
    assert [key for key in keys() if key not in names] == [key for key in keys() if key.startswith("gate.")]
    assert set(Sections.model_fields) < set(names)


VALUES = {
    "comments.max_inline": st.integers(0, 50),
    "review.model": st.booleans(),
    "review.judge": st.booleans(),
    "paths.exclude": st.lists(st.sampled_from(["a/", "b/"]), max_size=2),
}
LAYERS = st.lists(
    st.tuples(
        st.fixed_dictionaries({}, optional=VALUES),
        st.lists(st.sampled_from([*VALUES, "review", "gate"]), max_size=2, unique=True),
    ),
    max_size=4,
)


@given(LAYERS)
def test_levels_behave_as_described(drawn: list[tuple[dict[str, object], list[str]]]) -> None:
    """Every key: the first level that enforces it decides with all above it, or else the last that sets it."""
    layers = []
    for number, (values, enforced) in enumerate(drawn):
        said: dict[str, object] = {"enforced": enforced}
        for key, value in values.items():
            section, _, name = key.partition(".")
            said[section] = {**said.get(section, {}), name: value}  # type: ignore[dict-item]
        layers.append(shared(str(number), repr(said).replace("True", "true").replace("False", "false")))
    found = resolve(layers)
    for key in VALUES:
        section, _, name = key.partition(".")
        end = next(
            (at for at, (_, names) in enumerate(drawn) if key in names or section in names), len(drawn)
        )
        setting = [values[key] for values, _ in drawn[: end + 1] if key in values]
        default = getattr(getattr(Sections(), section), name)
        value = getattr(getattr(found.policy, section), name)
        assert (
            (tuple(setting[-1]) if isinstance(setting[-1], list) else setting[-1]) == value
            if setting
            else default == value
        )
    assert sum("gate" in names for _, names in drawn) == len(found.policy.floors)
