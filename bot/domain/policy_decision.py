"""What a policy makes of findings and of the change as a whole: the one place where the gate is decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from bot.domain.exclusions import matches
from bot.domain.facts import Facts
from bot.domain.findings import MODEL, Confidence, Finding
from bot.domain.policy_gate import GateRule, Limits, Mode, When
from bot.domain.policy_model import Policy, Sections
from bot.domain.policy_scope import applies, regraded
from bot.domain.waivers_standing import AskedFor, Standing, Waived

_UNKNOWN = Facts()
_NO_WAIVERS = Standing()

_LINES = "{count} changed lines, more than the {limit} that the policy allows"
_FILES = "{count} changed files, more than the {limit} that the policy allows"
_COVERAGE = "{count} % of the added lines were looked at, less than the {limit} % that the policy asks for"


@dataclass(frozen=True, slots=True)
class Extent:
    """Hold how large a change is and how much of it was looked at.

    ``coverage`` is the percentage of added lines that deciding scanners have looked at, None while that is not known.
    ``too_large`` are the files whose change could not be read, ``unread`` all those that a deciding scanner was to
    look at and could not.
    """

    changed_lines: int = 0
    files: int = 0
    coverage: int | None = None
    too_large: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold whether the gate lets the revision pass, and why not.

    ``blocking`` are the findings that block, gravest first, ``shadowed`` those that are only recorded. ``exceeded``
    says which limits block, ``warned`` which do not. ``unread`` are files that leave the question open. ``waived``
    are findings that would block without a waiver, ``asked`` those of the blocking ones for which somebody, or a
    comment in the code, asks for one.
    """

    passed: bool
    blocking: tuple[Finding, ...] = ()
    shadowed: tuple[Finding, ...] = ()
    exceeded: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    waived: tuple[Waived, ...] = ()
    asked: tuple[AskedFor, ...] = ()

    @property
    def undecided(self) -> bool:
        """Say whether nothing blocks and yet nobody can tell that nothing should."""
        return bool(self.unread) and not self.blocking and not self.exceeded


def mode_of(finding: Finding, policy: Policy, facts: Facts = _UNKNOWN) -> Mode:
    """Return what becomes of *finding*: by the first rule that fits, and never milder than an enforced gate says.

    What no rule is about is advice, unless it was there before the change: then nobody wants to hear of it. The model blocks only by a rule that names it, and only with what was confirmed.
    A fact that is not known fits every rule that blocks and no other.
    """
    modes = [mode_by(finding, one, facts) for one in (policy, *policy.floors) if applies(finding, one)]
    return max(modes, key=lambda mode: mode.rank, default=Mode.off)


def deciding_rule(finding: Finding, policy: Sections, facts: Facts) -> tuple[int, GateRule] | None:
    """Return the first rule of one gate that fits *finding*, and its place among all, None if none does."""
    rules = enumerate(policy.gate.compiled)
    return next(((n, one) for n, one in rules if _about(one, finding) and _holds(one, facts)), None)


def mode_by(finding: Finding, policy: Sections, facts: Facts) -> Mode:
    """Return what becomes of *finding* by the gate of one level alone."""
    gate, found = policy.gate, deciding_rule(finding, policy, facts)
    if found is None:
        return Mode.off if finding.existing else Mode.advise
    _, rule = found
    excused = finding.suppressed and gate.accept_suppressions
    if rule.mode is Mode.block and (excused or not _may_block(rule, finding)):
        return Mode.advise
    return rule.mode


def _may_block(rule: GateRule, finding: Finding) -> bool:
    return finding.scanner != MODEL or (finding.confirmed and MODEL in rule.when.scanners)


def _about(rule: GateRule, finding: Finding) -> bool:
    when = rule.when
    return (
        when.fits_age(existing=finding.existing)
        and (when.severity is None or finding.severity.rank >= when.severity.rank)
        and _any(when.scanners, finding.scanner)
        and _any(when.categories, finding.category)
        and _any(when.rules, finding.rule)
        and (not when.paths or any(matches(glob, finding.path) for glob in when.paths))
    )


def _any(patterns: Sequence[str], name: str) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _holds(rule: GateRule, facts: Facts) -> bool:
    """Say whether *rule* is about a merge request with these *facts*."""
    answers = _asked(rule.when, facts)
    if False in answers:
        return False
    return None not in answers or rule.mode is Mode.block


def _asked(when: When, facts: Facts) -> list[bool | None]:
    """Return for each fact that *when* asks for whether it fits, None where it is not known."""
    answers: list[bool | None] = []
    if when.labels:
        known = facts.labels
        answers.append(None if known is None else not set(when.labels).isdisjoint(known))
    for patterns, branch in (
        (when.target_branches, facts.target_branch),
        (when.source_branches, facts.source_branch),
    ):
        if patterns:
            answers.append(None if branch is None else _any(patterns, branch))
    if when.draft is not None:
        answers.append(None if facts.draft is None else facts.draft is when.draft)
    if when.least_access is not None:
        access = facts.author_access
        answers.append(None if access is None else access >= when.least_access)
    return answers


def asks_for_author(policy: Policy) -> bool:
    """Say whether any rule asks for the author's role, which has to be looked up."""
    gates = (policy.gate, *(floor.gate for floor in policy.floors))
    return any(rule.when.author_role for gate in gates for rule in gate.rules)


def asks_for_existing(policy: Policy) -> bool:
    """Say whether any rule wants to hear of findings that were there before the change."""
    gates = (policy.gate, *(floor.gate for floor in policy.floors))
    return any(
        rule.when.newness != "new" and rule.mode is not Mode.off for gate in gates for rule in gate.rules
    )


def decides(scanner: str, policy: Policy, facts: Facts = _UNKNOWN) -> bool:
    """Say whether findings of *scanner* may block: the others leave nothing open when they give no answer."""
    return any(
        rule.mode is Mode.block
        and (scanner in rule.when.scanners if scanner == MODEL else _any(rule.when.scanners, scanner))
        and _holds(rule, facts)
        for one in (policy, *policy.floors)
        for rule in one.gate.compiled
    )


def governed(findings: Iterable[Finding], policy: Policy, facts: Facts = _UNKNOWN) -> list[Finding]:
    """Return those of *findings* that the policy wants to hear of, with the severity that it gives their rules.

    What an enforced gate blocks is heard of whatever the policy says about its rule, at no milder severity.
    """
    views = (_view(finding, policy, facts) for finding in findings)
    return [finding for finding in views if finding and mode_of(finding, policy, facts) is not Mode.off]


def _view(finding: Finding, policy: Policy, facts: Facts) -> Finding | None:
    seen = [regraded(finding, policy)] if applies(finding, policy) else []
    for floor in policy.floors:
        theirs = regraded(finding, floor)
        if applies(finding, floor) and mode_by(theirs, floor, facts) is Mode.block:
            seen.append(theirs)
    return max(seen, key=lambda one: one.severity.rank, default=None)


def commentable(finding: Finding, policy: Policy, facts: Facts = _UNKNOWN) -> bool:
    """Say whether *finding* deserves a comment in the diff; others are listed in the summary."""
    order = list(Confidence)
    mode = mode_of(finding, policy, facts)
    return (
        # What blocks asks for a waiver, which needs a place to be talked about.
        (not finding.suppressed or mode is Mode.block)
        and finding.severity.rank >= policy.comments.min_severity.rank
        and order.index(finding.confidence) >= order.index(policy.comments.min_confidence)
        and mode.rank >= Mode.advise.rank
    )


def verdict(
    findings: Iterable[Finding],
    policy: Policy,
    facts: Facts = _UNKNOWN,
    extent: Extent | None = None,
    waivers: Standing = _NO_WAIVERS,
) -> Verdict:
    """Return whether *findings*, and the change as a whole, let the revision pass the gate.

    A suppression in the code counts only if the policy accepts it, because the merge request itself may
    have added it; otherwise it asks for a waiver. Waivers are for findings: neither a limit nor a file that nobody
    could read can be waived.
    """
    modes = [(finding, mode_of(finding, policy, facts)) for finding in findings]
    grave = _gravest_first(one for one, mode in modes if mode is Mode.block)
    blocking = tuple(one for one in grave if not waivers.covers(one))
    found = Verdict(
        passed=True,
        blocking=blocking,
        shadowed=_gravest_first(one for one, mode in modes if mode is Mode.shadow),
        waived=tuple(Waived(one, waivers.granted[one.fingerprint]) for one in grave if waivers.covers(one)),
        asked=tuple(
            AskedFor(one, waivers.asked.get(one.fingerprint))
            for one in blocking
            if one.excused or one.fingerprint in waivers.asked
        ),
    )
    if extent is not None:
        found = _measured(found, policy, extent)
    return replace(found, passed=not (found.blocking or found.exceeded or found.unread))


def _gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(
        sorted(findings, key=lambda found: (-found.severity.rank, found.path, found.line, found.rule))
    )


def _measured(found: Verdict, policy: Policy, extent: Extent) -> Verdict:
    exceeded: dict[str, None] = {}
    warned: dict[str, None] = {}
    unread: dict[str, None] = {}
    for gate in (policy.gate, *(floor.gate for floor in policy.floors)):
        said = exceeded if gate.limits.on_exceed == "block" else warned
        said |= dict.fromkeys(_outside(gate.limits, extent))
        open_ = {"never": (), "too_large": extent.too_large, "all": (*extent.too_large, *extent.unread)}
        unread |= dict.fromkeys(open_[gate.unread])
    return replace(
        found,
        exceeded=tuple(exceeded),
        warned=tuple(one for one in warned if one not in exceeded),
        unread=tuple(unread),
    )


def _outside(limits: Limits, extent: Extent) -> list[str]:
    """Return which *limits* the change does not keep to."""
    said = []
    if limits.max_changed_lines is not None and extent.changed_lines > limits.max_changed_lines:
        said.append(_LINES.format(count=extent.changed_lines, limit=limits.max_changed_lines))
    if limits.max_files is not None and extent.files > limits.max_files:
        said.append(_FILES.format(count=extent.files, limit=limits.max_files))
    if (
        limits.min_coverage is not None
        and extent.coverage is not None
        and extent.coverage < limits.min_coverage
    ):
        said.append(_COVERAGE.format(count=extent.coverage, limit=limits.min_coverage))
    return said
