"""`cloister rules list|show|new`, and where else rules of an organisation turn up on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli.rule_skeleton import _KINDS, _TEXTS, write_skeleton
from bot.domain.errors import Permanent
from tests.integration.test_cli_review import Repository, repository
from tests.unit.cli.command import run

__all__ = ["repository"]

OWN = """\
rules:
  - id: own-danger
    languages: [python]
    severity: WARNING
    message: Do not call danger.
    pattern: danger(...)
    metadata: {default: off, cwe: CWE-676}
  - id: own-worse
    languages: [python]
    severity: ERROR
    message: Do not call worse.
    pattern: worse(...)
  - id: own-broken
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    directory = tmp_path / "pack"
    (directory / "python").mkdir(parents=True)
    (directory / "python" / "own.yaml").write_text(OWN)
    return directory


def test_list(pack: Path):
    """All rules are listed, with what people filter by; broken ones are named beside."""
    result = run("rules", "list", "--json", CLOISTER_RULES_DIRS=str(pack))
    assert result.exit_code == 0
    entries = {entry["id"]: entry for entry in json.loads(result.stdout)}
    assert entries["own-danger"] == {
        "id": "own-danger", "languages": ["python"], "severity": "medium", "confidence": "medium",
        "category": "security", "title": "Do not call danger", "default": "off", "cwe": ["CWE-676"],
        "owasp": [], "pack": str(pack),
    }  # fmt: skip
    assert entries["python-sql-injection"]["pack"] == "shipped"
    assert "own.yaml:13" in result.stderr
    filtered = run("rules", "list", "--language", "go", "--category", "security", "--json")
    assert {(tuple(e["languages"]), e["category"]) for e in json.loads(filtered.stdout)} == {
        (("go",), "security")
    }
    text = run("rules", "list", "--language", "secrets").stdout
    assert text.rstrip().endswith("rules")
    assert "secrets " in text
    assert "no rules" in run("rules", "list", "--language", "cobol").stdout


def test_show(pack: Path):
    """A rule is printed with its place, and a typing error is understood."""
    shown = run("rules", "show", "own-worse", CLOISTER_RULES_DIRS=str(pack)).stdout
    assert shown.startswith(f"{pack}/python/own.yaml:8\n")
    assert "pattern: worse(...)" in shown
    missing = run("rules", "show", "python-sql-injecton")
    assert (missing.exit_code, missing.stderr) == (
        2, "error: there is no Semgrep rule python-sql-injecton; did you mean python-sql-injection?\n",
    )  # fmt: skip


def test_every_skeleton_passes_its_test(tmp_path: Path):
    """What `rules new` writes is a rule that works, in every language that it knows."""
    for language in _KINDS | _TEXTS:
        write_skeleton(f"{language}/my-rule", tmp_path)
    result = run("rules", "test", str(tmp_path))
    count = len(_KINDS | _TEXTS)
    assert result.stdout.splitlines() == [f"{count} rules, {count} samples: all as expected"]


def test_new_overwrites_nothing(tmp_path: Path):
    """A second rule of the same name is refused, as are names that lead elsewhere."""
    (tmp_path / "semgrep").mkdir()
    first = run("rules", "new", "py/unsafe-call", str(tmp_path))
    assert first.exit_code == 0
    assert (tmp_path / "semgrep" / "python" / "unsafe-call.yaml").is_file()
    assert "cloister rules test" in first.stdout
    for name in ("python/unsafe-call", "../x", "python/../x", "python/X", "cobol/x", "python"):
        with pytest.raises(Permanent):
            write_skeleton(name, tmp_path)


def test_review_with_rules_of_ones_own(repository: Repository, pack: Path):
    """A pack is tried on a change; what is off by default needs the policy, and a broken rule is named."""
    repository.commit(a__py="danger()\nworse()\n")

    def rules() -> set[str]:
        result = run(
            *("review", str(repository.root), "--no-model", "--rules-dir", str(pack), "--format", "json"),
            *("--fail-on", "never"),
        )
        assert result.exit_code == 0, result.stderr
        assert "own.yaml:13" in result.stderr
        return {finding["rule"] for finding in json.loads(result.stdout)["findings"]}

    assert rules() == {"own-worse"}


def test_the_doctor_names_rules_that_are_left_out(pack: Path, tmp_path: Path):
    """Rules that do not work are a warning, not a failure."""
    result = run("doctor", "--json", CLOISTER_RULES_DIRS=str(pack), CLOISTER_DATA_DIR=str(tmp_path / "data"))
    (check,) = (check for check in json.loads(result.stdout) if check["name"] == "rules")
    assert check["outcome"] == "warn"
    assert "own.yaml:13" in check["detail"]
