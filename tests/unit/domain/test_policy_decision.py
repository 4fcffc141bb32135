"""What a policy makes of findings: by rules in order, by enforced gates, and never milder for being stricter."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.facts import Facts
from bot.domain.findings import Confidence, Finding, Severity
from bot.domain.policy import (
    Comments,
    Extent,
    Gate,
    GateRule,
    Limits,
    Mode,
    Paths,
    Policy,
    Rules,
    Sections,
    When,
    asks_for_author,
    asks_for_existing,
    commentable,
    decides,
    excluded,
    governed,
    mode_of,
    verdict,
)

SCANNERS = ("semgrep", "secrets", "dependencies", "model", "sarif:lint")
#: A merge request about which everything is known.
FACTS = Facts(labels=("hotfix",), draft=False, target_branch="main", source_branch="fix/x", author_access=30)


def finding(**values: object) -> Finding:
    """Return a grave finding of Semgrep."""
    base = {
        "scanner": "semgrep",
        "rule": "python-eval",
        "category": "security",
        "severity": Severity.high,
        "path": "src/a.py",
        "line": 1,
        "end_line": 1,
        "title": "t",
        "message": "m",
    }
    return Finding.model_validate(base | values)


def rule(mode: Mode | str, **when: object) -> GateRule:
    """Return a rule of the gate."""
    return GateRule(when=When.model_validate(when), mode=Mode(mode))


def policy(*rules: GateRule, floors: tuple[Sections, ...] = (), **gate: object) -> Policy:
    """Return a policy with these rules of the gate."""
    return Policy(gate=Gate.model_validate({"rules": rules, **gate}), floors=floors)


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({}, True),
        ({"severity": "high"}, True),
        ({"severity": "critical"}, False),
        ({"severity": "info"}, True),
        ({"scanners": ["secrets", "semgrep"]}, True),
        ({"scanners": ["secrets"]}, False),
        ({"categories": ["security"]}, True),
        ({"categories": ["secret"]}, False),
        ({"rules": ["python-eval"]}, True),
        ({"rules": ["python-*"]}, True),
        ({"rules": ["go-*"]}, False),
        ({"paths": ["src/"]}, True),
        ({"paths": ["*.py"]}, True),
        ({"paths": ["tests/"]}, False),
        ({"labels": ["hotfix", "other"]}, True),
        ({"labels": ["other"]}, False),
        ({"draft": False}, True),
        ({"draft": True}, False),
        ({"target_branches": ["main"]}, True),
        ({"target_branches": ["release/*"]}, False),
        ({"source_branches": ["fix/*"]}, True),
        ({"source_branches": ["feature/*"]}, False),
        ({"author_role": "developer"}, True),
        ({"author_role": "maintainer"}, False),
        ({"newness": "new"}, True),
        ({"newness": "any"}, True),
        ({"newness": "existing"}, False),
        ({"severity": "high", "paths": ["tests/"]}, False),
        ({"severity": "high", "paths": ["src/"], "labels": ["hotfix"]}, True),
    ],
)
def test_a_rule_is_about_what_all_its_conditions_fit(when: dict[str, object], fits: bool) -> None:
    """Each condition counts, and a list fits if one of its entries does."""
    asked = GateRule.model_validate({"when": when, "mode": "shadow"}, strict=False)
    assert (Mode.shadow if fits else Mode.block) is mode_of(finding(), policy(asked), FACTS)


def test_what_was_there_before_is_not_said_unless_a_rule_asks_for_it() -> None:
    """Not even where a rule is about everything else."""
    old = finding(existing=True)
    modes = [
        mode_of(old, asked, FACTS)
        for asked in (
            Policy(),
            policy(rule("block")),
            policy(rule("shadow", newness="existing")),
            policy(rule("block", newness="any")),
        )
    ]
    assert [Mode.off, Mode.off, Mode.shadow, Mode.block] == modes
    assert [False, False, True] == [
        asks_for_existing(policy(one))
        for one in (rule("block"), rule("off", newness="any"), rule("shadow", newness="existing"))
    ]


def test_the_first_rule_that_fits_wins() -> None:
    """As in a pipeline's `rules`: an exception stands before what it is an exception to."""
    lenient = rule("shadow", paths=("src/",))
    strict = rule("block", severity=Severity.high)
    assert Mode.shadow is mode_of(finding(), policy(lenient, strict), FACTS)
    assert Mode.block is mode_of(finding(), policy(strict, lenient), FACTS)


@pytest.mark.parametrize(
    ("gate", "values", "expected"),
    [
        ({}, {}, Mode.block),
        ({}, {"severity": Severity.medium}, Mode.advise),
        ({}, {"scanner": "dependencies"}, Mode.advise),
        ({"block_at": "never"}, {}, Mode.advise),
        ({"scanners": ()}, {}, Mode.advise),
        ({"scanners": ("model",)}, {"scanner": "model"}, Mode.advise),
        ({"scanners": ("model",)}, {"scanner": "model", "confirmed": True}, Mode.block),
    ],
)
def test_the_shorthand_is_the_last_rule(
    gate: dict[str, object], values: dict[str, object], expected: Mode
) -> None:
    """Without rules `block_at` and `scanners` decide; what they are not about is advice."""
    assert expected is mode_of(finding(**values), policy(**gate), FACTS)
    exception = rule("off", rules=("python-eval",))
    assert Mode.off is mode_of(finding(**values), policy(exception, **gate), FACTS)


def test_the_model_blocks_only_by_a_rule_that_names_it_and_only_with_what_was_confirmed() -> None:
    """A rule for everything is about what scanners prove, not about what a model says."""
    sure, unsure = finding(scanner="model", confirmed=True), finding(scanner="model")
    everything, named = policy(rule("block")), policy(rule("block", scanners=("model",)))
    assert [Mode.advise, Mode.advise, Mode.block, Mode.advise] == [
        mode_of(one, asked, FACTS) for asked in (everything, named) for one in (sure, unsure)
    ]
    assert Mode.off is mode_of(sure, policy(rule("off")), FACTS)


def test_a_suppression_counts_only_if_the_policy_accepts_it() -> None:
    """It makes advice of what would block."""
    excused = finding(suppressed=True)
    modes = [mode_of(excused, policy(accept_suppressions=accepted), FACTS) for accepted in (False, True)]
    assert [Mode.block, Mode.advise] == modes


@pytest.mark.parametrize(
    "when",
    [
        {"labels": ("x",)},
        {"draft": True},
        {"target_branches": ("x",)},
        {"source_branches": ("x",)},
        {"author_role": "owner"},
    ],
)
def test_what_is_not_known_makes_nothing_milder(when: dict[str, object]) -> None:
    """A rule that blocks counts in doubt, one that lets pass does not."""
    mild = finding(severity=Severity.low)
    assert Mode.block is mode_of(mild, policy(rule("block", **when)))
    assert Mode.block is mode_of(finding(), policy(rule("off", **when)))


def test_modes_say_who_hears_of_a_finding() -> None:
    """What is off is not heard of, what is in shadow is not commented, and neither blocks."""
    modes = {}
    for mode in Mode:
        asked = policy(rule(mode))
        outcome = verdict([finding()], asked, FACTS)
        modes[mode.value] = (
            len(governed([finding()], asked, FACTS)),
            commentable(finding(), asked, FACTS),
            len(outcome.shadowed),
            outcome.passed,
        )
    assert {
        "off": (0, False, 0, True),
        "shadow": (1, False, 1, True),
        "advise": (1, True, 0, True),
        "block": (1, True, 0, False),
    } == modes


def test_who_decides_follows_from_the_rules_that_can_block() -> None:
    """A scanner that cannot block leaves nothing open; neither does a rule about other merge requests."""

    def deciding(asked: Policy) -> list[str]:
        return [name for name in SCANNERS if decides(name, asked, FACTS)]

    assert ["semgrep", "secrets"] == deciding(Policy())
    assert [] == deciding(policy(block_at="never"))
    assert ["semgrep", "secrets", "dependencies", "sarif:lint"] == deciding(policy(rule("block")))
    assert ["model"] == deciding(policy(rule("block", scanners=("model",)), block_at="never"))
    assert [] == deciding(policy(rule("block", labels=("other",)), block_at="never"))
    assert ["sarif:lint"] == deciding(policy(rule("block", scanners=("sarif:*",)), block_at="never"))
    lax = policy(block_at="never", floors=(Sections(gate=Gate(scanners=("secrets",))),))
    assert ["secrets"] == deciding(lax)


def test_only_a_rule_about_authors_makes_them_be_looked_up() -> None:
    """Rules of higher levels count too."""
    about = rule("advise", author_role="developer")
    assert [False, True, True] == [
        asks_for_author(one)
        for one in (Policy(), policy(about), policy(floors=(Sections(gate=Gate(rules=(about,))),)))
    ]


INSTANCE = Sections(gate=Gate(rules=(rule("block", scanners=("secrets",)),), block_at="never"))
SECRET = finding(scanner="secrets", rule="gitlab-token", category="secret", severity=Severity.critical)


@pytest.mark.parametrize(
    "lax",
    [
        Policy(gate=Gate(block_at="never")),
        policy(rule("off")),
        policy(rule("shadow", scanners=("secrets",))),
        Policy(gate=Gate(scanners=("semgrep",))),
        Policy(gate=Gate(accept_suppressions=True)),
        Policy(rules=Rules(disable=("gitlab-token",))),
        Policy(rules=Rules(disable=("*",))),
        Policy(rules=Rules(disable=("category:secret",))),
        Policy(rules=Rules(severity={"*": Severity.info})),
        Policy(comments=Comments(min_severity=Severity.critical, min_confidence=Confidence.high)),
    ],
)
def test_an_enforced_gate_cannot_be_turned_off(lax: Policy) -> None:
    """Whatever the project says of gate and rules, the secret blocks and is heard of."""
    both = lax.model_copy(update={"floors": (INSTANCE,)})
    suppressed = SECRET.model_copy(update={"suppressed": True})
    for one in (SECRET, suppressed):
        heard = governed([one], both, FACTS)
        assert [Severity.critical] == [said.severity for said in heard]
        assert not verdict(heard, both, FACTS).passed


def test_what_an_enforced_gate_looks_at_cannot_be_left_out() -> None:
    """A file stays out only if every level that enforces its gate leaves it out too."""
    paths = ("docs/a.md", "src/a.py")
    lax = Paths(exclude=("**",))
    floor = Sections(paths=Paths(exclude=("docs/",)))
    for floors, expected in (((), paths), ((floor,), ("docs/a.md",)), ((floor, INSTANCE), ())):
        asked = Policy(paths=lax, floors=floors)
        assert expected == tuple(path for path in paths if excluded(path, asked, everywhere=True))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, []),
        ({"max_changed_lines": 100}, []),
        ({"max_changed_lines": 99}, ["100 changed lines, more than the 99 that the policy allows"]),
        ({"max_files": 4}, ["5 changed files, more than the 4 that the policy allows"]),
        ({"min_coverage": 80}, []),
        (
            {"min_coverage": 81},
            ["80 % of the added lines were looked at, less than the 81 % that the policy asks for"],
        ),
    ],
)
def test_limits_block_or_advise(limits: dict[str, int], said: list[str]) -> None:
    """What is beyond a limit is said, and shuts the gate only if the policy says so."""
    extent = Extent(changed_lines=100, files=5, coverage=80)
    for on_exceed in ("advise", "block"):
        asked = Policy(gate=Gate(limits=Limits.model_validate({**limits, "on_exceed": on_exceed})))
        outcome = verdict([], asked, FACTS, extent)
        assert said == list(outcome.exceeded if on_exceed == "block" else outcome.warned)
        assert outcome.passed is (on_exceed == "advise" or not said)
    assert verdict([], Policy(gate=Gate(limits=Limits(min_coverage=100))), FACTS, Extent()).warned == ()


@pytest.mark.parametrize(
    ("unread", "expected"), [("never", ()), ("too_large", ("big",)), ("all", ("big", "odd"))]
)
def test_files_without_an_answer_leave_the_gate_undecided(unread: str, expected: tuple[str, ...]) -> None:
    """By default those whose change is too large to be read; the question is open, not answered with no."""
    asked = Policy(gate=Gate.model_validate({"unread": unread}))
    outcome = verdict([], asked, FACTS, Extent(too_large=("big",), unread=("odd",)))
    assert (expected, not expected, bool(expected)) == (outcome.unread, outcome.passed, outcome.undecided)


def names(*some: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw a few of *some* names, or none."""
    return st.lists(st.sampled_from(some), max_size=2, unique=True).map(tuple)


WHENS = st.builds(
    When,
    severity=st.none() | st.sampled_from(Severity),
    scanners=names(*SCANNERS, "sarif:*"),
    categories=names("security", "secret"),
    rules=names("python-*", "gitlab-token"),
    paths=names("src/", "*.md"),
    newness=st.sampled_from(["new", "existing", "any"]),
    labels=names("hotfix", "big"),
    draft=st.none() | st.booleans(),
    target_branches=names("main", "release/*"),
    author_role=st.none() | st.sampled_from(["reporter", "maintainer"]),
)
GATE_RULES = st.builds(GateRule, when=WHENS.filter(lambda when: when != When()), mode=st.sampled_from(Mode))
GATES = st.builds(
    Gate,
    block_at=st.sampled_from(["critical", "high", "medium", "never"]),
    scanners=names(*SCANNERS),
    accept_suppressions=st.booleans(),
    rules=st.lists(GATE_RULES, max_size=4).map(tuple),
)
RULES = st.builds(
    Rules,
    disable=names("python-*", "*", "category:secret"),
    severity=st.dictionaries(st.sampled_from(["*", "python-eval"]), st.sampled_from(Severity), max_size=2),
)
SECTIONS = st.builds(Sections, gate=GATES, rules=RULES)
FINDINGS = st.builds(
    finding,
    scanner=st.sampled_from(SCANNERS),
    rule=st.sampled_from(["python-eval", "gitlab-token"]),
    category=st.sampled_from(["security", "secret"]),
    severity=st.sampled_from(Severity),
    path=st.sampled_from(["src/a.py", "b.md"]),
    suppressed=st.booleans(),
    confirmed=st.booleans(),
    existing=st.booleans(),
)
ALL_FACTS = st.builds(
    Facts,
    labels=st.none() | names("hotfix", "big"),
    draft=st.none() | st.booleans(),
    target_branch=st.none() | st.sampled_from(["main", "release/1"]),
    author_access=st.none() | st.sampled_from([0, 20, 40]),
)


def of(sections: Sections, *floors: Sections) -> Policy:
    """Return the policy of a project below levels that enforce their gates."""
    return Policy(**dict(sections), floors=floors)


@given(SECTIONS, SECTIONS, FINDINGS, ALL_FACTS)
def test_an_enforced_gate_lets_nothing_pass_that_it_would_block_alone(
    project: Sections, floor: Sections, one: Finding, facts: Facts
) -> None:
    """Whatever stands below it, and it never makes the project's own gate milder."""

    def passes(asked: Policy) -> bool:
        return verdict(governed([one], asked, facts), asked, facts).passed

    both = of(project, floor)
    assert passes(of(floor)) or not passes(both)
    assert passes(of(project)) or not passes(both)


@given(SECTIONS, FINDINGS, ALL_FACTS, st.data())
def test_a_stricter_mode_never_lets_more_pass(
    project: Sections, one: Finding, facts: Facts, data: st.DataObject
) -> None:
    """Raising the mode of one rule, wherever it stands, raises what becomes of a finding or leaves it."""
    rules = project.gate.rules
    if not rules:
        return
    at = data.draw(st.integers(0, len(rules) - 1))
    known = Facts(
        labels=facts.labels or (),
        draft=bool(facts.draft),
        target_branch=facts.target_branch or "main",
        source_branch="x",
        author_access=facts.author_access or 0,
    )
    for mild, strict in itertools.pairwise(Mode):
        modes = [
            mode_of(
                one,
                of(
                    project.model_copy(
                        update={
                            "gate": Gate(
                                **{
                                    **dict(project.gate),
                                    "rules": (
                                        *rules[:at],
                                        GateRule(when=rules[at].when, mode=mode),
                                        *rules[at + 1 :],
                                    ),
                                }
                            )
                        }
                    )
                ),
                known,
            ).rank
            for mode in (mild, strict)
        ]
        assert modes[0] <= modes[1]


@given(SECTIONS, st.lists(FINDINGS, max_size=5), ALL_FACTS)
def test_only_who_decides_can_block(project: Sections, found: list[Finding], facts: Facts) -> None:
    """What blocks comes from a scanner whose silence leaves the gate undecided."""
    asked = of(project)
    blocking = verdict(governed(found, asked, facts), asked, facts).blocking
    assert all(decides(one.scanner, asked, facts) for one in blocking)


@given(SECTIONS, FINDINGS, ALL_FACTS)
def test_not_knowing_a_fact_never_lets_more_block_pass(project: Sections, one: Finding, facts: Facts) -> None:
    """Where a gate only has rules that block, what is known can only open it."""
    strict = tuple(one for one in project.gate.rules if one.mode is Mode.block)
    asked = of(Sections(gate=project.gate.model_copy(update={"rules": strict})))
    if mode_of(one, asked, facts) is Mode.block:
        assert mode_of(one, asked) is Mode.block


def test_a_copy_of_a_gate_decides_for_itself() -> None:
    """What an earlier decision made of the default says nothing about a gate that was made of it."""
    assert Gate().compiled
    changed = Gate()
    assert changed.compiled
    assert () == changed.model_copy(update={"block_at": "never"}).compiled
