"""How closely people should look at a merge request: counted, not guessed, so that the same change weighs the same."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.findings import Finding, Severity


class Level(enum.StrEnum):
    """How risky a merge request is."""

    low = "low"
    medium = "medium"
    high = "high"


class Ground(enum.StrEnum):
    """What makes it so."""

    grave_findings = "grave_findings"
    findings = "findings"
    size = "size"
    files = "files"
    sensitive = "sensitive"
    data = "data"
    pipeline = "pipeline"
    dependencies = "dependencies"
    untested = "untested"
    unread = "unread"


@dataclass(frozen=True, slots=True)
class Reason:
    """Hold one ground, how many it counts, and how much it weighs."""

    ground: Ground
    count: int
    weight: int


@dataclass(frozen=True, slots=True)
class Risk:
    """Hold the level and what it rests on, the weightiest first."""

    level: Level
    reasons: tuple[Reason, ...] = ()


#: Weights add up: one of two points is a look, three are a careful one.
_MEDIUM, _HIGH = 1, 3

_LARGE_LINES, _HUGE_LINES = 400, 1_500
_MANY_FILES = 30
#: Code below this needs no test of its own.
_TESTABLE_LINES = 10

#: Words of a path, between anything that is no letter.
_SENSITIVE = frozenset(
    [
        "auth",
        "authn",
        "authz",
        "authentication",
        "authorization",
        "login",
        "logout",
        "session",
        "sessions",
        "password",
        "passwords",
        "passwd",
        "credential",
        "credentials",
        "secret",
        "secrets",
        "token",
        "tokens",
        "oauth",
        "saml",
        "jwt",
        "crypto",
        "cryptography",
        "permission",
        "permissions",
        "acl",
        "rbac",
        "payment",
        "payments",
        "billing",
        "security",
    ]
)
_DATA = frozenset(["migration", "migrations", "migrate", "schema", "alembic", "flyway", "liquibase"])
_PIPELINE = re.compile(
    r"(?:^|/)(?:\.gitlab-ci\.ya?ml|\.gitlab/.+|\.github/.+|Jenkinsfile|Dockerfile[^/]*|Containerfile|[^/]+\.dockerfile"
    r"|(?:docker-)?compose[^/]*\.ya?ml|CODEOWNERS|\.cloister\.ya?ml|Makefile|[^/]+\.tf|(?:helm|charts|k8s|deploy|ansible)/.+)$",
    re.IGNORECASE,
)
_DEPENDENCIES = re.compile(
    r"(?:^|/)(?:requirements[^/]*\.txt|pyproject\.toml|setup\.(?:py|cfg)|Pipfile(?:\.lock)?|poetry\.lock|uv\.lock"
    r"|package(?:-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|go\.(?:mod|sum)|Cargo\.(?:toml|lock)"
    r"|pom\.xml|build\.gradle(?:\.kts)?|gradle\.lockfile|Gemfile(?:\.lock)?|composer\.(?:json|lock)|[^/]+\.csproj)$",
    re.IGNORECASE,
)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|testing)/|(?:^|/)(?:test_[^/]+|conftest\.py)$"
    r"|[._-](?:test|spec)s?\.[^/]+$|Tests?\.(?:java|kt|cs|scala|swift|php)$",
)
_CODE = re.compile(
    r"\.(?:py|pyi|js|jsx|mjs|cjs|ts|tsx|vue|java|kt|kts|scala|go|rs|c|h|cc|cpp|hpp|cs|php|rb|swift|m|lua|pl|sh|ex|exs)$"
)


def risk(diff: Diff, findings: Iterable[Finding], unread: Collection[str] = ()) -> Risk:
    """Return how risky the change is.

    Args:
        diff: the change.
        findings: what was found in it and is not suppressed.
        unread: paths of files that nobody looked at although people wrote them.
    """
    reasons = [
        reason
        for reason in (*_of_findings(findings), *_of_files(diff), _reason(Ground.unread, len(unread), 1))
        if reason
    ]
    reasons.sort(key=lambda reason: -reason.weight)
    total = sum(reason.weight for reason in reasons)
    level = Level.high if total >= _HIGH else Level.medium if total >= _MEDIUM else Level.low
    return Risk(level, tuple(reasons))


def _of_findings(findings: Iterable[Finding]) -> Iterator[Reason | None]:
    ranks = [finding.severity.rank for finding in findings]
    grave = sum(rank >= Severity.high.rank for rank in ranks)
    yield _reason(Ground.grave_findings, grave, 3)
    yield _reason(Ground.findings, ranks.count(Severity.medium.rank), 1)


def _of_files(diff: Diff) -> Iterator[Reason | None]:
    lines = sum(len(file.added_lines) + len(file.removed_lines) for file in diff.files)
    if lines >= _LARGE_LINES:
        yield Reason(Ground.size, lines, 2 if lines >= _HUGE_LINES else 1)
    if len(diff.files) >= _MANY_FILES:
        yield Reason(Ground.files, len(diff.files), 1)
    paths = [file.new_path for file in diff.files]
    tests = [path for path in paths if _TEST.search(path)]
    written = set(paths) - set(tests)
    yield _reason(Ground.sensitive, sum(bool(_SENSITIVE & _words(path)) for path in written), 1)
    yield _reason(Ground.data, sum(bool(_DATA & _words(path)) for path in written), 1)
    yield _reason(Ground.pipeline, sum(_PIPELINE.search(path) is not None for path in paths), 1)
    yield _reason(Ground.dependencies, sum(_DEPENDENCIES.search(path) is not None for path in paths), 1)
    if not tests:
        yield _reason(Ground.untested, sum(map(_testable, diff.files)), 1)


def _reason(ground: Ground, count: int, weight: int) -> Reason | None:
    return Reason(ground, count, weight) if count else None


def _words(path: str) -> set[str]:
    return set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", path).lower()))


def _testable(file: FileDiff) -> bool:
    return (
        file.change is not Change.deleted
        and _CODE.search(file.new_path) is not None
        and len(file.added_lines) >= _TESTABLE_LINES
    )
