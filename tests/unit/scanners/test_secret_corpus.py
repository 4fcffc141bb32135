"""How many secrets are found, and how often something else is taken for one, over thousands of made-up texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.scanners.secret_detector import Detector
from bot.scanners.secret_rules import load_rules
from tests.unit.scanners.secret_corpus import Case, innocents, secrets

RULES = load_rules(Path(__file__).parents[3] / "rules" / "secrets")
DETECTOR = Detector(RULES, b"key")


def shares(cases: Sequence[Case]) -> dict[str, float]:
    """Return the share of texts of each class in which something is found."""
    found = Counter(case.kind for case in cases if DETECTOR.find(case.text.encode(), path=case.path)[0])
    return {kind: found[kind] / count for kind, count in Counter(case.kind for case in cases).items()}


@pytest.mark.parametrize("seed", [11, 12])
def test_secrets_are_found(seed: int):
    """Of all classes 97 in a hundred are found, of no class fewer than 90."""
    cases = secrets(RULES, seed)
    found = shares(cases)
    assert {kind: share for kind, share in found.items() if share < 0.9} == {}
    assert sum(found[case.kind] for case in cases) / len(cases) >= 0.97


@pytest.mark.parametrize("seed", [21, 22])
def test_look_alikes_are_not_reported(seed: int):
    """Of references, placeholders, hashes and code fewer than one in a hundred is taken for a secret."""
    cases = innocents(seed)
    found = shares(cases)
    assert {kind: share for kind, share in found.items() if share > 0.05} == {}
    assert sum(found[case.kind] for case in cases) / len(cases) <= 0.01
