"""The published schema accepts and refuses what the parser does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.domain.policy_file import PolicyProblem, parse, parse_shared
from bot.domain.policy_gate import When
from bot.domain.policy_model import enforceable
from bot.domain.policy_schema import schema

PROJECT, SHARED = Draft202012Validator(schema()), Draft202012Validator(schema(shared=True))


def test_the_schemas_are_schemas() -> None:
    """Of the dialect that they name."""
    for one in (schema(), schema(shared=True)):
        Draft202012Validator.check_schema(one)


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ({}, True),
        ({"gate": {"rules": [{"mode": "block"}]}}, True),
        ({"gate": {"rules": [{"when": {"severity": "high"}, "mode": "block"}]}}, True),
        ({"gate": {"rules": [{"when": {}}]}}, False),
        ({"gate": {"rules": [{"when": {"labels": "x"}, "mode": "off"}]}}, False),
        ({"gate": {"rules": [{"when": {"newness": "old"}, "mode": "off"}]}}, False),
        ({"gate": {"rules": [{"when": {"scanners": ["semgrpe"]}, "mode": "off"}]}}, False),
        ({"gate": {"limits": {"min_coverage": 101}}}, False),
        ({"gate": {"limits": {"max_files": 10, "on_exceed": "block"}}}, True),
        ({"gate": {"unread": "some"}}, False),
        ({"reports": {"sarif": [{"job": "lint", "paths": ["a.sarif"]}]}}, True),
        ({"reports": {"sarif": [{"job": "lint"}]}}, False),
        ({"rules": {"severity": {"x": "low"}}}, True),
        ({"rules": {"severity": {"x": "bad"}}}, False),
        ({"floors": []}, False),
    ],
)
def test_schema_and_parser_agree(said: dict[str, Any], accepted: bool) -> None:
    """On files that people write."""
    assert (accepted, accepted) == (
        PROJECT.is_valid(said),
        not isinstance(parse(json.dumps(said)), PolicyProblem),
    )


def test_only_shared_files_enforce() -> None:
    """By names that there are."""
    for names in (["gate"], ["review.model"], ["gate.rules"], ["x"]):
        said = {"enforced": names}
        accepted = names[0] in enforceable()
        assert accepted is SHARED.is_valid(said)
        assert accepted is not isinstance(parse_shared(json.dumps(said)), PolicyProblem)
        assert not PROJECT.is_valid(said)


ODD = st.none() | st.booleans() | st.integers(-2, 200) | st.sampled_from(["", "x", "high", "block"])


def often(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw what is right, and now and then something else."""
    return st.one_of(good, good, good, ODD)


def lists(*words: str) -> st.SearchStrategy[Any]:
    """Draw a list of *words* and others."""
    return st.lists(often(st.sampled_from(words)), max_size=3)


WHEN = st.fixed_dictionaries(
    {},
    optional={
        "severity": often(st.sampled_from(["info", "critical"])),
        "scanners": lists("semgrep", "model"),
        "categories": lists("security"),
        "rules": lists("a-*"),
        "paths": often(lists("src/")),
        "labels": lists("l"),
        "draft": often(st.booleans()),
        "author_role": often(st.sampled_from(["developer", "owner"])),
        "other": ODD,
    },
)
RULE = st.fixed_dictionaries(
    {"mode": often(st.sampled_from(["off", "shadow", "advise", "block"]))}, optional={"when": often(WHEN)}
)
FILE = st.fixed_dictionaries(
    {},
    optional={
        "gate": often(
            st.fixed_dictionaries(
                {},
                optional={
                    "block_at": often(st.sampled_from(["critical", "never"])),
                    "scanners": lists("secrets"),
                    "rules": often(st.lists(often(RULE), max_size=2)),
                    "limits": often(
                        st.fixed_dictionaries({}, optional={"max_files": ODD, "min_coverage": ODD})
                    ),
                    "unread": often(st.sampled_from(["all", "never"])),
                },
            )
        ),
        "comments": st.fixed_dictionaries({}, optional={"max_inline": ODD, "min_severity": ODD}),
        "paths": often(st.fixed_dictionaries({}, optional={"exclude": often(lists("a/"))})),
        "review": st.fixed_dictionaries({}, optional={"drafts": ODD, "language": often(st.just("en"))}),
        "rules": st.fixed_dictionaries(
            {}, optional={"disable": lists("a"), "severity": st.dictionaries(st.just("a"), ODD)}
        ),
        "conversation": st.fixed_dictionaries({}, optional={"fix": often(st.just("owner")), "per_hour": ODD}),
    },
)


def said_besides(said: Any) -> bool:
    """Say whether a file has what only the parser sees: a rule for everything that is not the last."""
    gate = said.get("gate")
    rules = gate.get("rules") if isinstance(gate, dict) else None
    earlier = rules[:-1] if isinstance(rules, list) else []
    return any(
        isinstance(rule, dict)
        and isinstance(when := rule.get("when", {}), dict)
        and all(value is None or value == [] for value in when.values())
        and set(when) <= set(When.model_fields)
        for rule in earlier
    )


@given(FILE)
def test_schema_and_parser_agree_on_any_file(said: dict[str, Any]) -> None:
    """Whatever is wrong in it."""
    if said_besides(said):
        return
    problem = parse(json.dumps(said))
    assert PROJECT.is_valid(said) is not isinstance(problem, PolicyProblem), problem
