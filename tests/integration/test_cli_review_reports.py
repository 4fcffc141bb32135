"""What the reports of `cloister review` promise to those who compare them."""

import json

from tests.integration.test_cli_review import VULNERABLE, Repository, repository
from tests.unit.cli.command import run

__all__ = ["repository"]


def fingerprints(repository: Repository) -> list[str]:
    """Return the fingerprints of a Code Quality report."""
    result = run("review", str(repository.root), "--format", "codequality", "--no-model")
    return [issue["fingerprint"] for issue in json.loads(result.stdout)]


def test_fingerprints_are_the_same_in_every_run(repository: Repository):
    """GitLab tells new findings from known ones by them."""
    repository.commit(store__py=VULNERABLE)
    first = fingerprints(repository)
    assert len(first) == 1
    repository.commit(store__py=f"# a comment above\n\n{VULNERABLE}")
    assert first == fingerprints(repository)


def test_nothing_to_compare_is_said(repository: Repository):
    """A base that is the head itself, as in some shallow clones, is no clean bill."""
    result = run("review", str(repository.root), "--base", "HEAD", "--no-model")
    assert "nothing differs" in result.stderr
    assert result.exit_code == 0


def test_proven_fixes_come_as_a_patch(repository: Repository):
    """Git applies it, the tests of the rules hold afterwards, and nothing else is in it."""
    repository.commit(reader__py="import yaml\n\n\ndef read(text):\n    return yaml.load(text)\n")
    patch = repository.root / "fixes.patch"
    result = run("review", str(repository.root), "--no-model", "--patch", str(patch))
    assert "1 fix in" in result.stderr
    repository.git("apply", str(patch))
    patch.unlink()
    assert "return yaml.safe_load(text)" in (repository.root / "reader.py").read_text()
    assert "no findings" in run("review", str(repository.root), "--no-model").stdout
